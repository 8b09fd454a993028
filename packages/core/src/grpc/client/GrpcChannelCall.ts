/**
 * A call that waits in its channel for a connection, or for a place on one,
 * and from then on is the call on that connection.
 *
 * ```text
 *  Waiting ──▶ Sent        all goes to the call on the connection
 *     └──────▶ Over        given up, too late, or no server can be reached
 * ```
 *
 * @internal
 * @since 0.1.0
 */
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import { type Refusal, StreamEnded } from "../../protocol/http2/Http2Error.ts"
import type { Http2Call } from "../../session/Http2Call.ts"
import * as Http2ClientError from "../../session/Http2ClientError.ts"
import type { Attempt, AttemptReceiver, Failure, GrpcStream } from "./GrpcConnector.ts"

/** @category models */
export class GrpcChannelCall implements GrpcStream {
  readonly attempt: Attempt
  readonly receiver: AttemptReceiver
  private readonly leave: (call: GrpcChannelCall) => void
  private state: "waiting" | "over" | Http2Call = "waiting"
  private reader: "none" | "waiting" = "none"

  constructor(attempt: Attempt, receiver: AttemptReceiver, leave: (call: GrpcChannelCall) => void) {
    this.attempt = attempt
    this.receiver = receiver
    this.leave = leave
  }

  get isWritable(): boolean {
    return typeof this.state === "object" && this.state.isWritable
  }

  get isOver(): boolean {
    return typeof this.state === "object" ? this.state.isOver : this.state === "over"
  }

  /** The call on a connection, once it is there. */
  get sent(): Http2Call | undefined {
    return typeof this.state === "object" ? this.state : undefined
  }

  write(data: Uint8Array | string): Refusal | undefined {
    return typeof this.state === "object" ? this.state.write(data) : this.refusal()
  }

  end(trailers: FieldsInput | undefined): Refusal | undefined {
    return typeof this.state === "object" ? this.state.end(trailers) : this.refusal()
  }

  consume(byteCount: number): void {
    this.sent?.consume(byteCount)
  }

  awaitBody(reader: "none" | "waiting"): void {
    this.reader = reader
    this.sent?.awaitBody(reader)
  }

  reset(errorCode: number): void {
    if (typeof this.state === "object") this.state.reset(errorCode)
    else if (this.state === "waiting") {
      this.leave(this)
      this.close(new Http2ClientError.Cancelled("NotSent"))
    }
  }

  release(): void {
    if (typeof this.state === "object") this.state.release()
    else this.reset(0)
  }

  // What the channel calls.

  /** It is on its way. */
  opened(call: Http2Call): void {
    this.state = call
    if (this.reader === "waiting") call.awaitBody("waiting")
    if (this.attempt.rest === "open") this.receiver.onWritable()
  }

  /** It waits no more, and was not sent. */
  close(failure: Failure): void {
    if (this.state !== "waiting") return
    this.state = "over"
    this.receiver.onClosed(failure)
  }

  private refusal(): Refusal {
    if (this.state === "over") return ended
    throw new Error("the body of a call is written before the call is on its way")
  }
}

const ended = new StreamEnded()
