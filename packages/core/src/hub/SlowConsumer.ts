/**
 * What a hub does for a member that does not take messages as fast as they
 * come: so much may wait for it, and then a policy decides.
 *
 * Nobody waits for it, and it costs no more than what may wait.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import * as Limit from "../protocol/Limit.ts"

/**
 * What happens when no more messages may wait.
 *
 * - `"drop oldest"`: the oldest that wait give way. For states, where only the
 *   latest counts: positions, prices.
 * - `"drop newest"`: the new message is not sent to this member.
 * - `"close"`: the member leaves, and its WebSocket is closed with code 1013,
 *   "try again later". It is not 1008, a broken rule: the peer broke none, and
 *   may come back and begin with a fresh state. A peer that does not answer the
 *   Close frame is given up after the WebSocket's `closeTimeout`.
 *
 * @category models
 */
export type Policy = "drop oldest" | "drop newest" | "close"

/** @category options */
export interface Options {
  /** Default `"close"`: a member has every message of its time in the room, or is not in it. */
  readonly policy?: Policy | undefined
  /** Messages that may wait for one member. At least 1. Default 64. */
  readonly maxQueuedMessages?: number | undefined
  /**
   * Bytes that may wait for one member, besides the send buffer of its
   * WebSocket. Counted uncompressed, and for each member, although members
   * share a message. At least 1. Default 256 KiB. A message that is larger
   * never waits: to the policy it is one too many.
   */
  readonly maxQueuedSize?: ByteSize.Input | undefined
}

/** The same, converted once. @category models */
export interface Resolved {
  readonly policy: Policy
  readonly maxQueuedCount: number
  readonly maxQueuedBytes: number
}

/** @category constants */
export const defaults: Resolved = { policy: "close", maxQueuedCount: 64, maxQueuedBytes: 256 * 1024 }

/**
 * Fills in what is not given. Throws a `RangeError` that names the option for
 * a value out of range: that is a mistake in the program.
 *
 * @category constructors
 */
export const resolve = (options: Options | undefined, others: Resolved = defaults): Resolved =>
  options === undefined
    ? others
    : {
        policy: options.policy ?? others.policy,
        maxQueuedCount: Limit.count("maxQueuedMessages", options.maxQueuedMessages ?? others.maxQueuedCount),
        maxQueuedBytes: Limit.bytes("maxQueuedSize", options.maxQueuedSize, others.maxQueuedBytes)
      }
