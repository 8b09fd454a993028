/**
 * The limits of time of single streams: a body that somebody waits for, and a
 * window that the peer keeps shut.
 *
 * One look at all streams, each quarter of the shorter limit, while there is
 * something to look at: so a stall is noticed between 1 and 1.25 times its
 * limit, and bytes that flow cost nothing.
 *
 * @internal
 * @since 0.1.0
 */
import { BodyTimeout, StreamStalled } from "./Http2Error.ts"
import type { Http2Link } from "./Http2Link.ts"
import type { Http2SendQueue } from "./Http2SendQueue.ts"
import type { Http2Stream } from "./Http2Stream.ts"
import type { Http2StreamLife } from "./Http2StreamLife.ts"

/** @category models */
export class Http2StreamWatch {
  /** When to look next; `Infinity` while there is nothing to look at. */
  dueMillis = Number.POSITIVE_INFINITY
  private readonly link: Http2Link
  private readonly life: Http2StreamLife
  private readonly queue: Http2SendQueue
  private readonly stepMillis: number

  constructor(link: Http2Link, life: Http2StreamLife, queue: Http2SendQueue) {
    this.link = link
    this.life = life
    this.queue = queue
    this.stepMillis = Math.min(link.limits.bodyMillis, link.limits.sendMillis) / 4
    queue.onStall = () => this.begin()
  }

  /** Whether somebody waits for more of the stream's body. */
  awaitBody(stream: Http2Stream, awaited: boolean): void {
    stream.awaitedMillis = awaited ? this.link.nowMillis : Number.POSITIVE_INFINITY
    if (awaited) this.begin()
  }

  advance(): void {
    const { nowMillis, streams } = this.link
    if (nowMillis < this.dueMillis) return
    this.dueMillis = Number.POSITIVE_INFINITY
    let isNeeded = false
    for (const stream of [...streams.values()]) {
      // Whoever hears of the end of one may end others.
      if (streams.get(stream.id) === stream && this.expire(stream)) isNeeded = true
    }
    if (isNeeded) this.begin()
  }

  /** Whether the stream has to be looked at again. */
  private expire(stream: Http2Stream): boolean {
    const { bodyMillis, sendMillis } = this.link.limits
    const { nowMillis, output, window } = this.link
    if (nowMillis >= stream.awaitedMillis + bodyMillis) {
      this.life.expire(stream, new BodyTimeout(bodyMillis))
      return false
    }
    const isShut = stream.sendBytes <= 0
    const stalledMillis = isShut ? stream.sentMillis : Math.max(stream.sentMillis, this.queue.sentMillis)
    const isStalled = stream.queuedBytes > 0 && (isShut || window.sendBytes <= 0) && !output.blocked
    if (isStalled && nowMillis >= stalledMillis + sendMillis) {
      this.life.expire(stream, new StreamStalled(sendMillis))
      return false
    }
    return stream.queuedBytes > 0 || stream.awaitedMillis !== Number.POSITIVE_INFINITY
  }

  private begin(): void {
    if (this.dueMillis !== Number.POSITIVE_INFINITY) return
    this.dueMillis = this.link.nowMillis + this.stepMillis
    this.link.arm(this.dueMillis)
  }
}
