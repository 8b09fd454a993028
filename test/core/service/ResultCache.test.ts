import { assert, describe, it } from "@effect/vitest"
import * as ResultCache from "@sluice/core/service/ResultCache"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Calls, endAfter, fork } from "./Calls.ts"

describe("ResultCache", () => {
  it.effect("an answer is kept for its time, by key", () =>
    Effect.gen(function* () {
      const cache = yield* ResultCache.make<number>({ capacity: 10, timeToLive: "1 second" })
      const calls = new Calls()
      assert.strictEqual(yield* endAfter(cache.policy("a")(calls.taking(10)), 10), "1")
      assert.strictEqual(yield* endAfter(cache.policy("a")(calls.taking(10)), 0), "1")
      assert.strictEqual(yield* endAfter(cache.policy("b")(calls.taking(10)), 10), "2")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* endAfter(cache.policy("a")(calls.taking(10)), 10), "3")
      yield* cache.invalidate("a")
      assert.strictEqual(yield* endAfter(cache.policy("a")(calls.taking(10)), 10), "4")
    })
  )

  it.effect("while it is fetched it is fetched once, also when the first one leaves", () =>
    Effect.gen(function* () {
      const cache = yield* ResultCache.make<number>({ capacity: 10, timeToLive: "1 second" })
      const calls = new Calls()
      const call = cache.policy("a")(calls.taking(10))
      const [first, second] = [yield* fork(call), yield* fork(call)]
      yield* TestClock.adjust(5)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust(5)
      assert.strictEqual(yield* Fiber.join(second), 1)
      assert.strictEqual(yield* call, 1)
    })
  )

  it.effect("failures are not kept, and no more answers than there is room for", () =>
    Effect.gen(function* () {
      const cache = yield* ResultCache.make<number, string>({ capacity: 2, timeToLive: "1 second" })
      assert.strictEqual(yield* Effect.flip(cache.policy("a")(Effect.fail("broken"))), "broken")
      const calls = new Calls()
      const call = calls.counted(Effect.sync(() => calls.begun))
      for (const key of ["a", "b", "c", "a"]) yield* cache.policy(key)(call)
      assert.strictEqual(calls.begun, 4)
    })
  )

  for (const [options, name] of [
    [{ capacity: 0, timeToLive: 1 }, "capacity"],
    [{ capacity: 1, timeToLive: 0 }, "timeToLive"]
  ] as const) {
    it.effect(`${JSON.stringify(options)} is a mistake`, () =>
      Effect.gen(function* () {
        assert.match(String(yield* Effect.exit(ResultCache.make(options))), new RegExp(`RangeError.*${name}`))
      })
    )
  }
})
