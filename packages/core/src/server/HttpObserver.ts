/**
 * Who is told of every request that a server answers: an access log, metrics.
 *
 * A server without observers spends nothing on them.
 *
 * @since 0.1.0
 */
import type { HttpExchange } from "../session/HttpExchange.ts"

/** A request that is over. @category models */
export interface HttpRecord {
  readonly exchange: HttpExchange
  /** The status that was sent; `undefined` where the exchange ended before one was. */
  readonly status: number | undefined
  /** From the head of the request to the end of the response, in milliseconds. */
  readonly durationMillis: number
  /** Of the response's body, before any framing. */
  readonly sentBodyBytes: number
  /**
   * `completed`: the response was handed to the transport whole. `aborted`:
   * the client went first, or broke a rule. `cut`: the server broke it off.
   * `upgraded`: the protocol was changed.
   */
  readonly outcome: "completed" | "aborted" | "cut" | "upgraded"
}

/**
 * Both are called synchronously, and must not throw. Given to a server by its
 * option `observers`.
 *
 * @category models
 */
export interface HttpObserver {
  readonly onRequest: (exchange: HttpExchange) => void
  readonly onEnd: (record: HttpRecord) => void
}
