/**
 * One connection of the load generator for HTTP/2: `inFlight` streams under
 * way, and a new one for each that ends.
 *
 * Hot path of the load generator. What is known of a stream lies in rings, at
 * the place that its identifier has in them:
 *
 * ```text
 *  ids       … │ 21 │  0 │ 25 │ 27 │ …      0: that stream is over
 *  sentAt    … │    │    │    │    │ …
 *  received  … │    │    │    │    │ …      bytes of its body; -1: not even a head
 * ```
 *
 * The rings are longer than `inFlight`, since servers may answer in any order;
 * one that leaves a stream waiting until so many others are through is an
 * error. Invariant: as many places are taken as streams are open.
 *
 * Of each reply, the status and the length of its body are checked; of the
 * connection's first one, which goes alone, also how the body begins.
 */
import type { Histogram } from "./Histogram.ts"
import { type FrameReceiver, Http2FrameReader } from "./Http2FrameReader.ts"
import * as Http2Frames from "./Http2Frames.ts"
import { Http2Gets } from "./Http2Gets.ts"
import type { Http2Load } from "./Http2Load.ts"
import type { RequestWriter, Wire } from "./Http2RequestWriter.ts"
import { Http2Uploads } from "./Http2Uploads.ts"

/** What all connections of a generator share. */
export interface Shared {
  readonly load: Http2Load
  /** In microseconds. */
  readonly latencies: Histogram
  onError(error: Error): void
}

/** Streams that may be through before one that was opened earlier, as a multiple of `inFlight`. */
const roomForOrder = 8
const leastSlots = 64
const mebibyte = 1_048_576
const firstId = 1
/** In place of the bytes of a body, before its head has come. */
const noHead = -1
/** Flags of heads that no server sends. */
const unread = Http2Frames.padded | Http2Frames.prioritized
/** `:status: 200` by the static table of HPACK, as every server has it. */
const status200 = 0x88
/** RFC 7541 §6.3. */
const tableSize = 0x20
const tableSizeMask = 0xe0

export class Http2ClosedLoop implements FrameReceiver {
  /** Settles when the first reply is right. */
  readonly verified: Promise<void>
  private readonly shared: Shared
  private readonly expectedBytes: number
  private readonly expectedBegin: Buffer
  private readonly countsReplies: boolean
  private readonly mask: number
  private readonly ids: Int32Array
  private readonly sentAt: Float64Array
  private readonly received: Int32Array
  /** What the server was not given back of its windows. */
  private readonly owed: Int32Array
  private connectionOwed = 0
  private readonly reader = new Http2FrameReader(this)
  private readonly outcome = Promise.withResolvers<void>()
  private wire: Wire | undefined
  private writer: RequestWriter | undefined
  private nextId = firstId
  /** Streams that ended in the bytes that are being read. */
  private endedCount = 0
  private now = 0
  private mebibyteBytes = 0
  private mebibyteAt = 0

  constructor(shared: Shared) {
    const { inFlight, replyBodyBytes, replyBodyBegins, counts } = shared.load
    const slots = 2 ** Math.ceil(Math.log2(Math.max(leastSlots, inFlight * roomForOrder)))
    this.shared = shared
    this.expectedBytes = replyBodyBytes
    this.expectedBegin = Buffer.from(replyBodyBegins, "latin1")
    this.countsReplies = counts === "replies"
    this.mask = slots - 1
    this.ids = new Int32Array(slots)
    this.sentAt = new Float64Array(slots)
    this.received = new Int32Array(slots)
    this.owed = new Int32Array(slots)
    this.verified = this.outcome.promise
    // Whoever awaits it hears of it all the same.
    this.verified.catch(() => {})
  }

  /** Says the opening, and the first request. */
  open(wire: Wire): void {
    const { request, inFlight } = this.shared.load
    this.wire = wire
    this.writer =
      request.bodyBytes === undefined
        ? new Http2Gets(wire, request, this.mask + 1)
        : new Http2Uploads(wire, Http2Frames.blocksOf(request), Buffer.alloc(request.bodyBytes, "x"), inFlight)
    wire.write(Http2Frames.opening)
    this.send(1)
  }

  /** After `verified`: the load begins. */
  start(): void {
    this.now = performance.now()
    this.mebibyteAt = this.now
    this.send(this.shared.load.inFlight)
  }

  /** The first `byteCount` bytes of `bytes` have come. */
  receive(bytes: Buffer, byteCount: number): void {
    this.now = performance.now()
    this.reader.receive(bytes, byteCount)
    const count = this.endedCount
    if (count === 0) return
    this.endedCount = 0
    this.send(count)
  }

  /** Something is wrong, here or with the socket. */
  onError(error: Error): void {
    this.outcome.reject(error)
    this.shared.onError(error)
  }

  onData(streamId: number, bytes: Buffer, start: number, end: number, ended: boolean): void {
    const slot = (streamId >>> 1) & this.mask
    if (this.ids[slot] !== streamId || this.received[slot] === noHead) {
      this.fail(`data on stream ${streamId}, which is not open, or has no head`)
      return
    }
    if (streamId === firstId) this.checkBegin(bytes, start, end)
    const byteCount = end - start
    this.received[slot]! += byteCount
    this.giveBack(slot, streamId, byteCount)
    if (!this.countsReplies) this.countMebibytes(byteCount)
    if (ended) this.finish(slot, streamId)
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (type === Http2Frames.headers) this.onHeaders(flags, streamId, bytes, start)
    else if (type === Http2Frames.windowUpdate) this.writer!.onWindow(streamId, bytes.readUInt32BE(start))
    else if (type === Http2Frames.rstStream) this.onReset(streamId, bytes.readUInt32BE(start))
    else if (type === Http2Frames.settings || type === Http2Frames.ping) {
      if ((flags & Http2Frames.acknowledged) === 0) this.acknowledge(type, bytes, start, end)
    } else if (type === Http2Frames.goAway) {
      this.fail(`the server goes away, with code ${bytes.readUInt32BE(start + 4)}`)
    } else if (type === Http2Frames.continuation || type === Http2Frames.pushPromise) {
      this.fail(`a frame of type ${type}, which this generator does not read`)
    }
  }

