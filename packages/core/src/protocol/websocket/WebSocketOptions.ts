/**
 * The limits of a WebSocket, as a user writes them and as they are used.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Limit from "../Limit.ts"

/** @category options */
export interface Options {
  /**
   * The largest message that is received, in bytes: its fragments together, and
   * inflated. What is unfinished is held in memory. At least 125 bytes.
   * Default 1 MiB. A larger one is `MessageTooLarge`, close code 1009.
   */
  readonly maxMessageSize?: ByteSize.Input | undefined
  /**
   * The largest payload of one frame. At least 125 bytes. Default:
   * `maxMessageSize`. A larger one is `FrameTooLarge`, close code 1009.
   */
  readonly maxFrameSize?: ByteSize.Input | undefined
  /**
   * The most frames of one message. At least 1. Default 16,384, which is 1 MiB
   * in frames of 64 bytes. One more is `TooManyFragments`, close code 1008.
   */
  readonly maxFragments?: number | undefined
  /**
   * After so much silence the peer is sent a Ping. Above 0. Default 30 seconds.
   */
  readonly keepaliveIdle?: Duration.Input | "unbounded" | undefined
  /**
   * How long the peer may be silent after that Ping; then the transport is
   * given up with `KeepaliveTimeout`. Above 0. Default 20 seconds.
   */
  readonly keepaliveTimeout?: Duration.Input | undefined
  /**
   * How long closing may take, from the Close frame to the end of the
   * transport; then it is given up. Above 0. Default 5 seconds.
   */
  readonly closeTimeout?: Duration.Input | undefined
  /**
   * The most Pings and Pongs that the peer may send in one `floodWindow`. At
   * least 1. Default 1,000. One more is `Flood`, close code 1008.
   */
  readonly maxControlFrames?: number | undefined
  /**
   * The most fragments of less than 64 bytes that the peer may send in one
   * `floodWindow`; messages of one frame do not count. At least 1. Default
   * 5,000. One more is `Flood`, close code 1008.
   */
  readonly maxTinyFragments?: number | undefined
  /** The time that the two budgets above are for. Above 0. Default 10 seconds. */
  readonly floodWindow?: Duration.Input | undefined
  /**
   * Messages smaller than this are sent as they are where compression was
   * negotiated. From 0. Default 1 KiB: below it, compressing costs more time
   * than the bytes that it saves.
   */
  readonly compressFrom?: ByteSize.Input | undefined
}

/**
 * The same, converted once. Times in milliseconds, `Infinity` for none.
 *
 * @category models
 */
export interface Resolved {
  readonly maxMessageBytes: number
  readonly maxFrameBytes: number
  readonly maxFragmentCount: number
  readonly keepaliveIdleMillis: number
  readonly keepaliveTimeoutMillis: number
  readonly closeMillis: number
  readonly maxControlFrameCount: number
  readonly maxTinyFragmentCount: number
  readonly floodWindowMillis: number
  readonly compressFromBytes: number
}

/**
 * Fills in defaults. Throws a `RangeError` that names the option for a value
 * out of range: that is a mistake in the program.
 *
 * @category constructors
 */
export const resolve = (options?: Options): Resolved => {
  const maxMessageBytes = Limit.bytes("maxMessageSize", options?.maxMessageSize, 1024 * 1024, leastFrameBytes)
  return {
    maxMessageBytes,
    maxFrameBytes: Limit.bytes("maxFrameSize", options?.maxFrameSize, maxMessageBytes, leastFrameBytes),
    maxFragmentCount: Limit.count("maxFragments", options?.maxFragments ?? 16_384),
    keepaliveIdleMillis: Limit.millisOrUnbounded("keepaliveIdle", options?.keepaliveIdle ?? "30 seconds"),
    keepaliveTimeoutMillis: Limit.millis("keepaliveTimeout", options?.keepaliveTimeout ?? "20 seconds"),
    closeMillis: Limit.millis("closeTimeout", options?.closeTimeout ?? "5 seconds"),
    maxControlFrameCount: Limit.count("maxControlFrames", options?.maxControlFrames ?? 1_000),
    maxTinyFragmentCount: Limit.count("maxTinyFragments", options?.maxTinyFragments ?? 5_000),
    floodWindowMillis: Limit.millis("floodWindow", options?.floodWindow ?? "10 seconds"),
    compressFromBytes: Limit.bytes("compressFrom", options?.compressFrom, 1024, 0)
  }
}

/** A control frame has up to so much, and every frame limit must have room for it. */
const leastFrameBytes = 125
