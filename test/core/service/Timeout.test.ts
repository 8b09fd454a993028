import { assert, describe, it } from "@effect/vitest"
import * as Timeout from "@sluice/core/service/Timeout"
import * as Effect from "effect/Effect"
import { Calls, endAfter } from "./Calls.ts"

describe("Timeout", () => {
  it.effect("each attempt has the same time", () =>
    Effect.gen(function* () {
      const calls = new Calls()
      const policy = Timeout.make({ timeout: "10 millis" })
      assert.strictEqual(yield* endAfter(policy(calls.taking(9)), 10), "1")
      assert.strictEqual(yield* endAfter(policy(calls.taking(11)), 10), "TimedOut")
      assert.strictEqual(yield* endAfter(Effect.retry(policy(calls.taking(11)), { times: 2 }), 30), "TimedOut")
      assert.deepStrictEqual([calls.begun, calls.interrupted, calls.mostActive], [5, 4, 1])
    })
  )

  it.effect("the next attempt begins when the one before has cleaned up", () =>
    Effect.gen(function* () {
      const calls = new Calls()
      const lingering = calls.counted(Effect.onInterrupt(Effect.never, () => Effect.sleep(5)))
      const policy = Timeout.make({ timeout: 10 })
      assert.strictEqual(yield* endAfter(Effect.retry(policy(lingering), { times: 1 }), 40), "TimedOut")
      assert.strictEqual(calls.mostActive, 1)
    })
  )

  it("a time that makes no sense is a mistake", () => {
    assert.throws(() => Timeout.make({ timeout: 0 }), RangeError, /timeout/)
  })
})
