/**
 * One request of an HTTP/2 client and its response, as callbacks: from the
 * moment in which it waits for a place to the end of its stream.
 *
 * ```text
 *  Waiting ──▶ Open ──▶ Over        the stream is there from Open on
 *     └───────────────────▲         cancelled, or too late
 * ```
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import type { FieldsInput } from "../protocol/http/HttpField.ts"
import type { Http2Connection } from "../protocol/http2/Http2Connection.ts"
import { type Refusal, StreamEnded } from "../protocol/http2/Http2Error.ts"
import * as Code from "../protocol/http2/Http2ErrorCode.ts"
import type { Http2Fields } from "../protocol/http2/Http2Fields.ts"
import type { RequestParts } from "../protocol/http2/Http2Handler.ts"
import type { Http2ResponseHead } from "../protocol/http2/Http2Head.ts"
import type { Http2Stream } from "../protocol/http2/Http2Stream.ts"
import type { EnginePump } from "./EnginePump.ts"
import * as Http2ClientError from "./Http2ClientError.ts"

/**
 * What whoever made the request hears, synchronously and in order. It must
 * not throw.
 *
 * @category models
 */
export interface Receiver {
  /** A response of 1xx. */
  onInterim?(head: Http2ResponseHead): void
  /** `ended`: it has no body, and `onEnd` follows at once. */
  onHead(head: Http2ResponseHead, ended: boolean): void
  /** A part of the body, never empty. The server may send as much again after `consume`. */
  onData(data: Uint8Array): void
  /** The response is whole. */
  onEnd(trailers: Http2Fields | undefined): void
  /** Its body can be written; the first time, the request is on its way. Only after `isWritable` was `false`. */
  onWritable(): void
  /** Last of all, exactly once. A failure: the response did not become whole. Nothing can be written any more. */
  onClosed(failure: Http2ClientError.Reason | undefined): void
}

/** What a call needs of its session. @category models */
export interface Owner {
  readonly engine: Http2Connection
  readonly pump: EnginePump
  /** The call waits no more. */
  leave(call: Http2Call): void
}

/** A request. @category models */
export interface Request extends RequestParts {
  /** What is sent with it. */
  readonly body?: Uint8Array | string | undefined
  /** `whole`: with that it ends. `open`: more of the body comes by `write`, and ends with `end`. */
  readonly rest: "whole" | "open"
}

/** @category models */
export class Http2Call {
  /** Until it is on its way. */
  request: Request | undefined
  readonly receiver: Receiver
  readonly owner: Owner
  private phase: "waiting" | "open" | "over" = "waiting"
  private stream: Http2Stream | undefined = undefined
  private heard: "nothing" | "response" | "whole" = "nothing"
  /** Handed out by `onData` and not consumed yet. */
  private unreadBytes = 0
  private bodyReader: "none" | "waiting" = "none"

  constructor(request: Request, receiver: Receiver, owner: Owner) {
    this.request = request
    this.receiver = receiver
    this.owner = owner
  }

  /** Whether its body can be written, and is wanted. Where not, `onWritable` or `onClosed` follows. */
  get isWritable(): boolean {
    return this.phase === "open" && this.stream!.isWritable
  }

  get isOver(): boolean {
    return this.phase === "over"
  }

  /** Queues a part of the body, which is not copied. Not before it is on its way. */
  write(data: Uint8Array | string): Refusal | undefined {
    if (this.phase !== "open") return this.refusal()
    const { engine, pump } = this.owner
    const refusal = engine.write(this.stream!, data, pump.now())
    this.sent()
    return refusal
  }

  /** The body ends here. Not before it is on its way. */
  end(trailers: FieldsInput | undefined): Refusal | undefined {
    if (this.phase !== "open") return this.refusal()
    const { engine, pump } = this.owner
    const refusal = engine.end(this.stream!, trailers, pump.now())
    this.sent()
    return refusal
  }

  /** So much of the response was used up. */
  consume(byteCount: number): void {
    const usedBytes = Math.min(byteCount, this.unreadBytes)
    if (usedBytes === 0) return
    this.unreadBytes -= usedBytes
    const { engine, pump } = this.owner
    engine.consume(this.stream!, usedBytes, pump.now())
    // Most of the time the server's window is not worth a frame yet.
    if (engine.output.byteLength > 0) this.sent()
  }

  /** Whether somebody waits for the response's body: only then its pause has a limit. */
  awaitBody(reader: "none" | "waiting"): void {
    if (this.phase !== "open" || reader === this.bodyReader) return
    this.bodyReader = reader
    const { engine, pump } = this.owner
    engine.awaitBody(this.stream!, reader === "waiting", pump.now())
    if (reader === "waiting") pump.wake()
  }

  /** Gives it up: RST_STREAM, where the server knows of it. Nothing for one that is over. */
  reset(errorCode: number): void {
    if (this.phase === "waiting") {
      this.owner.leave(this)
      this.close(new Http2ClientError.Cancelled("NotSent"))
    } else if (this.phase === "open") {
      const { engine, pump } = this.owner
      engine.reset(this.stream!, errorCode, pump.now())
      pump.wake()
    }
  }

  /** Nobody is interested any more: gives it up, and what of the response was not used. */
  release(): void {
    this.reset(Code.Cancel)
    this.consume(this.unreadBytes)
  }

  // What the session calls.

  opened(stream: Http2Stream): void {
    this.phase = "open"
    this.stream = stream
    this.request = undefined
  }

  response(head: Http2ResponseHead, ended: boolean): void {
    this.heard = "response"
    this.receiver.onHead(head, ended)
    if (ended) this.ended(undefined)
  }

  data(data: Uint8Array): void {
    this.unreadBytes += data.length
    this.receiver.onData(data)
  }

  ended(trailers: Http2Fields | undefined): void {
    // A receiver that has given the call up within its head has heard the end of it.
    if (this.phase === "over") return
    this.heard = "whole"
    this.receiver.onEnd(trailers)
  }

  /** What of the response came. */
  get progress(): "nothing" | "response" | "whole" {
    return this.heard
  }

  close(failure: Http2ClientError.Reason | undefined): void {
    if (this.phase === "over") return
    this.phase = "over"
    this.request = undefined
    this.receiver.onClosed(this.heard === "whole" ? undefined : failure)
  }

  /** With others on their way, those who were resumed at the same time are about to send, too. */
  private sent(): void {
    const { engine, pump } = this.owner
    if (engine.streamCount > 1) pump.wakeSoon()
    else pump.wake()
  }

  private refusal(): Refusal {
    if (this.phase === "over") return ended
    throw new Error("the body of a request is written before the request is on its way")
  }
}

const ended = new StreamEnded()
