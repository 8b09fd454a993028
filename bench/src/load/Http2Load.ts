/**
 * The load of an HTTP/2 server, without TLS and with prior knowledge
 * (RFC 9113 §3.3): what the generators (`http2-load.ts`,
 * `http2-waiting-load.ts`) are told.
 */
import type { CommonOrder } from "./StreamLoad.ts"

export interface Http2Request {
  readonly method: "GET" | "POST"
  readonly path: string
  /** Bytes of the body, for a POST. Default 0. */
  readonly bodyBytes?: number | undefined
}

export interface Http2Load {
  readonly connections: number
  /** Streams that a connection has under way; each reply makes room for the next. */
  readonly inFlight: number
  readonly request: Http2Request
  /** Of each reply, with status 200. */
  readonly replyBodyBytes: number
  /** How each body begins: the first one of each connection must, or nothing is measured. */
  readonly replyBodyBegins: string
  /**
   * What is reported as a reply: a whole one, or, where it takes too long to
   * come often, each MiB of bodies. The latency of that is the time since the
   * connection had its last one, and the memory of the server is its largest.
   */
  readonly counts: "replies" | "mebibytes"
}

/** What `http2-load.ts` is started with, as JSON in its first argument. */
export interface Order extends CommonOrder {
  readonly load: Http2Load
}

/** What `http2-waiting-load.ts` is started with, as JSON in its first argument. */
export interface WaitingOrder {
  readonly port: number
  readonly connections: number
  /** Of each connection. */
  readonly streams: number
  /** What has no answer. */
  readonly path: string
}
