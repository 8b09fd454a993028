/**
 * An HTTP/2 connection, in either role: an engine.
 *
 * STUB: the face that sessions see; the engine comes.
 *
 * @since 0.1.0
 */
import type { Engine } from "../Engine.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import type { RequestRefusal, Refusal, StreamFailure, Violation } from "./Http2Error.ts"
import type { Http2Fields } from "./Http2Fields.ts"
import type { Http2RequestHead, Http2ResponseHead } from "./Http2Head.ts"
import { Http2Output } from "./Http2Output.ts"
import type { Resolved } from "./Http2Options.ts"
import type { Http2Settings } from "./Http2Settings.ts"
import type { Http2Stream } from "./Http2Stream.ts"

/**
 * What a session hears, synchronously and in order. For each stream: a head
 * (of a client's: interim responses before it), its data, its end, and
 * `onClosed` last of all, exactly once, also within a command that ends it.
 *
 * @category models
 */
export interface Http2Handler {
  /** A server: a request. `ended`: it has no body, and `onEnd` is not called. */
  onRequest(stream: Http2Stream, head: Http2RequestHead, ended: boolean): void
  /** A client: a response of 1xx. */
  onInterim(stream: Http2Stream, head: Http2ResponseHead): void
  /** A client: the response. `ended`: it has no body, and `onEnd` is not called. */
  onResponse(stream: Http2Stream, head: Http2ResponseHead, ended: boolean): void
  /** A part of the body, never empty: a view of memory that is not used again. The peer gets its window back by `consume`. */
  onData(stream: Http2Stream, data: Uint8Array): void
  /** The body is whole; its length is what was said of it. */
  onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void
  /** The stream is over. Without a failure, both sides have ended it. Nothing can be sent on it any more. */
  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void
  /** A stream that was not writable is again. */
  onWritable(stream: Http2Stream): void
  /** The peer's SETTINGS have come: what it allows has changed. */
  onPeerSettings(settings: Http2Settings): void
  /** RFC 9113 §6.8: the peer takes no new streams. Those above `lastStreamId` end as `Unprocessed`, before this. */
  onGoAway(lastStreamId: number, errorCode: number, debug: string): void
  /** The answer to a `ping` of the user. */
  onPong(roundTripMillis: number): void
  /** The connection is ended by this side; the peer was told. All streams end as `ConnectionLost`, behind this. */
  onViolation(violation: Violation): void
}

/** A whole head, and what follows it. @category models */
export interface RequestParts {
  readonly method: string
  readonly scheme: "http" | "https"
  readonly authority: string
  /** `/path?query`, or `*` for OPTIONS. Not for CONNECT without `protocol`. */
  readonly path: string | undefined
  /** RFC 8441: of an extended CONNECT. */
  readonly protocol?: string | undefined
  readonly headers: FieldsInput
}

/** @category models */
export declare class Http2Connection implements Engine {
  readonly output: Http2Output
  deadlineMillis: number
  /** Streams that are not over. */
  readonly streamCount: number
  /** What the peer allows. */
  readonly peerSettings: Http2Settings
  /** `open`, `draining` (no new streams), or `closed`. */
  readonly phase: "open" | "draining" | "closed"
  /** So much waits for a peer that does not read that it should not be read either. */
  readonly wantsPause: boolean
  /** Whether streams have something that `fill` could move to the output now. */
  readonly hasQueued: boolean

  constructor(role: "server" | "client", handler: Http2Handler, limits: Resolved, nowMillis: number)

  receive(bytes: Uint8Array, nowMillis: number): void
  receiveEnd(nowMillis: number): void
  receiveClose(nowMillis: number): void
  advance(nowMillis: number): void
  resumeSending(nowMillis: number): void
  /** Moves what streams have queued to the output, in turn, up to about 128 KiB. For the pump's `onTurn`: again after a flush, while `hasQueued` and the transport takes more. */
  fill(nowMillis: number): void

  /** A server: a whole response. The body's length is added as `content-length`. */
  respond(stream: Http2Stream, status: number, headers: FieldsInput, body: Uint8Array | string | undefined, nowMillis: number): Refusal | undefined
  /** A server: a response whose body comes by `write` and ends with `end`. */
  beginResponse(stream: Http2Stream, status: number, headers: FieldsInput, nowMillis: number): Refusal | undefined
  /** A server: a response of 1xx. */
  interim(stream: Http2Stream, status: number, headers: FieldsInput, nowMillis: number): Refusal | undefined
  /** A client: a request. `whole` sends `body` and ends; `open` leaves it to `write` and `end`. */
  request(parts: RequestParts, body: Uint8Array | string | undefined, rest: "whole" | "open", owner: unknown, nowMillis: number): Http2Stream | RequestRefusal
  /** Queues a part of the body; the bytes are not copied. */
  write(stream: Http2Stream, data: Uint8Array | string, nowMillis: number): Refusal | undefined
  /** Ends this side, with trailers where there are any. */
  end(stream: Http2Stream, trailers: FieldsInput | undefined, nowMillis: number): Refusal | undefined
  /** Ends the stream with RST_STREAM. What was queued is dropped. Nothing for a stream that is over. */
  reset(stream: Http2Stream, errorCode: number, nowMillis: number): void
  /** So much of `onData` was used up: the peer may send as much again. Also for a stream that is over. */
  consume(stream: Http2Stream, byteCount: number, nowMillis: number): void
  /** Whether somebody waits for the body of the stream: only then its pause has a limit. */
  awaitBody(stream: Http2Stream, awaited: boolean, nowMillis: number): void
  /** The place of a stream that is over stays taken until `release`: for a server whose handler has not ended. */
  retain(stream: Http2Stream): void
  release(stream: Http2Stream, nowMillis: number): void

  /** A PING; its answer comes to `onPong`. */
  ping(nowMillis: number): void
  /** RFC 9113 §6.8: GOAWAY in two steps; streams in flight are finished, then the connection ends. */
  drain(nowMillis: number): void
  /** GOAWAY at once, and the end. */
  close(errorCode: number, debug: string, nowMillis: number): void
}
