/**
 * Options of a TCP socket that listener and dialer share.
 *
 * @internal
 * @since 0.1.0
 */
import * as Limit from "@sluice/core/protocol/Limit"
import type * as Duration from "effect/Duration"

/** @category options */
export interface Options {
  /**
   * `true` sends small writes at once (`TCP_NODELAY`); `false` lets the kernel
   * collect them, which costs up to 40 ms each. Default `true`. No effect on
   * Unix sockets.
   */
  readonly noDelay?: boolean | undefined
  /**
   * Silence after which the kernel asks whether the peer is still there, from
   * 1 second to 32,767 seconds (9 hours), of which whole seconds count; `"off"`
   * never asks. Default 60 seconds. No effect on Unix sockets.
   */
  readonly keepAliveDelay?: Duration.Input | "off" | undefined
}

/**
 * The options in `node:net`'s words.
 *
 * @category models
 */
export interface Native {
  readonly noDelay: boolean
  readonly keepAlive: boolean
  readonly keepAliveInitialDelay: number
}

/** Throws a `RangeError` that names the option. @category converting */
export const toNative = (options: Options): Native => {
  const keepAliveDelay = options.keepAliveDelay ?? "60 seconds"
  return {
    noDelay: options.noDelay ?? true,
    keepAlive: keepAliveDelay !== "off",
    keepAliveInitialDelay: keepAliveDelay === "off" ? 0 : delayMillis(keepAliveDelay)
  }
}

/** What the kernel takes; what is outside of it, it would ignore without a word. */
const delayMillis = (input: Duration.Input): number => {
  const value = Limit.millis("keepAliveDelay", input)
  if (value >= 1_000 && value <= 32_767_000) return value
  throw new RangeError(`keepAliveDelay must be from 1 to 32767 seconds, but is ${String(input)}`)
}
