import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@sluice/core/service/CircuitBreaker"
import * as Fallback from "@sluice/core/service/Fallback"
import * as Policy from "@sluice/core/service/Policy"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as Timeout from "@sluice/core/service/Timeout"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as EffectBreaker from "effect/persistence/CircuitBreaker"
import * as TestClock from "effect/testing/TestClock"
import { Calls, endAfter } from "./Calls.ts"

const tripPolicy = EffectBreaker.consecutive(2)
const lost = TransportError.make(new TransportError.ConnectionLost("ECONNRESET"))
const run = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.scoped,
    Effect.provide(EffectBreaker.layerStoreMemory()),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

describe("CircuitBreaker", () => {
  it.effect("opens after failures in a row, and closes by one call that goes well; each key by itself", () =>
    Effect.gen(function* () {
      const policyOf = yield* CircuitBreaker.make({ tripPolicy, openDuration: "5 seconds" })
      const calls = new Calls()
      const fails = policyOf("a")(calls.counted(Effect.fail(lost)))
      const works = policyOf("a")(Effect.succeed("works"))
      const ends = []
      for (const call of [fails, fails, fails, works]) ends.push(yield* endAfter(call, 0))
      assert.deepStrictEqual(ends, ["ConnectionLost", "ConnectionLost", "CircuitOpen", "CircuitOpen"])
      assert.strictEqual(calls.begun, 2)
      assert.strictEqual(yield* endAfter(policyOf("b")(Effect.succeed("works")), 0), "works")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* endAfter(works, 0), "works")
      assert.strictEqual(yield* endAfter(works, 0), "works")
    }).pipe(run)
  )

  it.effect("its transitions are counted", () =>
    Effect.gen(function* () {
      const policyOf = yield* CircuitBreaker.make({ tripPolicy, attributes: { callee: "x" } })
      for (let index = 0; index < 3; index++) yield* Effect.exit(policyOf("a")(Effect.fail(lost)))
      yield* Effect.yieldNow
      const opened = yield* Metric.value(
        Metric.withAttributes(CircuitBreaker.transitions, {
          callee: "x",
          from: "Closed",
          to: "Open"
        })
      )
      assert.strictEqual(opened.count, 1)
    }).pipe(run)
  )

  it.effect("what takes too long inside of it counts, and a fallback covers it", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ tripPolicy })
      const guard = Policy.stack(breaker("a"), Timeout.make({ timeout: 10 }))
      const policy = Fallback.make({ orElse: () => Effect.succeed("kept") })
      const calls = new Calls()
      for (let index = 0; index < 3; index++) {
        assert.strictEqual(yield* endAfter(policy(guard(calls.counted(Effect.never))), 10), "kept")
      }
      assert.strictEqual(calls.begun, 2)
    }).pipe(run)
  )

  const outcomes: ReadonlyArray<readonly [exit: Exit.Exit<unknown, unknown>, outcome: string]> = [
    [Exit.succeed(1), "Success"],
    [Exit.fail(lost), "Failure"],
    [Exit.fail("some error"), "Failure"],
    [Exit.die("broken"), "Failure"],
    [Exit.fail({ reason: { _tag: "NotFound", fault: "caller" } }), "Success"],
    [Exit.fail({ reason: { _tag: "DeadlineExceeded", fault: "limit" } }), "Failure"],
    [Exit.fail(ServiceError.make(new ServiceError.TimedOut(1))), "Failure"],
    [Exit.fail(ServiceError.make(new ServiceError.Overloaded("waiting", 1))), "Ignored"],
    [Exit.fail(ServiceError.make(new ServiceError.DeadlineExceeded("MaybeProcessed"))), "Ignored"]
  ]
  for (const [index, [exit, outcome]] of outcomes.entries()) {
    it(`verdict ${index}: ${outcome}`, () => {
      assert.strictEqual(CircuitBreaker.outcomeOf(exit)._tag, outcome)
    })
  }

  it("a failure that asks for time gets it", () => {
    const outcome = CircuitBreaker.outcomeOf(Exit.fail({ reason: { retryAfterMillis: 70 } }))
    assert.strictEqual(JSON.stringify(outcome), JSON.stringify(EffectBreaker.failure({ retryAfter: 70 })))
  })

  it.effect("a time that makes no sense is a mistake", () =>
    Effect.gen(function* () {
      assert.match(String(yield* Effect.exit(CircuitBreaker.make({ openDuration: 0 }))), /RangeError.*openDuration/)
    }).pipe(run)
  )
})
