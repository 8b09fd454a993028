/**
 * The limits of one WebSocket, as a user writes them and as its session uses
 * them.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Limit from "../protocol/Limit.ts"
import type * as WebSocketDeflateParameters from "../protocol/websocket/WebSocketDeflateParameters.ts"
import * as WebSocketOptions from "../protocol/websocket/WebSocketOptions.ts"

/** @category options */
export interface Options extends WebSocketOptions.Options {
  /**
   * Whether messages are compressed where the peer can do it, and how it is
   * negotiated. Default `"none"`: they go as they are. No effect where no
   * `Deflate` is provided.
   */
  readonly compression?: "none" | "permessage-deflate" | WebSocketDeflateParameters.Options | undefined
  /**
   * Messages that are received ahead of their reader, in bytes: their length
   * and 16 for each. At least 1. Default 64 KiB a connection, and one message.
   */
  readonly receiveBuffer?: ByteSize.Input | undefined
  /**
   * Bytes that `send` leaves waiting for the peer before it suspends; at least
   * 1. Default 64 KiB a connection, which is also the least that a Node
   * transport buffers.
   */
  readonly sendBuffer?: ByteSize.Input | undefined
  /**
   * Gives up a connection whose peer took nothing of what waits for it for
   * this long, with `SendStalled`. Above 0. Default 30 seconds.
   */
  readonly writeTimeout?: Duration.Input | "unbounded" | undefined
}

/**
 * The same, converted once. Times in milliseconds, `Infinity` for none.
 *
 * @category models
 */
export interface Resolved {
  readonly engine: WebSocketOptions.Resolved
  readonly deflate: WebSocketDeflateParameters.Options | "none"
  readonly receiveBytes: number
  readonly sendBytes: number
  /** As a `StallWatch` has them: only writing is watched. */
  readonly stall: { readonly idleMillis: number; readonly readMillis: number; readonly writeMillis: number }
}

/**
 * Fills in defaults. Throws a `RangeError` that names the option for a value
 * out of range: that is a mistake in the program.
 *
 * @category constructors
 */
export const resolve = (options?: Options): Resolved => ({
  engine: WebSocketOptions.resolve(options),
  deflate: options?.compression === "permessage-deflate" ? {} : (options?.compression ?? "none"),
  receiveBytes: Limit.bytes("receiveBuffer", options?.receiveBuffer, 65_536),
  sendBytes: Limit.bytes("sendBuffer", options?.sendBuffer, 65_536),
  stall: {
    idleMillis: Number.POSITIVE_INFINITY,
    readMillis: Number.POSITIVE_INFINITY,
    writeMillis: Limit.millisOrUnbounded("writeTimeout", options?.writeTimeout ?? "30 seconds")
  }
})
