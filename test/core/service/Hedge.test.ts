import { assert, describe, it } from "@effect/vitest"
import * as Hedge from "@sluice/core/service/Hedge"
import * as Policy from "@sluice/core/service/Policy"
import * as Retry from "@sluice/core/service/Retry"
import * as RetryBudget from "@sluice/core/service/RetryBudget"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { Calls, endAfter, fork, interruptedAtEveryPoint, word } from "./Calls.ts"

/** Its attempts take so long, one after the other, and end so. */
const attempts = (
  calls: Calls,
  ...ends: ReadonlyArray<readonly [millis: number, end: Effect.Effect<string, string>]>
) =>
  calls.counted(
    Effect.suspend(() => {
      const [millis, end] = ends[calls.begun - 1]!
      return millis === 0 ? end : Effect.andThen(Effect.sleep(millis), end)
    })
  )

const [a, b] = [Effect.succeed("a"), Effect.succeed("b")]

describe("Hedge", () => {
  const rows: ReadonlyArray<
    readonly [rule: string, ends: Parameters<typeof attempts>[1][], atMillis: number, end: string, begun: number]
  > = [
    ["an answer at once is all", [[0, a]], 0, "a", 1],
    ["an answer in time is all", [[9, a]], 9, "a", 1],
    [
      "the second wins",
      [
        [30, a],
        [5, b]
      ],
      15,
      "b",
      2
    ],
    [
      "the first wins though there is a second",
      [
        [12, a],
        [5, b]
      ],
      12,
      "a",
      2
    ],
    ["a failure before the second is final", [[5, Effect.fail("x")]], 5, "x", 1],
    [
      "a failure of the first leaves it to the second",
      [
        [12, Effect.fail("x")],
        [5, b]
      ],
      15,
      "b",
      2
    ],
    [
      "a failure of the second leaves it to the first",
      [
        [30, a],
        [5, Effect.fail("y")]
      ],
      30,
      "a",
      2
    ],
    [
      "a second that fails at once too",
      [
        [30, a],
        [0, Effect.fail("y")]
      ],
      30,
      "a",
      2
    ],
    [
      "a second that answers at once",
      [
        [30, a],
        [0, b]
      ],
      10,
      "b",
      2
    ],
    [
      "when both fail it is with the last",
      [
        [12, Effect.fail("x")],
        [5, Effect.fail("y")]
      ],
      15,
      "y",
      2
    ]
  ]
  for (const [rule, ends, atMillis, end, begun] of rows) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        const policy = yield* Hedge.make({ after: "10 millis", budget: "unlimited" })
        if (atMillis > 0) {
          assert.strictEqual(yield* endAfter(policy(attempts(new Calls(), ...ends)), atMillis - 1), "waiting")
        }
        const calls = new Calls()
        assert.strictEqual(yield* endAfter(policy(attempts(calls, ...ends)), atMillis), end)
        assert.deepStrictEqual([calls.begun, calls.active], [begun, 0])
      })
    )
  }

  it.effect("after a percentile of what was measured, and not before enough was", () =>
    Effect.gen(function* () {
      const policy = yield* Hedge.make({ after: { percentile: 0.9, minSamples: 10 } })
      const never = new Calls()
      assert.strictEqual(yield* endAfter(policy(never.counted(Effect.never)), 1000), "waiting")
      assert.strictEqual(never.begun, 1)
      for (let index = 1; index <= 10; index++) {
        const calls = new Calls()
        yield* endAfter(policy(calls.taking(index * 10)), index * 10)
        assert.strictEqual(calls.begun, 1)
      }
      const calls = new Calls()
      yield* fork(policy(calls.counted(Effect.never)))
      yield* TestClock.adjust(80)
      assert.strictEqual(calls.begun, 1)
      yield* TestClock.adjust(20)
      assert.strictEqual(calls.begun, 2)
    })
  )

  it.effect("the percentile does not fall by the slow calls that lose", () =>
    Effect.gen(function* () {
      const policy = yield* Hedge.make({ after: { percentile: 0.9, period: "10 seconds" }, budget: "unlimited" })
      const random = new SeededRandom(1)
      const calls = new Calls()
      // Four fifths are fast; the 90th percentile is in the midst of the slow ones.
      const latency = () => (random.below(5) === 0 ? 200 + random.below(800) : 1 + random.below(50))
      const call = calls.counted(Effect.suspend(() => Effect.sleep(latency())))
      const demand = 6000
      for (let index = 0; index < demand; index++) {
        yield* fork(policy(call))
        yield* TestClock.adjust(10)
      }
      assert.approximately(calls.begun / demand, 1.1, 0.03)
    })
  )

  it.effect("without a token there is no second call", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ retriesPerCall: 0.5, minRetriesPerSecond: 0 })
      const policy = yield* Hedge.make({ after: 10, budget })
      const calls = new Calls()
      for (let index = 0; index < 4; index++) yield* fork(policy(calls.counted(Effect.never)))
      yield* TestClock.adjust(10)
      assert.strictEqual(calls.begun, 6)
    })
  )

  it.effect("law: retries and hedges of one budget send no more than the share and the rate, in 200 seeds", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) {
        const random = new SeededRandom(seed)
        const budget = yield* RetryBudget.make({ retriesPerCall: 0.2, minRetriesPerSecond: 1 })
        const retry = yield* Retry.make({ budget, schedule: Schedule.recurs(1 + random.below(10)) })
        const hedge = yield* Hedge.make({ after: 1 + random.below(20), budget })
        const policy = random.below(2) === 0 ? Policy.stack(retry, hedge) : Policy.stack(hedge, retry)
        const failPercent = random.below(101)
        const calls = new Calls()
        const refused = ServiceError.fail(new ServiceError.Overloaded("concurrent", 1))
        const call = calls.counted(
          Effect.suspend(() =>
            Effect.andThen(Effect.sleep(random.below(60)), random.below(100) < failPercent ? refused : Effect.void)
          )
        )
        const demand = 1 + random.below(200)
        for (let index = 0; index < demand; index++) {
          yield* fork(Effect.ignore(policy(call)))
          if (random.below(4) === 0) yield* TestClock.adjust(random.below(50))
        }
        yield* TestClock.adjust("30 seconds")
        assert.isAtMost(calls.begun, demand * 1.2 + 1 * (3 + 30 + 10), `seed ${seed}`)
        assert.strictEqual(calls.active, 0, `seed ${seed}`)
      }
    })
  )

  it.effect("nor does who is interrupted by the first steps of the call", () =>
    Effect.gen(function* () {
      const policy = yield* Hedge.make({ after: 4 })
      const calls = new Calls()
      const caller: { fiber?: Fiber.Fiber<unknown, unknown> } = {}
      const call = calls.counted(
        Effect.suspend(() => {
          caller.fiber!.interruptUnsafe()
          return Effect.never
        })
      )
      const fiber = yield* fork(
        Effect.withFiber((self: Fiber.Fiber<unknown, unknown>) => {
          caller.fiber = self
          return policy(call)
        })
      )
      assert.strictEqual(word(yield* Fiber.await(fiber)), "interrupted")
      assert.deepStrictEqual([calls.begun, calls.active], [1, 0])
    })
  )

  it.effect("who is interrupted leaves nothing behind", () =>
    Effect.gen(function* () {
      const policy = yield* Hedge.make({ after: 4, budget: "unlimited" })
      yield* interruptedAtEveryPoint(9, () => {
        const calls = new Calls()
        return {
          effect: policy(calls.taking(8)),
          check: (at) => Effect.sync(() => assert.strictEqual(calls.active, 0, at))
        }
      })
    })
  )

  for (const [after, name] of [
    [0, "after"],
    [{ percentile: 2 }, "after.percentile"],
    [{ percentile: 0.9, minSamples: 0 }, "after.minSamples"],
    [{ percentile: 0.9, period: 0 }, "after.period"]
  ] as const) {
    it.effect(`${JSON.stringify(after)} is a mistake`, () =>
      Effect.gen(function* () {
        assert.match(String(yield* Effect.exit(Hedge.make({ after }))), new RegExp(`RangeError.*${name}`))
      })
    )
  }
})
