import { assert, describe, it } from "@effect/vitest"
import * as RequestRate from "@sluice/core/middleware/RequestRate"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { type Send, serve } from "./App.ts"

const Hello = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))

const from = (send: Send, address: string) => send("/", { headers: { "x-client": address } })

const fieldsOf = (response: Response) => [
  response.status,
  ...["retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy"].map((name) =>
    response.headers.get(name)
  )
]

describe("RequestRate", () => {
  it.effect("beyond its share a client gets 429, until it regained a request", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(RequestRate.layer({ limit: 2, window: "1 minute" }), Hello))
      assert.deepStrictEqual(fieldsOf(yield* from(send, "192.0.2.1")), [200, null, "2", "1", "30", "2;w=60"])
      assert.deepStrictEqual(fieldsOf(yield* from(send, "192.0.2.1")), [200, null, "2", "0", "60", "2;w=60"])
      assert.deepStrictEqual(fieldsOf(yield* from(send, "192.0.2.1")), [429, "30", "2", "0", "60", "2;w=60"])
      assert.strictEqual((yield* from(send, "192.0.2.2")).status, 200)
      yield* TestClock.adjust(29_999)
      assert.deepStrictEqual(fieldsOf(yield* from(send, "192.0.2.1")), [429, "1", "2", "0", "31", "2;w=60"])
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* from(send, "192.0.2.1")).status, 200)
    })
  )

  it.effect("an IPv6 client is its /64; one without an address shares with its like", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(RequestRate.layer({ limit: 1, window: "1 minute" }), Hello))
      assert.strictEqual((yield* from(send, "2001:db8::1")).status, 200)
      assert.strictEqual((yield* from(send, "2001:db8:0:0:ffff::2")).status, 429)
      assert.strictEqual((yield* from(send, "2001:db8:0:1::1")).status, 200)
      assert.strictEqual((yield* send("/")).status, 200)
      assert.strictEqual((yield* send("/")).status, 429)
    })
  )

  it.effect("the key can be another one, and none", () =>
    Effect.gen(function* () {
      const send = yield* serve(
        Layer.mergeAll(
          RequestRate.layer({ limit: 1, window: "1 minute", key: (request) => request.headers["x-key"] }),
          Hello
        )
      )
      const statusOf = (headers: Record<string, string>) =>
        Effect.map(send("/", { headers }), (response) => response.status)
      assert.strictEqual(yield* statusOf({ "x-key": "a" }), 200)
      assert.strictEqual(yield* statusOf({ "x-key": "a" }), 429)
      assert.strictEqual(yield* statusOf({ "x-key": "b" }), 200)
      assert.strictEqual(yield* statusOf({}), 200)
      assert.strictEqual(yield* statusOf({}), 200)
    })
  )

  it.effect("the fields can be kept for refusals", () =>
    Effect.gen(function* () {
      const send = yield* serve(
        Layer.mergeAll(RequestRate.layer({ limit: 1, window: "1 minute", fields: "on refusal" }), Hello)
      )
      assert.deepStrictEqual(fieldsOf(yield* send("/")), [200, null, null, null, null, null])
      assert.deepStrictEqual(fieldsOf(yield* send("/")), [429, "60", "1", "0", "60", "1;w=60"])
    })
  )

  it.effect("what is made once has its buckets once, on several routes", () =>
    Effect.gen(function* () {
      const Limited = HttpRouter.middleware(RequestRate.make({ limit: 1, window: "1 minute" })).layer
      const send = yield* serve(
        Layer.mergeAll(
          HttpRouter.add("GET", "/a", HttpServerResponse.text("a")).pipe(Layer.provide(Limited)),
          HttpRouter.add("GET", "/b", HttpServerResponse.text("b")).pipe(Layer.provide(Limited)),
          Hello
        )
      )
      assert.strictEqual((yield* send("/a")).status, 200)
      assert.strictEqual((yield* send("/b")).status, 429)
      assert.strictEqual((yield* send("/")).status, 200)
    })
  )

  it("numbers that make no sense are mistakes", () => {
    assert.throws(() => RequestRate.make({ limit: 0, window: "1 minute" }), RangeError, /limit/)
    assert.throws(() => RequestRate.make({ limit: 1, window: 0 }), RangeError, /window/)
    assert.throws(() => RequestRate.makeMemoryStore({ maxKeys: 1 }), RangeError, /maxKeys/)
  })
})

describe("RequestRate.makeMemoryStore", () => {
  it.effect("forgets the keys that were not used for longest", () =>
    Effect.gen(function* () {
      const store = RequestRate.makeMemoryStore({ maxKeys: 4 })
      const take = (key: string) =>
        Effect.map(store.take({ key, limit: 1, windowMillis: 60_000, nowMillis: 0 }), (taken) => taken.allowed)
      assert.isTrue(yield* take("a"))
      assert.isFalse(yield* take("a"))
      for (const key of ["b", "c", "d", "e"]) assert.isTrue(yield* take(key))
      assert.isTrue(yield* take("a"))
    })
  )
})

describe("RequestRate.fromRateLimiter", () => {
  const Limiter = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))

  it.effect("two processes share the buckets of one store", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.RateLimiter
      const process = () =>
        serve(
          Layer.mergeAll(
            RequestRate.layer({ limit: 2, window: "1 minute", store: RequestRate.fromRateLimiter(limiter) }),
            Hello
          )
        )
      const [first, second] = [yield* process(), yield* process()]
      assert.deepStrictEqual(fieldsOf(yield* first("/")).slice(0, 4), [200, null, "2", "1"])
      assert.deepStrictEqual(fieldsOf(yield* second("/")).slice(0, 4), [200, null, "2", "0"])
      assert.deepStrictEqual(fieldsOf(yield* first("/")).slice(0, 4), [429, "30", "2", "0"])
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* second("/")).status, 200)
    }).pipe(Effect.provide(Limiter))
  )

  it.effect("a prefix keeps users of one store apart", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.RateLimiter
      const bucket = { key: "a", limit: 1, windowMillis: 60_000, nowMillis: 0 }
      const take = (prefix: string | undefined) =>
        Effect.map(RequestRate.fromRateLimiter(limiter, { prefix }).take(bucket), (taken) => taken.allowed)
      assert.isTrue(yield* take(undefined))
      assert.isTrue(yield* take("other:"))
      assert.isFalse(yield* take("http:"))
    }).pipe(Effect.provide(Limiter))
  )
})

describe("a store that fails", () => {
  for (const [choice, status] of [
    ["allow", 200],
    ["refuse", 429],
    [undefined, 200]
  ] as const) {
    it.effect(`${choice ?? "by default"}: ${status}, and one line in the log for each outage`, () => {
      const logs = new LogRecorder()
      let works = false
      const memory = RequestRate.makeMemoryStore()
      const store: RequestRate.Store = {
        take: (bucket) => (works ? memory.take(bucket) : Effect.fail("no connection"))
      }
      return logs.listen(
        Effect.gen(function* () {
          const send = yield* serve(
            Layer.mergeAll(RequestRate.layer({ limit: 9, window: "1 minute", store, onStoreFailure: choice }), Hello)
          )
          assert.strictEqual((yield* send("/")).status, status)
          assert.strictEqual((yield* send("/")).status, status)
          assert.deepStrictEqual(
            logs.entries.map((entry) => [entry.level, entry.error]),
            [["Warn", "no connection"]]
          )
          works = true
          assert.strictEqual((yield* send("/")).status, 200)
          works = false
          assert.strictEqual((yield* send("/")).status, status)
          assert.strictEqual(logs.entries.length, 2)
        })
      )
    })
  }
})
