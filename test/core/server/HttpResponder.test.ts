import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

/** What a client of `method` gets for `response`. */
const wireOf = (response: HttpServerResponse.HttpServerResponse, method = "GET") =>
  Effect.gen(function* () {
    const world = yield* WebWorld.serving(Effect.succeed(response))
    return yield* world.talk(`${method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
  })

const end = "connection: close\r\n\r\n"
const plain = "content-type: text/plain\r\n"

const rows: ReadonlyArray<
  readonly [what: string, response: HttpServerResponse.HttpServerResponse, get: string, head?: string]
> = [
  [
    "text",
    HttpServerResponse.text("häh"),
    `HTTP/1.1 200 OK\r\n${plain}content-length: 4\r\n${end}häh`,
    `HTTP/1.1 200 OK\r\n${plain}content-length: 4\r\n${end}`
  ],
  [
    "bytes",
    HttpServerResponse.uint8Array(bytes("abc")),
    `HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 3\r\n${end}abc`
  ],
  ["nothing", HttpServerResponse.empty({ status: 200 }), `HTTP/1.1 200 OK\r\ncontent-length: 0\r\n${end}`],
  ["RFC 9110 §15.3.5: 204", HttpServerResponse.empty(), `HTTP/1.1 204 No Content\r\n${end}`],
  [
    "RFC 9110 §15.3.6: 205 has no content",
    HttpServerResponse.text("abc", { status: 205 }),
    `HTTP/1.1 205 Reset Content\r\n${plain}content-length: 0\r\n${end}`
  ],
  [
    "RFC 9110 §15.4.5: 304 says the length that the content would have",
    HttpServerResponse.text("abc", { status: 304 }),
    `HTTP/1.1 304 Not Modified\r\n${plain}content-length: 3\r\n${end}`
  ],
  [
    "a status text of its own",
    HttpServerResponse.text("", { status: 200, statusText: "Fine" }),
    `HTTP/1.1 200 Fine\r\n${plain}content-length: 0\r\n${end}`
  ],
  [
    "cookies, each in its line",
    HttpServerResponse.empty({ headers: { "set-cookie": "c=3" } }).pipe(
      HttpServerResponse.setCookieUnsafe("a", "1"),
      HttpServerResponse.setCookieUnsafe("b", "2")
    ),
    `HTTP/1.1 204 No Content\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nset-cookie: c=3\r\n${end}`
  ],
  [
    "a stream",
    HttpServerResponse.stream(Stream.make(bytes("a"), bytes("bc")).pipe(Stream.rechunk(1))),
    `HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n${end}1\r\na\r\n2\r\nbc\r\n0\r\n\r\n`,
    `HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n${end}`
  ],
  [
    "a stream of a known length",
    HttpServerResponse.stream(Stream.make(bytes("a"), bytes("bc")), { contentLength: 3 }),
    `HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 3\r\n${end}abc`
  ],
  [
    "raw text",
    HttpServerResponse.raw("abc", { contentType: "text/x" }),
    `HTTP/1.1 200 OK\r\ncontent-type: text/x\r\ncontent-length: 3\r\n${end}abc`
  ],
  [
    "a web response, with its status and fields",
    HttpServerResponse.raw(new Response("abc", { status: 201, headers: { "x-a": "1", "content-type": "text/x" } })),
    `HTTP/1.1 201 Created\r\ncontent-type: text/x\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n${end}3\r\nabc\r\n0\r\n\r\n`
  ],
  [
    "a field that would split the response",
    HttpServerResponse.text("abc", { headers: { "x-a": "1\r\nx-b: 2" } }),
    `HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n${end}`
  ],
  [
    "a status that is none",
    HttpServerResponse.text("abc", { status: 700 }),
    `HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n${end}`
  ],
  [
    "an interim status, which answers nothing",
    HttpServerResponse.empty({ status: 103 }),
    `HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n${end}`
  ]
]

describe("HttpResponder.send", () => {
  for (const [what, response, get, head] of rows) {
    it.effect(what, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* wireOf(response), get)
        if (head !== undefined) assert.strictEqual(yield* wireOf(response, "HEAD"), head)
      }).pipe(new LogRecorder().listen)
    )
  }

  it.effect("a stream is not begun for HEAD", () =>
    Effect.gen(function* () {
      let begun = false
      const stream = Stream.fromEffect(
        Effect.sync(() => {
          begun = true
          return bytes("a")
        })
      )
      yield* wireOf(HttpServerResponse.stream(stream), "HEAD")
      assert.isFalse(begun)
    })
  )

  for (const [what, rest] of [
    ["fails", Stream.fail("broken")],
    ["ends before its length", Stream.empty],
    ["is longer than its length", Stream.make(bytes("cdefgh"))]
  ] as const) {
    it.effect(`a stream that ${what} is broken off, and cannot be taken for whole`, () =>
      Effect.gen(function* () {
        const log = new LogRecorder()
        const heard = yield* Deferred.make<void>()
        const stream = Stream.concat(Stream.make(bytes("ab")), Stream.unwrap(Effect.as(Deferred.await(heard), rest)))
        const response = HttpServerResponse.stream(stream, { contentLength: 5 })
        const world = yield* log.listen(WebWorld.serving(Effect.succeed(response)))
        const peer = yield* world.peer()
        peer.write(WebWorld.get("/"))
        yield* peer.heard.until(({ text }) => text.endsWith("\r\n\r\nab"))
        yield* Deferred.succeed(heard, undefined)
        yield* peer.heard.saw("close")
        assert.match(peer.heard.text, /\r\n\r\nab$/)
        assert.strictEqual((yield* world.server.stats).requests.cut, 1)
        assert.strictEqual(log.entries.filter(({ level }) => level === "Error").length, 1)
      })
    )
  }

  for (const [what, stream, answer] of [
    [
      "is sent behind the 100 that its client waits for",
      (request: HttpServerRequest.HttpServerRequest) => request.stream,
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n.*5\r\nhello\r\n0\r\n\r\n$/s
    ],
    ["is empty, and sent all the same", () => Stream.empty, /^HTTP\/1.1 200 OK\r\n.*\r\n0\r\n\r\n$/s],
    ["that fails before its first part is answered with 500", () => Stream.fail("broken"), /^HTTP\/1.1 500 /]
  ] as const) {
    it.effect(`RFC 9110 §10.1.1: a stream made of the request's body ${what}`, () =>
      Effect.gen(function* () {
        const world = yield* new LogRecorder().listen(
          WebWorld.serving(
            Effect.map(HttpServerRequest.HttpServerRequest, (request) =>
              HttpServerResponse.stream<unknown>(stream(request))
            )
          )
        )
        const peer = yield* world.peer()
        const [head, body] = WebWorld.post("/", "hello", "expect: 100-continue\r\n").split("\r\n\r\n")
        peer.write(`${head}\r\n\r\n`)
        yield* peer.heard.until(({ text }) => text.includes("\r\n\r\n"))
        if (peer.heard.text.startsWith("HTTP/1.1 100")) peer.write(body!)
        yield* peer.heard.saw("end")
        assert.match(peer.heard.text, answer)
      })
    )
  }

  it.effect("a client that goes ends the stream that it was sent", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const stream = Stream.concat(Stream.make(bytes("a")), Stream.never).pipe(
        Stream.ensuring(Deferred.succeed(ended, undefined))
      )
      const world = yield* WebWorld.serving(Effect.succeed(HttpServerResponse.stream(stream)))
      const peer = yield* world.peer()
      peer.write(WebWorld.get("/"))
      yield* peer.heard.until((heard) => heard.text.endsWith("1\r\na\r\n"))
      peer.transport.destroy()
      yield* Deferred.await(ended)
    })
  )
})
