/**
 * The load of a request/reply protocol over a byte stream whose replies have a
 * fixed size: what the generator (`stream-load.ts`) is told, and what it reports.
 *
 * The generator counts bytes and parses nothing, so one program serves echo,
 * frames, HTTP/1.1 and WebSocket messages, and costs less than any server.
 */
import type { Reading } from "./CpuMeter.ts"

/** What is said once on each connection; what comes back up to and with `until` is no reply. */
export interface Opening {
  readonly send: string
  readonly until: string
}

/** One request and its reply. */
export interface Conversation {
  readonly opening?: Opening | undefined
  /** Bytes of one request, as Latin-1 text. */
  readonly request: string
  /** Bytes that follow the request, for bodies that are too long for a command line. Default 0. */
  readonly requestBodyBytes?: number | undefined
  /**
   * Bytes of one reply. `content-length`: it is an HTTP/1.1 response that says
   * how long its body is, and how long its fields are each server decides.
   */
  readonly replyBytes: number | "content-length"
  /** Latin-1 texts that the first reply must hold, or nothing is measured. */
  readonly replyHolds: ReadonlyArray<string>
}

export interface StreamLoad extends Conversation {
  readonly connections: number
  /** Requests that a connection has under way. */
  readonly inFlight: number
  /**
   * `window`: each reply makes room for the next request. `burst`: the next
   * `inFlight` requests go out, in one write, when all replies are in.
   */
  readonly pattern: "window" | "burst"
}

/** What any load generator is told beside its load. */
export interface CommonOrder {
  readonly port: number
  readonly warmUpMillis: number
  readonly measureMillis: number
  /** The process whose CPU time and memory are read at both ends of the measurement. */
  readonly serverPid: number
  /** The cores of server and generator; empty when they are not pinned. */
  readonly cores: ReadonlyArray<number>
}

/** What the generator is started with, as JSON in its first argument. */
export interface Order extends CommonOrder {
  readonly load: StreamLoad
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

/** The bytes of one request. */
export const requestOf = ({ request, requestBodyBytes = 0 }: Conversation): Buffer =>
  Buffer.concat([Buffer.from(request, "latin1"), Buffer.alloc(requestBodyBytes, "x")])

/** Bytes of the reply that begins with `received`; `Infinity` while that does not show it. */
export const replyLength = ({ replyBytes }: Conversation, received: string): number => {
  if (replyBytes !== "content-length") return replyBytes
  const headBytes = received.indexOf("\r\n\r\n") + 4
  if (headBytes < 4) return Number.POSITIVE_INFINITY
  const contentLength = /\r\ncontent-length: *(\d+)\r\n/i.exec(received.slice(0, headBytes))?.[1]
  if (contentLength === undefined) throw new Error(`a response without a length: ${JSON.stringify(received)}`)
  return headBytes + Number(contentLength)
}
