/** Effect's own middleware and tracing, and routers within routers. */
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const hello = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))

describe("the logger", () => {
  it.live("tells of each response, with its path and status", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const { ask } = yield* Served.serve(HttpRouter.serve(hello, { disableListenLog: true }))
        yield* ask("/?secret=1")
        yield* ask("/missing", { method: "POST" })
      }).pipe(Effect.scoped, logs.listen)
      const told = logs.entries.flatMap(({ annotations }) =>
        "http.url" in annotations
          ? [[annotations["http.method"], annotations["http.url"], annotations["http.status"]]]
          : []
      )
      assert.deepStrictEqual(told, [
        ["GET", "/", 200],
        ["POST", "/missing", 404]
      ])
    })
  )
})

describe("cors", () => {
  it.live("answers the preflight, and marks the response", () =>
    Effect.gen(function* () {
      const { wire } = yield* Served.routes(
        Layer.merge(hello, HttpRouter.cors({ allowedOrigins: ["https://a.test"], allowedMethods: ["GET"], maxAge: 60 }))
      )
      const client = yield* wire
      client.send(
        "OPTIONS / HTTP/1.1\r\nHost: test\r\nOrigin: https://a.test\r\nAccess-Control-Request-Method: GET\r\n\r\n"
      )
      const preflight = yield* client.response("OPTIONS")
      assert.strictEqual(preflight.status, 204)
      assert.deepStrictEqual(preflight.headers.get("access-control-allow-origin"), ["https://a.test"])
      assert.deepStrictEqual(preflight.headers.get("access-control-max-age"), ["60"])
      const response = yield* client.get("/", "Origin: https://a.test")
      assert.deepStrictEqual(response.headers.get("access-control-allow-origin"), ["https://a.test"])
    })
  )
})

describe("compression", () => {
  const text = "all work and no play ".repeat(1_000)
  const routes = HttpRouter.addAll([
    HttpRouter.route("GET", "/", HttpServerResponse.text(text)),
    HttpRouter.route(
      "GET",
      "/stream",
      Effect.sync(() => HttpServerResponse.stream(Stream.encodeText(Stream.make(text)), { contentType: "text/plain" }))
    ),
    HttpRouter.route("GET", "/small", HttpServerResponse.text("small"))
  ])
  const compressed = Layer.provide(routes, HttpRouter.middleware(HttpMiddleware.compression(), { global: true }))
  const decoders: ReadonlyArray<readonly [coding: string, decode: (bytes: Uint8Array) => Uint8Array]> = [
    ["br", Zlib.brotliDecompressSync],
    ["gzip", Zlib.gunzipSync],
    ["deflate", Zlib.inflateSync]
  ]
  for (const [coding, decode] of decoders) {
    it.live(`in ${coding}, whole and streamed, and HEAD`, () =>
      Effect.gen(function* () {
        const { wire } = yield* Served.routes(compressed)
        const client = yield* wire
        for (const path of ["/", "/stream"]) {
          const response = yield* client.get(path, `Accept-Encoding: ${coding}`)
          assert.deepStrictEqual(response.headers.get("content-encoding"), [coding])
          assert.isBelow(response.bodyBytes, 1_000)
          assert.strictEqual(new TextDecoder().decode(decode(Buffer.from(response.body, "latin1"))), text)
          client.send(HttpWire.get(path, `Accept-Encoding: ${coding}`).replace("GET", "HEAD"))
          assert.strictEqual((yield* client.response("HEAD")).status, 200)
        }
        assert.isUndefined((yield* client.get("/small", `Accept-Encoding: ${coding}`)).headers.get("content-encoding"))
        assert.strictEqual((yield* client.get("/")).body, text)
      })
    )
  }
})

describe("x-forwarded headers", () => {
  const who = HttpRouter.add("GET", "/", (request) =>
    Effect.succeed(
      HttpServerResponse.jsonUnsafe([
        Option.getOrNull(request.remoteAddress),
        Option.getOrNull(request.peerAddress),
        request.protocol ?? null,
        request.headers.host
      ])
    )
  )
  const forwarded = {
    headers: { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "x-forwarded-host": "app.test" }
  }
  for (const [by, trusted, client, scheme] of [
    ["a trusted proxy", true, "203.0.113.9", "https"],
    ["anybody else", false, "127.0.0.1", null]
  ] as const) {
    it.live(`what ${by} says of the client`, () =>
      Effect.gen(function* () {
        const forwarding = HttpRouter.middleware(HttpMiddleware.xForwardedHeaders({ trustedProxies: () => trusted }), {
          global: true
        })
        const { ask, port } = yield* Served.routes(Layer.provide(who, forwarding))
        const host = trusted ? "app.test" : `127.0.0.1:${port}`
        assert.deepStrictEqual(JSON.parse((yield* ask("/", forwarded)).text), [client, "127.0.0.1", scheme, host])
      })
    )
  }
})

class TestTracer {
  readonly spans: Array<Tracer.NativeSpan> = []
  readonly tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      this.spans.push(span)
      return span
    }
  })
  named(name: string): Tracer.NativeSpan {
    const span = this.spans.find((span) => span.name === name)
    assert.isDefined(span, `${name} among ${this.spans.map((span) => span.name)}`)
    return span!
  }
}

