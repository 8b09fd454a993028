/**
 * Sends requests with a body, as far as the windows of the server allow.
 *
 * Each stream under way has a lane: the DATA frames of a whole body, prepared
 * once, in which only the stream identifiers change. A lane is used again when
 * its stream is over, so its bytes have left the socket. Frames are not cut:
 * less than a whole one of a window is left until more comes.
 *
 * Invariant: of a lane's frames, `0 <= sentBytes <= frames.length` are sent.
 */
import * as Http2Frames from "./Http2Frames.ts"
import type { Http2Request } from "./Http2Load.ts"
import type { RequestWriter, Wire } from "./Http2RequestWriter.ts"

interface Lane {
  /** 0: the lane is free. */
  streamId: number
  sentBytes: number
  windowBytes: number
  readonly frames: Buffer
}

const { headBytes, payloadBytes } = Http2Frames
const frameBytes = headBytes + payloadBytes

export class Http2Uploads implements RequestWriter {
  private readonly wire: Wire
  private readonly blocks: ReturnType<typeof Http2Frames.blocksOf>
  private readonly lanes: ReadonlyArray<Lane>
  private initialBytes = Http2Frames.initialWindowBytes
  private connectionBytes = Http2Frames.initialWindowBytes
  /** Whose turn it is first, so that none starves. */
  private turn = 0

  /** The body is a multiple of 16 KiB. */
  constructor(wire: Wire, request: Http2Request, inFlight: number) {
    const frames = framesOf(request.bodyBytes ?? 0)
    this.wire = wire
    this.blocks = Http2Frames.blocksOf(request)
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
      this.turn++
      for (let index = 0; index < this.lanes.length; index++) {
        this.send(this.lanes[(this.turn + index) % this.lanes.length]!)
      }
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
    const left = (lane.frames.length - lane.sentBytes) / frameBytes
    const frames = Math.min(left, Math.floor(Math.min(lane.windowBytes, this.connectionBytes) / payloadBytes))
    if (frames <= 0) return
    const end = lane.sentBytes + frames * frameBytes
    this.wire.write(lane.frames.subarray(lane.sentBytes, end))
    lane.sentBytes = end
    lane.windowBytes -= frames * payloadBytes
    this.connectionBytes -= frames * payloadBytes
  }
}

/** The last of them ends the stream. */
const framesOf = (bodyBytes: number): Buffer => {
  if (bodyBytes === 0 || bodyBytes % payloadBytes !== 0)
    throw new Error(`a body is whole frames, not ${bodyBytes} bytes`)
  const payload = Buffer.alloc(payloadBytes, "x")
  return Buffer.concat(
    Array.from({ length: bodyBytes / payloadBytes }, (_, index) => {
      const isLast = (index + 1) * payloadBytes === bodyBytes
      return Http2Frames.frame(Http2Frames.data, isLast ? Http2Frames.endStream : 0, 0, payload)
    })
  )
}
