/**
 * What a hub counts, and the metrics made of it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ReadMetrics from "../session/ReadMetrics.ts"

/**
 * A snapshot. What is not said to be of now is counted since the start.
 *
 * @category models
 */
export interface Stats {
  /** Rooms with members now. */
  readonly rooms: number
  /** Members of all rooms now; a WebSocket in two rooms is two members. */
  readonly members: number
  /** Members for whom messages wait now. */
  readonly slowMembers: number
  /** Messages that wait now, counted for each member. */
  readonly queuedMessages: number
  /** The same in bytes. */
  readonly queuedBytes: number
  /** Messages that were given to `broadcast` and `send`, and those of other processes. */
  readonly messages: number
  /** Messages that were handed to the WebSocket of a member. */
  readonly deliveries: number
  /** Messages that a policy dropped, counted for each member. What waits when a member leaves is not counted. */
  readonly dropped: number
  /** Members that were closed because they were too slow. */
  readonly closedSlow: number
  /** Messages that the backplane took. */
  readonly backplaneSent: number
  /** Messages that other processes sent to rooms with members here. */
  readonly backplaneReceived: number
  /** Messages that the backplane did not take in time or failed to, and those that it brought and no hub wrote. */
  readonly backplaneLost: number
}

/** @category models */
export class HubStats {
  rooms = 0
  members = 0
  slowMembers = 0
  queuedMessages = 0
  queuedBytes = 0
  messages = 0
  deliveries = 0
  dropped = 0
  closedSlow = 0
  backplaneSent = 0
  backplaneReceived = 0
  backplaneLost = 0

  snapshot(): Stats {
    return { ...this }
  }
}

const counters = [
  ["sluice.hub.messages", "Messages given to the hub", (stats: HubStats) => stats.messages],
  ["sluice.hub.deliveries", "Messages handed to a member", (stats: HubStats) => stats.deliveries],
  ["sluice.hub.dropped", "Messages that a slow member did not get", (stats: HubStats) => stats.dropped],
  [
    "sluice.hub.members.closed_slow",
    "Members closed because they were too slow",
    (stats: HubStats) => stats.closedSlow
  ],
  ["sluice.hub.backplane.sent", "Messages that the backplane took", (stats: HubStats) => stats.backplaneSent],
  ["sluice.hub.backplane.received", "Messages of other processes", (stats: HubStats) => stats.backplaneReceived],
  ["sluice.hub.backplane.lost", "Messages lost on the way to or from others", (stats: HubStats) => stats.backplaneLost]
] as const

const gauges = [
  ["sluice.hub.rooms", "Rooms with members", (stats: HubStats) => stats.rooms],
  ["sluice.hub.members", "Members of all rooms", (stats: HubStats) => stats.members],
  ["sluice.hub.members.slow", "Members for whom messages wait", (stats: HubStats) => stats.slowMembers],
  ["sluice.hub.queued_messages", "Messages that wait for slow members", (stats: HubStats) => stats.queuedMessages],
  ["sluice.hub.queued_bytes", "Bytes that wait for slow members", (stats: HubStats) => stats.queuedBytes]
] as const

/**
 * Publishes `stats` as metrics with the attribute `sluice.hub.name` until the
 * scope closes. They are read when an exporter reads them.
 *
 * @category metrics
 */
export const publish = (stats: HubStats, name: string): Effect.Effect<void, never, Scope.Scope> =>
  ReadMetrics.publish({
    attributes: { "sluice.hub.name": name },
    counters: counters.map(([id, description, read]) => [id, description, () => read(stats)]),
    gauges: gauges.map(([id, description, read]) => [id, description, () => read(stats)])
  })
