/**
 * A connection whose requests have no answer: opens its streams, and then only
 * says what it must so that the server keeps it.
 */
import { type FrameReceiver, Http2FrameReader } from "./Http2FrameReader.ts"
import * as Http2Frames from "./Http2Frames.ts"
import type { WaitingOrder } from "./Http2Load.ts"
import type { Wire } from "./Http2RequestWriter.ts"

export class Http2Waiting implements FrameReceiver {
  /** Settles when the server has surely read all requests; fails when it answers one, or goes away. */
  readonly opened: Promise<void>
  private readonly wire: Wire
  private readonly reader = new Http2FrameReader(this)
  private readonly outcome = Promise.withResolvers<void>()

  constructor(wire: Wire, { path, streams }: Pick<WaitingOrder, "path" | "streams">) {
    const { first, next } = Http2Frames.blocksOf({ method: "GET", path })
    const flags = Http2Frames.endHeaders | Http2Frames.endStream
    this.wire = wire
    this.opened = this.outcome.promise
    wire.write(Http2Frames.opening)
    for (let index = 0; index < streams; index++) {
      wire.write(Http2Frames.frame(Http2Frames.headers, flags, 1 + 2 * index, index === 0 ? first : next))
    }
    // Its answer comes when all that was said before has been read.
    wire.write(Http2Frames.frame(Http2Frames.ping, 0, 0, Buffer.alloc(8)))
  }

  receive(bytes: Buffer, byteCount: number): void {
    this.reader.receive(bytes, byteCount)
  }

  fail(error: Error): void {
    this.outcome.reject(error)
  }

  onData(streamId: number): void {
    this.fail(new Error(`stream ${streamId} was answered`))
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const isAnswer = (flags & Http2Frames.acknowledged) !== 0
    switch (type) {
      case Http2Frames.settings:
        if (!isAnswer) this.wire.write(Http2Frames.settingsAcknowledged)
        return
      case Http2Frames.ping:
        if (isAnswer) this.outcome.resolve()
        else this.wire.write(Http2Frames.frame(type, Http2Frames.acknowledged, 0, bytes.subarray(start, end)))
        return
      case Http2Frames.headers:
      case Http2Frames.rstStream:
        this.fail(new Error(`stream ${streamId} was answered, with a frame of type ${type}`))
        return
      case Http2Frames.goAway:
        this.fail(new Error(`the server goes away, with code ${bytes.readUInt32BE(start + 4)}`))
    }
  }
}
