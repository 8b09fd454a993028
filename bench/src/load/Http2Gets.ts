/**
 * Sends requests without a body: slices of one prepared ring, in which only
 * the stream identifiers change.
 *
 * ```text
 *  ring of `slots` requests:   … │ HEADERS 21 │ HEADERS 23 │ HEADERS 25 │ …
 * ```
 *
 * A place in the ring is written again when the request that lay there was
 * answered, so it has left the socket; `Http2ClosedLoop` sees to that.
 */
import * as Http2Frames from "./Http2Frames.ts"
import type { Http2Request } from "./Http2Load.ts"
import type { RequestWriter, Wire } from "./Http2RequestWriter.ts"

export class Http2Gets implements RequestWriter {
  private readonly wire: Wire
  private readonly first: Buffer
  private readonly requestBytes: number
  private readonly ring: Buffer
  private readonly slots: number

  /** `slots` is a power of two. */
  constructor(wire: Wire, request: Http2Request, slots: number) {
    const { first, next } = Http2Frames.blocksOf(request)
    const flags = Http2Frames.endHeaders | Http2Frames.endStream
    const again = Http2Frames.frame(Http2Frames.headers, flags, 0, next)
    this.wire = wire
    this.first = Http2Frames.frame(Http2Frames.headers, flags, 1, first)
    this.requestBytes = again.length
    this.ring = Buffer.concat(Array<Buffer>(slots).fill(again))
    this.slots = slots
  }

  begin(firstId: number, count: number): void {
    if (firstId === 1) {
      this.wire.write(this.first)
      if (count > 1) this.begin(3, count - 1)
      return
    }
    const slot = (firstId >>> 1) & (this.slots - 1)
    const inRow = Math.min(count, this.slots - slot)
    for (let index = 0; index < inRow; index++) {
      this.ring.writeUInt32BE(firstId + 2 * index, (slot + index) * this.requestBytes + 5)
    }
    this.wire.write(this.ring.subarray(slot * this.requestBytes, (slot + inRow) * this.requestBytes))
    if (inRow < count) this.begin(firstId + 2 * inRow, count - inRow)
  }

  onEnd(): void {}
  onWindow(): void {}
  onInitialWindow(): void {}
}
