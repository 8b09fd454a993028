import { assert, describe, it } from "@effect/vitest"
import * as HubStats from "@sluice/core/hub/HubStats"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

const series = Effect.map(Metric.snapshot, (snapshots) =>
  Object.fromEntries(
    snapshots
      .filter((snapshot) => snapshot.id.startsWith("sluice.hub."))
      .map((snapshot) => [
        `${snapshot.id.slice("sluice.hub.".length)}{${snapshot.attributes?.["sluice.hub.name"]}}`,
        { type: snapshot.type, ...snapshot.state }
      ])
  )
)

const freshRegistry = Effect.provideService(Metric.MetricRegistry, new Map())

describe("HubStats", () => {
  it("a snapshot does not change any more", () => {
    const stats = new HubStats.HubStats()
    const before = stats.snapshot()
    stats.members++
    assert.strictEqual(before.members, 0)
    assert.strictEqual(stats.snapshot().members, 1)
  })

  it.effect("publishes every number while its scope is open, and nothing afterwards", () =>
    Effect.gen(function* () {
      const stats = new HubStats.HubStats()
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* HubStats.publish(stats, "games")
          Object.assign(stats, { rooms: 1, members: 2, slowMembers: 3, queuedMessages: 4, queuedBytes: 5 })
          Object.assign(stats, { messages: 6, deliveries: 7, dropped: 8, closedSlow: 9 })
          Object.assign(stats, { backplaneSent: 10, backplaneReceived: 11, backplaneLost: 12 })
          const counter = (count: number) => ({ type: "Counter", count, incremental: true })
          const gauge = (value: number) => ({ type: "Gauge", value })
          assert.deepStrictEqual(yield* series, {
            "rooms{games}": gauge(1),
            "members{games}": gauge(2),
            "members.slow{games}": gauge(3),
            "queued_messages{games}": gauge(4),
            "queued_bytes{games}": gauge(5),
            "messages{games}": counter(6),
            "deliveries{games}": counter(7),
            "dropped{games}": counter(8),
            "members.closed_slow{games}": counter(9),
            "backplane.sent{games}": counter(10),
            "backplane.received{games}": counter(11),
            "backplane.lost{games}": counter(12)
          } as never)
        })
      )
      assert.deepStrictEqual(yield* series, {})
    }).pipe(freshRegistry)
  )
})
