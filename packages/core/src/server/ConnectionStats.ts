/**
 * What a server counts of its connections, and the metrics made of it.
 *
 * Counting costs nothing while bytes flow: transports count their own bytes,
 * and the sums are made when someone asks.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ReadMetrics from "../session/ReadMetrics.ts"
import type { Transport } from "../transport/Transport.ts"

/**
 * A snapshot.
 *
 * @category models
 */
export interface Stats {
  /** Connections that are open now. */
  readonly open: number
  /** Connections that wait for a place. */
  readonly waiting: number
  /** Connections that were served, since the start. */
  readonly accepted: number
  /** Connections that were refused before they were served, by reason (a tag of `TransportError`'s reasons). */
  readonly refused: Readonly<Record<string, number>>
  readonly receivedBytes: number
  readonly sentBytes: number
  /**
   * Connections that have closed, by reason: `Finished` (the handler ended or
   * the peer closed cleanly), `Failed` (the handler failed), `Interrupted`,
   * or a tag of `TransportError`'s or `CodecError`'s reasons.
   */
  readonly closed: Readonly<Record<string, number>>
}

/** @category models */
export class ConnectionStats {
  private readonly transports = new Set<Transport>()
  private readonly refused = new Map<string, number>()
  private readonly closed = new Map<string, number>()
  private accepted = 0
  private receivedBytes = 0
  private sentBytes = 0
  /** Written by the accept loop. */
  waiting = 0

  opened(transport: Transport): void {
    this.accepted++
    this.transports.add(transport)
  }

  /** The transport is gone; its bytes are final. */
  finished(transport: Transport): void {
    if (!this.transports.delete(transport)) return
    this.receivedBytes += transport.receivedBytes
    this.sentBytes += transport.sentBytes
  }

  closedBy(reason: string): void {
    this.closed.set(reason, (this.closed.get(reason) ?? 0) + 1)
  }

  refusedBy(reason: string): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
  }

  /** Sums what is open: linear in the number of connections. */
  snapshot(): Stats {
    let { receivedBytes, sentBytes } = this
    for (const transport of this.transports) {
      receivedBytes += transport.receivedBytes
      sentBytes += transport.sentBytes
    }
    return {
      open: this.transports.size,
      waiting: this.waiting,
      accepted: this.accepted,
      refused: Object.fromEntries(this.refused),
      receivedBytes,
      sentBytes,
      closed: Object.fromEntries(this.closed)
    }
  }
}

const counters = [
  ["sluice.server.connections.accepted", "Connections served", (stats: Stats) => stats.accepted],
  [
    "sluice.server.connections.refused",
    "Connections refused before they were served",
    (stats: Stats) => sum(stats.refused)
  ],
  ["sluice.server.received_bytes", "Bytes received", (stats: Stats) => stats.receivedBytes],
  ["sluice.server.sent_bytes", "Bytes sent", (stats: Stats) => stats.sentBytes]
] as const

const gauges = [
  ["sluice.server.connections.open", "Connections open now", (stats: Stats) => stats.open],
  ["sluice.server.connections.waiting", "Connections waiting for a place", (stats: Stats) => stats.waiting]
] as const

/**
 * Publishes `stats` as metrics with the attribute `server.address` until the
 * scope closes. They are read when an exporter reads them.
 *
 * @category metrics
 */
export const publish = (stats: ConnectionStats, address: string): Effect.Effect<void, never, Scope.Scope> =>
  ReadMetrics.publish({
    attributes: { "server.address": address },
    counters: counters.map(([name, description, read]) => [name, description, () => read(stats.snapshot())]),
    gauges: gauges.map(([name, description, read]) => [name, description, () => read(stats.snapshot())]),
    frequencies: [["sluice.server.connections.closed", "Connections closed, by reason", () => stats.snapshot().closed]]
  })

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)
