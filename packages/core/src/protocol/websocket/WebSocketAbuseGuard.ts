/**
 * Counts what costs work and brings nothing: control frames, and fragments of
 * next to no bytes. Each kind has a budget for a window of time.
 *
 * Windows begin with the first such frame after the last one was over, so that
 * a peer gets at most twice its budget in any window's length.
 *
 * @internal
 * @since 0.1.0
 */
import { Flood } from "./WebSocketError.ts"

/** @category options */
export interface Limits {
  readonly maxControlFrameCount: number
  readonly maxTinyFragmentCount: number
  readonly floodWindowMillis: number
}

/** Fragments below this are tiny; in bytes. @category constants */
export const tinyBytes = 64

/** @category models */
export class WebSocketAbuseGuard {
  private readonly limits: Limits
  private windowEndMillis = Number.NEGATIVE_INFINITY
  private controlCount = 0
  private tinyCount = 0

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** A Ping or a Pong came. */
  control(nowMillis: number): Flood | undefined {
    this.enterWindow(nowMillis)
    const { floodWindowMillis, maxControlFrameCount } = this.limits
    if (++this.controlCount <= maxControlFrameCount) return undefined
    return new Flood("control frames", maxControlFrameCount, floodWindowMillis)
  }

  /** A fragment came: one of several frames of a message. */
  fragment(payloadBytes: number, nowMillis: number): Flood | undefined {
    if (payloadBytes >= tinyBytes) return undefined
    this.enterWindow(nowMillis)
    const { floodWindowMillis, maxTinyFragmentCount } = this.limits
    if (++this.tinyCount <= maxTinyFragmentCount) return undefined
    return new Flood("tiny fragments", maxTinyFragmentCount, floodWindowMillis)
  }

  private enterWindow(nowMillis: number): void {
    if (nowMillis < this.windowEndMillis) return
    this.windowEndMillis = nowMillis + this.limits.floodWindowMillis
    this.controlCount = 0
    this.tinyCount = 0
  }
}
