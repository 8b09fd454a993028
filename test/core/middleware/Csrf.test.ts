import { assert, describe, it } from "@effect/vitest"
import * as Csrf from "@sluice/core/middleware/Csrf"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { serve } from "./App.ts"

const Anything = HttpRouter.add("*", "/", HttpServerResponse.text("done"))

const trustedOrigins = ["https://login.test", "https://other.test:8443"]

interface Row {
  readonly method: string
  readonly site?: string
  readonly origin?: string
  readonly status: number
}

// The rows of Go's csrf_test.go, and more. The host is host.test:8080.
const rows: ReadonlyArray<Row> = [
  { method: "POST", site: "same-origin", status: 200 },
  { method: "POST", site: "none", status: 200 },
  { method: "POST", site: "cross-site", status: 403 },
  { method: "POST", site: "same-site", status: 403 },
  { method: "POST", site: "what", status: 403 },
  { method: "POST", site: "same-origin", origin: "https://evil.test", status: 200 },
  { method: "POST", site: "cross-site", origin: "http://host.test:8080", status: 403 },
  { method: "POST", site: "cross-site", origin: "https://login.test", status: 200 },
  { method: "POST", site: "same-site", origin: "https://other.test:8443", status: 200 },
  { method: "POST", status: 200 },
  { method: "POST", origin: "http://host.test:8080", status: 200 },
  { method: "POST", origin: "https://host.test:8080", status: 200 },
  { method: "POST", origin: "http://host.test", status: 403 },
  { method: "POST", origin: "http://host.test:8081", status: 403 },
  { method: "POST", origin: "http://evilhost.test:8080", status: 403 },
  { method: "POST", origin: "https://evil.test", status: 403 },
  { method: "POST", origin: "https://login.test", status: 200 },
  { method: "POST", origin: "http://login.test", status: 403 },
  { method: "POST", origin: "https://login.test.evil.test", status: 403 },
  { method: "POST", origin: "null", status: 403 },
  { method: "PUT", site: "cross-site", status: 403 },
  { method: "PATCH", site: "cross-site", status: 403 },
  { method: "DELETE", site: "cross-site", status: 403 },
  { method: "GET", site: "cross-site", status: 200 },
  { method: "HEAD", site: "cross-site", status: 200 },
  { method: "OPTIONS", site: "cross-site", status: 200 },
  { method: "GET", origin: "https://evil.test", status: 200 }
]

describe("Csrf", () => {
  for (const { method, site, origin, status } of rows) {
    const from = [site && `site ${site}`, origin && `origin ${origin}`].filter(Boolean).join(", ")
    it.effect(`${method} with ${from || "neither field"}: ${status}`, () =>
      Effect.gen(function* () {
        const send = yield* serve(Layer.mergeAll(Csrf.layer({ trustedOrigins }), Anything))
        const headers: Record<string, string> = { host: "host.test:8080" }
        if (site !== undefined) headers["sec-fetch-site"] = site
        if (origin !== undefined) headers.origin = origin
        const response = yield* send("/", { method, headers })
        assert.strictEqual(response.status, status)
      })
    )
  }

  it.effect("on a single route, others are left alone", () =>
    Effect.gen(function* () {
      const One = HttpRouter.middleware(Csrf.make())
      const send = yield* serve(
        Layer.mergeAll(
          HttpRouter.add("POST", "/one", HttpServerResponse.text("one")).pipe(Layer.provide(One.layer)),
          Anything
        )
      )
      const request = { method: "POST", headers: { "sec-fetch-site": "cross-site" } }
      assert.strictEqual((yield* send("/one", request)).status, 403)
      assert.strictEqual((yield* send("/", request)).status, 200)
    })
  )

  it("an origin that no browser would send is a mistake", () => {
    for (const origin of [
      "login.test",
      "https://login.test/",
      "https://LOGIN.test",
      "https://login.test:443",
      "null",
      "*"
    ]) {
      assert.throws(() => Csrf.make({ trustedOrigins: [origin] }), RangeError, /trustedOrigins/)
    }
  })
})
