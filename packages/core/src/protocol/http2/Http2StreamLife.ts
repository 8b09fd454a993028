/**
 * How streams end: by both sides, by RST_STREAM, or with the connection. What
 * a stream held is given back here: its place, the connection's window, and
 * the memory of what it had queued.
 *
 * @internal
 * @since 0.1.0
 */
import { budgets } from "./Http2AbuseGuard.ts"
import { LocalReset, PeerReset, type StreamFailure } from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"
import * as FrameEncoder from "./Http2FrameEncoder.ts"
import type { Http2Link } from "./Http2Link.ts"
import { AwaitingHead, AwaitingNothing, type Http2Stream } from "./Http2Stream.ts"
import * as State from "./Http2StreamState.ts"

/** @category models */
export class Http2StreamLife {
  private readonly link: Http2Link

  constructor(link: Http2Link) {
    this.link = link
  }

  /** END_STREAM has left. */
  sentEnd(stream: Http2Stream): void {
    stream.sending = AwaitingNothing
    stream.state = State.step(stream.state, State.SendEnd)
    if (stream.state === State.Closed) this.close(stream, undefined)
    else if (stream.isAbandoned) this.leave(stream)
  }

  /** What comes of the stream's body is dropped from here on; with the end of this side's message, the stream ends. */
  abandon(stream: Http2Stream): void {
    if (this.link.streams.get(stream.id) !== stream || !State.canReceive(stream.state)) return
    stream.isAbandoned = true
    stream.awaitedMillis = Number.POSITIVE_INFINITY
    if (stream.sending === AwaitingNothing) this.leave(stream)
  }

  /** Ends a stream that the peer has spoiled. */
  fail(stream: Http2Stream, failure: StreamFailure): void {
    const spent = this.link.guard.spend(budgets.forcedResets, this.link.nowMillis)
    this.expire(stream, failure)
    if (spent !== undefined) this.link.fail(spent)
  }

  /** Ends a stream because its user wants it. */
  reset(stream: Http2Stream, errorCode: number): void {
    // RFC 9113 §5.1: where both sides have ended it, which its user is just being told, nothing may be sent.
    if (this.link.streams.get(stream.id) !== stream || stream.state === State.Closed) return
    this.resetWith(stream, errorCode, new LocalReset(errorCode))
  }

  /** Ends a stream because a limit is reached: with an answer, where none has begun. */
  expire(stream: Http2Stream, failure: StreamFailure): void {
    const { role } = this.link
    const status = role === "server" && stream.sending === AwaitingHead ? statusOf(failure) : undefined
    if (status !== undefined) this.link.answer(stream.id, status)
    // RFC 9113 §8.1: behind a whole response NO_ERROR asks the client to send no more.
    this.resetWith(stream, status === undefined ? failure.errorCode : Code.NoError, failure)
  }

  /** The peer has ended the stream. */
  peerReset(stream: Http2Stream, errorCode: number): void {
    const isWhole = stream.state === State.HalfClosedRemote && this.link.role === "client"
    stream.state = State.step(stream.state, State.ReceiveReset)
    // RFC 9113 §8.1: "Clients MUST NOT discard responses as a result of receiving such a RST_STREAM".
    this.close(stream, isWhole && errorCode === Code.NoError ? undefined : new PeerReset(errorCode))
  }

  /** All streams, with the connection; or those of this side above `lastId`, which the peer does not process. */
  closeAll(failure: StreamFailure, lastId = -1): void {
    const { streams } = this.link
    for (const stream of [...streams.values()]) {
      if (lastId >= 0 && (stream.id <= lastId || !streams.isLocal(stream.id))) continue
      stream.state = State.ResetSent
      this.close(stream, failure)
    }
  }

  /** The stream is over. The second time it does nothing. */
  close(stream: Http2Stream, failure: StreamFailure | undefined): void {
    const { guard, handler, streams } = this.link
    if (!streams.remove(stream)) return
    if (failure === undefined) guard.streamCompleted()
    stream.sending = AwaitingNothing
    stream.queue = undefined
    stream.queuedBytes = 0
    stream.ending = "open"
    if (stream.unreadBytes > 0) this.used(stream, stream.unreadBytes)
    handler.onClosed(stream, failure)
  }

  /** So much of what came was used up, or is dropped: the connection's window is for others again. */
  used(stream: Http2Stream, byteCount: number): void {
    const { guard, output, window } = this.link
    if (stream.unreadSmallFrames > 0) {
      // In proportion: a stream that always has a little to read is read all the same.
      const readCount = Math.ceil((stream.unreadSmallFrames * byteCount) / stream.unreadBytes)
      stream.unreadSmallFrames -= readCount
      guard.smallDataRead(readCount)
    }
    stream.unreadBytes -= byteCount
    const increment = window.credit(byteCount)
    if (increment > 0) FrameEncoder.windowUpdate(output, 0, increment)
  }

  /** Both sides are done with it, and one of them does not know yet: no failure. */
  private leave(stream: Http2Stream): void {
    FrameEncoder.rstStream(this.link.output, stream.id, Code.NoError)
    stream.state = State.ResetSent
    this.close(stream, undefined)
  }

  private resetWith(stream: Http2Stream, errorCode: number, failure: StreamFailure): void {
    FrameEncoder.rstStream(this.link.output, stream.id, errorCode)
    stream.state = State.ResetSent
    this.close(stream, failure)
  }
}

/** Limits are told as in every version of HTTP. */
const statusOf = (failure: StreamFailure): number | undefined => ("status" in failure ? failure.status : undefined)
