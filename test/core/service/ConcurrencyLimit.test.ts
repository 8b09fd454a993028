import { assert, describe, it } from "@effect/vitest"
import * as ConcurrencyLimit from "@sluice/core/service/ConcurrencyLimit"
import * as Deadline from "@sluice/core/service/Deadline"
import * as Policy from "@sluice/core/service/Policy"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Calls, endAfter, fork, word } from "./Calls.ts"

describe("ConcurrencyLimit", () => {
  it.effect("beyond the limit calls wait, beyond the line they are refused", () =>
    Effect.gen(function* () {
      const policy = yield* ConcurrencyLimit.make({ maxConcurrent: 2, maxWaiting: 1 })
      const calls = new Calls()
      const fibers = []
      for (let index = 0; index < 3; index++) fibers.push(yield* fork(policy(calls.taking(10))))
      const error = yield* Effect.flip(policy(calls.taking(10)))
      assert.deepStrictEqual([error.reason.limit, error.reason.limitAmount], ["waiting", 1])
      yield* TestClock.adjust(20)
      for (const fiber of fibers) assert.strictEqual(word(fiber.pollUnsafe()!), String(fibers.indexOf(fiber) + 1))
      assert.deepStrictEqual([calls.begun, calls.mostActive], [3, 2])
    })
  )

  it.effect("who waits too long is refused, and leaves the line to others", () =>
    Effect.gen(function* () {
      const policy = yield* ConcurrencyLimit.make({ maxConcurrent: 1, maxWaiting: 1, maxWait: "5 millis" })
      const calls = new Calls()
      yield* fork(policy(calls.taking(8)))
      const late = yield* fork(Effect.flip(policy(calls.taking(1))))
      yield* TestClock.adjust(5)
      const error = yield* Fiber.join(late)
      assert.deepStrictEqual([error.reason.limit, error.reason.limitAmount], ["wait", 5])
      assert.strictEqual(yield* endAfter(policy(calls.taking(1)), 4), "2")
    })
  )

  it.effect("with no line nobody waits", () =>
    Effect.gen(function* () {
      const policy = yield* ConcurrencyLimit.make({ maxConcurrent: 1, maxWaiting: 0 })
      yield* fork(policy(Effect.never))
      const error = yield* Effect.flip(policy(Effect.void))
      assert.deepStrictEqual([error.reason.limit, error.reason.limitAmount], ["concurrent", 1])
    })
  )

  it.effect("a deadline ends the wait", () =>
    Effect.gen(function* () {
      const limit = yield* ConcurrencyLimit.make({ maxConcurrent: 1 })
      const policy = Policy.stack(Deadline.make({ within: "10 millis" }), limit)
      yield* fork(limit(Effect.never))
      assert.strictEqual(yield* endAfter(policy(Effect.void), 10), "DeadlineExceeded")
    })
  )

  for (const [options, name] of [
    [{ maxConcurrent: 0 }, "maxConcurrent"],
    [{ maxConcurrent: 1, maxWaiting: -1 }, "maxWaiting"],
    [{ maxConcurrent: 1, maxWaiting: 65_537 }, "maxWaiting"],
    [{ maxConcurrent: 1, maxWait: 0 }, "maxWait"]
  ] as const) {
    it.effect(`${JSON.stringify(options)} is a mistake`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(ConcurrencyLimit.make(options))
        assert.match(String(exit), new RegExp(`RangeError.*${name}`))
      })
    )
  }
})
