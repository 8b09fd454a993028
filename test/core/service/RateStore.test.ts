import { assert, describe, it } from "@effect/vitest"
import * as RateStore from "@sluice/core/service/RateStore"
import * as Effect from "effect/Effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"

const bucket = { key: "a", limit: 2, windowMillis: 1000, nowMillis: 0 }

describe("RateStore", () => {
  it.effect("in memory: a token for a call, by key", () =>
    Effect.gen(function* () {
      const store = RateStore.makeMemory({ maxKeys: 2 })
      const take = (key: string) => Effect.map(store.take({ ...bucket, key }), ({ allowed }) => allowed)
      assert.deepStrictEqual([yield* take("a"), yield* take("a"), yield* take("a")], [true, true, false])
      assert.isTrue(yield* take("b"))
      assert.throws(() => RateStore.makeMemory({ maxKeys: 1 }), RangeError, /maxKeys/)
    })
  )

  it.effect("of Effect's RateLimiter: the same verdicts, over whatever store it has", () =>
    Effect.gen(function* () {
      const store = RateStore.fromRateLimiter(yield* RateLimiter.RateLimiter)
      const first = yield* store.take(bucket)
      assert.deepStrictEqual([first.allowed, first.remaining], [true, 1])
      yield* store.take(bucket)
      const refused = yield* store.take(bucket)
      assert.isFalse(refused.allowed)
      assert.isAbove(refused.retryAfterMillis, 0)
      yield* TestClock.adjust(1000)
      assert.isTrue((yield* store.take(bucket)).allowed)
    }).pipe(Effect.provide(RateLimiter.layer), Effect.provide(RateLimiter.layerStoreMemory))
  )
})
