/**
 * What a pool counts, and the metrics made of it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ReadMetrics from "../session/ReadMetrics.ts"

/**
 * Why a connection was closed.
 *
 * - `broken`: `isOpen` said no, it was invalidated, or `invalidateOn` said so of what its borrower failed with
 * - `invalid`: it did not pass `test`, or could not be reset
 * - `lifetime`: `maxLifetime` had passed
 * - `idle`: `idleTimeout` had passed
 * - `room`: another key needed one
 * - `shutdown`: the pool closed
 *
 * @category models
 */
export type CloseReason = "broken" | "invalid" | "lifetime" | "idle" | "room" | "shutdown"

/** What is counted since the start. @category models */
export interface Counts {
  /** Calls of `get` and `use`. */
  readonly acquireStarted: number
  /** Those that got an idle connection at once. */
  readonly acquireDirect: number
  /** Those that stood in the line. */
  readonly acquireWaited: number
  /** Those that ended with `AcquireTimeout`. */
  readonly acquireTimedOut: number
  /** Those that ended with `TooManyWaiters`. */
  readonly acquireRefused: number
  /** The time that all of them stood in the line, in milliseconds. */
  readonly acquireWaitMillis: number
  /** Connections that were opened. */
  readonly opened: number
  /** Attempts to open one that failed. */
  readonly openFailed: number
  readonly closedBroken: number
  readonly closedInvalid: number
  readonly closedLifetime: number
  readonly closedIdle: number
  readonly closedRoom: number
  readonly closedShutdown: number
  /** Connections whose scope was still closing after `closeTimeout`, and which no longer count. */
  readonly abandoned: number
}

/** What there is now. @category models */
export interface Levels {
  /** All connections: those below, and those whose borrower or test still has them though they are to be closed. */
  readonly connections: number
  readonly opening: number
  readonly idle: number
  readonly testing: number
  readonly leased: number
  readonly closing: number
  /** Who stands in the line. */
  readonly waiting: number
}

/** A snapshot. @category models */
export interface Stats extends Counts, Levels {}

/** @category models */
export class PoolCounts implements Counts {
  acquireStarted = 0
  acquireDirect = 0
  acquireWaited = 0
  acquireTimedOut = 0
  acquireRefused = 0
  acquireWaitMillis = 0
  opened = 0
  openFailed = 0
  closedBroken = 0
  closedInvalid = 0
  closedLifetime = 0
  closedIdle = 0
  closedRoom = 0
  closedShutdown = 0
  abandoned = 0

  closed(reason: CloseReason): void {
    this[counterOf[reason]]++
  }
}

const counterOf = {
  broken: "closedBroken",
  invalid: "closedInvalid",
  lifetime: "closedLifetime",
  idle: "closedIdle",
  room: "closedRoom",
  shutdown: "closedShutdown"
} as const satisfies Record<CloseReason, keyof Counts>

const counters = [
  ["sluice.pool.acquire.started", "Calls for a connection", "acquireStarted"],
  ["sluice.pool.acquire.direct", "Calls that got an idle connection at once", "acquireDirect"],
  ["sluice.pool.acquire.waited", "Calls that stood in the line", "acquireWaited"],
  ["sluice.pool.acquire.timed_out", "Calls that waited in vain", "acquireTimedOut"],
  ["sluice.pool.acquire.refused", "Calls that found the line full", "acquireRefused"],
  ["sluice.pool.acquire.wait_millis", "Milliseconds that calls stood in the line", "acquireWaitMillis"],
  ["sluice.pool.opened", "Connections that were opened", "opened"],
  ["sluice.pool.open_failed", "Attempts to open a connection that failed", "openFailed"],
  ["sluice.pool.closed.broken", "Connections closed because they were broken", "closedBroken"],
  ["sluice.pool.closed.invalid", "Connections closed because they did not pass their test", "closedInvalid"],
  ["sluice.pool.closed.lifetime", "Connections closed because of their age", "closedLifetime"],
  ["sluice.pool.closed.idle", "Connections closed because nobody needed them", "closedIdle"],
  ["sluice.pool.closed.room", "Connections closed because another key needed one", "closedRoom"],
  ["sluice.pool.closed.shutdown", "Connections closed with their pool", "closedShutdown"],
  ["sluice.pool.abandoned", "Connections that took too long to close", "abandoned"]
] as const satisfies ReadonlyArray<readonly [string, string, keyof Counts]>

const gauges = [
  ["sluice.pool.connections", "Connections, in whatever state", "connections"],
  ["sluice.pool.connections.opening", "Connections that are being opened", "opening"],
  ["sluice.pool.connections.idle", "Connections that nobody has", "idle"],
  ["sluice.pool.connections.testing", "Connections that are being tested", "testing"],
  ["sluice.pool.connections.leased", "Connections that somebody has", "leased"],
  ["sluice.pool.connections.closing", "Connections that are being closed", "closing"],
  ["sluice.pool.waiting", "Calls that stand in the line", "waiting"]
] as const satisfies ReadonlyArray<readonly [string, string, keyof Levels]>

/**
 * Publishes them as metrics with the attribute `sluice.pool.name` until the
 * scope closes. They are read when an exporter reads them.
 *
 * @category metrics
 */
export const publish = (read: () => Stats, name: string): Effect.Effect<void, never, Scope.Scope> =>
  ReadMetrics.publish({
    attributes: { "sluice.pool.name": name },
    counters: counters.map(([id, description, key]) => [id, description, () => read()[key]]),
    gauges: gauges.map(([id, description, key]) => [id, description, () => read()[key]])
  })

/** The sum of all. @category combining */
export const sum = (all: Iterable<Stats>): Stats => {
  const total: Record<string, number> = { ...none }
  for (const stats of all) for (const key of keys) total[key]! += stats[key]
  return total as unknown as Stats
}

/** The counts of a pool that is gone: it has no levels any more. @category combining */
export const countsOnly = (counts: Counts): Stats => ({ ...none, ...counts, ...noLevels })

const noLevels: Levels = {
  connections: 0,
  opening: 0,
  idle: 0,
  testing: 0,
  leased: 0,
  closing: 0,
  waiting: 0
}
const none: Stats = { ...new PoolCounts(), ...noLevels }
const keys = Object.keys(none) as ReadonlyArray<keyof Stats>
