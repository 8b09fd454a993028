import { assert, describe, it } from "@effect/vitest"
import * as ConcurrencyLimit from "@sluice/core/service/ConcurrencyLimit"
import * as Deadline from "@sluice/core/service/Deadline"
import * as Hedge from "@sluice/core/service/Hedge"
import * as Policy from "@sluice/core/service/Policy"
import * as Retry from "@sluice/core/service/Retry"
import * as RetryBudget from "@sluice/core/service/RetryBudget"
import type * as ServiceError from "@sluice/core/service/ServiceError"
import * as Timeout from "@sluice/core/service/Timeout"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Calls, endAfter, interruptedAtEveryPoint } from "./Calls.ts"

class Log extends Context.Service<Log, Array<string>>()("test/Log") {}
class Refused {
  readonly _tag = "Refused"
}

/** Writes its name before and after the call. */
const named =
  (name: string): Policy.Policy<never, Log> =>
  (self) =>
    Effect.flatMap(Log, (log) => {
      log.push(`${name} in`)
      return Effect.tap(self, () => Effect.sync(() => log.push(`${name} out`)))
    })

const refusing: Policy.Policy<Refused> = (self) => Effect.andThen(Effect.fail(new Refused()), self)

describe("Policy", () => {
  it.effect("a call meets the policies in the order in which they are written", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const policy = Policy.stack(named("a"), Policy.none, named("b"), named("c"))
      const answer = yield* policy(Effect.succeed(42)).pipe(Effect.provideService(Log, log))
      assert.strictEqual(answer, 42)
      assert.deepStrictEqual(log, ["a in", "b in", "c in", "c out", "b out", "a out"])
    })
  )

  it.effect("errors and requirements of all of them are in the type, beside those of the call", () =>
    Effect.gen(function* () {
      const policy: Policy.Policy<Refused, Log> = Policy.stack(named("a"), refusing)
      const call: Effect.Effect<number, "own"> = Effect.fail("own")
      const wrapped: Effect.Effect<number, "own" | Refused, Log> = policy(call)
      // @ts-expect-error the refusal is not lost
      const lost: Effect.Effect<number, "own", Log> = policy(call)
      assert.isDefined(lost)
      const error = yield* Effect.flip(Effect.provideService(wrapped, Log, []))
      assert.instanceOf(error, Refused)
    })
  )

  it.effect("no policies leave a call as it is", () =>
    Effect.gen(function* () {
      const call: Effect.Effect<number> = Effect.succeed(1)
      const wrapped: Effect.Effect<number> = Policy.stack()(call)
      assert.strictEqual(wrapped, call)
      assert.strictEqual(yield* Policy.none(call), 1)
    })
  )

  it.effect("policies that look at the call stand beside those that do not", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const byKey: Policy.PerCall<{ readonly key: string }, never, Log> = (call) => named(call.key)
      const choose = Policy.stackPerCall(byKey, Policy.always(named("last")))
      yield* choose({ key: "k" })(Effect.void).pipe(Effect.provideService(Log, log))
      assert.deepStrictEqual(log, ["k in", "last in", "last out", "k out"])
    })
  )

  it.effect("a whole stack has all their errors in its type, and leaves nothing behind at any time", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make()
      const policy = Policy.stack(
        Deadline.make({ within: 25 }),
        yield* Retry.make({ budget, schedule: Schedule.spaced(1), failures: "idempotent" }),
        yield* Hedge.make({ after: 3, budget }),
        yield* ConcurrencyLimit.make({ maxConcurrent: 2 }),
        Timeout.make({ timeout: 6 })
      )
      const typed: Policy.Policy<
        ServiceError.ServiceError<ServiceError.DeadlineExceeded | ServiceError.Overloaded | ServiceError.TimedOut>
      > = policy
      const overdue = new Calls()
      assert.strictEqual(yield* endAfter(typed(overdue.taking(7)), 25), "DeadlineExceeded")
      assert.isAtLeast(overdue.begun, 4)
      assert.isAtMost(overdue.mostActive, 2)
      yield* interruptedAtEveryPoint(26, () => {
        const calls = new Calls()
        return {
          effect: policy(calls.taking(7)),
          check: (at) => Effect.sync(() => assert.strictEqual(calls.active, 0, at))
        }
      })
    })
  )
})
