import { assert, describe, it } from "@effect/vitest"
import * as Metrics from "@sluice/core/service/Metrics"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import { endAfter, fork } from "./Calls.ts"

const fresh = Effect.provideService(Metric.MetricRegistry, new Map())

describe("Metrics", () => {
  it.effect("calls are measured by their outcome, and counted while they are under way", () =>
    Effect.gen(function* () {
      const policy = yield* Metrics.make({ name: "users", attributes: { zone: "a" } })
      const active = Effect.map(Metric.value(Metrics.activeOf({ zone: "a", name: "users" })), ({ value }) => value)
      const measured = (outcome: string) => Metric.value(Metrics.durationOf({ zone: "a", name: "users", outcome }))
      yield* endAfter(policy(Effect.sleep(200)), 200)
      yield* endAfter(policy(Effect.sleep(400)), 400)
      yield* Effect.exit(policy(ServiceError.fail(new ServiceError.TimedOut(1))))
      const { count, sum } = yield* measured("success")
      assert.strictEqual(count, 2)
      assert.closeTo(sum, 0.6, 1e-9)
      assert.strictEqual((yield* measured("TimedOut")).count, 1)
      const [first, second] = [yield* fork(policy(Effect.never)), yield* fork(policy(Effect.never))]
      assert.strictEqual(yield* active, 2)
      yield* Fiber.interruptAll([first, second])
      assert.strictEqual(yield* active, 0)
      assert.strictEqual((yield* measured("interrupt")).count, 2)
    }).pipe(fresh)
  )

  const outcomes: ReadonlyArray<readonly [exit: Exit.Exit<unknown, unknown>, outcome: string]> = [
    [Exit.succeed(1), "success"],
    [Exit.interrupt(1), "interrupt"],
    [Exit.die("broken"), "defect"],
    [Exit.fail(ServiceError.make(new ServiceError.Overloaded("wait", 1))), "Overloaded"],
    [Exit.fail({ _tag: "NotFound" }), "NotFound"],
    [Exit.fail({ _tag: 1, reason: null }), "failure"],
    [Exit.fail("a text that differs each time"), "failure"]
  ]
  for (const [exit, outcome] of outcomes) {
    it(`an outcome is ${outcome}`, () => assert.strictEqual(Metrics.outcomeOf(exit), outcome))
  }
})
