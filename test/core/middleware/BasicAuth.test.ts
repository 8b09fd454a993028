import { assert, describe, it } from "@effect/vitest"
import * as BasicAuth from "@sluice/core/middleware/BasicAuth"
import * as ConstantTime from "@sluice/core/middleware/ConstantTime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { serve, textOf } from "./App.ts"

class Admin extends Context.Service<Admin, { readonly name: string }>()("test/Admin") {}

const secret = Redacted.make("open:sésame")
const seen: Array<string> = []

const options: BasicAuth.Options<{ readonly name: string }> = {
  maxCredentialsLength: 40,
  verify: ({ name, password }) =>
    Effect.sync(() => {
      seen.push(`${name} ${password}`)
      return ConstantTime.matches(password, secret) ? Option.some({ name }) : Option.none()
    })
}

const Routes = HttpRouter.add(
  "GET",
  "/admin",
  Effect.map(Admin, (admin) => HttpServerResponse.text(admin.name))
)

const encoded = (text: string): string => `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`

const refused: ReadonlyArray<readonly [title: string, authorization: string | undefined, verified: boolean]> = [
  ["no field", undefined, false],
  ["another scheme", "Bearer abc", false],
  ["a wrong password", encoded("ada:wrong"), true],
  ["no password", encoded("ada:"), true],
  ["no colon", encoded("ada"), false],
  ["a control character", encoded("ada\n:open:sésame"), false],
  ["no base64", "Basic ::::", false],
  ["an empty text", "Basic ", false],
  ["credentials that are too long", encoded(`ada:${"x".repeat(40)}`), false]
]

describe("BasicAuth", () => {
  it.effect("RFC 7617 §2: the first colon ends the name; the password is UTF-8, and redacted on the way", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(BasicAuth.layer(Admin, options), Routes))
      seen.length = 0
      const response = yield* send("/admin", { headers: { authorization: encoded("ada:open:sésame") } })
      assert.strictEqual(yield* textOf(response), "ada")
      assert.deepStrictEqual(seen, ["ada <redacted>"])
    })
  )

  for (const [title, authorization, verified] of refused) {
    it.effect(`${title} is 401 with a challenge`, () =>
      Effect.gen(function* () {
        const send = yield* serve(Layer.mergeAll(BasicAuth.layer(Admin, options), Routes))
        seen.length = 0
        const response = yield* send("/admin", authorization === undefined ? {} : { headers: { authorization } })
        assert.strictEqual(response.status, 401)
        assert.strictEqual(response.headers.get("www-authenticate"), 'Basic realm="restricted", charset="UTF-8"')
        assert.strictEqual(seen.length, verified ? 1 : 0)
      })
    )
  }

  it.effect("on a single route, others stay open", () =>
    Effect.gen(function* () {
      const Authenticated = HttpRouter.middleware<{ provides: Admin }>()(BasicAuth.make(Admin, options))
      const send = yield* serve(
        Layer.mergeAll(
          Routes.pipe(Layer.provide(Authenticated.layer)),
          HttpRouter.add("GET", "/open", HttpServerResponse.text("open"))
        )
      )
      assert.strictEqual((yield* send("/open")).status, 200)
      assert.strictEqual((yield* send("/admin")).status, 401)
      const response = yield* send("/admin", { headers: { authorization: encoded("ada:open:sésame") } })
      assert.strictEqual(response.status, 200)
    })
  )

  it("options that make no sense are mistakes", () => {
    assert.throws(() => BasicAuth.make(Admin, { ...options, realm: 'a"b' }), RangeError, /realm/)
    assert.throws(() => BasicAuth.make(Admin, { ...options, maxCredentialsLength: 3 }), RangeError, /maxCredentials/)
  })
})
