/**
 * What the sessions of one HTTP server share, of whatever version: limits, who
 * serves requests, and who is told of them.
 *
 * @internal
 * @since 0.1.0
 */
import type * as Http1Options from "../protocol/http1/Http1Options.ts"
import type * as Http2Options from "../protocol/http2/Http2Options.ts"
import type { HttpExchange } from "./HttpExchange.ts"
import type { Timers } from "./Timers.ts"

/**
 * A handler that has not ended yet.
 *
 * @category models
 */
export interface Serving {
  /** Calls `ended` once, when it has ended: later than now. */
  readonly observe: (ended: () => void) => void
  /** `peer`: the client is gone. `server`: the server stops. */
  readonly interrupt: (by: "peer" | "server") => void
}

/** An exchange, and what is known of it when it is over. @category models */
export interface ServedExchange extends HttpExchange {
  /** When the head came, in milliseconds of the timers' clock. */
  readonly startedMillis: number
  /** What was sent. */
  readonly status: number | undefined
  /** Of the response's body, before any framing. */
  readonly sentBodyBytes: number
}

/**
 * How an exchange ended: its response was handed over whole, its client went
 * first, the server broke it off, or its protocol was changed.
 *
 * @category models
 */
export type Outcome = "completed" | "aborted" | "cut" | "upgraded"

/** What both versions need. @category models */
export interface Shared {
  readonly timers: Timers
  /**
   * Whether a client that ends its side before it has its answer is gone, or
   * still reads (RFC 9112 §9.6). Of HTTP/1.1 only.
   */
  readonly halfClose: "abort" | "answer"
  /** Serves a request; `undefined` when it was answered at once. Must not throw. */
  readonly serve: (exchange: HttpExchange) => Serving | undefined
  /** Is told of each request whose head has come, before it is served. */
  readonly onRequest: ((exchange: HttpExchange) => void) | undefined
  /** Is told once of each of them when it is over. */
  readonly onEnd: ((exchange: ServedExchange, outcome: Outcome) => void) | undefined
}

/** @category models */
export interface Http1Environment extends Shared {
  readonly limits: Http1Options.Resolved
}

/** @category models */
export interface Http2Environment extends Shared {
  readonly http2: Http2Options.Resolved
}

/** @category models */
export interface Environment extends Http1Environment {
  /** `off`: HTTP/2 is not spoken. */
  readonly http2: Http2Options.Resolved | "off"
}
