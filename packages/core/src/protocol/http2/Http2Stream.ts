/**
 * One stream: its state, its windows, what was said of its body, and what of
 * it waits to be sent. Only the parts of the connection write here; sessions
 * read, and keep what they serve the stream with in `owner`.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @since 0.1.0
 */
import { Http2FlowWindow } from "./Http2FlowWindow.ts"
import type { Http2PreparedFields } from "./Http2PreparedFields.ts"

/** What a stream has not sent yet: its head, its body, or nothing. @category models */
export const AwaitingHead = 0
/** @category models */
export const AwaitingBody = 1
/** @category models */
export const AwaitingNothing = 2

/** Instead of a length that nobody has told. @category models */
export const unknownLength = -1

/** @category models */
export class Http2Stream extends Http2FlowWindow {
  readonly id: number
  /** Of `Http2StreamState`. */
  state: number
  /** Whatever the session serves the stream with. */
  owner: unknown = undefined
  /** How much may wait before its writer should. */
  readonly sendBufferBytes: number

  /** @internal What this side sends next. */
  sending = AwaitingHead
  /** @internal What this side receives next. */
  receiving = AwaitingHead
  /** @internal Whether the message of this side has no content, whatever its fields say (RFC 9110 §6.4.1). */
  bodiless = false
  /** @internal Whether the request is HEAD, so that the response has no content. */
  isHead = false
  /** @internal Whether a CONNECT was received or sent, and answered with 2xx (RFC 9113 §8.5). */
  tunnel: "none" | "asked" | "open" = "none"

  /** @internal The body's length as its sender said it, and what has come of it. */
  expectedBytes = unknownLength
  receivedBytes = 0
  /** @internal Received, and not used up; how many of its frames were small. */
  unreadBytes = 0
  unreadSmallFrames = 0
  /** @internal Whether `bodyBytes` of the limits counts for it. */
  bodyLimit: "limited" | "none" = "limited"
  /** @internal Whether what comes of its body is dropped. */
  isAbandoned = false
  /** @internal Since when somebody waits for more of the body; `Infinity`: nobody does. */
  awaitedMillis = Number.POSITIVE_INFINITY

  /** @internal What this side said of its body's length, and has taken in of it. */
  declaredBytes = unknownLength
  writtenBytes = 0
  /** Bytes of the body that wait to be sent. */
  queuedBytes = 0
  /** @internal The parts that wait, of which `queueStart` bytes of the first have left. */
  queue: Array<Uint8Array> | undefined = undefined
  queueStart = 0
  /** @internal Behind the last byte: nothing yet, the end, or trailers. */
  ending: "open" | "end" | Http2PreparedFields = "open"
  /** @internal The next stream that may send; `queued` while it stands in that line. */
  nextSender: Http2Stream | undefined = undefined
  turn: "none" | "queued" = "none"
  /** @internal When something of its queue has left last, or the queue began. */
  sentMillis = Number.NEGATIVE_INFINITY

  /** @internal Interim responses that have come. */
  interimCount = 0

  /** @internal Whether its place is taken: by the stream, by the handler behind it, or both. */
  place: "stream" | "handler" | "both" | "free" = "stream"

  constructor(id: number, state: number, sendBytes: number, receiveSize: number, sendBufferBytes: number) {
    super(sendBytes, receiveSize)
    this.id = id
    this.state = state
    this.sendBufferBytes = sendBufferBytes
  }

  /** Whether its writer may go on. Where not, `onWritable` follows, or the end of the stream. */
  get isWritable(): boolean {
    return this.queuedBytes < this.sendBufferBytes
  }
}
