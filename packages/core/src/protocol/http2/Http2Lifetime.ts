/**
 * How long a connection is kept: without streams, with a transport that is
 * full, and after this side has ended. And when it wants to be looked at next.
 *
 * Deadlines that move to later are not set again each time: the one that is
 * armed comes early then, and finds nothing.
 *
 * @internal
 * @since 0.1.0
 */
import type { Http2Link } from "./Http2Link.ts"

/** What has taken too long. @category models */
export type Late = "idle" | "stalled" | "closing" | "nothing"

/** @category models */
export class Http2Lifetime {
  private readonly link: Http2Link
  private armedMillis = never
  /** Since when the transport is full; `Infinity`: it is not, as far as is known. */
  private blockedMillis = never
  /** Since when no stream is open; `Infinity`: one is. */
  private idleMillis: number
  /** When a peer that does not close its side is waited for no longer. */
  private closeMillis = never
  /** Whether the peer may still read and answer, when this side has ended. */
  private peer: "open" | "ended" = "open"

  constructor(link: Http2Link) {
    this.link = link
    this.idleMillis = link.nowMillis
  }

  /** When to look; it may be early. */
  get dueMillis(): number {
    const { limits, nowMillis, output } = this.link
    if (!output.blocked || output.closing === "abort") return this.armedMillis
    if (this.blockedMillis === never) this.blockedMillis = nowMillis
    return Math.min(this.armedMillis, this.blockedMillis + limits.sendMillis)
  }

  arm(atMillis: number): void {
    if (atMillis < this.armedMillis) this.armedMillis = atMillis
  }

  /** `dueMillis`: when the other parts of the connection have something to do. */
  rearm(dueMillis: number): void {
    const { output, phase } = this.link
    if (output.closing === "abort") this.closeMillis = never
    this.armedMillis = phase === "closed" ? this.closeMillis : Math.min(dueMillis, this.idleEndMillis)
  }

  /** What is too late now. */
  late(): Late {
    const { limits, nowMillis, output, phase } = this.link
    const isStalled = output.blocked && nowMillis >= this.blockedMillis + limits.sendMillis
    if (phase !== "closed") return isStalled ? "stalled" : nowMillis >= this.idleEndMillis ? "idle" : "nothing"
    if (this.closeMillis === never) return "nothing"
    // Who still reads what was sent before the end cannot answer it yet.
    if (output.blocked && !isStalled && this.peer === "open") this.closeMillis = nowMillis + limits.closeMillis
    else if (isStalled || nowMillis >= this.closeMillis) {
      this.closeMillis = never
      return "closing"
    }
    return "nothing"
  }

  /** The transport took all that it was given. */
  unblock(): void {
    this.blockedMillis = never
  }

  /** The first stream is opened. */
  busy(): void {
    this.idleMillis = never
  }

  /** The last stream is over. */
  idle(): void {
    if (this.idleMillis !== never) return
    this.idleMillis = this.link.nowMillis
    this.arm(this.idleEndMillis)
  }

  /** This side has ended, with whatever was due; the peer may have before. */
  close(peer: "open" | "ended"): void {
    this.peer = peer
    this.closeMillis = this.link.nowMillis + this.link.limits.closeMillis
    this.armedMillis = this.closeMillis
  }

  /** The transport is gone. */
  stop(): void {
    this.closeMillis = never
    this.armedMillis = never
  }

  private get idleEndMillis(): number {
    return this.link.phase === "open" ? this.idleMillis + this.link.limits.idleMillis : never
  }
}

const never = Number.POSITIVE_INFINITY
