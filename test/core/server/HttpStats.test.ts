import { assert, it } from "@effect/vitest"
import { HttpStats } from "@sluice/core/server/HttpStats"

it("counts requests by how they ended", () => {
  const stats = new HttpStats()
  const before = stats.snapshot()
  for (const outcome of ["completed", "completed", "aborted", "cut", "upgraded"] as const) stats.count(outcome)
  assert.deepStrictEqual(stats.snapshot(), { completed: 2, aborted: 1, cut: 1, upgraded: 1 })
  assert.deepStrictEqual(before, { completed: 0, aborted: 0, cut: 0, upgraded: 0 })
})
