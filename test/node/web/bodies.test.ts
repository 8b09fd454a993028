/** What requests and responses carry, in the forms in which Effect's programs use them. */
import * as Fs from "node:fs"
import { Readable } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import {
  type HttpServerRequest,
  schemaBodyForm,
  schemaBodyJson,
  schemaBodyUrlParams,
  schemaCookies
} from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Multipart from "effect/http/Multipart"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const readable = (...parts: ReadonlyArray<string>) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(bytes(part))
      controller.close()
    }
  })

describe("raw bodies of responses", () => {
  const form = () => {
    const data = new FormData()
    data.set("name", "Ann")
    return data
  }
  const raws: ReadonlyArray<
    readonly [what: string, body: () => unknown, text: string | RegExp, type: string | RegExp | null]
  > = [
    ["a web response", () => new Response("hello", { headers: { "content-type": "text/x" } }), "hello", "text/x"],
    ["a web stream", () => readable("one", "two"), "onetwo", null],
    ["a blob", () => new Blob(["blob"], { type: "text/blob" }), "blob", "text/blob"],
    ["a Node stream of bytes", () => Readable.from([bytes("a"), bytes("b")]), "ab", null],
    ["a Node stream of text", () => Readable.from(["a", "ä"]), "aä", null],
    ["an array of bytes", () => bytes("bytes"), "bytes", null],
    ["an array buffer", () => bytes("buffer").buffer, "buffer", null],
    ["a view", () => new DataView(bytes("view").buffer), "view", null],
    ["text", () => "text ä", "text ä", null],
    ["url params", () => new URLSearchParams({ a: "1 2" }), "a=1+2", /^application\/x-www-form-urlencoded/],
    ["nothing", () => null, "", null]
  ]
  for (const [what, body, text, type] of raws) {
    it.live(`${what}`, () =>
      Effect.gen(function* () {
        const { ask } = yield* Served.routes(
          HttpRouter.add(
            "GET",
            "/",
            Effect.sync(() => HttpServerResponse.raw(body()))
          )
        )
        for (let round = 0; round < 2; round++) {
          const answer = yield* ask("/")
          assert.deepStrictEqual([answer.status, answer.text], [200, text])
          if (type instanceof RegExp) assert.match(answer.headers.get("content-type") ?? "", type)
          else assert.strictEqual(answer.headers.get("content-type"), type)
        }
        const head = yield* ask("/", { method: "HEAD" })
        assert.deepStrictEqual([head.status, head.text], [200, ""])
      })
    )
  }

  it.live("a web response has its own status and fields", () =>
    Effect.gen(function* () {
      const { ask } = yield* Served.routes(
        HttpRouter.add(
          "GET",
          "/",
          Effect.sync(() => HttpServerResponse.raw(new Response("gone", { status: 410, headers: { "x-own": "1" } })))
        )
      )
      const answer = yield* ask("/")
      assert.deepStrictEqual([answer.status, answer.text, answer.headers.get("x-own")], [410, "gone", "1"])
    })
  )

  it.live("a form is multipart with its own boundary", () =>
    Effect.gen(function* () {
      const { ask } = yield* Served.routes(
        HttpRouter.add(
          "GET",
          "/",
          Effect.sync(() => HttpServerResponse.formData(form()))
        )
      )
      const answer = yield* ask("/")
      const parsed = yield* Effect.promise(() =>
        new Response(answer.bytes.slice(), { headers: answer.headers }).formData()
      )
      assert.strictEqual(parsed.get("name"), "Ann")
    })
  )

  it.live("a Node stream is destroyed when its client goes, and when nobody gets it", () =>
    Effect.gen(function* () {
      const destroyed: Array<Promise<void>> = []
      const endless = () => {
        const stream = Readable.from(
          (async function* () {
            for (;;) yield new Uint8Array(16_384)
          })()
        )
        destroyed.push(new Promise((resolve) => stream.once("close", resolve)))
        return stream
      }
      const { ask, wire } = yield* Served.routes(
        HttpRouter.add(
          "GET",
          "/",
          Effect.sync(() => HttpServerResponse.raw(endless()))
        )
      )
      const client = yield* wire
      client.send(HttpWire.get("/"))
      client.socket.once("data", () => client.socket.destroy())
      yield* ask("/", { method: "HEAD" })
      assert.lengthOf(destroyed, 2)
      yield* Effect.promise(() => Promise.all(destroyed))
    })
  )

  it.live("what is no body is broken off, and told", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const served = yield* Served.routes(HttpRouter.add("GET", "/", HttpServerResponse.raw({ what: "is this" })))
        const wire = yield* served.wire
        wire.send(HttpWire.get("/"))
        assert.notInclude((yield* wire.rest).text, "0\r\n\r\n")
      }).pipe(Effect.scoped, logs.listen)
      assert.deepStrictEqual(
        logs.entries.filter((entry) => entry.level === "Error").map((entry) => entry.message),
        ["Unhandled error in an HTTP handler"]
      )
    })
  )
})

