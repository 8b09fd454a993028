/**
 * What an HTTP/2 connection tells whoever drives it.
 *
 * @since 0.1.0
 */
import type { FieldsInput } from "../http/HttpField.ts"
import type { StreamFailure, Violation } from "./Http2Error.ts"
import type { Http2Fields } from "./Http2Fields.ts"
import type { Http2RequestHead, Http2ResponseHead } from "./Http2Head.ts"
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

/** The head of a request. @category models */
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
