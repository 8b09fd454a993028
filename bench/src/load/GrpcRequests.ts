/**
 * Sends requests of one small message: slices of one prepared ring, in which
 * only the stream identifiers change, as far as the server's window of the
 * connection allows. `Http2Uploads` sends the large ones.
 *
 * ```text
 *  ring of `slots` requests:   … │ HEADERS 21 │ DATA 21 │ HEADERS 23 │ DATA 23 │ …
 * ```
 *
 * A place in the ring is written again when the call that lay there is over,
 * so it has left the socket; `GrpcLoop` sees to that.
 */
import * as Http2Frames from "./Http2Frames.ts"
import type { RequestWriter, Wire } from "./Http2RequestWriter.ts"

const { headBytes } = Http2Frames

export class GrpcRequests implements RequestWriter {
  private readonly wire: Wire
  private readonly first: Buffer
  private readonly ring: Buffer
  private readonly slots: number
  private readonly requestBytes: number
  private readonly messageBytes: number
  /** Where the DATA frame of a request has its stream. */
  private readonly dataAt: number
  private connectionBytes = Http2Frames.initialWindowBytes
  /** Requests that wait for the window: `waiting` of them, from this stream on. */
  private nextId = 1
  private waiting = 0

  /** `slots` is a power of two; the message fits in one frame. */
  constructor(wire: Wire, blocks: Http2Frames.Blocks, message: Buffer, slots: number) {
    const body = Http2Frames.frame(Http2Frames.data, Http2Frames.endStream, 1, message)
    const requestOf = (block: Buffer): Buffer =>
      Buffer.concat([Http2Frames.frame(Http2Frames.headers, Http2Frames.endHeaders, 1, block), body])
    const again = requestOf(blocks.next)
    this.wire = wire
    this.first = requestOf(blocks.first)
    this.ring = Buffer.concat(Array<Buffer>(slots).fill(again))
    this.slots = slots
    this.requestBytes = again.length
    this.messageBytes = message.length
    this.dataAt = headBytes + blocks.next.length + 5
  }

  /** Streams follow each other without gaps. */
  begin(_firstId: number, count: number): void {
    this.waiting += count
    this.flush()
  }

  onEnd(): void {}

  onWindow(streamId: number, byteCount: number): void {
    if (streamId !== 0) return
    this.connectionBytes += byteCount
    this.flush()
  }

  onInitialWindow(byteCount: number): void {
    if (byteCount < this.messageBytes) throw new Error(`the server takes only ${byteCount} bytes on a stream`)
  }

  private flush(): void {
    let count = Math.min(this.waiting, Math.floor(this.connectionBytes / this.messageBytes))
    if (count === 0) return
    this.waiting -= count
    this.connectionBytes -= count * this.messageBytes
    if (this.nextId === 1) {
      this.wire.write(this.first)
      this.nextId = 3
      count--
    }
    while (count > 0) {
      const slot = (this.nextId >>> 1) & (this.slots - 1)
      const inRow = Math.min(count, this.slots - slot)
      this.write(slot, inRow)
      count -= inRow
    }
  }

  private write(slot: number, count: number): void {
    const { ring, requestBytes, dataAt } = this
    const start = slot * requestBytes
    const end = start + count * requestBytes
    let streamId = this.nextId
    for (let at = start; at < end; at += requestBytes) {
      writeStream(ring, at + 5, streamId)
      writeStream(ring, at + dataAt, streamId)
      streamId += 2
    }
    this.nextId = streamId
    this.wire.write(ring.subarray(start, end))
  }
}

const writeStream = (bytes: Buffer, at: number, streamId: number): void => {
  bytes[at] = streamId >>> 24
  bytes[at + 1] = streamId >>> 16
  bytes[at + 2] = streamId >>> 8
  bytes[at + 3] = streamId
}
