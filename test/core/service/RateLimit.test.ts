import { assert, describe, it } from "@effect/vitest"
import * as Deadline from "@sluice/core/service/Deadline"
import * as Policy from "@sluice/core/service/Policy"
import * as RateLimit from "@sluice/core/service/RateLimit"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { Calls, endAfter, fork } from "./Calls.ts"

describe("RateLimit", () => {
  it.effect("the limit may begin at once, the next one is told when it may", () =>
    Effect.gen(function* () {
      const policy = yield* RateLimit.make({ limit: 2, window: "1 second" })
      const calls = new Calls()
      yield* policy(calls.taking(0)).pipe(fork)
      yield* policy(calls.taking(0)).pipe(fork)
      const error = yield* Effect.flip(policy(calls.taking(0)))
      assert.strictEqual(error.reason.retryAfterMillis, 500)
      yield* TestClock.adjust(499)
      assert.strictEqual(yield* endAfter(policy(Effect.void), 0), "RateLimited")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* endAfter(policy(Effect.void), 0), "undefined")
      assert.strictEqual(calls.begun, 2)
    })
  )

  it.effect("each key has tokens of its own", () =>
    Effect.gen(function* () {
      const policyOf = yield* RateLimit.makePerKey({ limit: 1, window: "1 second" })
      yield* policyOf("a")(Effect.void)
      yield* policyOf("b")(Effect.void)
      const error = yield* Effect.flip(policyOf("a")(Effect.void))
      assert.strictEqual(error.reason.key, "a")
    })
  )

  it.effect("who may wait is served in order, an interval after the one before", () =>
    Effect.gen(function* () {
      const policy = yield* RateLimit.make({ limit: 2, window: "1 second", maxWait: "1 second" })
      const served: Array<string> = []
      for (const name of ["a", "b", "c", "d"]) {
        yield* fork(policy(Effect.map(Deadline.remaining, () => served.push(name))))
      }
      assert.deepStrictEqual(served, ["a", "b"])
      assert.strictEqual(yield* endAfter(policy(Effect.void), 0), "RateLimited")
      yield* TestClock.adjust(499)
      assert.deepStrictEqual(served, ["a", "b"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(served, ["a", "b", "c"])
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(served, ["a", "b", "c", "d"])
    })
  )

  it.effect("a wait that ends behind the deadline is not begun", () =>
    Effect.gen(function* () {
      const limit = yield* RateLimit.make({ limit: 1, window: "1 second", maxWait: "5 seconds" })
      const policy = Policy.stack(Deadline.make({ within: "900 millis" }), limit)
      yield* policy(Effect.void)
      assert.strictEqual(yield* endAfter(policy(Effect.void), 0), "RateLimited")
    })
  )

  it.effect("a store that fails fails the call, and says so in its type", () =>
    Effect.gen(function* () {
      const policy = yield* RateLimit.make({ limit: 1, window: 1, store: { take: () => Effect.fail("away" as const) } })
      const error: "away" | { readonly reason: { readonly retryAfterMillis: number } } = yield* Effect.flip(
        policy(Effect.void)
      )
      assert.strictEqual(error, "away")
    })
  )

  it.effect("law: in no time do more begin than the limit and what is regained, in 200 seeds", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) {
        const random = new SeededRandom(seed)
        const limit = 1 + random.below(10)
        const windowMillis = 10 + random.below(200)
        const policy = yield* RateLimit.make({ limit, window: windowMillis, maxWait: random.below(300) })
        const beginnings: Array<number> = []
        let nowMillis = 0
        const call = Effect.sync(() => beginnings.push(nowMillis))
        for (; nowMillis < 600; nowMillis++) {
          const count = random.below(10) === 0 ? random.below(15) : 0
          for (let index = 0; index < count; index++) yield* fork(Effect.ignore(policy(call)))
          yield* TestClock.adjust(1)
        }
        for (let first = 0; first < beginnings.length; first++) {
          for (let last = first; last < beginnings.length; last++) {
            // Two steps of the clock: a wait of a fraction ends with the next one.
            const spanMillis = beginnings[last]! - beginnings[first]! + 2
            const most = limit + (spanMillis * limit) / windowMillis
            assert.isAtMost(last - first + 1, most + 1e-6, `seed ${seed}`)
          }
        }
      }
    })
  )

  for (const [options, name] of [
    [{ limit: 0, window: 1 }, "limit"],
    [{ limit: 1, window: 0 }, "window"],
    [{ limit: 1, window: 1, maxWait: -1 }, "maxWait"]
  ] as const) {
    it.effect(`${JSON.stringify(options)} is a mistake`, () =>
      Effect.gen(function* () {
        assert.match(String(yield* Effect.exit(RateLimit.make(options))), new RegExp(`RangeError.*${name}`))
      })
    )
  }
})
