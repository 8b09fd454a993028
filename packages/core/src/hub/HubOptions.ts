/**
 * The limits of a hub, as a user writes them and as they are used.
 *
 * @since 0.1.0
 */
import * as Limit from "../protocol/Limit.ts"
import type { Backplane } from "./Backplane.ts"
import * as SlowConsumer from "./SlowConsumer.ts"

/** @category options */
export interface Options {
  /** Tells this hub's metrics from those of another one, as the attribute `sluice.hub.name`. Default `hub`. */
  readonly name?: string | undefined
  /** Rooms at a time; at least 1. Default 10,000. One more is `TooManyRooms`. */
  readonly maxRooms?: number | undefined
  /** Members of one room; at least 1. Default 10,000. One more is `RoomFull`. */
  readonly maxMembersPerRoom?: number | undefined
  /** The longest name of a room, in UTF-16 units; at least 1. Default 256. A longer one is `RoomNameTooLong`. */
  readonly maxRoomNameLength?: number | undefined
  /** For members that join without a choice of their own. */
  readonly slowConsumer?: SlowConsumer.Options | undefined
  /**
   * Changes of presence that may wait for one reader of `changes`; at least 1.
   * Default 256. With one more, the reader gets a snapshot in their place.
   */
  readonly maxQueuedChanges?: number | undefined
  /** Shares the rooms with hubs of other processes. Default: none. */
  readonly backplane?: Backplane | undefined
  /**
   * What may wait for the backplane, in messages and in bytes. At least 1
   * each. Default 1,024 and 4 MiB. With more, the newest do not reach the
   * other processes. No effect without a backplane.
   */
  readonly backplaneQueue?: Pick<SlowConsumer.Options, "maxQueuedMessages" | "maxQueuedSize"> | undefined
}

/** The same, converted once. @category models */
export interface Resolved {
  readonly name: string
  readonly maxRoomCount: number
  readonly maxMemberCount: number
  readonly maxNameLength: number
  readonly maxChangeCount: number
  readonly slowConsumer: SlowConsumer.Resolved
  readonly backplaneQueue: SlowConsumer.Resolved
}

/**
 * Fills in defaults. Throws a `RangeError` that names the option for a value
 * out of range: that is a mistake in the program.
 *
 * @category constructors
 */
export const resolve = (options?: Options): Resolved => ({
  name: options?.name ?? "hub",
  maxRoomCount: Limit.count("maxRooms", options?.maxRooms ?? 10_000),
  maxMemberCount: Limit.count("maxMembersPerRoom", options?.maxMembersPerRoom ?? 10_000),
  maxNameLength: Limit.count("maxRoomNameLength", options?.maxRoomNameLength ?? 256),
  maxChangeCount: Limit.count("maxQueuedChanges", options?.maxQueuedChanges ?? 256),
  slowConsumer: SlowConsumer.resolve(options?.slowConsumer),
  backplaneQueue: SlowConsumer.resolve(options?.backplaneQueue, {
    policy: "drop newest",
    maxQueuedCount: 1024,
    maxQueuedBytes: 4 * 1024 * 1024
  })
})
