/**
 * Requests that wait until their server takes another stream: in the order in
 * which they came, so many at most, and each for so long at most.
 *
 * All wait equally long, so the first is the next whose time is over, and one
 * timer serves all.
 *
 * @internal
 * @since 0.1.0
 */
import { Timer, type Timers } from "./Timers.ts"

/** `Infinity` for no limit. @category options */
export interface Limits {
  readonly waitingCount: number
  readonly waitingMillis: number
}

/** @category models */
export class Http2Waiting<A> {
  private readonly timers: Timers
  private readonly limits: Limits
  private readonly onTimeout: (item: A) => void
  /** With the end of the time of each; rising. */
  private readonly items = new Map<A, number>()
  private readonly timer: Timer

  constructor(timers: Timers, limits: Limits, onTimeout: (item: A) => void) {
    this.timers = timers
    this.limits = limits
    this.onTimeout = onTimeout
    this.timer = new Timer((nowMillis) => this.expire(nowMillis))
  }

  get count(): number {
    return this.items.size
  }

  get isFull(): boolean {
    return this.items.size >= this.limits.waitingCount
  }

  /** The one that has waited the longest. */
  get first(): A | undefined {
    for (const item of this.items.keys()) return item
    return undefined
  }

  add(item: A): void {
    this.items.set(item, this.timers.now() + this.limits.waitingMillis)
    if (this.items.size === 1) this.arm()
  }

  /** `false`: it did not wait. */
  delete(item: A): boolean {
    const waited = this.items.delete(item)
    if (this.items.size === 0) this.timers.clear(this.timer)
    return waited
  }

  /** Empties the queue. */
  takeAll(): ReadonlyArray<A> {
    const all = [...this.items.keys()]
    this.items.clear()
    this.timers.clear(this.timer)
    return all
  }

  private expire(nowMillis: number): void {
    for (const [item, atMillis] of this.items) {
      if (atMillis > nowMillis) break
      this.items.delete(item)
      this.onTimeout(item)
    }
    this.arm()
  }

  /** For the first; one that has left since only makes it early. */
  private arm(): void {
    for (const atMillis of this.items.values()) {
      this.timers.set(this.timer, atMillis)
      return
    }
  }
}
