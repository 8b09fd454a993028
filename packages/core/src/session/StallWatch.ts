/**
 * Finds connections on which nothing happens: idle ones, peers that leave a
 * frame unfinished, and peers that do not read.
 *
 * It costs the hot path nothing: the transport counts its bytes anyway, and
 * the watch looks at the counters a few times in each limit. So a stalled
 * connection is closed after its limit at the earliest, and a quarter of it
 * later at the latest.
 *
 * @internal
 * @since 0.1.0
 */
import type { Transport } from "../transport/Transport.ts"
import * as TransportError from "../transport/TransportError.ts"
import { Timer, type Timers } from "./Timers.ts"

/**
 * Limits in milliseconds; `Infinity` for none.
 *
 * @category options
 */
export interface Limits {
  readonly idleMillis: number
  readonly readMillis: number
  readonly writeMillis: number
}

/** How often a limit is looked at before it is reached. */
const looksPerLimit = 4

/** A limit that is not being approached. */
const never = Number.POSITIVE_INFINITY

/** @category models */
export class StallWatch {
  private readonly transport: Transport
  private readonly timers: Timers
  private readonly limits: Limits
  private readonly reading: { readonly midFrame: boolean }
  private readonly timer: Timer
  private receivedBytes = 0
  private takenBytes = 0
  private activeMillis: number
  /** Since when the peer owes the rest of a frame, as far as the watch has seen; `never` when it does not. */
  private readStallMillis = never
  /** Since when the peer takes nothing of what waits for it; `never` when nothing waits. */
  private writeStallMillis = never

  constructor(transport: Transport, timers: Timers, limits: Limits, reading: { readonly midFrame: boolean }) {
    this.transport = transport
    this.timers = timers
    this.limits = limits
    this.reading = reading
    this.activeMillis = timers.now()
    this.timer = new Timer((nowMillis) => this.look(nowMillis))
    this.arm(this.activeMillis)
  }

  stop(): void {
    this.timers.clear(this.timer)
  }

  /** The next look; earlier where a limit is reached between two looks, as it may not be a multiple of the shortest. */
  private arm(nowMillis: number): void {
    const { idleMillis, readMillis, writeMillis } = this.limits
    const atMillis = Math.min(
      nowMillis + Math.min(idleMillis, readMillis, writeMillis) / looksPerLimit,
      this.activeMillis + idleMillis,
      this.readStallMillis + readMillis,
      this.writeStallMillis + writeMillis
    )
    this.timers.set(this.timer, atMillis)
  }

  private look(nowMillis: number): void {
    this.observe(nowMillis)
    const reason = this.reached(nowMillis)
    if (reason === undefined) this.arm(nowMillis)
    else this.transport.destroy(TransportError.make(reason))
  }

  private observe(nowMillis: number): void {
    const { receivedBytes, sentBytes, bufferedBytes } = this.transport
    const takenBytes = sentBytes - bufferedBytes
    const received = receivedBytes !== this.receivedBytes
    const taken = takenBytes !== this.takenBytes
    if (received || taken) this.activeMillis = nowMillis
    if (!this.reading.midFrame) this.readStallMillis = never
    else if (received || this.readStallMillis === never) this.readStallMillis = nowMillis
    if (bufferedBytes === 0) this.writeStallMillis = never
    else if (taken || this.writeStallMillis === never) this.writeStallMillis = nowMillis
    this.receivedBytes = receivedBytes
    this.takenBytes = takenBytes
  }

  private reached(nowMillis: number): TransportError.Reason | undefined {
    const { idleMillis, readMillis, writeMillis } = this.limits
    if (nowMillis - this.writeStallMillis >= writeMillis) return new TransportError.WriteStalled(writeMillis)
    if (nowMillis - this.readStallMillis >= readMillis) return new TransportError.ReadStalled(readMillis)
    if (nowMillis - this.activeMillis >= idleMillis) return new TransportError.IdleTimeout(idleMillis)
    return undefined
  }
}
