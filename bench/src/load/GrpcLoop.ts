/**
 * One connection of the load generator for gRPC: calls under way, and a new
 * one for each that is over, or for each that is due.
 *
 * Hot path of the load generator. What is known of a stream lies in rings, as
 * in `Http2ClosedLoop`, at the place that its identifier has in them.
 *
 * Of each reply the fields of its head and its trailers are checked, the prefix
 * of its first message, and its length; of the connection's first one, which
 * goes alone, every byte.
 */
import { GrpcFields } from "./GrpcFields.ts"
import type { GrpcLoad } from "./GrpcLoad.ts"
import * as GrpcMessages from "./GrpcMessages.ts"
import { GrpcRequests } from "./GrpcRequests.ts"
import type { Histogram } from "./Histogram.ts"
import { type FrameReceiver, Http2FrameReader } from "./Http2FrameReader.ts"
import * as Http2Frames from "./Http2Frames.ts"
import type { RequestWriter, Wire } from "./Http2RequestWriter.ts"
import { Http2Uploads } from "./Http2Uploads.ts"

/** What all connections of a generator share. */
export interface Shared {
  readonly load: GrpcLoad
  /** In microseconds, one for each call. */
  readonly latencies: Histogram
  /** Messages that came whole. */
  readonly messages: { count: number }
  onError(error: Error): void
}

/** Streams that may be through before one that was opened earlier, as a multiple of `inFlight`. */
const roomForOrder = 8
const leastSlots = 64
const firstId = 1
/** In place of the bytes of a body, before its head has come. */
const noHead = -1
/** Flags of heads that no server sends. */
const unread = Http2Frames.padded | Http2Frames.prioritized
/** Larger requests have lanes of their own. */
const smallBytes = 4_096

export class GrpcLoop implements FrameReceiver {
  /** Settles when the first reply is right. */
  readonly verified: Promise<void>
  private readonly shared: Shared
  private readonly reply: Buffer
  private readonly expectedBytes: number
  private readonly mask: number
  private readonly ids: Int32Array
  private readonly sentAt: Float64Array
  private readonly received: Int32Array
  /** What the server was not given back of its windows. */
  private readonly owed: Int32Array
  private connectionOwed = 0
  private readonly fields = new GrpcFields()
  private readonly reader = new Http2FrameReader(this)
  private readonly outcome = Promise.withResolvers<void>()
  private wire: Wire | undefined
  private writer: RequestWriter | undefined
  private nextId = firstId
  private openCount = 0
  /** Streams that ended in the bytes that are being read. */
  private endedCount = 0
  /** When calls were due that wait for a stream. */
  private readonly due: Array<number> = []
  private now = 0
  /** Something was wrong: what comes after it does not count. */
  private isBroken = false

  constructor(shared: Shared) {
    const { inFlight, call } = shared.load
    const slots = 2 ** Math.ceil(Math.log2(Math.max(leastSlots, inFlight * roomForOrder)))
    this.shared = shared
    this.reply = GrpcMessages.reply(call)
    this.expectedBytes = this.reply.length * GrpcMessages.replyCount(call)
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
    const { call, inFlight } = this.shared.load
    const message = GrpcMessages.request(call)
    const blocks = Http2Frames.blocksOfFields(requestFields(GrpcMessages.path(call)))
    this.wire = wire
    this.writer =
      message.length <= smallBytes
        ? new GrpcRequests(wire, blocks, message, this.mask + 1)
        : new Http2Uploads(wire, blocks, message, inFlight)
    wire.write(Http2Frames.opening)
    this.send(1)
  }

  /** After `verified`: the load of a closed loop begins. */
  start(): void {
    this.now = performance.now()
    this.send(this.shared.load.inFlight)
  }

  /** A call of a fixed rate, due at `dueMillis` of `performance.now()`. */
  begin(dueMillis: number): void {
    if (this.openCount < this.shared.load.inFlight) {
      this.now = dueMillis
      this.send(1)
    } else this.due.push(dueMillis)
  }