const post = (body: RequestInit["body"], type?: string): RequestInit =>
  ({
    method: "POST",
    body: body ?? null,
    duplex: "half",
    ...(type === undefined ? {} : { headers: { "content-type": type } })
  }) as RequestInit

describe("bodies of requests", () => {
  const readers: ReadonlyArray<
    readonly [
      what: string,
      read: (request: HttpServerRequest) => Effect.Effect<unknown, unknown>,
      body: string,
      expected: unknown
    ]
  > = [
    ["text", (request) => request.text, "tëxt", "tëxt"],
    ["json", (request) => request.json, '{"a":[1]}', { a: [1] }],
    [
      "a form",
      (request) => Effect.map(request.urlParamsBody, (params) => [...params]),
      "a=1&b=%C3%A4+x&a=2",
      [
        ["a", "1"],
        ["b", "ä x"],
        ["a", "2"]
      ]
    ],
    ["array buffer", (request) => Effect.map(request.arrayBuffer, (buffer) => buffer.byteLength), "12345", 5],
    ["a stream", (request) => Stream.mkString(Stream.decodeText(request.stream)), "stream", "stream"],
    ["nothing", (request) => request.text, "", ""]
  ]
  for (const [what, read, body, expected] of readers) {
    for (const chunked of ["", " in chunks"]) {
      it.live(`${what}${chunked}, read twice`, () =>
        Effect.gen(function* () {
          const { ask } = yield* Served.routes(
            HttpRouter.add("POST", "/", (request) =>
              Effect.gen(function* () {
                const first = yield* read(request)
                const second = what === "a stream" ? first : yield* read(request)
                return HttpServerResponse.jsonUnsafe([first, second])
              })
            )
          )
          const answer = yield* ask(
            "/",
            post(chunked === "" ? body : readable(body), "application/x-www-form-urlencoded")
          )
          assert.deepStrictEqual(JSON.parse(answer.text), [expected, expected])
        })
      )
    }
  }

  it.live("by schema: JSON, form, cookies", () =>
    Effect.gen(function* () {
      const Person = Schema.Struct({ name: Schema.String })
      const { ask } = yield* Served.routes(
        HttpRouter.addAll([
          HttpRouter.route("POST", "/json", Effect.map(schemaBodyJson(Person), HttpServerResponse.jsonUnsafe)),
          HttpRouter.route("POST", "/params", Effect.map(schemaBodyUrlParams(Person), HttpServerResponse.jsonUnsafe)),
          HttpRouter.route("POST", "/form", Effect.map(schemaBodyForm(Person), HttpServerResponse.jsonUnsafe)),
          HttpRouter.route("GET", "/cookie", Effect.map(schemaCookies(Person), HttpServerResponse.jsonUnsafe))
        ])
      )
      const form = new FormData()
      form.set("name", "Ann")
      for (const [path, init] of [
        ["/json", post('{"name":"Ann"}', "application/json")],
        ["/params", post(new URLSearchParams({ name: "Ann" }))],
        ["/form", post(form)],
        ["/cookie", { headers: { cookie: "other=1; name=Ann" } }]
      ] as const) {
        const answer = yield* ask(path, init)
        assert.deepStrictEqual([path, answer.status, answer.text], [path, 200, '{"name":"Ann"}'])
      }
      assert.strictEqual((yield* ask("/json", post('{"name":1}', "application/json"))).status, 400)
      assert.strictEqual((yield* ask("/cookie")).status, 400)
    })
  )

  it.live("above maxBufferedBody: 413, also where the length was not said; MaxBodySize overrides it", () =>
    Effect.gen(function* () {
      const read = (request: HttpServerRequest) =>
        Effect.map(request.text, (text) => HttpServerResponse.text(`${text.length}`))
      const { ask } = yield* Served.routes(
        HttpRouter.addAll([
          HttpRouter.route("POST", "/", read),
          HttpRouter.route("POST", "/more", (request) =>
            Effect.provideService(read(request), HttpIncomingMessage.MaxBodySize, 2_000n as never)
          ),
          HttpRouter.route("POST", "/stream", (request) =>
            Effect.map(
              Stream.runFold(
                request.stream,
                () => 0,
                (sum, chunk) => sum + chunk.length
              ),
              (sum) => HttpServerResponse.text(`${sum}`)
            )
          )
        ]),
        { maxBufferedBody: 1_000 }
      )
      const large = "x".repeat(1_001)
      for (const body of [() => large, () => readable(large.slice(0, 500), large.slice(500))]) {
        assert.strictEqual((yield* ask("/", post(body()))).status, 413)
        assert.strictEqual((yield* ask("/more", post(body()))).text, "1001")
        assert.strictEqual((yield* ask("/stream", post(body()))).text, "1001")
      }
      assert.strictEqual((yield* ask("/", post("x".repeat(1_000)))).text, "1000")
      assert.strictEqual((yield* ask("/more", post("x".repeat(2_001)))).status, 413)
    })
  )

  it.live("maxBodySize holds for streams as well: 413, and the connection ends", () =>
    Effect.gen(function* () {
      const { wire } = yield* Served.routes(
        HttpRouter.add("POST", "/", (request) =>
          Effect.as(Stream.runDrain(request.stream), HttpServerResponse.text("read"))
        ),
        { maxBodySize: 1_000 }
      )
      const client = yield* wire
      client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n")
      assert.strictEqual((yield* client.response()).status, 413)
      assert.strictEqual((yield* client.rest).ending, "end")
      const chunked = yield* wire
      chunked.send(
        `POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${"x".repeat(1_001)}\r\n0\r\n\r\n`
      )
      assert.strictEqual((yield* chunked.response()).status, 413)
    })
  )

  it.live("a body is echoed while it comes, however large", () =>
    Effect.gen(function* () {
      const { ask } = yield* Served.routes(
        HttpRouter.add("POST", "/", (request) => Effect.succeed(HttpServerResponse.stream(request.stream)))
      )
      const part = new Uint8Array(65_536).map((_, index) => index % 251)
      const parts = Stream.toReadableStream(Stream.take(Stream.forever(Stream.make(part)), 64))
      const answer = yield* ask("/", post(parts as never))
      assert.strictEqual(answer.bytes.length, 64 * 65_536)
      assert.deepStrictEqual(answer.bytes.subarray(63 * 65_536), part)
    })
  )
})

