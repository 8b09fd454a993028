import { assert, describe, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as WebWorld from "../../harness/WebWorld.ts"

type Request = HttpServerRequest.HttpServerRequest

/** Answers with what `read` makes of the request. */
const reading = (read: (request: Request) => Effect.Effect<unknown, unknown>, options?: WebWorld.Options) =>
  WebWorld.serving(
    Effect.gen(function* () {
      return HttpServerResponse.text(JSON.stringify(yield* read(yield* HttpServerRequest.HttpServerRequest)))
    }),
    options
  )

const answered = (wire: string): string => wire.slice(wire.indexOf("\r\n\r\n") + 4)
const statusOf = (wire: string): number => Number(wire.slice(9, 12))

const bodies: ReadonlyArray<
  readonly [what: string, read: (request: Request) => Effect.Effect<unknown, unknown>, body: string, answer: unknown]
> = [
  ["text", (request) => request.text, "häh", "häh"],
  ["text of no body", (request) => request.text, "", ""],
  ["json", (request) => request.json, `{"a":[1]}`, { a: [1] }],
  ["json of no body", (request) => request.json, "", null],
  [
    "a form",
    (request) => Effect.map(request.urlParamsBody, (form) => form.params),
    "a=1&b=%26",
    [
      ["a", "1"],
      ["b", "&"]
    ]
  ],
  [
    "a form with a question mark in front",
    (request) => Effect.map(request.urlParamsBody, (form) => form.params),
    "?a=1",
    [["?a", "1"]]
  ],
  ["bytes", (request) => Effect.map(request.arrayBuffer, (buffer) => [...new Uint8Array(buffer)]), "abc", [97, 98, 99]],
  [
    "a stream",
    (request) => Effect.map(Stream.mkString(Stream.decodeText(request.stream)), (text) => text),
    "abc",
    "abc"
  ],
  ["a stream of no body", (request) => Stream.runCount(request.stream), "", 0],
  ["all forms of one body", (request) => Effect.all([request.text, request.json, request.text]), "12", ["12", 12, "12"]]
]

describe("HttpRequestBody", () => {
  for (const [what, read, body, answer] of bodies) {
    it.effect(`reads ${what}`, () =>
      Effect.gen(function* () {
        const world = yield* reading(read)
        const bytes = Buffer.from(body).toString("latin1")
        const peer = yield* world.peer()
        peer.transport.write(Buffer.from(WebWorld.post("/", bytes), "latin1"))
        yield* peer.heard.saw("end")
        assert.deepStrictEqual(JSON.parse(answered(peer.heard.text)), answer)
      })
    )
  }

  it.effect("what is no JSON is the client's fault", () =>
    Effect.gen(function* () {
      const world = yield* reading((request) => request.json)
      assert.strictEqual(statusOf(yield* world.talk(WebWorld.post("/", "{"))), 400)
    })
  )

  it.effect("413 above the server's limit for whole bodies, before anything is read where the client says so", () =>
    Effect.gen(function* () {
      const world = yield* reading((request) => request.text, { maxBufferedBody: 4 })
      assert.strictEqual(statusOf(yield* world.talk(WebWorld.post("/", "abcd"))), 200)
      assert.strictEqual(statusOf(yield* world.talk(WebWorld.post("/", "abcde"))), 413)
      const chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
      assert.strictEqual(statusOf(yield* world.talk(chunked, "2\r\nde\r\n0\r\n\r\n", WebWorld.get("/"))), 413)
    })
  )

  it.effect("the default limit for whole bodies is 2 MiB", () =>
    Effect.gen(function* () {
      const world = yield* reading((request) => request.arrayBuffer)
      const head = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${2 * 1024 * 1024 + 1}\r\n\r\n`
      assert.strictEqual(statusOf(yield* world.talk(head)), 413)
    })
  )

  it.effect("MaxBodySize overrides the limit, for streams too", () =>
    Effect.gen(function* () {
      const limit = Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(3))
      const whole = yield* reading((request) => limit(request.text))
      assert.strictEqual(statusOf(yield* whole.talk(WebWorld.post("/", "abcd"))), 413)
      const stream = yield* reading((request) => limit(Stream.runDrain(request.stream)))
      assert.strictEqual(statusOf(yield* stream.talk(WebWorld.post("/", "abcd"))), 413)
      const larger = Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(30))
      const allowed = yield* reading((request) => larger(request.text), { maxBufferedBody: 4 })
      assert.strictEqual(statusOf(yield* allowed.talk(WebWorld.post("/", "abcdef"))), 200)
    })
  )

  it.effect("413 above the limit for all bodies", () =>
    Effect.gen(function* () {
      const world = yield* reading((request) => Stream.runDrain(request.stream), { maxBodySize: 4 })
      assert.strictEqual(statusOf(yield* world.talk(WebWorld.post("/", "abcde"))), 413)
    })
  )

  it.effect("two readers at one time get the same bytes", () =>
    Effect.gen(function* () {
      const world = yield* reading((request) =>
        Effect.all([request.text, request.text, request.json], { concurrency: "unbounded" })
      )
      const wire = WebWorld.post("/", "12")
      const answer = yield* world.talk(wire.slice(0, -1), wire.slice(-1))
      assert.deepStrictEqual(JSON.parse(answered(answer)), ["12", "12", 12])
    })
  )

  it.effect("a reader that gave up leaves the body to one that waits for it", () =>
    Effect.gen(function* () {
      const world = yield* reading((request) =>
        Effect.all([Effect.asVoid(Effect.timeoutOption(request.text, 1)), request.text, request.json], {
          concurrency: "unbounded"
        })
      )
      const peer = yield* world.peer()
      const wire = WebWorld.post("/", "12")
      peer.write(wire.slice(0, -1))
      yield* Effect.forEach(Array(10), () => Effect.yieldNow)
      yield* TestClock.adjust(1)
      peer.write(wire.slice(-1))
      yield* peer.heard.saw("end")
      assert.deepStrictEqual(JSON.parse(answered(peer.heard.text)), [null, "12", 12])
    })
  )

  it.effect("a reader that gave up leaves the body to the next one", () =>
    Effect.gen(function* () {
      const world = yield* reading((request) => Effect.andThen(Effect.timeoutOption(request.text, 0), request.text))
      const wire = WebWorld.post("/", "ab")
      assert.match(yield* world.talk(wire.slice(0, -1), wire.slice(-1)), /"ab"$/)
    })
  )

  it.effect("parts of a form, as a stream", () =>
    Effect.gen(function* () {
      const world = yield* reading((request) =>
        request.multipartStream.pipe(
          Stream.mapEffect((part) =>
            part._tag === "Field"
              ? Effect.succeed([part.key, part.value])
              : Effect.map(part.contentEffect, (bytes) => [part.key, part.name, new TextDecoder().decode(bytes)])
          ),
          Stream.runCollect
        )
      )
      const body = [
        `--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n`,
        `--x\r\ncontent-disposition: form-data; name="f"; filename="f.txt"\r\ncontent-type: text/plain\r\n\r\nfile\r\n--x--\r\n`
      ].join("")
      const answer = yield* world.talk(WebWorld.post("/", body, "content-type: multipart/form-data; boundary=x\r\n"))
      assert.deepStrictEqual(JSON.parse(answered(answer)), [
        ["a", "1"],
        ["f", "f.txt", "file"]
      ])
    })
  )

  it.effect("a client that ends within its body is told as a failure", () =>
    Effect.gen(function* () {
      let told: HttpServerError | undefined
      const world = yield* reading((request) =>
        Effect.tapError(request.text, (error) =>
          Effect.sync(() => {
            told = error
          })
        )
      )
      const peer = yield* world.peer()
      peer.write(WebWorld.post("/", "abcdef").slice(0, -3))
      yield* Effect.yieldNow
      peer.transport.end()
      yield* peer.heard.saw("end")
      assert.strictEqual(statusOf(peer.heard.text), 400)
      assert.strictEqual(told?.reason._tag, "RequestParseError")
    })
  )
})
