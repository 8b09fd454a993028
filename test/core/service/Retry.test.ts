import { assert, describe, it } from "@effect/vitest"
import * as Deadline from "@sluice/core/service/Deadline"
import * as Policy from "@sluice/core/service/Policy"
import * as Retry from "@sluice/core/service/Retry"
import * as RetryBudget from "@sluice/core/service/RetryBudget"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as Timeout from "@sluice/core/service/Timeout"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { Calls, endAfter, fork, interruptedAtEveryPoint } from "./Calls.ts"

const refused = ServiceError.fail(new ServiceError.Overloaded("concurrent", 1))
const lost = ServiceError.fail(new ServiceError.TimedOut(1))
const schedule = Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 3 }))

/** Fails `times` times, then gives the number of the attempt. */
const failing = <E>(calls: Calls, times: number, failure: Effect.Effect<never, E>) =>
  calls.counted(Effect.suspend(() => (calls.begun <= times ? failure : Effect.succeed(calls.begun))))

describe("Retry", () => {
  it.effect("what nobody has acted on is tried again, as the schedule says", () =>
    Effect.gen(function* () {
      const policy = yield* Retry.make({ schedule })
      const calls = new Calls()
      assert.strictEqual(yield* endAfter(policy(failing(calls, 3, refused)), 29), "waiting")
      assert.strictEqual(calls.begun, 3)
      assert.strictEqual(yield* endAfter(policy(failing(new Calls(), 3, refused)), 30), "4")
      assert.strictEqual(yield* endAfter(policy(failing(new Calls(), 4, refused)), 30), "Overloaded")
    })
  )

  it.effect("by default: two further attempts, after about 50 and 100 ms", () =>
    Effect.gen(function* () {
      const policy = yield* Retry.make()
      const calls = new Calls()
      const end = yield* endAfter(policy(failing(calls, 9, refused)), 180).pipe(Random.withSeed("seed"))
      assert.deepStrictEqual([end, calls.begun], ["Overloaded", 3])
      assert.strictEqual(yield* endAfter(policy(failing(new Calls(), 1, refused)), 39), "waiting")
      assert.strictEqual(yield* endAfter(policy(failing(new Calls(), 1, refused)), 60), "2")
    })
  )

  it.effect("what may have been acted on is not, unless the caller says that it does no harm", () =>
    Effect.gen(function* () {
      const safe = yield* Retry.make({ schedule })
      const idempotent = yield* Retry.make({ schedule, failures: "idempotent" })
      const chosen = yield* Retry.make({ schedule, failures: (error) => error === "busy" })
      assert.strictEqual(yield* endAfter(safe(failing(new Calls(), 1, lost)), 30), "TimedOut")
      assert.strictEqual(yield* endAfter(idempotent(failing(new Calls(), 1, lost)), 30), "2")
      assert.strictEqual(yield* endAfter(safe(failing(new Calls(), 1, Effect.fail("busy"))), 30), "busy")
      assert.strictEqual(yield* endAfter(chosen(failing(new Calls(), 1, Effect.fail("busy"))), 30), "2")
      assert.strictEqual(yield* endAfter(chosen(failing(new Calls(), 1, Effect.fail("no"))), 30), "no")
    })
  )

  it.effect("a later failure that is not safe ends it", () =>
    Effect.gen(function* () {
      const policy = yield* Retry.make({ schedule })
      const calls = new Calls()
      const call = calls.counted(
        Effect.suspend((): Effect.Effect<never, unknown> => (calls.begun === 1 ? refused : lost))
      )
      assert.strictEqual(yield* endAfter(policy(call), 30), "TimedOut")
      assert.strictEqual(calls.begun, 2)
    })
  )

  it.effect("defects and interrupts are nothing to try again", () =>
    Effect.gen(function* () {
      const policy = yield* Retry.make({ schedule, failures: () => true })
      const calls = new Calls()
      assert.strictEqual(yield* endAfter(policy(failing(calls, 9, Effect.die(new TypeError()))), 30), "TypeError")
      assert.strictEqual(yield* endAfter(policy(failing(calls, 9, Effect.interrupt)), 30), "interrupted")
      const both = Effect.failCause(Cause.combine(Cause.fail("busy"), Cause.die(new TypeError())))
      yield* endAfter(policy(failing(calls, 9, both)), 30)
      assert.strictEqual(calls.begun, 3)
    })
  )

  it.effect("an error that asks for more time gets it, and one that asks for an end too", () =>
    Effect.gen(function* () {
      const policy = yield* Retry.make({ schedule })
      const limited = ServiceError.fail(new ServiceError.RateLimited("key", 500))
      assert.strictEqual(yield* endAfter(policy(failing(new Calls(), 1, limited)), 499), "waiting")
      assert.strictEqual(yield* endAfter(policy(failing(new Calls(), 1, limited)), 500), "2")
      const stopped = yield* Retry.make({ schedule, pushback: () => "stop" })
      assert.strictEqual(yield* endAfter(stopped(failing(new Calls(), 1, refused)), 0), "Overloaded")
    })
  )

  it.effect("a wait that ends behind the deadline is not begun: the caller gets the error itself", () =>
    Effect.gen(function* () {
      const retry = yield* Retry.make({ schedule })
      const calls = new Calls()
      const policy = Policy.stack(Deadline.make({ within: "25 millis" }), retry)
      assert.strictEqual(yield* endAfter(policy(failing(calls, 9, refused)), 20), "Overloaded")
      assert.strictEqual(calls.begun, 3)
    })
  )

  it.effect("without a token there is no further attempt; what goes well costs none", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ retriesPerCall: 0.5, minRetriesPerSecond: 0 })
      const policy = yield* Retry.make({ schedule, budget })
      assert.strictEqual(yield* endAfter(policy(failing(new Calls(), 1, refused)), 10), "Overloaded")
      assert.strictEqual(yield* endAfter(policy(failing(new Calls(), 1, refused)), 10), "2")
      assert.strictEqual(yield* budget.balance, 0)
      yield* policy(Effect.void)
      yield* policy(Effect.void)
      assert.strictEqual(yield* budget.balance, 1)
      const unlimited = yield* Retry.make({ schedule: Schedule.spaced(1), budget: "unlimited" })
      assert.strictEqual(yield* endAfter(unlimited(failing(new Calls(), 300, refused)), 300), "301")
    })
  )

  it.effect("each attempt has its own time inside of it", () =>
    Effect.gen(function* () {
      const retry = yield* Retry.make({ schedule, failures: "idempotent" })
      const calls = new Calls()
      const policy = Policy.stack(retry, Timeout.make({ timeout: "5 millis" }))
      const call = calls.counted(Effect.suspend(() => Effect.sleep(calls.begun === 3 ? 4 : 6)))
      assert.strictEqual(yield* endAfter(policy(call), 5 + 10 + 5 + 10 + 4), "undefined")
      assert.deepStrictEqual([calls.begun, calls.interrupted, calls.mostActive], [3, 2, 1])
    })
  )

  it.effect("law: however much fails, all attempts are at most the share and the rate above the calls", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) {
        const random = new SeededRandom(seed)
        const budget = yield* RetryBudget.make({ retriesPerCall: 0.2, minRetriesPerSecond: 1 })
        const first = yield* Retry.make({ budget, schedule: Schedule.recurs(1 + random.below(20)) })
        const second = yield* Retry.make({ budget, schedule: Schedule.spaced(random.below(300)) })
        const policy = Policy.stack(first, second)
        const failPercent = random.below(101)
        const calls = new Calls()
        const call = calls.counted(Effect.suspend(() => (random.below(100) < failPercent ? refused : Effect.void)))
        const demand = 1 + random.below(400)
        for (let index = 0; index < demand; index++) {
          yield* fork(Effect.ignore(policy(call)))
          if (random.below(4) === 0) yield* TestClock.adjust(random.below(100))
        }
        yield* TestClock.adjust("60 seconds")
        // 10 s at most of calls, 60 s of waiting, and the reserve at the beginning.
        assert.isAtMost(calls.begun, demand * 1.2 + 1 * (10 + 60 + 10), `seed ${seed}`)
      }
    })
  )

  it.effect("who is interrupted leaves nothing behind", () =>
    Effect.gen(function* () {
      const policy = yield* Retry.make({ schedule, budget: "unlimited" })
      yield* interruptedAtEveryPoint(32, () => {
        const calls = new Calls()
        return {
          effect: policy(Effect.andThen(calls.taking(2), refused)),
          check: (at) => Effect.sync(() => assert.strictEqual(calls.active, 0, at))
        }
      })
    })
  )
})
