import { assert, describe, it } from "@effect/vitest"
import * as RetryBudget from "@sluice/core/service/RetryBudget"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"

type Budget = RetryBudget.RetryBudget["Service"]

/** Spends until there is nothing left. */
const spendAll = (budget: Budget) =>
  Effect.gen(function* () {
    let spent = 0
    while (yield* budget.withdraw) spent++
    return spent
  })

const deposit = (budget: Budget, times: number) => Effect.replicateEffect(budget.deposit, times, { discard: true })

describe("RetryBudget", () => {
  it.effect("by default: 10 a second over 10 seconds, and one for five calls", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make()
      assert.strictEqual(yield* budget.balance, 100)
      yield* deposit(budget, 50)
      assert.strictEqual(yield* budget.balance, 110)
      assert.strictEqual(yield* spendAll(budget), 110)
      yield* deposit(budget, 4)
      assert.isFalse(yield* budget.withdraw)
      yield* deposit(budget, 1)
      assert.isTrue(yield* budget.withdraw)
      assert.isFalse(yield* budget.withdraw)
    })
  )

  it.effect("what was earned and what was spent is forgotten after the window", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ minRetriesPerSecond: 1, window: "10 seconds" })
      yield* deposit(budget, 100)
      assert.strictEqual(yield* budget.balance, 30)
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(yield* budget.balance, 30)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* budget.balance, 10)
      assert.strictEqual(yield* spendAll(budget), 10)
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(yield* budget.balance, 0)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* spendAll(budget), 10)
    })
  )

  it.effect("nothing at all can be a budget", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ retriesPerCall: 0, minRetriesPerSecond: 0 })
      yield* deposit(budget, 1000)
      assert.strictEqual(yield* spendAll(budget), 0)
    })
  )

  it.effect("law: who spends all there is never spends more than the share and the rate, in 200 seeds", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) yield* greedy(seed)
    })
  )

  it.effect("a call earns its part once, however many policies with the same budget stand around it", () =>
    Effect.gen(function* () {
      const options = { retriesPerCall: 1, minRetriesPerSecond: 0 }
      const [budget, other] = [yield* RetryBudget.make(options), yield* RetryBudget.make(options)]
      const inner = RetryBudget.counted(Effect.void, budget)
      yield* RetryBudget.counted(Effect.andThen(inner, inner), budget)
      assert.strictEqual(yield* budget.balance, 1)
      yield* RetryBudget.counted(inner, other)
      yield* inner
      assert.deepStrictEqual([yield* budget.balance, yield* other.balance], [3, 1])
    })
  )

  it.effect("the layer's is shared by those who ask for it", () =>
    Effect.gen(function* () {
      yield* spendAll(yield* RetryBudget.RetryBudget)
      assert.isFalse(yield* (yield* RetryBudget.RetryBudget).withdraw)
    }).pipe(Effect.provide(RetryBudget.layer({ minRetriesPerSecond: 1 })))
  )

  for (const [options, name] of [
    [{ retriesPerCall: -1 }, "retriesPerCall"],
    [{ minRetriesPerSecond: Number.NaN }, "minRetriesPerSecond"],
    [{ window: 0 }, "window"],
    [{ window: "999 millis" }, "window"],
    [{ window: "61 seconds" }, "window"]
  ] as const) {
    it.effect(`${JSON.stringify(options)} is a mistake`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(RetryBudget.make(options))
        assert.match(String(exit), new RegExp(`RangeError.*${name}`))
      })
    )
  }
})

/** Random calls over a minute, with as many retries as there are tokens at random times. */
const greedy = (seed: number) =>
  Effect.gen(function* () {
    const random = new SeededRandom(seed)
    const retriesPerCall = random.below(100) / 100
    const perSecond = random.below(5)
    const budget = yield* RetryBudget.make({ retriesPerCall, minRetriesPerSecond: perSecond })
    /** What happened, by second. */
    const calls: Array<number> = []
    const retries: Array<number> = []
    for (let second = 0; second < 60; second++) {
      calls.push(0)
      retries.push(0)
      for (let part = 0; part < 4; part++) {
        const count = random.below(3) === 0 ? random.below(200) : 0
        yield* deposit(budget, count)
        calls[second]! += count
        if (random.below(2) === 0) retries[second]! += yield* spendAll(budget)
        yield* TestClock.adjust(250)
      }
    }
    const sum = (values: ReadonlyArray<number>) => values.reduce((all, value) => all + value, 0)
    for (let from = 0; from < 60; from++) {
      for (let to = from + 1; to <= 60; to++) {
        // What was earned in the nine seconds before can be spent in the first of these.
        const earned = retriesPerCall * sum(calls.slice(Math.max(0, from - 9), to))
        const given = perSecond * (to - from + 10)
        assert.isAtMost(sum(retries.slice(from, to)), earned + given + 1e-3, `seed ${seed}, ${from} to ${to} s`)
      }
    }
    assert.isAtMost(sum(retries), retriesPerCall * sum(calls) + perSecond * 70, `seed ${seed}`)
  })