describe("tracing", () => {
  const layerTracer = (test: TestTracer) => Layer.succeed(Tracer.Tracer, test.tracer)
  const serve = (test: TestTracer, routes: Layer.Layer<never, never, HttpRouter.HttpRouter>) =>
    Served.serve(
      HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(Layer.provide(layerTracer(test)))
    )

  it.live("a server span continues the trace of the client, and holds the handler's", () =>
    Effect.gen(function* () {
      const test = new TestTracer()
      const { ask } = yield* serve(
        test,
        HttpRouter.add("GET", "/users/:id", Effect.withSpan(Effect.succeed(HttpServerResponse.text("Ann")), "inner"))
      )
      const traceId = "0af7651916cd43dd8448eb211c80319c"
      yield* ask("/users/7?token=x", { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } })
      const span = test.spans.find((span) => span.kind === "server")!
      assert.strictEqual(span.traceId, traceId)
      assert.strictEqual(Option.getOrThrow(span.parent).spanId, "b7ad6b7169203331")
      const attributes = Object.fromEntries(span.attributes)
      assert.deepInclude(attributes, {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.path": "/users/7",
        "client.address": "127.0.0.1"
      })
      assert.strictEqual(attributes["http.route"], "/users/:id")
      const inner = test.named("inner")
      assert.strictEqual(Option.getOrThrow(inner.parent).spanId, span.spanId)
      assert.strictEqual(span.status._tag, "Ended")
    })
  )

  it.live("Effect's client hands its span on by itself", () =>
    Effect.gen(function* () {
      const test = new TestTracer()
      const { url } = yield* serve(test, HttpRouter.add("GET", "/", HttpServerResponse.text("hello")))
      yield* HttpClient.get(url).pipe(
        Effect.flatMap((response) => response.text),
        Effect.withSpan("caller"),
        Effect.provide(Served.fetchClient),
        Effect.provideService(Tracer.Tracer, test.tracer)
      )
      const server = test.spans.find((span) => span.kind === "server")!
      const client = test.spans.find((span) => span.kind === "client")!
      assert.strictEqual(server.traceId, test.named("caller").traceId)
      assert.strictEqual(Option.getOrThrow(server.parent).spanId, client.spanId)
    })
  )

  it.live("a client that goes ends its span as an abort", () =>
    Effect.gen(function* () {
      const test = new TestTracer()
      const began = yield* Deferred.make<void>()
      const { server, wire } = yield* serve(
        test,
        HttpRouter.add("GET", "/", Effect.andThen(Deferred.succeed(began, undefined), Effect.never))
      )
      const client = yield* wire
      client.send(HttpWire.get("/"))
      yield* Deferred.await(began)
      client.socket.resetAndDestroy()
      yield* Effect.repeat(Effect.yieldNow, { while: () => Effect.map(server.stats, (stats) => stats.open > 0) })
      const span = test.spans.find((span) => span.kind === "server")!
      assert.strictEqual(span.status._tag, "Ended")
      assert.strictEqual(span.attributes.get("http.response.status_code"), 499)
    })
  )
})

describe("routers", () => {
  const show = (request: HttpServerRequest) =>
    Effect.succeed(HttpServerResponse.jsonUnsafe([request.url, request.originalUrl, request.headers["x-seen"] ?? null]))

  it.live("below a prefix, which the route does not see", () =>
    Effect.gen(function* () {
      const { ask, url } = yield* Served.routes(
        Layer.effectDiscard(
          Effect.gen(function* () {
            const router = yield* HttpRouter.HttpRouter
            yield* router.prefixed("/api").add("GET", "/show", show)
          })
        )
      )
      const answer = yield* ask("/api/show?x=1")
      assert.deepStrictEqual(JSON.parse(answer.text), ["/show?x=1", `${url}/api/show?x=1`, null])
      assert.strictEqual((yield* ask("/show")).status, 404)
    })
  )

  it.live("a modified request shares its body and shows what was changed", () =>
    Effect.gen(function* () {
      class Name extends Context.Service<Name, string>()("test/Name") {}
      const { ask } = yield* Served.routes(
        HttpRouter.add("POST", "/", (request) =>
          Effect.gen(function* () {
            const first = yield* request.text
            const modified = request.modify({ url: "/other" })
            const name = yield* Name
            return HttpServerResponse.jsonUnsafe([first, yield* modified.text, modified.url, name])
          }).pipe(Effect.provideService(Name, "Ann"))
        )
      )
      const answer = yield* ask("/", { method: "POST", body: "body" })
      assert.deepStrictEqual(JSON.parse(answer.text), ["body", "body", "/other", "Ann"])
    })
  )

  it.live("what a middleware made of the request is what the route sees", () =>
    Effect.gen(function* () {
      const rewriting = HttpRouter.middleware(
        (app) =>
          Effect.updateService(app, HttpServerRequest, (request) =>
            request.modify({ headers: { ...request.headers, "x-seen": "yes" } as never })
          ),
        { global: true }
      )
      const { ask, url } = yield* Served.routes(Layer.provide(HttpRouter.add("GET", "/show", show), rewriting))
      assert.deepStrictEqual(JSON.parse((yield* ask("/show")).text), ["/show", `${url}/show`, "yes"])
    })
  )
})
