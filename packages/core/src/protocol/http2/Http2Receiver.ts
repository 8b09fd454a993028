/**
 * The frames of streams as they come: heads, bodies, ends and resets, in the
 * states that the table of streams allows.
 *
 * What is wrong on one stream costs that stream; its frames still go through
 * the compression and the connection's window, which all streams share.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import * as HttpMessage from "../http/HttpMessage.ts"
import { type Budget, budgets, smallDataBytes } from "./Http2AbuseGuard.ts"
import {
  BodyTooLarge,
  ConnectionViolation,
  type FieldSectionTooLarge,
  MalformedMessage,
  type StreamFailure,
  StreamViolation
} from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"
import { Http2Fields } from "./Http2Fields.ts"
import * as Frame from "./Http2Frame.ts"
import * as FrameEncoder from "./Http2FrameEncoder.ts"
import { Http2RequestHead, Http2ResponseHead } from "./Http2Head.ts"
import { Http2HeaderBlock, type Kind } from "./Http2HeaderBlock.ts"
import type { Http2Link } from "./Http2Link.ts"
import type { Http2Sender } from "./Http2Sender.ts"
import { AwaitingBody, AwaitingHead, AwaitingNothing, Http2Stream, unknownLength } from "./Http2Stream.ts"
import type { Http2StreamLife } from "./Http2StreamLife.ts"
import * as State from "./Http2StreamState.ts"
import { forgotten } from "./Http2Streams.ts"

/** What becomes of a block that is discarded: nothing, or RST_STREAM with this. @category models */
type Verdict = "ignored" | StreamFailure | "refused"

/** @category models */
export class Http2Receiver {
  readonly block: Http2HeaderBlock
  /** Since when a header block is open; `Infinity`: none is. */
  blockMillis = Number.POSITIVE_INFINITY
  private readonly link: Http2Link
  private readonly life: Http2StreamLife
  private readonly sender: Http2Sender
  /** Of the block that is open. */
  private blockId = 0
  private blockKind: Kind = "discarded"
  private blockEnds = false
  private verdict: Verdict = "ignored"

  constructor(link: Http2Link, life: Http2StreamLife, sender: Http2Sender) {
    const { fieldCount, frameBytes, headerBytes } = link.limits
    this.link = link
    this.life = life
    this.sender = sender
    this.block = new Http2HeaderBlock({
      maxListBytes: headerBytes,
      fieldCount,
      continuationCount: Math.max(5, Math.ceil((1.25 * headerBytes) / frameBytes)),
      connectProtocol: link.role === "server"
    })
  }

