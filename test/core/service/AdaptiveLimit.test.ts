import { assert, describe, it } from "@effect/vitest"
import * as AdaptiveLimit from "@sluice/core/service/AdaptiveLimit"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { Calls, endAfter, fork } from "./Calls.ts"

/** A callee that does `places` calls at a time, each in `millis`, and lets the others wait. */
const makeCallee = (places: number, millis: number) => {
  let free = 0
  const now = Effect.clockWith((clock) => Effect.succeed(Number(clock.monotonicTimeNanosUnsafe()) / 1e6))
  return Effect.flatMap(now, (nowMillis) => {
    free = Math.max(free, nowMillis) + millis / places
    return Effect.sleep(free - nowMillis + millis)
  })
}

describe("AdaptiveLimit", () => {
  it.effect("grows by one for a round of answers in time, while it is in use", () =>
    Effect.gen(function* () {
      const { policy, current } = yield* AdaptiveLimit.make({ target: 10, initialConcurrent: 4 })
      const round = (count: number) =>
        Effect.gen(function* () {
          for (let index = 0; index < count; index++) yield* fork(Effect.ignore(policy(Effect.sleep(10))))
          yield* TestClock.adjust(10)
        })
      for (let index = 0; index < 10; index++) yield* round(1)
      assert.strictEqual(yield* current, 4)
      for (let index = 0; index < 4; index++) yield* round(4)
      assert.isAtLeast(yield* current, 5)
    })
  )

  it.effect("shrinks once for a round of late ones", () =>
    Effect.gen(function* () {
      const { policy, current } = yield* AdaptiveLimit.make({ target: 10, initialConcurrent: 20 })
      for (let index = 0; index < 20; index++) yield* fork(policy(Effect.sleep(11)))
      yield* TestClock.adjust(11)
      assert.strictEqual(yield* current, 18)
    })
  )

  it.effect("overload counts however soon it is said, other failures and interrupts do not", () =>
    Effect.gen(function* () {
      const { policy, current } = yield* AdaptiveLimit.make({ target: 10, initialConcurrent: 20 })
      for (const end of [Effect.fail("other"), Effect.die("broken"), Effect.interrupt]) {
        yield* Effect.exit(policy(end))
      }
      assert.strictEqual(yield* current, 20)
      yield* Effect.exit(policy(Effect.fail({ reason: { retry: "RefusedByServer" } })))
      assert.strictEqual(yield* current, 18)
      const second = yield* AdaptiveLimit.make({ target: 10, initialConcurrent: 20 })
      yield* Effect.exit(second.policy(ServiceError.fail(new ServiceError.TimedOut(1))))
      assert.strictEqual(yield* second.current, 18)
    })
  )

  it.effect("beyond the limit calls are refused at once, and it stays within its bounds", () =>
    Effect.gen(function* () {
      const options = { target: 10, minConcurrent: 2, initialConcurrent: 2, maxConcurrent: 2 }
      const { policy, current } = yield* AdaptiveLimit.make(options)
      const calls = new Calls()
      for (let index = 0; index < 2; index++) yield* fork(policy(calls.taking(50)))
      assert.strictEqual(yield* endAfter(policy(calls.taking(50)), 0), "Overloaded")
      yield* TestClock.adjust(50)
      assert.strictEqual(yield* current, 2)
      for (let index = 0; index < 9; index++) yield* endAfter(policy(Effect.void), 0)
      assert.strictEqual(yield* current, 2)
    })
  )

  it.effect("law: under ten times the load most of what can be done is done in time, in 10 seeds", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 10; seed++) {
        const random = new SeededRandom(seed)
        const { policy } = yield* AdaptiveLimit.make({ target: 50, initialConcurrent: 200 })
        const callee = makeCallee(10, 10)
        let inTime = 0
        // 1,000 in a second can be done, and about 10,000 come; two seconds to settle, two to count.
        for (let millis = 0; millis < 4000; millis++) {
          const counts = millis >= 2000
          for (let index = random.below(21); index > 0; index--) {
            const call = Effect.timeoutOption(policy(callee), 100)
            const count = Effect.tap(call, ({ _tag }) => Effect.sync(() => counts && _tag === "Some" && inTime++))
            yield* fork(Effect.ignore(count))
          }
          yield* TestClock.adjust(1)
        }
        assert.isAtLeast(inTime, 0.9 * 2000, `seed ${seed}`)
      }
    })
  )

  for (const [options, name] of [
    [{ target: 0 }, "target"],
    [{ target: 1, minConcurrent: 0 }, "minConcurrent"],
    [{ target: 1, minConcurrent: 5, maxConcurrent: 4 }, "maxConcurrent"],
    [{ target: 1, initialConcurrent: 1001 }, "initialConcurrent"],
    [{ target: 1, backoff: 1 }, "backoff"]
  ] as const) {
    it.effect(`${JSON.stringify(options)} is a mistake`, () =>
      Effect.gen(function* () {
        assert.match(String(yield* Effect.exit(AdaptiveLimit.make(options))), new RegExp(`RangeError.*${name}`))
      })
    )
  }
})
