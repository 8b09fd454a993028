/**
 * One connection of the load generator: `inFlight` requests under way, and a
 * new one for each reply (or a burst for each burst).
 *
 * Hot path of the load generator. Requests are slices of one prepared buffer,
 * send times a ring of `inFlight` numbers, replies a count of bytes.
 *
 * Invariant: `0 <= repliedCount <= inFlight`, and the oldest request that
 * waits for its reply was sent at `sentAt[oldest]`.
 */
import type * as Net from "node:net"
import type { FirstReply } from "./FirstReply.ts"
import type { Histogram } from "./Histogram.ts"

/** What all connections of a generator share. */
export interface Shared extends FirstReply {
  /** `requests[n]` holds `n` requests, one after the other. */
  readonly requests: ReadonlyArray<Buffer>
  readonly burst: boolean
  /** In microseconds. */
  readonly latencies: Histogram
  onError(error: Error): void
}

export class ClosedLoop {
  private readonly shared: Shared
  private readonly inFlight: number
  private readonly sentAt: Float64Array
  private socket: Net.Socket | undefined
  private oldest = 0
  private newest = 0
  private partialBytes = 0
  /** Replies of the current burst. */
  private repliedCount = 0

  constructor(shared: Shared) {
    this.shared = shared
    this.inFlight = shared.requests.length - 1
    this.sentAt = new Float64Array(this.inFlight)
  }

  /** Whether the next byte is a reply's first. */
  get isBetweenReplies(): boolean {
    return this.partialBytes === 0
  }

  start(socket: Net.Socket): void {
    this.socket = socket
    this.send(this.inFlight)
  }

  /** `byteCount` more bytes of replies have come. */
  receive(byteCount: number): void {
    const { replyBytes, latencies, burst } = this.shared
    const bytes = this.partialBytes + byteCount
    const replies = Math.floor(bytes / replyBytes)
    this.partialBytes = bytes - replies * replyBytes
    if (replies === 0) return
    if (this.repliedCount + replies > this.inFlight) {
      this.shared.onError(new Error(`${replies} replies where ${this.inFlight} or fewer were asked for`))
      this.socket?.destroy()
      return
    }
    const now = performance.now()
    for (let reply = 0; reply < replies; reply++) {
      latencies.record((now - this.sentAt[this.oldest]!) * 1_000)
      this.oldest = this.oldest + 1 === this.inFlight ? 0 : this.oldest + 1
    }
    if (!burst) {
      this.send(replies)
      return
    }
    this.repliedCount += replies
    if (this.repliedCount < this.inFlight) return
    this.repliedCount = 0
    this.send(this.inFlight)
  }

  private send(count: number): void {
    const now = performance.now()
    for (let request = 0; request < count; request++) {
      this.sentAt[this.newest] = now
      this.newest = this.newest + 1 === this.inFlight ? 0 : this.newest + 1
    }
    this.socket!.write(this.shared.requests[count]!)
  }
}
