import { assert, describe, it } from "@effect/vitest"
import { LatencyHistogram } from "@sluice/core/service/LatencyHistogram"
import { SeededRandom } from "../../harness/SeededRandom.ts"

describe("LatencyHistogram", () => {
  it("percentiles are at most a sixteenth off", () => {
    const random = new SeededRandom(7)
    const histogram = new LatencyHistogram(1000)
    const latencies = Array.from({ length: 5000 }, () => 2 ** (random.below(1700) / 100 - 3))
    for (const latency of latencies) histogram.record(latency, 0)
    latencies.sort((a, b) => a - b)
    for (const percentile of [0.01, 0.5, 0.9, 0.99, 0.999]) {
      const exact = latencies[Math.ceil(5000 * percentile) - 1]!
      assert.closeTo(histogram.percentile(percentile, 0) / exact, 1, 1 / 16, String(percentile))
    }
  })

  it("what is older than two periods is forgotten, what is younger than one is not", () => {
    const histogram = new LatencyHistogram(1000)
    histogram.record(5, 0)
    assert.strictEqual(histogram.count(999), 1)
    histogram.record(50, 1000)
    assert.strictEqual(histogram.count(1999), 2)
    assert.strictEqual(histogram.count(2000), 1)
    assert.closeTo(histogram.percentile(0.5, 2000), 50, 4)
    assert.strictEqual(histogram.count(3000), 0)
    histogram.record(5, 3000)
    assert.strictEqual(histogram.count(1_000_000), 0)
    assert.strictEqual(histogram.percentile(0.5, 1_000_000), 0)
  })

  it("latencies beyond its ends count at its ends", () => {
    const histogram = new LatencyHistogram(1000)
    for (const wrong of [0, -1, Number.NaN]) histogram.record(wrong, 0)
    assert.isBelow(histogram.percentile(0.5, 0), 0.1)
    for (let index = 0; index < 9; index++) histogram.record(Number.POSITIVE_INFINITY, 0)
    assert.isAbove(histogram.percentile(0.5, 0), 2 ** 24)
  })
})
