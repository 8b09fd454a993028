/** HTTP/1.1 on real sockets, byte by byte as a strict client sees it, with Effect's router above. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const streamed = (...parts: ReadonlyArray<string>) => Stream.fromIterable(parts.map(bytes))

const echo = HttpRouter.route("POST", "/echo", (request) =>
  Effect.map(request.text, (text) => HttpServerResponse.text(`<${text}>`))
)

const routes = HttpRouter.addAll([
  HttpRouter.route("GET", "/", HttpServerResponse.text("hello")),
  HttpRouter.route(
    "GET",
    "/number/:number",
    Effect.map(HttpRouter.params, (params) => HttpServerResponse.text(params.number!))
  ),
  HttpRouter.route("GET", "/stream", HttpServerResponse.stream(streamed("one", "two"))),
  HttpRouter.route("GET", "/length", HttpServerResponse.stream(streamed("one", "two"), { contentLength: 6 })),
  HttpRouter.route("GET", "/empty", HttpServerResponse.empty()),
  HttpRouter.route("GET", "/reset", HttpServerResponse.text("no", { status: 205 })),
  HttpRouter.route("GET", "/cached", HttpServerResponse.text("no", { status: 304 })),
  HttpRouter.route("GET", "/close", HttpServerResponse.text("bye", { headers: { connection: "close" } })),
  HttpRouter.route("GET", "/url", (request) =>
    Effect.succeed(HttpServerResponse.text(`${request.url} ${request.originalUrl}`))
  ),
  echo
])

describe("responses without a body", () => {
  const heads: ReadonlyArray<readonly [path: string, status: number, length: string | undefined]> = [
    ["/", 200, "5"],
    ["/stream", 200, undefined],
    ["/length", 200, "6"],
    ["/empty", 204, undefined],
    ["/missing", 404, undefined]
  ]
  for (const [path, status, length] of heads) {
    it.live(`RFC 9110 §9.3.2: HEAD ${path} has the head of GET and no body`, () =>
      Effect.gen(function* () {
        const wire = yield* (yield* Served.routes(routes)).wire
        wire.send(`HEAD ${path} HTTP/1.1\r\nHost: test\r\n\r\n`)
        const head = yield* wire.response("HEAD")
        assert.strictEqual(head.status, status)
        if (length !== undefined) assert.deepStrictEqual(head.headers.get("content-length"), [length])
        // What follows is the next response, and no byte of a body.
        assert.strictEqual((yield* wire.get("/")).body, "hello")
      })
    )
  }

  const statuses: ReadonlyArray<readonly [path: string, status: number]> = [
    ["/empty", 204],
    ["/reset", 205],
    ["/cached", 304]
  ]
  for (const [path, status] of statuses) {
    it.live(`a ${status} has none, and the connection goes on`, () =>
      Effect.gen(function* () {
        const wire = yield* (yield* Served.routes(routes)).wire
        const response = yield* wire.get(path)
        assert.deepStrictEqual([response.status, response.body], [status, ""])
        assert.strictEqual((yield* wire.get("/")).body, "hello")
      })
    )
  }
})

describe("requests", () => {
  it.live("RFC 9110 §10.1.1: 100 Continue is sent when the body is read, and not before", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(routes)).wire
      wire.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
      assert.strictEqual((yield* wire.response()).status, 100)
      wire.send("body")
      assert.strictEqual((yield* wire.response()).body, "<body>")
      wire.send("POST /missing HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
      const refused = yield* wire.response()
      assert.strictEqual(refused.status, 404)
      assert.deepStrictEqual(refused.headers.get("connection"), ["close"])
      assert.deepStrictEqual(yield* wire.rest, { text: "", ending: "end" })
    })
  )

  it.live("RFC 9112 §9.3.2: pipelined requests are answered in order", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(routes)).wire
      const paths = Array.from({ length: 100 }, (_, index) => `/number/${index}`)
      wire.send(paths.map((path) => HttpWire.get(path)).join(""))
      for (let index = 0; index < 100; index++) assert.strictEqual((yield* wire.response()).body, `${index}`)
    })
  )

  it.live("pipelined bodies are their own requests'", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(routes)).wire
      const post = (body: string) =>
        `POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      wire.send(post("first") + post("GET / HTTP/1.1") + HttpWire.get("/"))
      assert.strictEqual((yield* wire.response()).body, "<first>")
      assert.strictEqual((yield* wire.response()).body, "<GET / HTTP/1.1>")
      assert.strictEqual((yield* wire.response()).body, "hello")
    })
  )

  it.live("RFC 9112 §3.2.2: a target in absolute form is routed by its path", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(routes)).wire
      wire.send("GET http://other.test/url?a=1 HTTP/1.1\r\nHost: test\r\n\r\n")
      assert.strictEqual((yield* wire.response()).body, "/url?a=1 http://other.test/url?a=1")
      assert.strictEqual((yield* wire.get("/url?b=2")).body, "/url?b=2 http://test/url?b=2")
    })
  )

  it.live("HTTP/1.0 gets its answer, whole or streamed, and the end of the connection", () =>
    Effect.gen(function* () {
      const { wire } = yield* Served.routes(routes)
      for (const [path, body] of [
        ["/", "hello"],
        ["/stream", "onetwo"]
      ] as const) {
        const old = yield* wire
        old.send(`GET ${path} HTTP/1.0\r\n\r\n`)
        assert.strictEqual((yield* old.rest).ending, "end")
        const response = yield* old.response()
        assert.deepStrictEqual([response.status, response.body], [200, body])
        assert.isUndefined(response.headers.get("transfer-encoding"))
        assert.deepStrictEqual(response.headers.get("connection"), ["close"])
      }
    })
  )

  it.live("HTTP/1.0 keeps the connection where it asks to", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(routes)).wire
      for (let round = 0; round < 2; round++) {
        wire.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        const response = yield* wire.response()
        assert.strictEqual(response.body, "hello")
        assert.deepStrictEqual(response.headers.get("connection"), ["keep-alive"])
      }
    })
  )

  it.live("RFC 9112 §9.6: nothing is served behind Connection: close", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const wire = yield* served.wire
      wire.send(HttpWire.get("/", "Connection: close") + HttpWire.get("/"))
      const response = yield* wire.response()
      assert.deepStrictEqual(response.headers.get("connection"), ["close"])
      assert.deepStrictEqual(yield* wire.rest, { text: "", ending: "end" })
      assert.strictEqual((yield* served.server.stats).requests.completed, 1)
    })
  )

  it.live("a handler closes the connection by its own field", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(routes)).wire
      wire.send(HttpWire.get("/close") + HttpWire.get("/"))
      assert.deepStrictEqual((yield* wire.response()).headers.get("connection"), ["close"])
      assert.deepStrictEqual(yield* wire.rest, { text: "", ending: "end" })
    })
  )

  it.live("a body that no handler reads does not reach the next request", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(routes)).wire
      const body = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
      wire.send(
        `POST /missing HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}${HttpWire.get("/")}`
      )
      assert.strictEqual((yield* wire.response()).status, 404)
      assert.strictEqual((yield* wire.response()).body, "hello")
    })
  )

  const refusals: ReadonlyArray<readonly [what: string, request: string, status: number]> = [
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["two lengths", "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400],
    [
      "a length and chunks",
      "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400
    ],
    [
      "an unknown coding",
      "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      501
    ],
    ["another version", "GET / HTTP/2.0\r\nHost: test\r\n\r\n", 505]
  ]
  for (const [what, request, status] of refusals) {
    it.live(`${what} is answered with ${status}, and the connection ends`, () =>
      Effect.gen(function* () {
        const logs = new LogRecorder()
        yield* Effect.gen(function* () {
          const served = yield* Served.routes(routes)
          const wire = yield* served.wire
          wire.send(request)
          assert.strictEqual((yield* wire.response()).status, status)
          assert.deepStrictEqual(yield* wire.rest, { text: "", ending: "end" })
          assert.strictEqual((yield* served.ask("/")).text, "hello")
        }).pipe(Effect.scoped, logs.listen)
        assert.deepStrictEqual(
          logs.entries.filter((entry) => ["Error", "Fatal", "Warn"].includes(entry.level)),
          []
        )
      })
    )
  }
})

describe("half-close", () => {
  const slow = (gate: Deferred.Deferred<void>, interrupted: Deferred.Deferred<void>) =>
    HttpRouter.add(
      "GET",
      "/slow",
      Deferred.await(gate).pipe(
        Effect.as(HttpServerResponse.text("late")),
        Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
      )
    )

  it.live("a client that ends its side is gone, unless told otherwise", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const wire = yield* (yield* Served.routes(slow(gate, interrupted))).wire
      wire.send(HttpWire.get("/slow"))
      wire.socket.end()
      yield* Deferred.await(interrupted)
      assert.strictEqual((yield* wire.rest).text, "")
    })
  )

  it.live('halfClose "answer": it gets its answer, and then the end', () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const wire = yield* (yield* Served.routes(slow(gate, interrupted), { halfClose: "answer" })).wire
      wire.send(HttpWire.get("/slow"))
      wire.socket.end()
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* wire.response()).body, "late")
      assert.strictEqual((yield* wire.rest).ending, "end")
    })
  )

  it.live("a whole request before the end is answered, as nc sends it", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(routes)).wire
      wire.socket.end(HttpWire.get("/"))
      assert.strictEqual((yield* wire.response()).body, "hello")
      assert.strictEqual((yield* wire.rest).ending, "end")
    })
  )
})

describe("a handler's length that is not true", () => {
  const lengths: ReadonlyArray<readonly [what: string, length: number]> = [
    ["less", 8],
    ["more", 4]
  ]
  for (const [what, length] of lengths) {
    it.live(`a stream with ${what} than it said is broken off, and told once at ERROR`, () =>
      Effect.gen(function* () {
        const logs = new LogRecorder()
        yield* Effect.gen(function* () {
          const served = yield* Served.routes(
            HttpRouter.add("GET", "/", HttpServerResponse.stream(streamed("one", "two"), { contentLength: length }))
          )
          const wire = yield* served.wire
          wire.send(HttpWire.get("/"))
          const { text } = yield* wire.rest
          const body = text.split("\r\n\r\n")[1]
          assert.isTrue(body === undefined || body.length < length, text)
          assert.deepInclude((yield* served.server.stats).requests, { completed: 0, cut: 1 })
        }).pipe(Effect.scoped, logs.listen)
        assert.lengthOf(
          logs.entries.filter((entry) => entry.level === "Error"),
          1
        )
      })
    )
  }

  it.live("a stream that fails is broken off, also where it is sent in chunks", () =>
    Effect.gen(function* () {
      const failing = Stream.concat(streamed("one"), Stream.fail("broken"))
      const served = yield* Served.routes(HttpRouter.add("GET", "/", HttpServerResponse.stream(failing)))
      const wire = yield* served.wire
      wire.send(HttpWire.get("/"))
      const { text } = yield* wire.rest
      assert.notInclude(text, "0\r\n\r\n")
    }).pipe(new LogRecorder().listen)
  )
})

describe("heads that a handler must not send", () => {
  it.live("a field with a line end is a 500, and nothing of it is sent", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* Served.routes(
        HttpRouter.add("GET", "/", (request) =>
          Effect.succeed(
            HttpServerResponse.text("x", { headers: { "x-split": `a\r\nset-cookie: evil=${request.url.length}` } })
          )
        )
      )).wire
      const response = yield* wire.get("/")
      assert.strictEqual(response.status, 500)
      assert.notInclude(response.head, "evil")
    }).pipe(new LogRecorder().listen)
  )

  for (const status of [100, 101, 103, 99, 600, 1000]) {
    it.live(`the status ${status} is a 500`, () =>
      Effect.gen(function* () {
        const { ask } = yield* Served.serve(
          HttpRouter.serve(HttpRouter.add("GET", "/", HttpServerResponse.empty({ status })), {
            disableLogger: true,
            disableListenLog: true
          })
        )
        assert.strictEqual((yield* ask("/")).status, 500)
      }).pipe(new LogRecorder().listen)
    )
  }
})

describe("trailing handlers", () => {
  it.live("a handler that goes on after its answer does not hold the next request", () =>
    Effect.gen(function* () {
      const cleaned = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const wire = yield* (yield* Served.routes(
        HttpRouter.addAll([
          HttpRouter.route(
            "GET",
            "/held",
            Effect.as(
              Effect.addFinalizer(() => Effect.andThen(Deferred.await(gate), Deferred.succeed(cleaned, undefined))),
              HttpServerResponse.text("held")
            )
          ),
          HttpRouter.route(
            "GET",
            "/next",
            Effect.map(HttpServerRequest, () => HttpServerResponse.text("next"))
          )
        ])
      )).wire
      assert.strictEqual((yield* wire.get("/held")).body, "held")
      assert.strictEqual((yield* wire.get("/next")).body, "next")
      yield* Deferred.succeed(gate, undefined)
      yield* Deferred.await(cleaned)
    })
  )
})
