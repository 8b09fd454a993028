/**
 * An HTTP/2 connection (RFC 9113), in either role: an engine.
 *
 * It only routes. Frames come from `Http2FrameDecoder`; those of streams go to
 * `Http2Receiver`, those of the connection to `Http2Control`; messages leave
 * by `Http2Sender` and `Http2SendQueue`; `Http2StreamLife` ends streams, and
 * `Http2Lifetime` the connection.
 *
 * A violation of the peer ends the connection with GOAWAY, which says why, and
 * the end of this side; one of a stream ends that stream with RST_STREAM.
 *
 * Memory a connection: a frame that is cut, a header block, both HPACK tables,
 * what streams have received up to the connection's window, and what they
 * have queued.
 *
 * Hot path: `bench/` rows "http2" and "http2-request".
 *
 * @since 0.1.0
 */
import type { Engine } from "../Engine.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import { budgets, Http2AbuseGuard } from "./Http2AbuseGuard.ts"
import { Http2Control } from "./Http2Control.ts"
import {
  ConnectionLost,
  ConnectionViolation,
  GoingAway,
  InvalidMessage,
  type Refusal,
  type RequestRefusal,
  SendStalled,
  StreamEnded,
  StreamsExhausted,
  type StreamViolation,
  type Violation
} from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"
import { Http2FlowWindow } from "./Http2FlowWindow.ts"
import * as Frame from "./Http2Frame.ts"
import { type FrameHandler, Http2FrameDecoder } from "./Http2FrameDecoder.ts"
import type { Http2Handler, RequestParts } from "./Http2Handler.ts"
import { Http2Lifetime } from "./Http2Lifetime.ts"
import type { Http2Link, Phase } from "./Http2Link.ts"
import type { Resolved } from "./Http2Options.ts"
import { Http2Output } from "./Http2Output.ts"
import { Http2Receiver } from "./Http2Receiver.ts"
import { type Body, Http2Sender } from "./Http2Sender.ts"
import type { Http2Settings } from "./Http2Settings.ts"
import { Http2Stream } from "./Http2Stream.ts"
import { Http2StreamLife } from "./Http2StreamLife.ts"
import * as State from "./Http2StreamState.ts"
import { Http2Streams } from "./Http2Streams.ts"
import { Http2StreamWatch } from "./Http2StreamWatch.ts"

export type { Http2Handler, RequestParts } from "./Http2Handler.ts"

/** @category models */
export class Http2Connection implements Engine, FrameHandler, Http2Link {
  readonly output = new Http2Output()
  readonly role: "server" | "client"
  /** @internal */
  readonly handler: Http2Handler
  /** @internal */
  readonly limits: Resolved
  /** @internal */
  readonly streams: Http2Streams
  /** @internal */
  readonly guard = new Http2AbuseGuard()
  /** @internal */
  readonly window: Http2FlowWindow
  /** @internal */
  nowMillis: number
  phase: Phase = "open"

  private readonly decoder: Http2FrameDecoder
  private readonly life: Http2StreamLife
  private readonly sender: Http2Sender
  private readonly receiver: Http2Receiver
  private readonly control: Http2Control
  private readonly watch: Http2StreamWatch
  private readonly lifetime: Http2Lifetime
  /** What came after this side has ended. */
  private discardedBytes = 0

  constructor(role: "server" | "client", handler: Http2Handler, limits: Resolved, nowMillis: number) {
    this.role = role
    this.handler = handler
    this.limits = limits
    this.nowMillis = nowMillis
    this.streams = new Http2Streams(role)
    this.window = new Http2FlowWindow(initialWindowBytes, limits.connectionWindowBytes)
    this.decoder = new Http2FrameDecoder(this, Frame.leastMaxFrameBytes, role === "server" ? "expected" : "none")
    this.life = new Http2StreamLife(this)
    this.sender = new Http2Sender(this, this.life)
    this.receiver = new Http2Receiver(this, this.life, this.sender)
    this.control = new Http2Control(this, this.life, this.sender, {
      setMaxFrameBytes: (byteCount) => this.decoder.setMaxFrameBytes(byteCount),
      setMaxTableBytes: (byteCount) => this.receiver.block.setMaxTableBytes(byteCount)
    })
    this.watch = new Http2StreamWatch(this, this.life, this.sender.queue)
    this.lifetime = new Http2Lifetime(this)
    this.control.open()
    this.rearm()
  }

  /** When `advance` wants to be called. It may come early: what was due may have moved to later. */
  get deadlineMillis(): number {
    return this.lifetime.dueMillis
  }

