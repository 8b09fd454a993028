/**
 * The limits of one connection, as a user writes them and as they are used.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Limit from "../protocol/Limit.ts"

/** @category options */
export interface Options {
  /**
   * Closes a connection on which no byte came or went for this long, with
   * `IdleTimeout`. Above 0. Default 5 minutes.
   */
  readonly idleTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * Closes a connection whose peer began a frame that a fiber waits for, and
   * sent nothing more for this long, with `ReadStalled`. Above 0. Default 30
   * seconds. It limits a gap, not a frame: a time for a whole frame is
   * `Effect.timeout` around its `receive`. No effect on raw `receive`, which
   * knows no frames.
   */
  readonly readTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * Closes a connection whose peer took nothing of what waits for it for this
   * long, with `WriteStalled`. Above 0. Default 30 seconds.
   */
  readonly writeTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * How long the peer may take to close its side after this side has; then the
   * transport is destroyed. Above 0. Default 5 seconds.
   */
  readonly closeTimeout?: Duration.Input | undefined
  /** Bytes that are read ahead of the handler; at least 1. Default 64 KiB a connection. */
  readonly receiveBuffer?: ByteSize.Input | undefined
  /**
   * Bytes that `send` leaves waiting for the peer before it suspends; at least
   * 1. Default 64 KiB a connection, which is also the least that a Node
   * transport buffers.
   */
  readonly sendBuffer?: ByteSize.Input | undefined
}

/**
 * The same, converted once. Times in milliseconds, `Infinity` for none.
 *
 * @category models
 */
export interface Resolved {
  readonly idleMillis: number
  readonly readMillis: number
  readonly writeMillis: number
  readonly closeMillis: number
  readonly receiveBytes: number
  readonly sendBytes: number
}

/**
 * Fills in defaults. Throws a `RangeError` for a limit of 0 or less: that is a
 * mistake in the program, and would mean "at once" or "never" by guess.
 *
 * @category constructors
 */
export const resolve = (options?: Options): Resolved => ({
  idleMillis: Limit.millisOrUnbounded("idleTimeout", options?.idleTimeout ?? "5 minutes"),
  readMillis: Limit.millisOrUnbounded("readTimeout", options?.readTimeout ?? "30 seconds"),
  writeMillis: Limit.millisOrUnbounded("writeTimeout", options?.writeTimeout ?? "30 seconds"),
  closeMillis: Limit.millis("closeTimeout", options?.closeTimeout ?? "5 seconds"),
  receiveBytes: Limit.bytes("receiveBuffer", options?.receiveBuffer, 65_536),
  sendBytes: Limit.bytes("sendBuffer", options?.sendBuffer, 65_536)
})
