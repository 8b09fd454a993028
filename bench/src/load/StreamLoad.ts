/**
 * The load of a request/reply protocol over a byte stream whose replies have a
 * fixed size: what the generator (`stream-load.ts`) is told, and what it reports.
 *
 * The generator counts bytes and parses nothing, so one program serves echo,
 * frames, HTTP/1.1 and WebSocket messages, and costs less than any server.
 */
import type { Reading } from "./CpuMeter.ts"

export interface StreamLoad {
  readonly connections: number
  /** Requests that a connection has under way. */
  readonly inFlight: number
  /**
   * `window`: each reply makes room for the next request. `burst`: the next
   * `inFlight` requests go out, in one write, when all replies are in.
   */
  readonly pattern: "window" | "burst"
  /** Bytes of one request, as Latin-1 text. */
  readonly request: string
  /**
   * Bytes of one reply; `learn` measures it on a first connection, for replies
   * whose size each server decides (HTTP header fields).
   */
  readonly replyBytes: number | "learn"
  /** Latin-1 text that the first reply must hold, or nothing is measured. */
  readonly replyHolds: string
  /** Said once on each connection; what comes back up to and with `until` is no reply. */
  readonly opening?: { readonly send: string; readonly until: string } | undefined
}

/** What a generator is started with, as JSON in its first argument. */
export interface Order {
  readonly load: StreamLoad
  readonly port: number
  readonly warmUpMillis: number
  readonly measureMillis: number
  /** The process whose CPU time and memory are read at both ends of the measurement. */
  readonly serverPid: number
  /** The cores of server and generator; empty when they are not pinned. */
  readonly cores: ReadonlyArray<number>
}

/** What any load generator prints when it is done, as one line of JSON. */
export interface Report extends Reading {
  readonly replyCount: number
  readonly errorCount: number
  /** Why, for the first error. */
  readonly firstError?: string | undefined
  readonly latencyMicros: {
    readonly p50: number
    readonly p99: number
  }
}
