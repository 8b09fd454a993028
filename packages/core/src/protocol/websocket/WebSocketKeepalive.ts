/**
 * Notices a peer that is gone: a Ping after silence, and an end to it when
 * nothing answers.
 *
 * Any byte of the peer is a sign of life, not only a Pong: behind a long
 * message the Pong would come too late.
 *
 * The deadline does not move with every byte, which would cost a timer each
 * time. It is looked at when it comes, and moved then.
 *
 * @internal
 * @since 0.1.0
 */

/** In milliseconds; `Infinity` for never. @category options */
export interface Limits {
  /** How long the peer may be silent before it is asked. */
  readonly keepaliveIdleMillis: number
  /** How long it may take to answer. */
  readonly keepaliveTimeoutMillis: number
}

/** What is due: nothing, a Ping, or the end. @category models */
export type Due = "nothing" | "ping" | "timeout"

/** @category models */
export class WebSocketKeepalive {
  /** When `advance` wants to be called, in milliseconds of the caller's clock. */
  deadlineMillis: number
  private readonly limits: Limits
  private state: "Listening" | "AwaitingAnswer" = "Listening"
  private heardMillis: number

  constructor(limits: Limits, nowMillis: number) {
    this.limits = limits
    this.heardMillis = nowMillis
    this.deadlineMillis = nowMillis + limits.keepaliveIdleMillis
  }

  /** Something came from the peer. */
  heard(nowMillis: number): void {
    this.heardMillis = nowMillis
    this.state = "Listening"
  }

  advance(nowMillis: number): Due {
    if (nowMillis < this.deadlineMillis) return "nothing"
    if (this.state === "AwaitingAnswer") {
      this.stop()
      return "timeout"
    }
    const idleMillis = this.heardMillis + this.limits.keepaliveIdleMillis
    if (nowMillis < idleMillis) {
      this.deadlineMillis = idleMillis
      return "nothing"
    }
    this.state = "AwaitingAnswer"
    this.deadlineMillis = nowMillis + this.limits.keepaliveTimeoutMillis
    return "ping"
  }

  /** Nothing will be due any more. */
  stop(): void {
    this.deadlineMillis = Number.POSITIVE_INFINITY
  }
}