  /** RFC 9113 §6.2; `bytes[start, end)` is the fragment, without padding and priority. */
  onHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.link.streams.get(id)
    this.blockId = id
    this.blockEnds = (flags & Frame.flag.EndStream) !== 0
    this.verdict = "ignored"
    this.blockKind = stream === undefined ? this.kindOfNew(id) : this.kindOf(stream)
    if (this.link.phase === "closed") return
    this.block.begin(this.blockKind)
    this.onFragment(flags, bytes, start, end, false)
  }

  onContinuation(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id !== this.blockId) this.violate(Code.ProtocolError, "RFC 9113 §6.10: CONTINUATION of another stream")
    else this.onFragment(flags, bytes, start, end, true)
  }

  /** RFC 9113 §6.1. `frameBytes` counts the padding, and was taken from the connection's window. */
  onData(flags: number, id: number, bytes: Uint8Array, start: number, end: number, frameBytes: number): void {
    const { streams } = this.link
    const stream = streams.get(id)
    if (stream === undefined) {
      this.onStray(id, frameBytes, end - start)
      return
    }
    const step = State.step(stream.state, State.ReceiveData)
    if (!State.isState(step)) {
      this.giveBack(frameBytes)
      this.onWrongStep(stream, step)
      return
    }
    const dataBytes = end - start
    const paddingBytes = frameBytes - dataBytes
    stream.unreadBytes += dataBytes
    // Padding is used up as it comes; nobody has read anything by that.
    if (paddingBytes > 0) this.giveBack(paddingBytes)
    if (!stream.receive(frameBytes)) {
      this.life.fail(stream, new StreamViolation(Code.FlowControlError, "DATA above the stream's window"))
      return
    }
    if (paddingBytes > 0) this.credit(stream, paddingBytes)
    const failure = this.bodyFailure(stream, dataBytes)
    if (failure !== undefined) {
      this.life.fail(stream, failure)
      return
    }
    const ends = (flags & Frame.flag.EndStream) !== 0
    if (dataBytes > 0) this.onContent(stream, bytes, start, end)
    else if (!ends) this.spend(budgets.emptyFrames)
    if (ends && streams.get(id) === stream) this.onEnd(stream, undefined)
  }

  /** RFC 9113 §6.4. */
  onRstStream(id: number, errorCode: number): void {
    const { role, streams } = this.link
    const stream = streams.get(id)
    if (stream === undefined) {
      const state = streams.stateOf(id)
      if (state === State.Idle) this.violate(Code.ProtocolError, "RFC 9113 §6.4: RST_STREAM of an idle stream")
      else this.spend(budgets.unknown)
      return
    }
    const isCounted = role === "server" && stream.sending !== AwaitingNothing
    if (!isCounted || this.spend(budgets.resets)) this.life.peerReset(stream, errorCode)
  }

  /** RFC 9113 §6.9, of a stream. */
  onWindowUpdate(id: number, increment: number): void {
    const { streams } = this.link
    const stream = streams.get(id)
    if (stream === undefined) {
      const state = streams.stateOf(id)
      if (state === State.Idle) this.violate(Code.ProtocolError, "RFC 9113 §5.1: WINDOW_UPDATE of an idle stream")
      return
    }
    if (increment === 0) {
      this.life.fail(stream, new StreamViolation(Code.ProtocolError, "RFC 9113 §6.9: an increment of 0"))
    } else if (!stream.increase(increment)) {
      this.life.fail(stream, new StreamViolation(Code.FlowControlError, "RFC 9113 §6.9.1: a window above 2^31-1"))
    } else this.sender.queue.enqueue(stream)
  }

  /** So much of a stream was used up: its window and the connection's open again. */
  consume(stream: Http2Stream, byteCount: number): void {
    if (this.link.streams.get(stream.id) !== stream || byteCount === 0) return
    this.life.used(stream, byteCount)
    this.credit(stream, byteCount)
  }

  private credit(stream: Http2Stream, byteCount: number): void {
    // Nothing more comes behind the end.
    if (!State.canReceive(stream.state)) return
    const increment = stream.credit(byteCount)
    if (increment > 0) FrameEncoder.windowUpdate(this.link.output, stream.id, increment)
  }

  private onContent(stream: Http2Stream, bytes: Uint8Array, start: number, end: number): void {
    const dataBytes = end - start
    if (stream.isAbandoned) {
      this.life.used(stream, dataBytes)
      return
    }
    if (dataBytes < smallDataBytes) {
      stream.unreadSmallFrames++
      const spent = this.link.guard.smallDataWaits()
      if (spent !== undefined) {
        this.link.fail(spent)
        return
      }
    }
    if (stream.awaitedMillis !== Number.POSITIVE_INFINITY) stream.awaitedMillis = this.link.nowMillis
    this.link.handler.onData(stream, bytes.subarray(start, end))
  }

  private onFragment(flags: number, bytes: Uint8Array, start: number, end: number, isContinuation: boolean): void {
    const { limits, nowMillis } = this.link
    const violation = this.block.receive(bytes, start, end, isContinuation)
    if (violation !== undefined) {
      this.link.fail(violation)
      return
    }
    if ((flags & Frame.flag.EndHeaders) === 0) {
      if (start === end && !this.spend(budgets.emptyFrames)) return
      if (this.blockMillis === Number.POSITIVE_INFINITY) {
        this.blockMillis = nowMillis
        this.link.arm(nowMillis + limits.headMillis)
      }
      return
    }
    this.blockMillis = Number.POSITIVE_INFINITY
    const section = this.block.end()
    if (section === undefined) this.onDiscarded()
    else if (section instanceof Http2RequestHead) this.onRequest(section)
    else if (section instanceof Http2ResponseHead) this.onResponse(section)
    else if (section instanceof Http2Fields) this.onTrailers(section)
    else if (section._tag === "MalformedMessage" || section._tag === "FieldSectionTooLarge") this.onSpoiled(section)
    else this.link.fail(section)
  }

  /** What HEADERS of a stream that is not there are. */
  private kindOfNew(id: number): Kind {
    const { limits, role, streams } = this.link
    const state = streams.stateOf(id)
    if (state === State.Idle && role === "server" && !streams.isLocal(id)) {
      if (!this.link.accepts(id)) {
        streams.refuse(id)
        return "discarded"
      }
      if (streams.placeCount < limits.streamCount) return "request"
      this.verdict = "refused"
      return "discarded"
    }
    if (state === State.Closed) this.violate(Code.StreamClosed, "RFC 9113 §5.1: HEADERS of a closed stream")
    else if (state === State.Idle || (state === forgotten && !streams.isLocal(id))) {
      this.violate(Code.ProtocolError, "RFC 9113 §5.1.1: HEADERS of a stream that cannot be opened")
    }
    return "discarded"
  }

  private kindOf(stream: Http2Stream): Kind {
    const step = State.step(stream.state, State.ReceiveHeaders)
    if (stream.tunnel === "open") {
      this.verdict = new StreamViolation(Code.ProtocolError, "RFC 9113 §8.5: HEADERS on a connected stream")
      return "discarded"
    }
    if (!State.isState(step)) {
      this.verdict = new StreamViolation(Code.StreamClosed, "RFC 9113 §5.1: HEADERS behind END_STREAM")
      return "discarded"
    }
    return stream.receiving === AwaitingHead ? "response" : "trailers"
  }

  private onRequest(head: Http2RequestHead): void {
    const { guard, handler, limits, peerSettings, streams } = this.link
    const { blockEnds: ends, blockId: id } = this
    if (ends && head.lengthBytes !== undefined && head.lengthBytes > 0) {
      this.onSpoiled(new MalformedMessage("RFC 9113 §8.1.1: Content-Length, and no content"))
      return
    }
    const stream = new Http2Stream(
      id,
      ends ? State.HalfClosedRemote : State.Open,
      peerSettings.initialWindowBytes,
      this.link.receiveSize,
      limits.sendBufferBytes
    )
    stream.receiving = AwaitingBody
    stream.bodiless = head.method === "HEAD"
    if (head.method === "CONNECT") stream.tunnel = "asked"
    if (head.lengthBytes !== undefined) stream.expectedBytes = head.lengthBytes
    if (streams.count === 0) this.link.onFirstStream()
    streams.add(stream)
    guard.streamOpened()
    if (ends) head.expectsContinue = false
    handler.onRequest(stream, head, ends)
  }

  private onResponse(head: Http2ResponseHead): void {
    const { handler, streams } = this.link
    const stream = streams.get(this.blockId)
    if (stream === undefined) return
    const ends = this.blockEnds
    if (HttpMessage.isInterim(head.status)) {
      if (ends) this.life.fail(stream, new MalformedMessage("RFC 9113 §8.1: an interim response ends the stream"))
      else if (++stream.interimCount > maxInterimCount) {
        this.life.fail(stream, new StreamViolation(Code.EnhanceYourCalm, "too many interim responses"))
      } else handler.onInterim(stream, head)
      return
    }
    stream.receiving = AwaitingBody
    if (stream.isHead || HttpMessage.isBodiless("GET", head.status)) stream.expectedBytes = 0
    else if (stream.tunnel === "asked" && head.status < 300) stream.tunnel = "open"
    // RFC 9110 §9.3.6: in the answer that opens a tunnel "a client MUST ignore any Content-Length".
    else stream.expectedBytes = head.lengthBytes ?? unknownLength
    if (!ends) {
      handler.onResponse(stream, head, false)
    } else if (stream.expectedBytes > 0) {
      this.life.fail(stream, new MalformedMessage("RFC 9113 §8.1.1: Content-Length, and no content"))
    } else {
      stream.state = State.step(stream.state, State.ReceiveEnd)
      handler.onResponse(stream, head, true)
      if (stream.state === State.Closed) this.life.close(stream, undefined)
    }
  }

  private onTrailers(fields: Http2Fields): void {
    const stream = this.link.streams.get(this.blockId)
    if (stream === undefined) return
    if (this.blockEnds) this.onEnd(stream, fields)
    else this.life.fail(stream, new MalformedMessage("RFC 9113 §8.1: trailers without END_STREAM"))
  }

  /** The peer's side has ended. */
  private onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void {
    if (stream.expectedBytes !== unknownLength && stream.receivedBytes !== stream.expectedBytes) {
      this.life.fail(stream, new MalformedMessage("RFC 9113 §8.1.1: the content is shorter than Content-Length"))
      return
    }
    stream.state = State.step(stream.state, State.ReceiveEnd)
    stream.awaitedMillis = Number.POSITIVE_INFINITY
    this.link.handler.onEnd(stream, trailers)
    if (stream.state === State.Closed) this.life.close(stream, undefined)
  }

  /** The section was whole, and no message. */
  private onSpoiled(failure: MalformedMessage | FieldSectionTooLarge): void {
    const { output, streams } = this.link
    const stream = streams.get(this.blockId)
    if (stream !== undefined) {
      this.life.fail(stream, failure)
      return
    }
    const isAnswered = failure._tag === "FieldSectionTooLarge"
    if (isAnswered) this.sender.answer(this.blockId, failure.status)
    // RFC 9113 §8.1: "requesting that the client not send … with an error code of NO_ERROR".
    if (!isAnswered) FrameEncoder.rstStream(output, this.blockId, failure.errorCode)
    else if (!this.blockEnds) FrameEncoder.rstStream(output, this.blockId, Code.NoError)
    streams.refuse(this.blockId)
    // To decode what is above every limit is the dearest of all.
    this.spend(budgets.forcedResets, 1 + Math.floor(this.block.listBytes / listUnitBytes))
  }

  /** A block that went through the compression, and is of no use. */
  private onDiscarded(): void {
    const { output, streams } = this.link
    const { blockId, verdict } = this
    if (verdict === "ignored") {
      this.spend(budgets.unknown)
      return
    }
    if (verdict !== "refused") {
      const stream = streams.get(blockId)
      if (stream !== undefined) this.life.fail(stream, verdict)
      return
    }
    FrameEncoder.rstStream(output, blockId, Code.RefusedStream)
    streams.refuse(blockId)
    // Before it knows the limit, a client cannot keep to it; afterwards it knows nothing of handlers that still run.
    if (!this.link.isSynchronised) return
    this.spend(streams.count < this.link.limits.streamCount ? budgets.resets : budgets.forcedResets)
  }

  /** DATA of a stream that is not there. */
  private onStray(id: number, frameBytes: number, dataBytes: number): void {
    this.giveBack(frameBytes)
    const state = this.link.streams.stateOf(id)
    if (state === State.Idle) this.violate(Code.ProtocolError, "RFC 9113 §5.1: DATA of an idle stream")
    else if (state === State.Closed) this.violate(Code.StreamClosed, "RFC 9113 §5.1: DATA of a closed stream")
    // Others were on their way when this side reset the stream: no more than its window.
    else if (dataBytes === 0) this.spend(budgets.unknown)
  }

  private onWrongStep(stream: Http2Stream, step: number): void {
    if (step === State.StreamClosed) {
      this.life.fail(stream, new StreamViolation(Code.StreamClosed, "RFC 9113 §5.1: DATA behind END_STREAM"))
    }
  }

  private bodyFailure(stream: Http2Stream, dataBytes: number): StreamFailure | undefined {
    if (stream.receiving === AwaitingHead) return new MalformedMessage("RFC 9113 §8.1: DATA before HEADERS")
    stream.receivedBytes += dataBytes
    const { expectedBytes, receivedBytes } = stream
    if (expectedBytes !== unknownLength && receivedBytes > expectedBytes) {
      return new MalformedMessage("RFC 9113 §8.1.1: more content than Content-Length says")
    }
    if (stream.bodyLimit === "none") return undefined
    const { bodyBytes } = this.link.limits
    return receivedBytes > bodyBytes ? new BodyTooLarge(bodyBytes) : undefined
  }

  /** What nobody reads is used up at once. */
  private giveBack(byteCount: number): void {
    const increment = this.link.window.credit(byteCount)
    if (increment > 0) FrameEncoder.windowUpdate(this.link.output, 0, increment)
  }

  /** `false`: the budget is spent, and the connection has ended. */
  private spend(budget: Budget, count = 1): boolean {
    const spent = this.link.guard.spend(budget, this.link.nowMillis, count)
    if (spent !== undefined) this.link.fail(spent)
    return spent === undefined
  }

  private violate(errorCode: number, detail: string): void {
    this.link.fail(new ConnectionViolation(errorCode, detail))
  }
}

const maxInterimCount = 32
/** So much of a section that is refused counts as one stream more. */
const listUnitBytes = 16_384
