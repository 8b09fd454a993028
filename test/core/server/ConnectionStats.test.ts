import { assert, describe, it } from "@effect/vitest"
import * as ConnectionStats from "@sluice/core/server/ConnectionStats"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { bytes, record, turns } from "../../harness/TransportContract.ts"

describe("ConnectionStats", () => {
  it("begins with nothing", () => {
    assert.deepStrictEqual(new ConnectionStats.ConnectionStats().snapshot(), {
      open: 0,
      waiting: 0,
      accepted: 0,
      refused: {},
      receivedBytes: 0,
      sentBytes: 0,
      closed: {}
    })
  })

  it.effect("sums the bytes of connections that are open and of those that were", () =>
    Effect.gen(function* () {
      const stats = new ConnectionStats.ConnectionStats()
      const [open, openPeer] = MemoryTransport.pair()
      const [gone, gonePeer] = MemoryTransport.pair()
      for (const transport of [open, openPeer, gone, gonePeer]) record(transport)
      stats.opened(open)
      stats.opened(gone)
      open.write(bytes("12"))
      openPeer.write(bytes("123"))
      gone.write(bytes("1234"))
      gonePeer.write(bytes("12345"))
      yield* turns
      stats.finished(gone)
      stats.closedBy("Finished")
      stats.refusedBy("TooManyConnections")
      stats.refusedBy("TooManyConnections")
      stats.refusedBy("TlsHandshakeFailed")
      stats.waiting = 3
      const expected = {
        open: 1,
        waiting: 3,
        accepted: 2,
        refused: { TooManyConnections: 2, TlsHandshakeFailed: 1 },
        receivedBytes: 8,
        sentBytes: 6,
        closed: { Finished: 1 }
      }
      assert.deepStrictEqual(stats.snapshot(), expected)
      stats.finished(gone)
      assert.deepStrictEqual(stats.snapshot(), expected, "a transport is gone once")
      stats.finished(open)
      assert.deepStrictEqual(stats.snapshot(), { ...expected, open: 0 })
    })
  )

  it("a snapshot does not change any more", () => {
    const stats = new ConnectionStats.ConnectionStats()
    stats.closedBy("Finished")
    const before = stats.snapshot()
    stats.closedBy("Finished")
    stats.refusedBy("TooManyConnections")
    assert.deepStrictEqual(before.closed, { Finished: 1 })
    assert.deepStrictEqual(before.refused, {})
  })
})

/** The series of this module: `id{address}` and its state. */
const series = Effect.map(Metric.snapshot, (snapshots) =>
  Object.fromEntries(
    snapshots
      .filter((snapshot) => snapshot.id.startsWith("sluice.server."))
      .map((snapshot) => [
        `${snapshot.id.slice("sluice.server.".length)}{${snapshot.attributes?.["server.address"]}}`,
        { type: snapshot.type, ...snapshot.state }
      ])
  )
)

const freshRegistry = Effect.provideService(Metric.MetricRegistry, new Map())

describe("publish", () => {
  it.effect("publishes every number while its scope is open, and nothing afterwards", () =>
    Effect.gen(function* () {
      const stats = new ConnectionStats.ConnectionStats()
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* ConnectionStats.publish(stats, "192.0.2.1:7")
          stats.opened(MemoryTransport.pair()[0])
          stats.refusedBy("TooManyConnections")
          stats.refusedBy("TlsHandshakeFailed")
          stats.closedBy("Finished")
          stats.waiting = 4
          assert.deepStrictEqual(yield* series, {
            "connections.accepted{192.0.2.1:7}": { type: "Counter", count: 1, incremental: true },
            "connections.refused{192.0.2.1:7}": { type: "Counter", count: 2, incremental: true },
            "received_bytes{192.0.2.1:7}": { type: "Counter", count: 0, incremental: true },
            "sent_bytes{192.0.2.1:7}": { type: "Counter", count: 0, incremental: true },
            "connections.open{192.0.2.1:7}": { type: "Gauge", value: 1 },
            "connections.waiting{192.0.2.1:7}": { type: "Gauge", value: 4 },
            "connections.closed{192.0.2.1:7}": { type: "Frequency", occurrences: new Map([["Finished", 1]]) }
          } as never)
        })
      )
      assert.deepStrictEqual(yield* series, {})
    }).pipe(freshRegistry)
  )

  it.effect("two servers are told apart by their addresses", () =>
    Effect.gen(function* () {
      const stats = new ConnectionStats.ConnectionStats()
      stats.waiting = 1
      yield* ConnectionStats.publish(stats, "192.0.2.1:7")
      yield* Effect.scoped(ConnectionStats.publish(new ConnectionStats.ConnectionStats(), "192.0.2.1:8"))
      const read = yield* series
      assert.strictEqual(Object.keys(read).length, 7)
      assert.deepInclude(read["connections.waiting{192.0.2.1:7}"], { value: 1 })
    }).pipe(Effect.scoped, freshRegistry)
  )

  it.effect("a server publishes its own", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const world = yield* MemoryWorld.serving((connection) =>
            Effect.gen(function* () {
              while (true) yield* connection.send(yield* connection.receive)
            })
          )
          const peer = yield* world.peer()
          peer.write("hello")
          yield* peer.heard.until((heard) => heard.text === "hello")
          const open = yield* series
          assert.deepInclude(open["connections.open{10.0.0.1:7}"], { value: 1 })
          assert.deepInclude(open["received_bytes{10.0.0.1:7}"], { count: 5 })
          assert.deepInclude(open["sent_bytes{10.0.0.1:7}"], { count: 5 })
          peer.transport.end()
          yield* peer.heard.saw("close")
          const closed = yield* series
          assert.deepInclude(closed["connections.open{10.0.0.1:7}"], { value: 0 })
          assert.deepStrictEqual(
            (closed["connections.closed{10.0.0.1:7}"] as unknown as Metric.FrequencyState).occurrences,
            new Map([["Finished", 1]])
          )
        })
      )
      assert.deepStrictEqual(yield* series, {})
    }).pipe(freshRegistry)
  )
})
