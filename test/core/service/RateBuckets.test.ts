import { assert, describe, it } from "@effect/vitest"
import { RateBuckets } from "@sluice/core/service/RateBuckets"

const start = 1_700_000_000_000

describe("RateBuckets", () => {
  it("gives the limit at once, then a token for each interval", () => {
    const buckets = new RateBuckets(16)
    const take = (atMillis: number) => buckets.take("a", start + atMillis, 3, 3_000)
    assert.deepStrictEqual(take(0), { allowed: true, remaining: 2, resetMillis: 1_000, retryAfterMillis: 0 })
    assert.deepStrictEqual(take(0), { allowed: true, remaining: 1, resetMillis: 2_000, retryAfterMillis: 0 })
    assert.deepStrictEqual(take(0), { allowed: true, remaining: 0, resetMillis: 3_000, retryAfterMillis: 1_000 })
    assert.deepStrictEqual(take(0), { allowed: false, remaining: 0, resetMillis: 3_000, retryAfterMillis: 1_000 })
    assert.deepStrictEqual(take(999), { allowed: false, remaining: 0, resetMillis: 2_001, retryAfterMillis: 1 })
    assert.isTrue(take(1_000).allowed)
    assert.isFalse(take(1_000).allowed)
    assert.strictEqual(take(60_000).remaining, 2)
  })

  it("a refused request costs nothing", () => {
    const buckets = new RateBuckets(16)
    assert.isTrue(buckets.take("a", start, 1, 1_000).allowed)
    for (let index = 0; index < 100; index++) assert.isFalse(buckets.take("a", start, 1, 1_000).allowed)
    assert.isTrue(buckets.take("a", start + 1_000, 1, 1_000).allowed)
  })

  it("intervals that are no whole numbers lose no token", () => {
    for (const limit of [3, 7, 600, 99_991]) {
      const buckets = new RateBuckets(16)
      for (let index = 0; index < limit; index++) {
        assert.strictEqual(buckets.take("a", start, limit, 60_000).remaining, limit - 1 - index)
      }
      assert.isFalse(buckets.take("a", start, limit, 60_000).allowed)
    }
  })

  it("keys have buckets of their own", () => {
    const buckets = new RateBuckets(16)
    assert.isTrue(buckets.take("a", start, 1, 1_000).allowed)
    assert.isTrue(buckets.take("b", start, 1, 1_000).allowed)
    assert.isFalse(buckets.take("a", start, 1, 1_000).allowed)
  })

  it("however many keys come, no more than the limit are kept", () => {
    const buckets = new RateBuckets(1_000)
    for (let index = 0; index < 100_000; index++) {
      buckets.take(`key ${index}`, start, 1, 60_000)
      assert.isAtMost(buckets.size, 1_000)
    }
  })

  it("a key that is used survives a flood of others", () => {
    const buckets = new RateBuckets(100)
    buckets.take("busy", start, 1, 60_000)
    for (let index = 0; index < 10_000; index++) {
      buckets.take(`key ${index}`, start, 1, 60_000)
      if (index % 40 === 0) assert.isFalse(buckets.take("busy", start, 1, 60_000).allowed, `after ${index}`)
    }
  })

  it("a clock that is set back locks nobody out for longer than a window", () => {
    const buckets = new RateBuckets(16)
    buckets.take("a", start, 1, 1_000)
    assert.strictEqual(buckets.take("a", start - 3_600_000, 1, 1_000).retryAfterMillis, 1_000)
    assert.isTrue(buckets.take("a", start - 3_600_000 + 1_000, 1, 1_000).allowed)
  })
})
