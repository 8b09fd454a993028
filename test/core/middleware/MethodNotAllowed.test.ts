import { assert, describe, it } from "@effect/vitest"
import * as MethodNotAllowed from "@sluice/core/middleware/MethodNotAllowed"
import * as RequestId from "@sluice/core/middleware/RequestId"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { serve, textOf } from "./App.ts"

const text = HttpServerResponse.text

/** As a server of files that has none. */
const missing = Effect.flatMap(HttpServerRequest, (request) =>
  Effect.fail(new HttpServerError.HttpServerError({ reason: new HttpServerError.RouteNotFound({ request }) }))
)

const Routes = Layer.mergeAll(
  HttpRouter.add("GET", "/items", text("all")),
  HttpRouter.add("POST", "/items", text("made")),
  HttpRouter.add("GET", "/items/:id", text("one")),
  HttpRouter.add("PUT", "/items/special", text("special")),
  HttpRouter.add("DELETE", "/files/*", text("deleted")),
  HttpRouter.add("*", "/any", text("any")),
  HttpRouter.add("GET", "/static/*", missing),
  HttpRouter.addAll([HttpRouter.route("PATCH", "/below", text("patched"))], { prefix: "/v1" }),
  HttpRouter.use((router) => router.prefixed("/v2").prefixed("/deep").add("POST", "/below", text("posted")))
)

const App = Routes.pipe(Layer.provide(MethodNotAllowed.layer()))

const rows: ReadonlyArray<readonly [request: string, status: number, allow: string | null]> = [
  ["GET /items", 200, null],
  ["HEAD /items", 200, null],
  ["DELETE /items", 405, "GET, HEAD, POST, OPTIONS"],
  ["OPTIONS /items", 204, "GET, HEAD, POST, OPTIONS"],
  ["PROPFIND /items", 405, "GET, HEAD, POST, OPTIONS"],
  ["DELETE /items?id=1", 405, "GET, HEAD, POST, OPTIONS"],
  ["DELETE /Items//", 405, "GET, HEAD, POST, OPTIONS"],
  ["GET /items/special", 200, null],
  ["POST /items/special", 405, "GET, HEAD, PUT, OPTIONS"],
  ["POST /items/1", 405, "GET, HEAD, OPTIONS"],
  ["GET /files/a/b", 405, "DELETE, OPTIONS"],
  ["GET /files", 405, "DELETE, OPTIONS"],
  ["GET /static/a", 404, null],
  ["HEAD /static/a", 404, null],
  ["POST /static/a", 405, "GET, HEAD, OPTIONS"],
  ["OPTIONS /static/a", 204, "GET, HEAD, OPTIONS"],
  ["GET /any", 200, null],
  ["OPTIONS /any", 200, null],
  ["PROPFIND /any", 200, null],
  ["BREW /any", 405, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY"],
  ["GET /v1/below", 405, "PATCH, OPTIONS"],
  ["PATCH /v1/below", 200, null],
  ["GET /v2/deep/below", 405, "POST, OPTIONS"],
  ["GET /below", 404, null],
  ["GET /nowhere", 404, null],
  ["OPTIONS /nowhere", 404, null]
]

describe("MethodNotAllowed", () => {
  for (const [request, status, allow] of rows) {
    it.effect(`RFC 9110 §15.5.6: ${request}: ${status}, Allow: ${allow}`, () =>
      Effect.gen(function* () {
        const send = yield* serve(App)
        const [method, path] = request.split(" ") as [string, string]
        const response = yield* send(path, { method })
        assert.strictEqual(response.status, status)
        assert.strictEqual(response.headers.get("allow"), allow)
      })
    )
  }

  it.effect("routes keep their middleware, and the router its own", () =>
    Effect.gen(function* () {
      const Marked = HttpRouter.middleware((app) => Effect.map(app, HttpServerResponse.setHeader("x-route", "1")))
      const send = yield* serve(
        Layer.mergeAll(
          RequestId.layer(),
          HttpRouter.add("GET", "/marked", text("marked")).pipe(Layer.provide(Marked.layer))
        ).pipe(Layer.provide(MethodNotAllowed.layer()))
      )
      assert.strictEqual((yield* send("/marked")).headers.get("x-route"), "1")
      const refused = yield* send("/marked", { method: "PUT", headers: { "x-request-id": "r" } })
      assert.strictEqual(refused.status, 405)
      assert.strictEqual(refused.headers.get("x-request-id"), "r")
    })
  )

  it.effect("a handler's own 404, and other failures, stay as they are", () =>
    Effect.gen(function* () {
      const missing = Effect.flatMap(HttpServerRequest, (request) =>
        Effect.fail(new HttpServerError.HttpServerError({ reason: new HttpServerError.InternalError({ request }) }))
      )
      const send = yield* serve(
        Layer.mergeAll(
          HttpRouter.add("GET", "/empty", HttpServerResponse.empty({ status: 404 })),
          HttpRouter.add("GET", "/fails", missing)
        ).pipe(Layer.provide(MethodNotAllowed.layer()))
      )
      assert.strictEqual((yield* send("/empty")).status, 404)
      assert.strictEqual((yield* send("/fails")).status, 500)
    })
  )

  it.effect("paths match as the router is configured", () =>
    Effect.gen(function* () {
      const routerConfig = { ignoreTrailingSlash: false, caseSensitive: true }
      const Strict = Layer.succeed(HttpRouter.RouterConfig)(routerConfig)
      const layer = HttpRouter.add("GET", "/items", text("all"))
      for (const provided of [
        MethodNotAllowed.layer({ routerConfig }),
        MethodNotAllowed.layer().pipe(Layer.provide(Strict))
      ]) {
        const send = yield* serve(layer.pipe(Layer.provide(provided)))
        assert.strictEqual((yield* send("/items", { method: "PUT" })).status, 405)
        assert.strictEqual((yield* send("/items/", { method: "PUT" })).status, 404)
        assert.strictEqual((yield* send("/Items", { method: "PUT" })).status, 404)
      }
    })
  )

  it.effect("a body that was asked for arrives", () =>
    Effect.gen(function* () {
      const send = yield* serve(App)
      assert.strictEqual(yield* textOf(yield* send("/items/7")), "one")
      assert.strictEqual(yield* textOf(yield* send("/items/special", { method: "PUT" })), "special")
    })
  )
})
