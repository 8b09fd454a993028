import { assert, describe, it } from "@effect/vitest"
import * as Coalesce from "@sluice/core/service/Coalesce"
import * as Deadline from "@sluice/core/service/Deadline"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Calls, endAfter, fork, interruptedAtEveryPoint, word } from "./Calls.ts"

describe("Coalesce", () => {
  it.effect("those who ask for the same at the same time get one answer, the next one is made again", () =>
    Effect.gen(function* () {
      const coalesce = yield* Coalesce.make<number>()
      const calls = new Calls()
      const call = coalesce("a")(calls.taking(10))
      const fibers = [yield* fork(call), yield* fork(call)]
      yield* TestClock.adjust(5)
      fibers.push(yield* fork(call))
      const other = yield* fork(coalesce("b")(calls.taking(10)))
      yield* TestClock.adjust(5)
      assert.deepStrictEqual(
        fibers.map((fiber) => word(fiber.pollUnsafe()!)),
        ["1", "1", "1"]
      )
      yield* TestClock.adjust(5)
      assert.strictEqual(word(other.pollUnsafe()!), "2")
      assert.strictEqual(yield* endAfter(call, 10), "3")
    })
  )

  it.effect("a failure is shared too", () =>
    Effect.gen(function* () {
      const coalesce = yield* Coalesce.make<never, string>()
      const call = coalesce("a")(Effect.andThen(Effect.sleep(1), Effect.fail("broken")))
      const fibers = [yield* fork(call), yield* fork(call)]
      yield* TestClock.adjust(1)
      for (const fiber of fibers) assert.strictEqual(word(fiber.pollUnsafe()!), "broken")
    })
  )

  it.effect("who leaves, the first too, leaves the flight to the others; the last one ends it", () =>
    Effect.gen(function* () {
      const coalesce = yield* Coalesce.make<number>()
      const calls = new Calls()
      const call = coalesce("a")(calls.taking(10))
      const [first, second, third] = [yield* fork(call), yield* fork(call), yield* fork(call)]
      yield* Fiber.interrupt(first)
      yield* Fiber.interrupt(second)
      assert.strictEqual(calls.active, 1)
      yield* Fiber.interrupt(third)
      assert.deepStrictEqual([calls.active, calls.interrupted], [0, 1])
      assert.strictEqual(yield* endAfter(call, 10), "2")
    })
  )

  it.effect("the deadline of one is not that of the others", () =>
    Effect.gen(function* () {
      const coalesce = yield* Coalesce.make<number>()
      const call = coalesce("a")(new Calls().taking(10))
      const hasty = yield* fork(Deadline.make({ within: 5 })(call))
      const patient = yield* fork(call)
      yield* TestClock.adjust(10)
      assert.strictEqual(word(hasty.pollUnsafe()!), "DeadlineExceeded")
      assert.strictEqual(word(patient.pollUnsafe()!), "1")
    })
  )

  it.effect("the flight is told no deadline: the one of the first is not that of all", () =>
    Effect.gen(function* () {
      const coalesce = yield* Coalesce.make<unknown>()
      const call = coalesce("a")(Effect.andThen(Effect.sleep(1), Deadline.remaining))
      assert.strictEqual(yield* endAfter(Deadline.make({ within: 5 })(call), 1), "undefined")
    })
  )

  it.effect("an answer at once is not kept", () =>
    Effect.gen(function* () {
      const coalesce = yield* Coalesce.make<number>()
      const calls = new Calls()
      const call = coalesce("a")(calls.counted(Effect.sync(() => calls.begun)))
      assert.deepStrictEqual([yield* call, yield* call], [1, 2])
    })
  )

  it.effect("who is interrupted leaves nothing behind", () =>
    Effect.gen(function* () {
      const coalesce = yield* Coalesce.make<number>()
      yield* interruptedAtEveryPoint(6, () => {
        const calls = new Calls()
        return {
          effect: Effect.all([coalesce("a")(calls.taking(5)), coalesce("a")(calls.taking(5))], {
            concurrency: "unbounded"
          }),
          check: (at) => Effect.sync(() => assert.strictEqual(calls.active, 0, at))
        }
      })
    })
  )
})
