import { assert, describe, it } from "@effect/vitest"
import * as BasicAuth from "@sluice/core/middleware/BasicAuth"
import * as BodyLimit from "@sluice/core/middleware/BodyLimit"
import * as Csrf from "@sluice/core/middleware/Csrf"
import * as DynamicEtag from "@sluice/core/middleware/DynamicEtag"
import * as Health from "@sluice/core/middleware/Health"
import * as MethodNotAllowed from "@sluice/core/middleware/MethodNotAllowed"
import * as Problem from "@sluice/core/middleware/Problem"
import * as RequestConcurrency from "@sluice/core/middleware/RequestConcurrency"
import * as RequestId from "@sluice/core/middleware/RequestId"
import * as RequestRate from "@sluice/core/middleware/RequestRate"
import * as RequestRefused from "@sluice/core/middleware/RequestRefused"
import * as RequestTimeout from "@sluice/core/middleware/RequestTimeout"
import * as SecurityHeaders from "@sluice/core/middleware/SecurityHeaders"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as WebWorld from "../../harness/WebWorld.ts"
import { serve, textOf } from "./App.ts"

const rows: ReadonlyArray<
  readonly [RequestRefused.Reason, fault: string, status: number, headers: Record<string, string>]
> = [
  [new RequestRefused.TimedOut(10, 503, {}), "limit", 503, {}],
  [new RequestRefused.TimedOut(10, 504, { "retry-after": "2" }), "limit", 504, { "retry-after": "2" }],
  [new RequestRefused.BodyTooLarge(10, 11), "limit", 413, {}],
  [new RequestRefused.Overloaded(10, 3), "limit", 503, { "retry-after": "3" }],
  [new RequestRefused.TooManyRequests(4, { a: "b" }), "limit", 429, { a: "b", "retry-after": "4" }],
  [new RequestRefused.Unauthenticated("refused", "Basic"), "peer", 401, { "www-authenticate": "Basic" }],
  [new RequestRefused.CrossOrigin("https://evil.test"), "peer", 403, {}],
  [new RequestRefused.CrossOrigin(undefined), "peer", 403, {}],
  [new RequestRefused.MethodNotAllowed("PUT", ["GET", "HEAD"]), "peer", 405, { allow: "GET, HEAD" }]
]

