import { assert, it } from "vitest"
import * as Figure from "../../bench/src/Figure.ts"

it("counts have the decimals that say something", () => {
  assert.deepStrictEqual([0.834, 12.5, 99.96, 1_234.5].map(Figure.count), ["0.83", "12.5", "100.0", "1,235"])
})

it("times have the unit of their size", () => {
  assert.deepStrictEqual([0, 712, 1_310, 2_050_000].map(Figure.micros), ["0 µs", "712 µs", "1.31 ms", "2.05 s"])
})

it("targets have the direction that counts", () => {
  assert.strictEqual(Figure.target(0.8, "higher"), "≥ 0.80")
  assert.strictEqual(Figure.target(0.7, "lower"), "≤ 0.70")
})
