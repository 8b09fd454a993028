import { assert, describe, it } from "@effect/vitest"
import * as BearerAuth from "@sluice/core/middleware/BearerAuth"
import * as ConstantTime from "@sluice/core/middleware/ConstantTime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type Send, serve, textOf } from "./App.ts"

class Robot extends Context.Service<Robot, { readonly name: string }>()("test/Robot") {}

const secret = Redacted.make("t0ken.~+/-_==")

const options: BearerAuth.Options<{ readonly name: string }> = {
  realm: "robots",
  maxTokenLength: 20,
  verify: (token) =>
    Effect.sync(() => {
      seen.push(String(token))
      return ConstantTime.matches(token, secret) ? Option.some({ name: "r2" }) : Option.none()
    })
}
const seen: Array<string> = []

const WhoAmI = HttpRouter.add(
  "GET",
  "/whoami",
  Effect.map(Robot, (robot) => HttpServerResponse.text(robot.name))
)
const Open = HttpRouter.add("GET", "/open", HttpServerResponse.text("open"))

const ask = (send: Send, authorization: string | undefined, path = "/whoami") =>
  send(path, authorization === undefined ? {} : { headers: { authorization } })

const rows: ReadonlyArray<readonly [authorization: string | undefined, error: boolean]> = [
  [undefined, false],
  ["Basic dDBrZW4=", false],
  ["Bearer", false],
  ["Bearer wrong", true],
  ["Bearer two words", true],
  ["Bearer =", true],
  ["Bearer tökén", true],
  [`Bearer ${"x".repeat(21)}`, true]
]

describe("BearerAuth", () => {
  it.effect("a good token gives the handler its identity, and is redacted on the way", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(BearerAuth.layer(Robot, options), WhoAmI, Open))
      seen.length = 0
      const response = yield* ask(send, "Bearer t0ken.~+/-_==")
      assert.strictEqual(yield* textOf(response), "r2")
      assert.strictEqual((yield* ask(send, "bearer  t0ken.~+/-_==")).status, 200)
      assert.deepStrictEqual(seen, ["<redacted>", "<redacted>"])
    })
  )

  for (const [authorization, error] of rows) {
    it.effect(`RFC 6750 §3: ${authorization ?? "no field"} is 401 ${error ? "with" : "without"} an error`, () =>
      Effect.gen(function* () {
        const send = yield* serve(Layer.mergeAll(BearerAuth.layer(Robot, options), WhoAmI, Open))
        for (const path of ["/whoami", "/open"]) {
          const response = yield* ask(send, authorization, path)
          assert.strictEqual(response.status, 401)
          assert.strictEqual(
            response.headers.get("www-authenticate"),
            error ? 'Bearer realm="robots", error="invalid_token"' : 'Bearer realm="robots"'
          )
          assert.strictEqual(yield* textOf(response), "")
        }
      })
    )
  }

  it.effect("a token that is too long or malformed is not verified", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(BearerAuth.layer(Robot, options), WhoAmI))
      seen.length = 0
      yield* ask(send, `Bearer ${"x".repeat(21)}`)
      yield* ask(send, "Bearer a,b")
      assert.deepStrictEqual(seen, [])
      yield* ask(send, `Bearer ${"x".repeat(20)}`)
      assert.strictEqual(seen.length, 1)
    })
  )

  it.effect("on single routes, others stay open; and verifying may need services, and fail", () =>
    Effect.gen(function* () {
      class Tokens extends Context.Service<Tokens, { readonly find: Effect.Effect<string, "database down"> }>()(
        "test/Tokens"
      ) {}
      const Authenticated = HttpRouter.middleware<{ provides: Robot }>()(
        BearerAuth.make(Robot, {
          verify: (token) =>
            Effect.gen(function* () {
              const found = yield* (yield* Tokens).find
              return ConstantTime.equals(Redacted.value(token), found) ? Option.some({ name: "c3" }) : Option.none()
            })
        })
      )
      const app = (find: Effect.Effect<string, "database down">) =>
        serve(
          Layer.mergeAll(
            WhoAmI.pipe(
              Layer.provide(
                Authenticated.combine(
                  HttpRouter.middleware<{ provides: Tokens }>()((effect) =>
                    Effect.provideService(effect, Tokens, { find })
                  )
                ).layer
              )
            ),
            Open
          )
        )
      const send = yield* app(Effect.succeed("abc"))
      assert.strictEqual(yield* textOf(yield* ask(send, "Bearer abc")), "c3")
      assert.strictEqual((yield* ask(send, undefined, "/open")).status, 200)
      assert.strictEqual((yield* ask(send, undefined)).status, 401)
      const broken = yield* app(Effect.fail("database down"))
      assert.strictEqual((yield* ask(broken, "Bearer abc")).status, 500)
    })
  )

  it("options that make no sense are mistakes", () => {
    assert.throws(() => BearerAuth.make(Robot, { ...options, realm: 'a"b' }), RangeError, /realm/)
    assert.throws(() => BearerAuth.make(Robot, { ...options, maxTokenLength: 0 }), RangeError, /maxTokenLength/)
  })
})
