/**
 * Options of a TCP socket that listener and dialer share.
 *
 * @internal
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/** @category options */
export interface Options {
  /**
   * `true` sends small writes at once (`TCP_NODELAY`); `false` lets the kernel
   * collect them, which costs up to 40 ms each. Default `true`. No effect on
   * Unix sockets.
   */
  readonly noDelay?: boolean | undefined
  /**
   * Silence after which the kernel asks whether the peer is still there, at
   * least 1 second; `"off"` never asks. Default 60 seconds. No effect on Unix
   * sockets.
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

/** @category converting */
export const toNative = (options: Options): Native => {
  const keepAliveDelay = options.keepAliveDelay ?? "60 seconds"
  return {
    noDelay: options.noDelay ?? true,
    keepAlive: keepAliveDelay !== "off",
    keepAliveInitialDelay: keepAliveDelay === "off" ? 0 : Math.max(1_000, Duration.toMillis(keepAliveDelay))
  }
}
