import { assert, describe, it } from "@effect/vitest"
import * as PoolStats from "@sluice/core/pool/PoolStats"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

const some = (): PoolStats.Stats => ({ ...PoolStats.countsOnly(new PoolStats.PoolCounts()), opened: 2, idle: 3 })

describe("PoolStats", () => {
  it("counts what was closed by reason", () => {
    const counts = new PoolStats.PoolCounts()
    for (const reason of ["broken", "invalid", "lifetime", "idle", "room", "shutdown"] as const) counts.closed(reason)
    const { closedBroken, closedInvalid, closedLifetime, closedIdle, closedRoom, closedShutdown } = counts
    assert.deepStrictEqual(
      [closedBroken, closedInvalid, closedLifetime, closedIdle, closedRoom, closedShutdown],
      [1, 1, 1, 1, 1, 1]
    )
  })

  it("sums pools, and keeps the counts of those that are gone", () => {
    const total = PoolStats.sum([some(), some(), PoolStats.countsOnly(some())])
    assert.deepStrictEqual([total.opened, total.idle, total.leased], [6, 6, 0])
  })

  it.effect("publishes every number while its scope is open, and nothing afterwards", () =>
    Effect.gen(function* () {
      const names = Effect.map(Metric.snapshot, (all) => all.filter(({ id }) => id.startsWith("sluice.pool.")))
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* PoolStats.publish(some, "db")
          const published = yield* names
          assert.strictEqual(published.length, Object.keys(some()).length)
          const opened = published.find(({ id }) => id === "sluice.pool.opened")
          assert.strictEqual((opened?.state as { readonly count: number } | undefined)?.count, 2)
          assert.deepStrictEqual(opened?.attributes, { "sluice.pool.name": "db" })
        })
      )
      assert.deepStrictEqual(yield* names, [])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})