describe("RequestRefused", () => {
  for (const [reason, fault, status, headers] of rows) {
    it.effect(`${reason.message}: ${status}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(RequestRefused.fail(reason))
        assert.strictEqual(error.message, reason.message)
        assert.strictEqual(error.reason.fault, fault)
        assert.isTrue(ErrorReporter.isIgnored(error))
        const response = yield* HttpServerRespondable.toResponse(error)
        assert.strictEqual(response.status, status)
        assert.deepStrictEqual({ ...response.headers }, headers)
      })
    )
  }

  it.effect("a refusal has no stack, and other errors keep theirs", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(RequestRefused.fail(new RequestRefused.CrossOrigin(undefined)))
      assert.notInclude(error.stack, "\n    at ")
      assert.include(new Error("other").stack, "\n    at ")
    })
  )

  it("Retry-After is whole seconds, not too early, and at least one", () => {
    assert.deepStrictEqual([0, 1, 1000, 1001, 60_000].map(RequestRefused.retryAfterSeconds), [1, 1, 1, 2, 60])
  })
})

class Admin extends Context.Service<Admin, { readonly name: string }>()("test/Admin") {}

const Authenticated = HttpRouter.middleware<{ provides: Admin }>()(
  BasicAuth.make(Admin, {
    verify: ({ name, password }) =>
      Effect.succeed(Redacted.value(password) === "secret" ? Option.some({ name }) : Option.none())
  })
)

const Everything = Layer.mergeAll(
  RequestId.layer(),
  Problem.layer,
  SecurityHeaders.layer(),
  DynamicEtag.layer(),
  RequestRate.layer({ limit: 20, window: "1 hour" }),
  RequestConcurrency.layer({ maxConcurrent: 2, maxWaiting: 0 }),
  RequestTimeout.layer({ timeout: "5 seconds" }),
  Csrf.layer(),
  BodyLimit.layer({ maxBody: 8 }),
  Health.layer({ checks: { always: Effect.succeed(true) } }),
  HttpRouter.add("GET", "/hello", HttpServerResponse.text("hello")),
  HttpRouter.add("GET", "/slow", Effect.never),
  HttpRouter.add(
    "POST",
    "/echo",
    Effect.flatMap(HttpServerRequest, (request) => Effect.map(request.text, HttpServerResponse.text))
  ),
  HttpRouter.add(
    "GET",
    "/admin",
    Effect.map(Admin, (admin) => HttpServerResponse.text(admin.name))
  ).pipe(Layer.provide(Authenticated.layer))
).pipe(Layer.provide(MethodNotAllowed.layer()))

describe("one list, on one router", () => {
  it.effect("a response carries what each has to add", () =>
    Effect.gen(function* () {
      const send = yield* serve(Everything)
      const response = yield* send("/hello", { headers: { "x-request-id": "r-1" } })
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("x-request-id"), "r-1")
      assert.strictEqual(response.headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual(response.headers.get("ratelimit-remaining"), "19")
      const etag = response.headers.get("etag") ?? ""
      assert.match(etag, /^W\/"5-/)
      assert.strictEqual(yield* textOf(response), "hello")
      const again = yield* send("/hello", { headers: { "if-none-match": etag } })
      assert.strictEqual(again.status, 304)
      assert.strictEqual(again.headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual((yield* send("/health/ready")).status, 200)
      const admin = yield* send("/admin", { headers: { authorization: `Basic ${btoa("ada:secret")}` } })
      assert.strictEqual(yield* textOf(admin), "ada")
    })
  )

  it.effect("each refusal is a problem with an id and the security headers", () =>
    Effect.gen(function* () {
      const send = yield* serve(Everything)
      const slow = yield* Effect.forkChild(send("/slow"), { startImmediately: true })
      const slower = yield* Effect.forkChild(send("/slow"), { startImmediately: true })
      const overloaded = yield* send("/hello")
      yield* TestClock.adjust("5 seconds")
      const refusals = [
        [503, overloaded],
        [503, yield* Fiber.join(slow)],
        [503, yield* Fiber.join(slower)],
        [405, yield* send("/hello", { method: "DELETE" })],
        [404, yield* send("/nowhere")],
        [403, yield* send("/echo", { method: "POST", headers: { "sec-fetch-site": "cross-site" } })],
        [413, yield* send("/echo", { method: "POST", body: "123456789" })],
        [401, yield* send("/admin")]
      ] as const
      for (const [status, response] of refusals) {
        assert.strictEqual(response.status, status)
        assert.strictEqual(response.headers.get("content-type"), "application/problem+json")
        assert.strictEqual(response.headers.get("x-frame-options"), "deny")
        const problem = JSON.parse(yield* textOf(response))
        assert.strictEqual(problem.status, status)
        assert.strictEqual(problem.requestId, response.headers.get("x-request-id"))
      }
      for (let sent = refusals.length; sent < 20; sent++) yield* send("/hello")
      const limited = yield* send("/hello")
      assert.strictEqual(limited.status, 429)
      assert.strictEqual(limited.headers.get("retry-after"), "175")
    })
  )

  it.effect("the same list, on the server of this package", () =>
    Effect.gen(function* () {
      const app = yield* HttpRouter.toHttpEffect(Everything)
      const world = yield* WebWorld.serving(app as WebWorld.App)
      const hello = yield* world.talk(WebWorld.get("/hello"))
      assert.match(hello, /^HTTP\/1\.1 200 /)
      assert.match(hello, /x-content-type-options: nosniff/)
      assert.match(hello, /hello$/)
      const [etag] = /W\/"[^"]+"/.exec(hello) ?? []
      const again = yield* world.talk(WebWorld.get("/hello", "last", `if-none-match: ${etag}\r\n`))
      assert.match(again, /^HTTP\/1\.1 304 /)
      const head = "POST /echo HTTP/1.1\r\nhost: server.test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
      assert.match(yield* world.talk(head, "4\r\nabcd\r\n0\r\n\r\n"), /abcd$/)
      const tooLarge = yield* world.talk(head, "4\r\nabcd\r\n", "5\r\nefghi\r\n0\r\n\r\n")
      assert.match(tooLarge, /^HTTP\/1\.1 413 /)
      assert.match(tooLarge, /"title":"Content Too Large"/)
      assert.match(yield* world.talk(WebWorld.get("/admin")), /^HTTP\/1\.1 401 /)
      assert.match(yield* world.talk(WebWorld.get("/health/ready")), /"status":"ready"/)
    })
  )
})