  /** The first `byteCount` bytes of `bytes` have come. */
  receive(bytes: Buffer, byteCount: number): void {
    this.now = performance.now()
    try {
      this.reader.receive(bytes, byteCount)
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error))
    }
    const count = this.endedCount
    if (count === 0 || this.isBroken) return
    this.endedCount = 0
    if (this.shared.load.callsPerSecond === undefined) this.send(count)
    else this.sendDue(count)
  }

  /** Something is wrong, here or with the socket. */
  onError(error: Error): void {
    this.outcome.reject(error)
    this.shared.onError(error)
  }

  onData(streamId: number, bytes: Buffer, start: number, end: number, ended: boolean): void {
    if (this.isBroken) return
    const slot = (streamId >>> 1) & this.mask
    const before = this.received[slot]!
    if (this.ids[slot] !== streamId || before === noHead || ended) {
      this.fail(`data on stream ${streamId}, which is not open, has no head, or no trailers`)
      return
    }
    if (streamId === firstId) this.checkBytes(before, bytes, start, end)
    else if (before === 0) this.checkPrefix(bytes, start, end)
    if (this.isBroken) return
    const after = before + end - start
    const { length } = this.reply
    this.received[slot] = after
    this.shared.messages.count += Math.floor(after / length) - Math.floor(before / length)
    this.giveBack(slot, streamId, end - start)
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (this.isBroken) return
    if (type === Http2Frames.headers) this.onHeaders(flags, streamId, bytes, start, end)
    else if (type === Http2Frames.windowUpdate) this.writer!.onWindow(streamId, bytes.readUInt32BE(start))
    else if (type === Http2Frames.rstStream) this.onReset(streamId, bytes.readUInt32BE(start))
    else if (type === Http2Frames.settings) {
      if ((flags & Http2Frames.acknowledged) === 0) this.onSettings(bytes, start, end)
    } else if (type === Http2Frames.ping) {
      if ((flags & Http2Frames.acknowledged) === 0)
        this.wire!.write(Http2Frames.frame(type, Http2Frames.acknowledged, 0, bytes.subarray(start, end)))
    } else if (type === Http2Frames.goAway) {
      this.fail(`the server goes away, with code ${bytes.readUInt32BE(start + 4)}`)
    } else if (type === Http2Frames.continuation || type === Http2Frames.pushPromise) {
      this.fail(`a frame of type ${type}, which this generator does not read`)
    }
  }

  private onHeaders(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const slot = (streamId >>> 1) & this.mask
    const isLast = (flags & Http2Frames.endStream) !== 0
    if (this.ids[slot] !== streamId || (flags & unread) !== 0 || (flags & Http2Frames.endHeaders) === 0) {
      this.fail(`fields on stream ${streamId}, which is not open, or in a frame that is not read`)
      return
    }
    if (this.received[slot] === noHead && !isLast) {
      const wrong = this.fields.checkHead(bytes, start, end)
      if (wrong === undefined) this.received[slot] = 0
      else this.fail(`stream ${streamId}: ${wrong}`)
      return
    }
    const wrong = isLast ? this.fields.checkTrailers(bytes, start, end) : "two heads"
    if (wrong === undefined) this.finish(slot, streamId)
    else this.fail(`stream ${streamId}: ${wrong}`)
  }

  /** The stream is given up, and the next one begins. */
  private onReset(streamId: number, errorCode: number): void {
    const slot = (streamId >>> 1) & this.mask
    if (this.ids[slot] !== streamId) return
    this.onError(new Error(`stream ${streamId} was reset with code ${errorCode}`))
    this.release(slot, streamId)
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

  /** Of the first reply, in which the same message comes one time or many. */
  private checkBytes(before: number, bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at++) {
      if (bytes[at] === this.reply[(before + at - start) % this.reply.length]) continue
      this.fail(`the first reply is another one from byte ${before + at - start} on`)
      return
    }
  }

  private checkPrefix(bytes: Buffer, start: number, end: number): void {
    const length = Math.min(GrpcMessages.prefixBytes, end - start)
    for (let index = 0; index < length; index++) {
      if (bytes[start + index] === this.reply[index]) continue
      this.fail("a message is compressed, or not as long as it should be")
      return
    }
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

  private finish(slot: number, streamId: number): void {
    if (this.received[slot] !== this.expectedBytes) {
      this.fail(`a reply of ${this.received[slot]} bytes where ${this.expectedBytes} were expected`)
      return
    }
    this.shared.latencies.record((this.now - this.sentAt[slot]!) * 1_000)
    this.release(slot, streamId)
  }

  private release(slot: number, streamId: number): void {
    this.ids[slot] = 0
    this.openCount--
    this.writer!.onEnd(streamId)
    if (streamId === firstId) this.outcome.resolve()
    else this.endedCount++
  }

  private sendDue(count: number): void {
    for (const dueMillis of this.due.splice(0, count)) {
      this.now = dueMillis
      this.send(1)
    }
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
    this.openCount += count
    this.nextId = from + 2 * count
    this.writer!.begin(from, count)
  }

  private fail(why: string): void {
    this.isBroken = true
    this.onError(new Error(why))
    this.wire!.destroy()
  }
}

/** As clients of gRPC have them. */
const requestFields = (path: string): ReadonlyArray<readonly [name: string, value: string]> => [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", path],
  [":authority", "localhost"],
  ["te", "trailers"],
  ["content-type", "application/grpc"],
  ["user-agent", "grpc-bench/1.0"]
]
