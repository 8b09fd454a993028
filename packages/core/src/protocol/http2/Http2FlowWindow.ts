/**
 * How much may be sent and received, on one stream or on the connection
 * (RFC 9113 §6.9).
 *
 * What was received takes from the window until somebody has used it up: so
 * the window is the memory that a slow reader can hold. Credit is given back
 * in few large steps, each of half the window.
 *
 * ```text
 *  receiveSize                      = receiveBytes + unread + owedBytes
 *  0 <= owedBytes < receiveSize / 2   after `credit`
 *  sendBytes may be below 0: the peer can lower its initial window (§6.9.2)
 * ```
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import { maxWindowBytes } from "./Http2Options.ts"

/** @category models */
export class Http2FlowWindow {
  /** What may be sent. */
  sendBytes: number
  /** What the peer may send. */
  receiveBytes: number
  /** Used up, and not yet announced to the peer. */
  private owedBytes = 0
  private receiveSize: number

  constructor(sendBytes: number, receiveSize: number) {
    this.sendBytes = sendBytes
    this.receiveBytes = receiveSize
    this.receiveSize = receiveSize
  }

  /** RFC 9113 §6.9.1: a window above 2^31 - 1 is an error; then `false`. */
  increase(byteCount: number): boolean {
    this.sendBytes += byteCount
    return this.sendBytes <= maxWindowBytes
  }

  /**
   * What has come, with its padding. `false`: more than was allowed. Nothing is
   * always allowed (§6.9.1), also where `resize` has left less than nothing.
   */
  receive(byteCount: number): boolean {
    this.receiveBytes -= byteCount
    return this.receiveBytes >= 0 || byteCount === 0
  }

  /** What was used up. Returns the increment to announce, or 0 while it is not worth a frame. */
  credit(byteCount: number): number {
    const owed = this.owedBytes + byteCount
    if (owed * 2 < this.receiveSize) {
      this.owedBytes = owed
      return 0
    }
    this.owedBytes = 0
    this.receiveBytes += owed
    return owed
  }

  /** This side has changed how much it takes (§6.9.2). */
  resize(receiveSize: number): void {
    this.receiveBytes += receiveSize - this.receiveSize
    this.receiveSize = receiveSize
  }
}
