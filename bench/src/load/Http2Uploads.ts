/**
 * Sends requests with a body, as far as the windows of the server allow.
 *
 * Each stream under way has a lane: the DATA frames of a whole body, prepared
 * once, in which only the stream identifiers change. A lane is used again when
 * its stream is over, so its bytes have left the socket. Frames are not cut:
 * less than a whole one of a window is left until more comes. All but the last
 * one of a body are as large as any peer takes.
 *
 * Invariant: of a body, `0 <= sentBytes <= bodyBytes` are sent, in whole frames.
 */
import * as Http2Frames from "./Http2Frames.ts"
import type { RequestWriter, Wire } from "./Http2RequestWriter.ts"

interface Lane {
  /** 0: the lane is free. */
  streamId: number
  /** Of the body: what lies in frames counts without their heads. */
  sentBytes: number
  windowBytes: number
  readonly frames: Buffer
}

const { headBytes, payloadBytes } = Http2Frames
const frameBytes = headBytes + payloadBytes

export class Http2Uploads implements RequestWriter {
  private readonly wire: Wire
  private readonly blocks: Http2Frames.Blocks
  private readonly bodyBytes: number
  private readonly lanes: ReadonlyArray<Lane>
  private initialBytes = Http2Frames.initialWindowBytes
  private connectionBytes = Http2Frames.initialWindowBytes
  /** Which lane is served first when the connection takes more: the one at which it took no more. */
  private turn = 0

  constructor(wire: Wire, blocks: Http2Frames.Blocks, body: Buffer, inFlight: number) {
    if (body.length === 0) throw new Error("an upload takes a body")
    const frames = framesOf(body)
    this.wire = wire
    this.blocks = blocks
    this.bodyBytes = body.length
    this.lanes = Array.from({ length: inFlight }, () => ({
      streamId: 0,
      sentBytes: 0,
      windowBytes: 0,
      frames: Buffer.from(frames)
    }))
  }

  begin(firstId: number, count: number): void {
    for (let index = 0; index < count; index++) this.open(firstId + 2 * index)
  }

  onEnd(streamId: number): void {
    const lane = this.laneOf(streamId)
    if (lane !== undefined) lane.streamId = 0
  }

  onWindow(streamId: number, byteCount: number): void {
    if (streamId === 0) {
      this.connectionBytes += byteCount
      this.takeTurns()
      return
    }
    const lane = this.laneOf(streamId)
    if (lane === undefined) return
    lane.windowBytes += byteCount
    this.send(lane)
  }

  onInitialWindow(byteCount: number): void {
    for (const lane of this.lanes) {
      lane.windowBytes += byteCount - this.initialBytes
      this.send(lane)
    }
    this.initialBytes = byteCount
  }

  private takeTurns(): void {
    for (let served = 0; served < this.lanes.length; served++) {
      const lane = this.lanes[this.turn]!
      this.send(lane)
      if (lane.streamId !== 0 && lane.windowBytes > this.connectionBytes && lane.sentBytes < this.bodyBytes) return
      this.turn = (this.turn + 1) % this.lanes.length
    }
  }

  private laneOf(streamId: number): Lane | undefined {
    return this.lanes.find((lane) => lane.streamId === streamId)
  }

  private open(streamId: number): void {
    const lane = this.laneOf(0)
    if (lane === undefined) throw new Error("there are more streams than lanes")
    lane.streamId = streamId
    lane.sentBytes = 0
    lane.windowBytes = this.initialBytes
    for (let at = 5; at < lane.frames.length; at += frameBytes) lane.frames.writeUInt32BE(streamId, at)
    const block = streamId === 1 ? this.blocks.first : this.blocks.next
    this.wire.write(Http2Frames.frame(Http2Frames.headers, Http2Frames.endHeaders, streamId, block))
    this.send(lane)
  }

  private send(lane: Lane): void {
    if (lane.streamId === 0) return
    const { sentBytes } = lane
    const left = this.bodyBytes - sentBytes
    const room = Math.min(lane.windowBytes, this.connectionBytes)
    const byteCount = room >= left ? left : Math.floor(room / payloadBytes) * payloadBytes
    if (byteCount <= 0) return
    lane.sentBytes += byteCount
    this.wire.write(lane.frames.subarray(framedBytes(sentBytes), framedBytes(lane.sentBytes)))
    lane.windowBytes -= byteCount
    this.connectionBytes -= byteCount
  }
}

/** How long the first `byteCount` bytes of a body are in their frames. */
const framedBytes = (byteCount: number): number => byteCount + headBytes * Math.ceil(byteCount / payloadBytes)

/** The last of them ends the stream. */
const framesOf = (body: Buffer): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(body.length / payloadBytes) }, (_, index) => {
      const start = index * payloadBytes
      const isLast = start + payloadBytes >= body.length
      const payload = body.subarray(start, start + payloadBytes)
      return Http2Frames.frame(Http2Frames.data, isLast ? Http2Frames.endStream : 0, 0, payload)
    })
  )