  private onHeaders(flags: number, streamId: number, bytes: Buffer, start: number): void {
    const slot = (streamId >>> 1) & this.mask
    if (this.ids[slot] !== streamId || this.received[slot] !== noHead) {
      this.fail(`a head on stream ${streamId}, which is not open, or has one`)
      return
    }
    const at = bytes[start] === status200 ? start : statusAt(bytes, start)
    if (bytes[at] !== status200 || (flags & unread) !== 0) {
      this.fail(`stream ${streamId}: the status is not 200, or is not where every server has it`)
      return
    }
    this.received[slot] = 0
    if ((flags & Http2Frames.endStream) !== 0) this.finish(slot, streamId)
  }

  private acknowledge(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === Http2Frames.settings) this.onSettings(bytes, start, end)
    else this.wire!.write(Http2Frames.frame(type, Http2Frames.acknowledged, 0, bytes.subarray(start, end)))
  }

  /**
   * Behind a whole body, a reset without an error is its end: `node:http2` has
   * it now and then in place of END_STREAM. Any other stream is given up, and
   * the next one begins.
   */
  private onReset(streamId: number, errorCode: number): void {
    const slot = (streamId >>> 1) & this.mask
    if (this.ids[slot] !== streamId) return
    const byteCount = this.received[slot]!
    if (errorCode === 0 && byteCount === this.expectedBytes) this.finish(slot, streamId)
    else {
      this.onError(new Error(`stream ${streamId} was reset with code ${errorCode}, after ${byteCount} bytes`))
      this.release(slot, streamId)
    }
  }

  private onSettings(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at += 6) {
      const value = bytes.readUInt32BE(at + 2)
      switch (bytes.readUInt16BE(at)) {
        case 1:
          if (value < 4_096) this.fail("a table of less than 4,096 bytes, which this generator has no use for")
          break
        case 3:
          if (value < this.shared.load.inFlight) this.fail(`the server takes only ${value} streams`)
          break
        case 4:
          this.writer!.onInitialWindow(value)
      }
    }
    this.wire!.write(Http2Frames.settingsAcknowledged)
  }

  private checkBegin(bytes: Buffer, start: number, end: number): void {
    const known = this.expectedBegin
    const at = this.received[firstId >>> 1]!
    const length = Math.min(end - start, known.length - at)
    if (length <= 0 || known.compare(bytes, start, start + length, at, at + length) === 0) return
    this.fail(`the first reply is ${JSON.stringify(bytes.toString("latin1", start, Math.min(end, start + 200)))}`)
  }

  /** RFC 9113 §6.9: windows are given back when half of them is used up. */
  private giveBack(slot: number, streamId: number, byteCount: number): void {
    this.connectionOwed += byteCount
    if (this.connectionOwed >= Http2Frames.connectionWindowBytes / 2) {
      this.wire!.write(Http2Frames.increment(0, this.connectionOwed))
      this.connectionOwed = 0
    }
    this.owed[slot]! += byteCount
    if (this.owed[slot]! >= Http2Frames.streamWindowBytes / 2) {
      this.wire!.write(Http2Frames.increment(streamId, this.owed[slot]!))
      this.owed[slot] = 0
    }
  }

  private countMebibytes(byteCount: number): void {
    this.mebibyteBytes += byteCount
    while (this.mebibyteBytes >= mebibyte) {
      this.mebibyteBytes -= mebibyte
      this.shared.latencies.record((this.now - this.mebibyteAt) * 1_000)
      this.mebibyteAt = this.now
    }
  }

  private finish(slot: number, streamId: number): void {
    if (this.received[slot] !== this.expectedBytes) {
      this.fail(`a reply of ${this.received[slot]} bytes where ${this.expectedBytes} were expected`)
      return
    }
    if (this.countsReplies) this.shared.latencies.record((this.now - this.sentAt[slot]!) * 1_000)
    this.release(slot, streamId)
  }

  private release(slot: number, streamId: number): void {
    this.ids[slot] = 0
    this.writer!.onEnd(streamId)
    if (streamId === firstId) this.outcome.resolve()
    else this.endedCount++
  }

  private send(count: number): void {
    const from = this.nextId
    for (let index = 0; index < count; index++) {
      const streamId = from + 2 * index
      const slot = (streamId >>> 1) & this.mask
      if (this.ids[slot] !== 0) {
        this.fail(`stream ${this.ids[slot]} waits while all others are answered`)
        return
      }
      this.ids[slot] = streamId
      this.sentAt[slot] = this.now
      this.received[slot] = noHead
      this.owed[slot] = 0
    }
    this.nextId = from + 2 * count
    this.writer!.begin(from, count)
  }

  private fail(why: string): void {
    this.onError(new Error(why))
    this.wire!.destroy()
  }
}

/** Where a header block goes on behind the table sizes that it begins with (RFC 7541 §6.3). */
const statusAt = (block: Buffer, start: number): number => {
  let at = start
  while ((block[at]! & tableSizeMask) === tableSize) {
    const isLong = (block[at++]! & 0x1f) === 0x1f
    while (isLong && block[at++]! >= 0x80);
  }
  return at
}
