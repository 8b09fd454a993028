import { assert, it } from "vitest"
import * as Statistic from "../../bench/src/Statistic.ts"

it("the median of an odd count is the one in the middle, whatever the order", () => {
  assert.strictEqual(Statistic.median([9, 1, 5]), 5)
})

it("the median of an even count is halfway between the two in the middle", () => {
  assert.strictEqual(Statistic.median([10, 1, 4, 2]), 3)
})

it("values are ordered as numbers, and left as they were", () => {
  const values = [100, 9, 20]
  assert.deepStrictEqual(Statistic.summary(values), { median: 20, min: 9, max: 100 })
  assert.deepStrictEqual(values, [100, 9, 20])
})

it("what is not known does not count", () => {
  assert.strictEqual(Statistic.medianKnown([undefined, 3, undefined, 1, 2]), 2)
  assert.strictEqual(Statistic.medianKnown([undefined]), undefined)
})
