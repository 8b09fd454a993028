/**
 * Cuts a stream of bytes into frames (RFC 9113 §4.1), behind the preface of a
 * client (§3.4). Each head is checked by itself; the order of frames is not
 * looked at here.
 *
 * A frame that is whole in its chunk is handed out in place. Only a frame that
 * is cut is copied, into memory of its size: at most the largest frame of the
 * connection, allocated when its head has come. A frame above the maximum is
 * refused at its head.
 *
 * Hot path (`bench/` rows "http2"): nothing is allocated for a whole frame.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import { ConnectionViolation } from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"
import * as Http2Frame from "./Http2Frame.ts"

/** Hears the same calls however the bytes are cut. @category models */
export interface FrameHandler {
  /** A whole frame: its payload is `bytes[start, end)`, which nobody changes any more. Its flags are not filtered. */
  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void
  /**
   * A head breaks a rule; `streamId` is 0 for the preface. Behind a
   * `ConnectionViolation` nothing more is decoded; a `StreamViolation` leaves
   * out that frame.
   */
  onFrameViolation(streamId: number, violation: Http2Frame.FrameViolation): void
}

/** @category models */
export class Http2FrameDecoder {
  private readonly handler: FrameHandler
  private maxFrameBytes: number
  private stopped = false
  /** Of the preface, what has come. */
  private prefaceCount: number
  /** Of a head that is cut. */
  private headCount = 0
  /** Made when the first head is cut. */
  private head: Uint8Array | undefined = undefined
  /** Of a frame that is cut behind its head, with what its head says. */
  private payload: Uint8Array | undefined = undefined
  private payloadCount = 0
  private type = 0
  private flags = 0
  private streamId = 0
  /** Of a frame that is left out, what has not come yet. */
  private skippedBytes = 0

  constructor(handler: FrameHandler, maxFrameBytes: number, preface: "expected" | "none") {
    this.handler = handler
    this.maxFrameBytes = maxFrameBytes
    this.prefaceCount = preface === "expected" ? 0 : Http2Frame.preface.length
  }

  /** Whether the preface has come, or none was expected. */
  get hasPreface(): boolean {
    return this.prefaceCount === Http2Frame.preface.length
  }

  /** What is held of a frame that is cut, its head counted: at most `headBytes + maxFrameBytes`. */
  get waitingBytes(): number {
    return this.payload === undefined ? this.headCount : Http2Frame.headBytes + this.payloadCount
  }

  /** RFC 9113 §6.5.3: from the next head on. */
  setMaxFrameBytes(maxFrameBytes: number): void {
    this.maxFrameBytes = maxFrameBytes
  }

  /** Nothing more is handed out. */
  stop(): void {
    this.stopped = true
    this.headCount = 0
    this.payload = undefined
  }

  /** The decoder owns the chunk, and hands out views of it. */
  receive(chunk: Uint8Array): void {
    if (this.stopped) return
    let at = this.hasPreface ? 0 : this.takePreface(chunk)
    if (this.skippedBytes > 0 || this.headCount > 0 || this.payload !== undefined) at = this.takeCut(chunk, at)
    while (chunk.length - at >= Http2Frame.headBytes && !this.stopped) {
      const start = at + Http2Frame.headBytes
      const end = start + lengthAt(chunk, at)
      if (!this.accepts(chunk, at)) at = this.skip(chunk, start, end - start)
      else if (end <= chunk.length) {
        this.handler.onFrame(this.type, this.flags, this.streamId, chunk, start, end)
        at = end
      } else at = this.keepPayload(chunk, start, end - start)
    }
    if (at < chunk.length && !this.stopped) this.keepHead(chunk, at, chunk.length)
  }

  private takePreface(chunk: Uint8Array): number {
    const { preface } = Http2Frame
    let at = 0
    while (at < chunk.length && !this.stopped && this.prefaceCount < preface.length) {
      if (chunk[at] === preface[this.prefaceCount]) {
        this.prefaceCount++
        at++
      } else this.violate(0, new ConnectionViolation(Code.ProtocolError, "no preface"))
    }
    return at
  }

  /** Goes on with a frame that was cut. Returns where the next one begins. */
  private takeCut(chunk: Uint8Array, at: number): number {
    if (this.headCount > 0) return this.takeHead(chunk, at)
    return this.payload === undefined
      ? this.skip(chunk, at, this.skippedBytes)
      : this.takePayload(chunk, at, this.payload)
  }

  private takeHead(chunk: Uint8Array, at: number): number {
    const start = Math.min(chunk.length, at + Http2Frame.headBytes - this.headCount)
    const head = this.keepHead(chunk, at, start)
    if (this.headCount < Http2Frame.headBytes) return start
    this.headCount = 0
    const length = lengthAt(head, 0)
    if (!this.accepts(head, 0)) return this.skip(chunk, start, length)
    const end = start + length
    if (end > chunk.length) return this.keepPayload(chunk, start, length)
    this.handler.onFrame(this.type, this.flags, this.streamId, chunk, start, end)
    return end
  }

  private takePayload(chunk: Uint8Array, at: number, payload: Uint8Array): number {
    const end = Math.min(chunk.length, at + payload.length - this.payloadCount)
    payload.set(chunk.subarray(at, end), this.payloadCount)
    this.payloadCount += end - at
    if (this.payloadCount === payload.length) {
      this.payload = undefined
      this.handler.onFrame(this.type, this.flags, this.streamId, payload, 0, payload.length)
    }
    return end
  }

  /** Reads and checks the head at `at`. `false`: its frame is not handed out. */
  private accepts(bytes: Uint8Array, at: number): boolean {
    this.type = bytes[at + 3]!
    this.flags = bytes[at + 4]!
    // RFC 9113 §4.1: the reserved bit "MUST be ignored when receiving".
    this.streamId = ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!
    const length = lengthAt(bytes, at)
    const violation = Http2Frame.violationOf(this.type, this.flags, length, this.streamId, this.maxFrameBytes)
    if (violation === undefined) return true
    this.violate(this.streamId, violation)
    return false
  }

  private violate(streamId: number, violation: Http2Frame.FrameViolation): void {
    if (violation._tag === "ConnectionViolation") this.stop()
    this.handler.onFrameViolation(streamId, violation)
  }

  /** Leaves out `byteCount` bytes, from `at` on. */
  private skip(chunk: Uint8Array, at: number, byteCount: number): number {
    const end = Math.min(chunk.length, at + byteCount)
    this.skippedBytes = at + byteCount - end
    return end
  }

  private keepHead(chunk: Uint8Array, start: number, end: number): Uint8Array {
    this.head ??= new Uint8Array(Http2Frame.headBytes)
    for (let at = start; at < end; at++) this.head[this.headCount++] = chunk[at]!
    return this.head
  }

  /** Returns the end of the chunk. */
  private keepPayload(chunk: Uint8Array, start: number, length: number): number {
    this.payload = allocate(length)
    this.payload.set(chunk.subarray(start))
    this.payloadCount = chunk.length - start
    return chunk.length
  }
}

const lengthAt = (bytes: Uint8Array, at: number): number => (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