  /** Streams that are not over. */
  get streamCount(): number {
    return this.streams.count
  }

  /** What the peer allows. */
  get peerSettings(): Http2Settings {
    return this.control.settings.peer
  }

  /** How many streams of this side the peer takes at a time; until it has said so, what a client may assume. */
  get localStreamLimit(): number {
    const { hasPeerSettings, peer } = this.control.settings
    return hasPeerSettings ? peer.maxConcurrentStreams : assumedStreamCount
  }

  /** @internal */
  get isSynchronised(): boolean {
    return this.control.isSynchronised
  }

  /** @internal */
  get receiveSize(): number {
    return this.control.receiveSize
  }

  /** Whether `fill` would move something to the output now. */
  get hasQueued(): boolean {
    return this.phase !== "closed" && !this.output.blocked && this.sender.queue.isReady
  }

  receive(bytes: Uint8Array, nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.phase === "closed") {
      this.discard(bytes.length)
      return
    }
    this.control.ping.heard(nowMillis)
    this.decoder.receive(bytes)
  }

  /** RFC 9113 §9.1: the peer that closes its side has given up what is not finished. */
  receiveEnd(nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.phase === "closed") return
    this.shut("ended")
    this.life.closeAll(new ConnectionLost(undefined))
  }

  receiveClose(nowMillis: number): void {
    this.nowMillis = nowMillis
    this.phase = "closed"
    this.decoder.stop()
    this.lifetime.stop()
    this.life.closeAll(new ConnectionLost(undefined))
  }

  advance(nowMillis: number): void {
    this.nowMillis = nowMillis
    switch (this.lifetime.late()) {
      case "closing":
        this.output.abort()
        break
      case "stalled":
        this.fail(new SendStalled(this.limits.sendMillis))
        this.output.abort()
        break
      case "idle":
        this.drain(nowMillis)
        break
      case "nothing":
        if (this.phase !== "closed") this.expire()
    }
    this.rearm()
  }

  resumeSending(nowMillis: number): void {
    this.nowMillis = nowMillis
    this.lifetime.unblock()
    this.control.ping.heard(nowMillis)
    this.arm(this.control.dueMillis)
    this.fill(nowMillis)
  }

  /**
   * Moves what streams have queued to the output, up to about 100 KiB: for the
   * pump's `onTurn`, and again after a flush, while `hasQueued` and the
   * transport takes more.
   */
  fill(nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.phase !== "closed") this.sender.queue.fill()
    this.settle()
  }

  /** A server: a whole response. The body's length is added as `content-length`. */
  respond(
    stream: Http2Stream,
    status: number,
    headers: FieldsInput,
    body: Body,
    nowMillis: number
  ): Refusal | undefined {
    this.nowMillis = nowMillis
    const refusal = this.sender.respond(stream, status, headers, body)
    this.settle()
    return refusal
  }

  /** A server: a response whose body comes by `write` and ends with `end`. */
  beginResponse(stream: Http2Stream, status: number, headers: FieldsInput, nowMillis: number): Refusal | undefined {
    this.nowMillis = nowMillis
    return this.sender.begin(stream, status, headers)
  }

  /** A server: a response of 1xx. */
  interim(stream: Http2Stream, status: number, headers: FieldsInput, nowMillis: number): Refusal | undefined {
    this.nowMillis = nowMillis
    return this.sender.interim(stream, status, headers)
  }

  /** A client: a request. `whole` sends `body` and ends; `open` leaves the rest to `write` and `end`. */
  request(
    parts: RequestParts,
    body: Body,
    rest: "whole" | "open",
    owner: unknown,
    nowMillis: number
  ): Http2Stream | RequestRefusal {
    this.nowMillis = nowMillis
    const id = this.streams.nextLocalId()
    if (this.phase === "closed") return new StreamEnded()
    if (this.phase === "draining" || id === undefined || this.role === "server") return new GoingAway()
    const { connectProtocol, initialWindowBytes } = this.peerSettings
    const limit = this.localStreamLimit
    if (this.streams.placeCount >= limit) return new StreamsExhausted(limit)
    if (parts.protocol !== undefined && !connectProtocol) {
      return new InvalidMessage("RFC 8441 §3: the peer takes no extended CONNECT")
    }
    const stream = new Http2Stream(id, State.Open, initialWindowBytes, this.receiveSize, this.limits.sendBufferBytes)
    stream.owner = owner
    stream.isHead = parts.method === "HEAD"
    if (parts.method === "CONNECT") stream.tunnel = "asked"
    const invalid = this.sender.request(stream, parts, body, rest)
    if (invalid !== undefined) return invalid
    if (this.streams.count === 0) this.onFirstStream()
    this.streams.add(stream)
    return stream
  }

  /** Queues a part of the body; the bytes are not copied, and do not change any more. */
  write(stream: Http2Stream, data: Uint8Array | string, nowMillis: number): Refusal | undefined {
    this.nowMillis = nowMillis
    return this.sender.write(stream, data)
  }

  /** Ends this side, with trailers where there are any. */
  end(stream: Http2Stream, trailers: FieldsInput | undefined, nowMillis: number): Refusal | undefined {
    this.nowMillis = nowMillis
    const refusal = this.sender.end(stream, trailers)
    this.settle()
    return refusal
  }

  /** Ends the stream with RST_STREAM. What was queued is dropped. Does nothing for a stream that is over. */
  reset(stream: Http2Stream, errorCode: number, nowMillis: number): void {
    this.nowMillis = nowMillis
    this.life.reset(stream, errorCode)
    this.settle()
  }

  /**
   * Nobody wants the rest of the peer's message. What comes of it is dropped,
   * and the stream ends with this side's message, behind which RST_STREAM with
   * NO_ERROR asks the peer to send no more (RFC 9113 §8.1).
   */
  abandon(stream: Http2Stream, nowMillis: number): void {
    this.nowMillis = nowMillis
    this.life.abandon(stream)
    this.settle()
  }

  /** So much of `onData` was used up: the peer may send as much again. Does nothing for a stream that is over. */
  consume(stream: Http2Stream, byteCount: number, nowMillis: number): void {
    this.nowMillis = nowMillis
    this.receiver.consume(stream, byteCount)
  }

  /** Whether somebody waits for more of the body: only then a pause has a limit. */
  awaitBody(stream: Http2Stream, awaited: boolean, nowMillis: number): void {
    this.nowMillis = nowMillis
    this.watch.awaitBody(stream, awaited)
  }

  /** The place of the stream stays taken until `release`: for a server whose handler has not ended. */
  retain(stream: Http2Stream): void {
    this.streams.retain(stream)
  }

  release(stream: Http2Stream, nowMillis: number): void {
    this.nowMillis = nowMillis
    this.streams.release(stream)
  }

  /** A PING; its answer comes to `onPong`. */
  ping(nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.phase !== "closed") this.control.sendPing("user")
  }

  /** RFC 9113 §6.8: no new streams; those in flight are finished, then the connection ends. */
  drain(nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.phase === "closed") return
    if (this.phase === "open") this.phase = "draining"
    this.control.drain()
    this.settle()
  }

  /** GOAWAY at once, and the end. */
  close(errorCode: number, debug: string, nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.phase === "closed") return
    this.control.farewell(errorCode, debug)
    this.shut()
    this.life.closeAll(new ConnectionLost(undefined))
  }

  /** @internal */
  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.receiver.block.isOpen !== (type === Continuation)) {
      this.violate(
        this.receiver.block.isOpen
          ? "RFC 9113 §6.10: a header block is interrupted"
          : "RFC 9113 §6.10: CONTINUATION without HEADERS"
      )
      return
    }
    if (!this.control.settings.hasPeerSettings && (type !== Settings || (flags & Frame.flag.Ack) !== 0)) {
      this.violate("RFC 9113 §3.4: the first frame is not SETTINGS")
      return
    }
    switch (type) {
      case Headers:
      case Data:
        this.onPadded(type, flags, streamId, bytes, start, end)
        break
      case Continuation:
        this.receiver.onContinuation(flags, streamId, bytes, start, end)
        break
      case WindowUpdate:
        this.onWindowUpdate(streamId, read32(bytes, start) & 0x7fffffff)
        break
      case RstStream:
        this.receiver.onRstStream(streamId, read32(bytes, start) >>> 0)
        break
      default:
        this.control.onFrame(type, flags, bytes, start, end)
    }
    this.settle()
  }

  /** @internal */
  onFrameViolation(streamId: number, violation: ConnectionViolation | StreamViolation): void {
    if (violation._tag === "ConnectionViolation") {
      this.fail(violation)
      return
    }
    const stream = this.streams.get(streamId)
    const spent = stream === undefined ? this.guard.spend(budgets.unknown, this.nowMillis) : undefined
    if (spent !== undefined) this.fail(spent)
    else if (stream !== undefined) this.life.fail(stream, violation)
    this.settle()
  }

  /** @internal */
  fail(violation: Violation): void {
    if (this.phase === "closed") return
    this.control.farewell(violation.errorCode, violation.message)
    this.shut()
    this.handler.onViolation(violation)
    this.life.closeAll(new ConnectionLost(violation))
  }

  /** @internal */
  arm(atMillis: number): void {
    this.lifetime.arm(atMillis)
  }

  /** @internal */
  accepts(streamId: number): boolean {
    return this.control.goAway.accepts(streamId)
  }

  /** @internal */
  answer(streamId: number, status: number): void {
    this.sender.answer(streamId, status)
  }

  /** @internal */
  leave(): void {
    if (this.phase === "open") this.phase = "draining"
  }

  /** @internal The silence of the peer counts from here. */
  onFirstStream(): void {
    this.lifetime.busy()
    this.control.ping.heard(this.nowMillis)
    this.arm(this.control.ping.dueMillis(true))
  }

  /** RFC 9113 §6.1, §6.2: what is around the content is taken off, and the connection's window pays for it. */
  private onPadded(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    let from = start
    let to = end
    if ((flags & Frame.flag.Padded) !== 0) {
      from++
      to -= bytes[start]!
    }
    if (type === Headers && (flags & Frame.flag.Priority) !== 0) from += priorityBytes
    if (from > to) {
      this.violate("RFC 9113 §6.1: the padding is longer than the frame")
      return
    }
    if (type === Headers) this.receiver.onHeaders(flags, id, bytes, from, to)
    else if (this.window.receive(end - start)) this.receiver.onData(flags, id, bytes, from, to, end - start)
    else this.fail(new ConnectionViolation(Code.FlowControlError, "DATA above the connection's window"))
  }

  /** RFC 9113 §6.9. */
  private onWindowUpdate(streamId: number, increment: number): void {
    const spent = this.guard.spend(budgets.windowUpdates, this.nowMillis)
    if (spent !== undefined) this.fail(spent)
    else if (streamId !== 0) this.receiver.onWindowUpdate(streamId, increment)
    else if (increment === 0) this.violate("RFC 9113 §6.9: an increment of 0")
    else if (!this.window.increase(increment)) {
      this.fail(new ConnectionViolation(Code.FlowControlError, "RFC 9113 §6.9.1: a window above 2^31-1"))
    }
  }

  /** After whatever may have ended the last stream. */
  private settle(): void {
    if (this.streams.count > 0 || this.phase === "closed") return
    if (this.phase !== "draining" || !this.control.isDrained) {
      this.lifetime.idle()
      return
    }
    // RFC 9113 §6.8: "SHOULD send a GOAWAY frame" before it closes; the peer's own says nothing of this side.
    if (this.control.goAway.sending._tag !== "Final") this.control.farewell(Code.NoError, "")
    this.shut()
  }

  /** Nothing is sent behind this; the peer has some time to close its side. */
  private shut(peer: "open" | "ended" = "open"): void {
    this.phase = "closed"
    this.decoder.stop()
    this.control.stop()
    this.output.end()
    this.lifetime.close(peer)
  }

  /** Behind the end of this side: a peer that has heard of it has no more on its way than its window. */
  private discard(byteCount: number): void {
    this.discardedBytes += byteCount
    if (this.discardedBytes > this.limits.connectionWindowBytes) this.output.abort()
  }

  /** What the parts of the connection have been waiting for. */
  private expire(): void {
    const { headMillis } = this.limits
    this.control.advance()
    this.watch.advance()
    if (this.nowMillis >= this.receiver.blockMillis + headMillis) this.control.late(headMillis)
    this.settle()
  }

  private rearm(): void {
    this.lifetime.rearm(
      Math.min(this.control.dueMillis, this.watch.dueMillis, this.receiver.blockMillis + this.limits.headMillis)
    )
  }

  private violate(detail: string): void {
    this.fail(new ConnectionViolation(Code.ProtocolError, detail))
  }
}

const { Continuation, Data, Headers, RstStream, Settings, WindowUpdate } = Frame.type

/** RFC 9113 §6.9.2: until SETTINGS say something else; of the connection for good. */
const initialWindowBytes = 65_535
/** RFC 9113 §6.5.2: what a client may assume before it knows; "no smaller than 100" is recommended. */
const assumedStreamCount = 100
/** RFC 9113 §6.2: stream dependency and weight, which are ignored (§5.3.2). */
const priorityBytes = 5

const read32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
