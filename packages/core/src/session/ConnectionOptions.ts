/**
 * The limits of one connection, as a user writes them and as they are used.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"

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
   * seconds. No effect on raw `receive`, which knows no frames.
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
  idleMillis: limitMillis("idleTimeout", options?.idleTimeout ?? "5 minutes"),
  readMillis: limitMillis("readTimeout", options?.readTimeout ?? "30 seconds"),
  writeMillis: limitMillis("writeTimeout", options?.writeTimeout ?? "30 seconds"),
  closeMillis: limitMillis("closeTimeout", options?.closeTimeout ?? "5 seconds"),
  receiveBytes: limitBytes("receiveBuffer", options?.receiveBuffer, 65_536),
  sendBytes: limitBytes("sendBuffer", options?.sendBuffer, 65_536)
})

/** A time limit in milliseconds. @category converting */
export const limitMillis = (name: string, input: Duration.Input | "unbounded"): number => {
  if (input === "unbounded") return Number.POSITIVE_INFINITY
  const millis = Duration.toMillis(Duration.fromInputUnsafe(input))
  if (!(millis > 0)) throw new RangeError(`${name} must be above 0, or "unbounded"`)
  return millis
}

/** A size limit in bytes. @category converting */
export const limitBytes = (name: string, input: ByteSize.Input | undefined, defaultBytes: number): number => {
  if (input === undefined) return defaultBytes
  const bytes = ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(input))
  if (!(bytes >= 1)) throw new RangeError(`${name} must be at least 1 byte`)
  return bytes
}

/** A count limit. @category converting */
export const limitCount = (name: string, input: number | "unbounded", least = 1): number => {
  if (input === "unbounded") return Number.POSITIVE_INFINITY
  if (!Number.isSafeInteger(input) || input < least) {
    throw new RangeError(`${name} must be a whole number of at least ${least}, or "unbounded"`)
  }
  return input
}
