import { assert, describe, it } from "@effect/vitest"
import { type Budget, budgets, Http2AbuseGuard, maxSmallDataCount } from "@sluice/core/protocol/http2/Http2AbuseGuard"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"

/** How many of a kind pass at a moment; no more are tried than would be far too many. */
const passedCount = (guard: Http2AbuseGuard, budget: Budget, nowMillis: number): number => {
  let count = 0
  while (count < 5_000 && guard.spend(budget, nowMillis) === undefined) count++
  return count
}

it("RFC 9113 §10.5: the budgets", () => {
  const rows = Object.values(budgets).map(
    ({ burst, name, perSecond, why }) => `${name}: ${burst}, ${perSecond}/s; ${/CVE-[0-9-]+/.exec(why)?.[0] ?? "none"}`
  )
  assert.deepStrictEqual(rows, [
    "resets: 1000, 33/s; CVE-2023-44487",
    "forcedResets: 200, 20/s; CVE-2025-8671",
    "settings: 100, 5/s; CVE-2019-9515",
    "pings: 1000, 100/s; CVE-2019-9512",
    "windowUpdates: 2000, 500/s; CVE-2019-9511",
    "emptyFrames: 100, 10/s; CVE-2019-9518",
    "priorities: 1000, 100/s; CVE-2019-9513",
    "unknown: 1000, 100/s; none"
  ])
  assert.deepStrictEqual(
    Object.entries(budgets).map(([name, budget], index) => [name === budget.name, budget.index === index]),
    Object.keys(budgets).map(() => [true, true])
  )
})

for (const budget of Object.values(budgets)) {
  // A clock may have any origin, and fractions.
  for (const origin of [0, -1e6, 1234.5678, 1.8e12 + 0.1]) {
    it(`RFC 9113 §10.5: ${budget.name}: the burst, and then the rate, from ${origin}`, () => {
      const guard = new Http2AbuseGuard()
      assert.strictEqual(passedCount(guard, budget, origin), budget.burst)
      assert.strictEqual(passedCount(guard, budget, origin + 1_000), budget.perSecond)
      assert.strictEqual(passedCount(guard, budget, origin + 3_000), 2 * budget.perSecond)
      // What is saved up ends at the burst.
      assert.strictEqual(passedCount(guard, budget, origin + 1e9), budget.burst)
    })
  }
}

it("RFC 9113 §10.5: a peer within the rate never spends its budget", () => {
  const guard = new Http2AbuseGuard()
  for (let second = 0; second < 10_000; second++) {
    for (let count = 0; count < budgets.settings.perSecond; count++) {
      assert.isUndefined(guard.spend(budgets.settings, second * 1_000))
    }
  }
})

it("RFC 9113 §10.5: a spent budget says its name, and leaves the others", () => {
  const guard = new Http2AbuseGuard()
  passedCount(guard, budgets.resets, 0)
  const spent = guard.spend(budgets.resets, 0)
  assert.strictEqual(spent?._tag, "BudgetSpent")
  assert.strictEqual(spent?.budget, "resets")
  assert.strictEqual(spent?.errorCode, Code.EnhanceYourCalm)
  for (const budget of Object.values(budgets)) {
    if (budget !== budgets.resets) assert.strictEqual(passedCount(guard, budget, 0), budget.burst)
  }
})

describe("what is earned", () => {
  it("comes back", () => {
    const guard = new Http2AbuseGuard()
    passedCount(guard, budgets.windowUpdates, 0)
    guard.earn(budgets.windowUpdates, 4)
    assert.strictEqual(passedCount(guard, budgets.windowUpdates, 0), 4)
  })
  it("is not saved up above the burst", () => {
    const guard = new Http2AbuseGuard()
    guard.earn(budgets.windowUpdates, 1_000_000)
    assert.strictEqual(passedCount(guard, budgets.windowUpdates, 0), budgets.windowUpdates.burst)
    guard.earn(budgets.windowUpdates, 1_000_000)
    assert.strictEqual(passedCount(guard, budgets.windowUpdates, 0), budgets.windowUpdates.burst)
  })
  it("pays for a transfer of any speed", () => {
    const guard = new Http2AbuseGuard()
    for (let frame = 0; frame < 5_000; frame++) {
      guard.earn(budgets.windowUpdates, 4)
      for (let count = 0; count < 4; count++) assert.isUndefined(guard.spend(budgets.windowUpdates, 0))
    }
  })
})

describe("small DATA", () => {
  it("waits up to its number", () => {
    const guard = new Http2AbuseGuard()
    for (let count = 0; count < maxSmallDataCount; count++) assert.isUndefined(guard.smallDataWaits())
    assert.strictEqual(guard.smallDataWaits()?.budget, "smallData")
  })
  it("costs nothing when it is read", () => {
    const guard = new Http2AbuseGuard()
    for (let count = 0; count < 3 * maxSmallDataCount; count++) {
      assert.isUndefined(guard.smallDataWaits())
      guard.smallDataRead(1)
    }
    for (let count = 0; count < maxSmallDataCount; count++) assert.isUndefined(guard.smallDataWaits())
    guard.smallDataRead(100)
    for (let count = 0; count < 100; count++) assert.isUndefined(guard.smallDataWaits())
    assert.isDefined(guard.smallDataWaits())
  })
})
