/**
 * Finds the frames in what a server sends. Bodies are handed on as they come;
 * any other frame whole, from where it lies, or put together when it is cut.
 *
 * Hot path of the load generator: it must cost far less than any server. What
 * is wrong with a frame is not looked for: wrong answers are found by whoever
 * counts them.
 */
import * as Http2Frames from "./Http2Frames.ts"

export interface FrameReceiver {
  /** A piece of a body: `bytes[start, end)`, which may be empty. `ended`: the stream ends with it. */
  onData(streamId: number, bytes: Buffer, start: number, end: number, ended: boolean): void
  /** Any other frame: its payload is `bytes[start, end)`. The bytes may not be kept. */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void
}

const { headBytes } = Http2Frames

export class Http2FrameReader {
  private readonly receiver: FrameReceiver
  /** What is still to come of a body's frame; `dataStream` and `dataEnds` are of it. */
  private dataBytes = 0
  private dataStream = 0
  private dataEnds = false
  /** The beginning of a frame that is cut: its first `heldBytes` bytes. */
  private readonly held = Buffer.allocUnsafe(headBytes + Http2Frames.payloadBytes)
  private heldBytes = 0

  constructor(receiver: FrameReceiver) {
    this.receiver = receiver
  }

  /** The first `end` bytes of `bytes` have come. */
  receive(bytes: Buffer, end: number): void {
    let at = 0
    if (this.dataBytes > 0) at = this.moreData(bytes, 0, end)
    else if (this.heldBytes > 0) at = this.complete(bytes, end)
    while (end - at >= headBytes) {
      const start = at + headBytes
      const length = lengthAt(bytes, at)
      if (bytes[at + 3] === Http2Frames.data) {
        this.beginData(bytes, at)
        at = this.moreData(bytes, start, end)
      } else if (end - start >= length) {
        at = start + length
        this.receiver.onFrame(
          bytes[start - 6]!,
          bytes[start - 5]!,
          streamAt(bytes, start - headBytes),
          bytes,
          start,
          at
        )
      } else break
    }
    if (at < end) this.hold(bytes, at, end)
  }

  private beginData(bytes: Buffer, at: number): void {
    this.dataBytes = lengthAt(bytes, at)
    this.dataStream = streamAt(bytes, at)
    this.dataEnds = (bytes[at + 4]! & Http2Frames.endStream) !== 0
  }

  /** Returns where the body's frame, or what has come of it, ends. */
  private moreData(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.dataBytes)
    this.dataBytes -= stop - start
    this.receiver.onData(this.dataStream, bytes, start, stop, this.dataEnds && this.dataBytes === 0)
    return stop
  }

  private hold(bytes: Buffer, at: number, end: number): void {
    this.heldBytes += bytes.copy(this.held, this.heldBytes, at, end)
  }

  /** Goes on with a frame that was cut. Returns how much of `bytes` belongs to it. */
  private complete(bytes: Buffer, end: number): number {
    let at = Math.min(end, Math.max(0, headBytes - this.heldBytes))
    this.hold(bytes, 0, at)
    if (this.heldBytes < headBytes) return at
    if (this.held[3] === Http2Frames.data) {
      this.heldBytes = 0
      this.beginData(this.held, 0)
      return this.moreData(bytes, at, end)
    }
    const frameBytes = headBytes + lengthAt(this.held, 0)
    const rest = Math.min(end - at, frameBytes - this.heldBytes)
    this.hold(bytes, at, at + rest)
    at += rest
    if (this.heldBytes < frameBytes) return at
    this.heldBytes = 0
    this.receiver.onFrame(this.held[3]!, this.held[4]!, streamAt(this.held, 0), this.held, headBytes, frameBytes)
    return at
  }
}

const lengthAt = (bytes: Buffer, at: number): number => (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!

const streamAt = (bytes: Buffer, at: number): number =>
  ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!
