import { assert, describe, it } from "vitest"
import { Histogram } from "../../../bench/src/load/Histogram.ts"

const of = (values: Iterable<number>): Histogram => {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}

/** 0, 1, 2 … and up to the largest value that may be recorded, in growing steps. */
const spread = function* (): Generator<number> {
  for (let value = 0; value < 2 ** 31; value += 1 + Math.floor(value / 100)) yield value
}

it("an empty histogram has no latency", () => {
  const histogram = of([])
  assert.strictEqual(histogram.count, 0)
  assert.strictEqual(histogram.quantile(0.5), 0)
})

it("values below 64 are exact", () => {
  for (let value = 0; value < 64; value++) assert.strictEqual(of([value, 1_000]).quantile(0.5), value)
})

it("every value is read back to within 3 %", () => {
  for (const value of spread()) {
    // A larger value beside it: the last bucket is cut at the maximum, which would hide an error.
    const histogram = of([value, 2 ** 31 - 1])
    const error = Math.abs(histogram.quantile(0.5) - value)
    assert.isAtMost(error, Math.max(value * 0.03, 0), `value ${value}`)
  }
})

it("a larger value is never in a lower bucket", () => {
  let before = 0
  for (const value of spread()) {
    const now = of([value, 2 ** 31 - 1]).quantile(0.5)
    assert.isAtLeast(now, before, `value ${value}`)
    before = now
  }
})

describe("quantiles of 1 to 1,000", () => {
  const histogram = of(Array.from({ length: 1_000 }, (_, index) => index + 1))
  const cases = [
    [0, 1],
    [0.5, 500],
    [0.99, 990],
    [1, 1_000]
  ] as const
  for (const [quantile, expected] of cases) {
    it(`${quantile} is about ${expected}`, () => {
      assert.isAtMost(Math.abs(histogram.quantile(quantile) - expected), expected * 0.03)
    })
  }
})

it("no quantile is above the maximum", () => {
  assert.strictEqual(of([1_025]).quantile(1), 1_025)
})

it("fractions are dropped", () => {
  assert.strictEqual(of([7.9]).quantile(1), 7)
})

it("a cleared histogram counts from nothing", () => {
  const histogram = of([5, 5_000])
  histogram.clear()
  histogram.record(3)
  assert.deepStrictEqual([histogram.count, histogram.quantile(1)], [1, 3])
})
