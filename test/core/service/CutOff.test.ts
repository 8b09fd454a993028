import { assert, describe, it } from "@effect/vitest"
import { cutOff } from "@sluice/core/service/CutOff"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Calls, endAfter, fork, interruptedAtEveryPoint, word } from "./Calls.ts"

const late = Effect.fail("late")

describe("CutOff", () => {
  for (const cleanup of ["wait", "leave"] as const) {
    describe(cleanup, () => {
      it.effect("what ends in time has its own end", () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* endAfter(cutOff(Effect.succeed(1), 10, late, cleanup), 0), "1")
          assert.strictEqual(yield* endAfter(cutOff(Effect.as(Effect.sleep(9), 2), 10, late, cleanup), 9), "2")
          assert.strictEqual(yield* endAfter(cutOff(Effect.fail("own"), 10, late, cleanup), 0), "own")
        })
      )

      it.effect("what is late is interrupted, at the millisecond", () =>
        Effect.gen(function* () {
          const calls = new Calls()
          const fiber = yield* fork(cutOff(calls.taking(20), 10, late, cleanup))
          yield* TestClock.adjust(9)
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust(1)
          assert.strictEqual(word(fiber.pollUnsafe()!), "late")
          assert.strictEqual(calls.interrupted, 1)
        })
      )

      it.effect("who is interrupted leaves nothing behind, at whatever time", () =>
        interruptedAtEveryPoint(12, () => {
          const calls = new Calls()
          return {
            effect: cutOff(calls.taking(20), 10, late, cleanup),
            check: (at) => Effect.sync(() => assert.strictEqual(calls.active, 0, at))
          }
        })
      )

      it.effect("nor does who is interrupted by the first steps of the work", () =>
        Effect.gen(function* () {
          const calls = new Calls()
          const caller: { fiber?: Fiber.Fiber<unknown, unknown> } = {}
          const work = calls.counted(
            Effect.suspend(() => {
              caller.fiber!.interruptUnsafe()
              return Effect.never
            })
          )
          const fiber = yield* fork(
            Effect.withFiber((self: Fiber.Fiber<unknown, unknown>) => {
              caller.fiber = self
              return cutOff(work, 10, late, cleanup)
            })
          )
          assert.strictEqual(word(yield* Fiber.await(fiber)), "interrupted")
          assert.deepStrictEqual([calls.begun, calls.active], [1, 0])
        })
      )
    })
  }

  it.effect("cleaning up is waited for, or left to itself", () =>
    Effect.gen(function* () {
      const slow = (done: () => void) =>
        Effect.onInterrupt(Effect.never, () => Effect.andThen(Effect.sleep(5), Effect.sync(done)))
      for (const [cleanup, atMillis] of [
        ["wait", 15],
        ["leave", 10]
      ] as const) {
        let cleaned = false
        const fiber = yield* fork(
          cutOff(
            slow(() => (cleaned = true)),
            10,
            late,
            cleanup
          )
        )
        yield* TestClock.adjust(atMillis - 1)
        assert.isUndefined(fiber.pollUnsafe(), cleanup)
        yield* TestClock.adjust(1)
        assert.strictEqual(word(fiber.pollUnsafe()!), "late", cleanup)
        yield* TestClock.adjust(10)
        assert.isTrue(cleaned, cleanup)
      }
    })
  )

  it.effect("who interrupts the caller waits until it has cleaned up, whatever is chosen for those who are late", () =>
    Effect.gen(function* () {
      for (const cleanup of ["wait", "leave"] as const) {
        const lingering = Effect.onInterrupt(Effect.never, () => Effect.sleep(5))
        const fiber = yield* fork(cutOff(lingering, 10, late, cleanup))
        const interruption = yield* fork(Fiber.interrupt(fiber))
        yield* TestClock.adjust(4)
        assert.isUndefined(interruption.pollUnsafe(), cleanup)
        yield* TestClock.adjust(1)
        assert.isDefined(interruption.pollUnsafe(), cleanup)
      }
    })
  )
})
