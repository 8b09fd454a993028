/**
 * Shares rooms between processes: what one hub broadcasts, the others do too.
 *
 * A backplane is any publish/subscribe system: Redis, NATS, PostgreSQL's
 * `NOTIFY`, a `BroadcastChannel`. It carries bytes by a room's name, and does
 * not look into them. Messages arrive at most once; a hub that is cut off
 * misses what was said meanwhile. Presence and `send` to one member stay in
 * their process.
 *
 * Whoever can write to the backplane speaks to every room: it belongs into a
 * trusted network.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"

/** @category models */
export interface Packet {
  readonly room: string
  /** Nobody may change them. */
  readonly bytes: Uint8Array
}

/** @category models */
export interface Backplane {
  /**
   * Gives a packet to every hub, the sender's too if that is simpler: a hub
   * knows its own. One at a time, in order. A failure loses the packet; the
   * hub counts it and goes on.
   */
  readonly publish: (packet: Packet) => Effect.Effect<void, BackplaneError>
  /** Subscribes when it is run. When it ends or fails, the hub waits a while and runs it again. */
  readonly packets: Stream.Stream<Packet, BackplaneError>
}

/** The backplane cannot be reached, or did not do what was asked. @category errors */
export class BackplaneError extends Data.TaggedError("BackplaneError")<{
  readonly detail: string
  readonly cause?: unknown
}> {
  readonly fault = "transport"
  override get message(): string {
    return this.detail
  }
}

/**
 * A backplane within one process, for tests: give it to several hubs. It waits
 * for the slowest of them while `maxWaiting` packets wait.
 *
 * @category constructors
 */
export const makeMemory = (options?: {
  /** Packets, at least 1. Default 1,024. */
  readonly maxWaiting?: number | undefined
}): Effect.Effect<Backplane> =>
  Effect.map(PubSub.bounded<Packet>(options?.maxWaiting ?? 1024), (pubSub) => ({
    publish: (packet) => PubSub.publish(pubSub, packet),
    packets: Stream.fromPubSub(pubSub)
  }))