describe("cookies", () => {
  it.live("each is a line of its own, and comes back by name", () =>
    Effect.gen(function* () {
      const { wire } = yield* Served.routes(
        HttpRouter.addAll([
          HttpRouter.route(
            "GET",
            "/set",
            HttpServerResponse.text("set", { headers: { "set-cookie": "own=0" } }).pipe(
              HttpServerResponse.setCookieUnsafe("a", "1", { httpOnly: true, path: "/" }),
              HttpServerResponse.setCookieUnsafe("b", "two words")
            )
          ),
          HttpRouter.route("GET", "/get", (request) => Effect.succeed(HttpServerResponse.jsonUnsafe(request.cookies)))
        ])
      )
      const client = yield* wire
      const set = yield* client.get("/set")
      assert.deepStrictEqual(set.headers.get("set-cookie"), ["a=1; Path=/; HttpOnly", "b=two%20words", "own=0"])
      const got = yield* client.get("/get", "Cookie: a=1; b=two%20words", "Cookie: c=3")
      assert.deepStrictEqual(JSON.parse(got.body), { a: "1", b: "two words", c: "3" })
    })
  )
})

describe("multipart", () => {
  const upload = (size = 100_000) => {
    const form = new FormData()
    form.set("name", "Ann")
    form.set("file", new File([new Uint8Array(size).fill(7)], "seven.bin", { type: "application/x-seven" }))
    return form
  }

  it.live("parts come as a stream", () =>
    Effect.gen(function* () {
      const { ask } = yield* Served.routes(
        HttpRouter.add("POST", "/", (request) =>
          request.multipartStream.pipe(
            Stream.mapEffect((part) =>
              part._tag === "Field"
                ? Effect.succeed<ReadonlyArray<unknown>>([part.key, part.value])
                : Effect.map(part.contentEffect, (content) => [part.name, part.contentType, content.length])
            ),
            Stream.runCollect,
            Effect.map((parts) => HttpServerResponse.jsonUnsafe([...parts]))
          )
        )
      )
      const answer = yield* ask("/", post(upload()))
      assert.deepStrictEqual(JSON.parse(answer.text), [
        ["name", "Ann"],
        ["seven.bin", "application/x-seven", 100_000]
      ])
    })
  )

  it.live("persisted files are there during the request, and gone afterwards", () =>
    Effect.gen(function* () {
      const paths: Array<string> = []
      const { ask, server } = yield* Served.routes(
        HttpRouter.add("POST", "/", (request) =>
          Effect.map(request.multipart, (persisted) => {
            const [file] = persisted.file as ReadonlyArray<Multipart.PersistedFile>
            paths.push(file!.path)
            return HttpServerResponse.jsonUnsafe([persisted.name, file!.contentType, Fs.statSync(file!.path).size])
          })
        )
      )
      const answer = yield* ask("/", post(upload()))
      assert.deepStrictEqual(JSON.parse(answer.text), ["Ann", "application/x-seven", 100_000])
      yield* settled(server)
      yield* Effect.repeat(
        Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void))),
        {
          while: () => Effect.sync(() => Fs.existsSync(paths[0]!))
        }
      )
    })
  )

  it.live("persisted files of a client that went are gone as well", () =>
    Effect.gen(function* () {
      const path = yield* Deferred.make<string>()
      const { wire } = yield* Served.routes(
        HttpRouter.add("POST", "/", (request) =>
          Effect.gen(function* () {
            const persisted = yield* request.multipart
            const [file] = persisted.file as ReadonlyArray<Multipart.PersistedFile>
            yield* Deferred.succeed(path, file!.path)
            return yield* Effect.never
          })
        )
      )
      const encoded = new Response(upload())
      const body = yield* Effect.promise(() => encoded.arrayBuffer())
      const client = yield* wire
      client.send(
        `POST / HTTP/1.1\r\nHost: test\r\nContent-Type: ${encoded.headers.get("content-type")}\r\nContent-Length: ${body.byteLength}\r\n\r\n`
      )
      client.send(new Uint8Array(body))
      const written = yield* Deferred.await(path)
      assert.isTrue(Fs.existsSync(written))
      client.socket.destroy()
      yield* Effect.repeat(
        Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void))),
        {
          while: () => Effect.sync(() => Fs.existsSync(written))
        }
      )
    })
  )

  const limits: ReadonlyArray<readonly [what: string, limits: Multipart.withLimits.Options]> = [
    ["too many parts", { maxParts: 1 }],
    ["a field that is too large", { maxFieldSize: 2 }],
    ["a file that is too large", { maxFileSize: 1_000 }]
  ] as never
  for (const [what, limit] of limits) {
    it.live(`${what}: 413 or 400, and the server goes on`, () =>
      Effect.gen(function* () {
        const { ask } = yield* Served.routes(
          HttpRouter.add("POST", "/", (request) =>
            Stream.runDrain(
              Stream.mapEffect(request.multipartStream, (part) =>
                part._tag === "Field" ? Effect.void : Stream.runDrain(part.content)
              )
            ).pipe(
              Effect.provideContext(Multipart.limitsServices(limit as never)),
              Effect.as(HttpServerResponse.text("read")),
              Effect.catchTag("MultipartError", (error) =>
                Effect.succeed(HttpServerResponse.text(error.reason._tag, { status: 413 }))
              )
            )
          )
        )
        const refused = yield* ask("/", post(upload()))
        assert.strictEqual(refused.status, 413, refused.text)
        assert.strictEqual((yield* ask("/", post(upload(10)))).status === 200, what === "a file that is too large")
      })
    )
  }
})

/** Waits until the server counts no request that is not over. */
const settled = (server: Served.Served["server"]) =>
  Effect.repeat(Effect.yieldNow, {
    while: () => Effect.map(server.stats, ({ requests }) => requests.completed === 0)
  })
