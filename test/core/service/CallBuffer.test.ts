import { assert, describe, it } from "@effect/vitest"
import * as CallBuffer from "@sluice/core/service/CallBuffer"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as TestClock from "effect/testing/TestClock"
import { Calls, endAfter, fork, interruptedAtEveryPoint } from "./Calls.ts"

const makeGated = (options: { readonly maxWaiting?: number; readonly maxWait?: number }) =>
  Effect.gen(function* () {
    const latch = Latch.makeUnsafe(false)
    return { latch, policy: yield* CallBuffer.make({ ready: latch.await, ...options }) }
  })

describe("CallBuffer", () => {
  it.effect("calls wait until the callee is ready, and pass when it is", () =>
    Effect.gen(function* () {
      const { latch, policy } = yield* makeGated({})
      const calls = new Calls()
      yield* fork(policy(calls.taking(1)))
      yield* TestClock.adjust(900)
      assert.strictEqual(calls.begun, 0)
      yield* latch.open
      yield* Effect.yieldNow
      assert.strictEqual(calls.begun, 1)
      assert.strictEqual(yield* endAfter(policy(Effect.succeed("through")), 0), "through")
    })
  )

  it.effect("beyond the line and beyond the time they are refused, not begun", () =>
    Effect.gen(function* () {
      const { latch, policy } = yield* makeGated({ maxWaiting: 1, maxWait: 50 })
      const calls = new Calls()
      const first = yield* fork(Effect.flip(policy(calls.taking(1))))
      const refused = yield* Effect.flip(policy(calls.taking(1)))
      assert.deepStrictEqual([refused.reason.limit, refused.reason.limitAmount], ["waiting", 1])
      yield* TestClock.adjust(50)
      const late = yield* first.pollUnsafe()!
      assert.deepStrictEqual([late.reason.limit, late.reason.limitAmount], ["wait", 50])
      assert.strictEqual(calls.begun, 0)
      yield* latch.open
      assert.strictEqual(yield* endAfter(policy(Effect.succeed("through")), 0), "through")
    })
  )

  it.effect("a full line does not keep a call from a callee that is ready", () =>
    Effect.gen(function* () {
      let isReady = false
      const looks = new Calls()
      const ready = looks.counted(Effect.suspend(() => (isReady ? Effect.void : Effect.never)))
      const policy = yield* CallBuffer.make({ ready, maxWaiting: 1 })
      yield* fork(policy(Effect.void))
      assert.strictEqual(yield* endAfter(policy(Effect.succeed("through")), 0), "Overloaded")
      assert.strictEqual(looks.active, 1)
      isReady = true
      assert.strictEqual(yield* endAfter(policy(Effect.succeed("through")), 0), "through")
    })
  )

  it.effect("a callee that will never be ready fails its callers, with its own error", () =>
    Effect.gen(function* () {
      const policy = yield* CallBuffer.make({ ready: Effect.fail("gone" as const) })
      const error: "gone" | "own" | { readonly _tag: "ServiceError" } = yield* Effect.flip(
        policy(Effect.fail("own" as const))
      )
      assert.strictEqual(error, "gone")
    })
  )

  it.effect("who is interrupted leaves the line to others", () =>
    Effect.gen(function* () {
      const { latch, policy } = yield* makeGated({ maxWaiting: 1, maxWait: 5 })
      yield* interruptedAtEveryPoint(6, () => ({
        effect: policy(Effect.never),
        check: () => Effect.void
      }))
      const next = yield* fork(policy(Effect.succeed("through")))
      yield* latch.open
      yield* Effect.yieldNow
      assert.strictEqual(next.pollUnsafe()?._tag, "Success")
    })
  )

  for (const [options, name] of [
    [{ maxWaiting: 0 }, "maxWaiting"],
    [{ maxWait: 0 }, "maxWait"]
  ] as const) {
    it.effect(`${JSON.stringify(options)} is a mistake`, () =>
      Effect.gen(function* () {
        assert.match(String(yield* Effect.exit(makeGated(options))), new RegExp(`RangeError.*${name}`))
      })
    )
  }
})
