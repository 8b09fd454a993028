/**
 * PING (RFC 9113 §6.7): notices a peer that is gone, and measures the way to
 * it.
 *
 * Any byte of the peer is a sign of life, not only the answer: behind a large
 * frame that would come too late. So a peer is given up when a PING waits for
 * its answer, and nothing at all has come for the time that the answer may take.
 *
 * Silence counts only while streams are open, where nothing else is said: a
 * connection without streams has its own limit.
 *
 * The eight bytes of a PING are a number, so that answers are told apart, and
 * answers to what was never asked are ignored.
 *
 * @internal
 * @since 0.1.0
 */
import { KeepaliveTimeout } from "./Http2Error.ts"

/** In milliseconds; `Infinity` for never. @category options */
export interface Limits {
  /** How long the peer may be silent before it is asked. */
  readonly intervalMillis: number
  /** How long it may take to answer. */
  readonly timeoutMillis: number
}

/**
 * Who asked: the machine itself; the user; or `Http2GoAway`, behind the first
 * GOAWAY.
 *
 * @category models
 */
export type Purpose = "keepalive" | "user" | "drain"

/** An answer. @category models */
export interface Pong {
  readonly purpose: Purpose
  readonly roundTripMillis: number
}

/** What is due: nothing, the PING with the bytes of `opaque`, or the end. @category models */
export type Due = "none" | "send" | KeepaliveTimeout

/** @category models */
export class Http2Ping {
  private readonly limits: Limits
  private readonly scope: "whileStreams" | "always"
  private heardMillis: number
  private askedCount = 0
  private readonly pending: Array<Pending> = []

  constructor(limits: Limits, scope: "whileStreams" | "always", nowMillis: number) {
    this.limits = limits
    this.scope = scope
    this.heardMillis = nowMillis
  }

  /**
   * Something came from the peer. Also for the first stream of a connection
   * that had none: its silence counts from there.
   */
  heard(nowMillis: number): void {
    this.heardMillis = nowMillis
  }

  /**
   * When `advance` wants to be called. It moves with each `heard`, but only to
   * later: a timer that was set before may come early, and look again. It comes
   * nearer with `ask`, with the first stream, and with an answer.
   */
  dueMillis(hasStreams: boolean): number {
    const oldest = this.pending[0]
    if (oldest !== undefined) return Math.max(this.heardMillis, oldest.sentMillis) + this.limits.timeoutMillis
    if (hasStreams || this.scope === "always") return this.heardMillis + this.limits.intervalMillis
    return Number.POSITIVE_INFINITY
  }

  advance(nowMillis: number, hasStreams: boolean): Due {
    if (nowMillis < this.dueMillis(hasStreams)) return "none"
    if (this.pending.length > 0) {
      this.stop()
      return new KeepaliveTimeout(this.limits.timeoutMillis)
    }
    this.ask("keepalive", nowMillis)
    return "send"
  }

  /** A PING is to be sent, with these eight bytes. */
  ask(purpose: Purpose, nowMillis: number): Uint8Array {
    this.askedCount++
    this.pending.push({ id: this.askedCount, purpose, sentMillis: nowMillis })
    return this.opaque
  }

  /** The eight bytes of the newest PING. */
  get opaque(): Uint8Array {
    const bytes = new Uint8Array(8)
    let rest = this.askedCount
    for (let at = 7; rest > 0; at--) {
      bytes[at] = rest % 0x100
      rest = Math.floor(rest / 0x100)
    }
    return bytes
  }

  /** PING with ACK came; `undefined`: nobody asked. */
  answered(bytes: Uint8Array, start: number, nowMillis: number): Pong | undefined {
    let id = 0
    for (let at = start; at < start + 8; at++) id = id * 0x100 + bytes[at]!
    const index = this.pending.findIndex((ping) => ping.id === id)
    if (index < 0) return undefined
    const { purpose, sentMillis } = this.pending[index]!
    this.pending.splice(index, 1)
    return { purpose, roundTripMillis: nowMillis - sentMillis }
  }

  /** Nothing is due any more. */
  stop(): void {
    this.pending.length = 0
    this.heardMillis = Number.POSITIVE_INFINITY
  }
}

interface Pending {
  readonly id: number
  readonly purpose: Purpose
  readonly sentMillis: number
}
