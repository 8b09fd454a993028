import { assert, describe, it } from "@effect/vitest"
import * as SecurityHeaders from "@sluice/core/middleware/SecurityHeaders"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { serve } from "./App.ts"

const Routes = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.text("hello")),
  HttpRouter.add(
    "GET",
    "/framed",
    HttpServerResponse.text("hello", { headers: { "x-frame-options": "sameorigin", "content-security-policy": "x" } })
  )
)

const fieldsOf = (response: Response) =>
  Object.fromEntries(
    [...response.headers].filter(([name]) => !name.startsWith("content-t") && name !== "content-length")
  )

const { "strict-transport-security": hsts, ...plain } = SecurityHeaders.defaults

describe("SecurityHeaders", () => {
  it.effect("every response has the defaults, failures too; RFC 6797 §7.2: HSTS on https only", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(SecurityHeaders.layer(), Routes))
      assert.deepStrictEqual(fieldsOf(yield* send("/")), plain)
      assert.deepStrictEqual(fieldsOf(yield* send("/nowhere")), plain)
      const secure = yield* send("https://host.test/")
      assert.deepStrictEqual(fieldsOf(secure), { ...plain, "strict-transport-security": hsts })
    })
  )

  it.effect("a proxy that is trusted says what the scheme was", () =>
    Effect.gen(function* () {
      const Proxy = HttpRouter.use((router) =>
        router.addGlobalMiddleware((app) =>
          Effect.flatMap(HttpServerRequest, (request) =>
            Effect.provideService(app, HttpServerRequest, request.modify({ protocol: "https" }))
          )
        )
      )
      const send = yield* serve(Layer.mergeAll(Proxy, SecurityHeaders.layer(), Routes))
      assert.strictEqual((yield* send("/")).headers.get("strict-transport-security"), hsts)
    })
  )

  it.effect("a response keeps fields of its own", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(SecurityHeaders.layer(), Routes))
      const fields = fieldsOf(yield* send("/framed"))
      assert.deepStrictEqual(fields, { ...plain, "x-frame-options": "sameorigin", "content-security-policy": "x" })
    })
  )

  it.effect("fields can be changed, added and left out", () =>
    Effect.gen(function* () {
      const send = yield* serve(
        Layer.mergeAll(
          SecurityHeaders.layer({
            contentSecurityPolicy: "default-src 'none'",
            strictTransportSecurity: "omit",
            headers: { "X-Frame-Options": "sameorigin", "referrer-policy": "omit", "x-new": "1" }
          }),
          Routes
        )
      )
      const { "referrer-policy": _, ...rest } = plain
      assert.deepStrictEqual(fieldsOf(yield* send("https://host.test/")), {
        ...rest,
        "content-security-policy": "default-src 'none'",
        "x-frame-options": "sameorigin",
        "x-new": "1"
      })
    })
  )

  it.effect("on a single route, others have none", () =>
    Effect.gen(function* () {
      const One = HttpRouter.middleware(SecurityHeaders.make())
      const send = yield* serve(
        Layer.mergeAll(
          HttpRouter.add("GET", "/one", HttpServerResponse.text("one")).pipe(Layer.provide(One.layer)),
          Routes
        )
      )
      assert.strictEqual((yield* send("/one")).headers.get("x-frame-options"), "deny")
      assert.isNull((yield* send("/")).headers.get("x-frame-options"))
    })
  )

  it("a field that cannot be sent is a mistake", () => {
    assert.throws(() => SecurityHeaders.make({ headers: { "a b": "c" } }), RangeError, /"a b"/)
    assert.throws(() => SecurityHeaders.make({ contentSecurityPolicy: "a\r\nb: c" }), RangeError, /content-security/)
  })
})
