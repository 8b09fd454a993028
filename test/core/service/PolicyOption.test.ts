import { assert, describe, it } from "@effect/vitest"
import * as PolicyOption from "@sluice/core/service/PolicyOption"

describe("PolicyOption", () => {
  it("times are above 0, or from 0, and fit a timer", () => {
    assert.strictEqual(PolicyOption.millis("timeout", "2 seconds"), 2000)
    assert.strictEqual(PolicyOption.millisOrNone("delay", 0), 0)
    for (const wrong of [0, -1, Number.NaN, 2 ** 31]) {
      assert.throws(() => PolicyOption.millis("timeout", wrong), RangeError, /^timeout must be above 0/)
    }
    assert.throws(() => PolicyOption.millisOrNone("delay", -1), RangeError, /^delay must be from 0/)
  })

  it("counts are whole, ratios need not be", () => {
    assert.strictEqual(PolicyOption.count("maxWaiting", 0, 0), 0)
    assert.strictEqual(PolicyOption.ratio("percentile", 0.5, 0, 1), 0.5)
    for (const wrong of [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => PolicyOption.count("maxWaiting", wrong), RangeError, /^maxWaiting must be .* 1 to 2\^53 - 1/)
    }
    for (const wrong of [-0.1, 2, Number.NaN]) {
      assert.throws(() => PolicyOption.ratio("percentile", wrong, 0, 1), RangeError, /^percentile must be from 0 to 1/)
    }
  })
})
