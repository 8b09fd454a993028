/**
 * The one thing that a connection waits for from its peer, until when; and how
 * long the transport has been full.
 *
 * Hot path: a busy connection moves its deadline with every request. What is
 * reported moves only to earlier times, and to later ones when it has been
 * reached: an early `advance` is harmless, a timer set anew for each request
 * is not free.
 *
 * @internal
 * @since 0.1.0
 */

/** Times in milliseconds of the engine's clock. @category models */
export class Http1Deadline {
  private readonly sendMillis: number
  /** Until when the peer has to do something; and what of it is reported: `reported <= due`, or both are infinite. */
  private dueMillis = Number.POSITIVE_INFINITY
  private reportedMillis = Number.POSITIVE_INFINITY
  /** When the transport took what was written, or could have. */
  private sentMillis = 0

  /** `sendMillis`: how long the transport may be full. */
  constructor(sendMillis: number) {
    this.sendMillis = sendMillis
  }

  /** The peer has until `atMillis`; `Infinity`: nothing is waited for. */
  set(atMillis: number): void {
    this.dueMillis = atMillis
    if (atMillis < this.reportedMillis) this.reportedMillis = atMillis
  }

  /** The same, unless it has less time already. */
  hasten(atMillis: number): void {
    if (atMillis < this.dueMillis) this.set(atMillis)
  }

  /** Nothing will be waited for any more. */
  clear(): void {
    this.dueMillis = Number.POSITIVE_INFINITY
    this.reportedMillis = Number.POSITIVE_INFINITY
    this.sentMillis = Number.POSITIVE_INFINITY
  }

  /** Something is written to a transport that is not full, or one has become empty. */
  sent(nowMillis: number): void {
    this.sentMillis = nowMillis
  }

  /** When to look again. `full`: whether the transport is, now. */
  next(full: boolean): number {
    return full ? Math.min(this.reportedMillis, this.sentMillis + this.sendMillis) : this.reportedMillis
  }

  /** Whether the transport has been full for too long. */
  isStalled(nowMillis: number, full: boolean): boolean {
    return full && nowMillis >= this.sentMillis + this.sendMillis
  }

  /** Whether the peer is late. Once for each time that was set. */
  takeDue(nowMillis: number): boolean {
    const due = nowMillis >= this.dueMillis
    if (due) this.dueMillis = Number.POSITIVE_INFINITY
    if (nowMillis >= this.reportedMillis) this.reportedMillis = this.dueMillis
    return due
  }
}
