/**
 * Where the attempts of calls are sent: what a channel is to the client above it.
 *
 * It speaks in callbacks, as the sessions below it.
 *
 * @internal
 * @since 0.1.0
 */

import type { GrpcEncodings } from "../../protocol/grpc/GrpcEncoding.ts"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import type { Http2Fields } from "../../protocol/http2/Http2Fields.ts"
import type { Http2ResponseHead } from "../../protocol/http2/Http2Head.ts"
import type { Http2Call } from "../../session/Http2Call.ts"
import type * as Http2ClientError from "../../session/Http2ClientError.ts"
import type { Timers } from "../../session/Timers.ts"

/** One attempt, as it is sent. Scheme and authority are the connection's. @category models */
export interface Attempt {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly headers: FieldsInput
  readonly body: Uint8Array | undefined
  /** As of a request of HTTP/2: `whole` ends with its body, `open` goes on. */
  readonly rest: "whole" | "open"
  /** Whether it waits where no server can be reached, or fails. */
  readonly waitForReady: boolean
  /** The stream of another attempt of the call: where there is a choice, this goes to another server. */
  readonly besides?: GrpcStream | undefined
}

/** What an attempt hears; as `Receiver` of `Http2Call`, and the failures of the channel beside those of a connection. @category models */
export interface AttemptReceiver {
  onHead(head: Http2ResponseHead, ended: boolean): void
  onData(data: Uint8Array): void
  onEnd(trailers: Http2Fields | undefined): void
  /** The first time it is on its way. Only after `isWritable` was `false`. */
  onWritable(): void
  /** Last of all, exactly once, unless `openUnsafe` has said a reason. */
  onClosed(failure: Failure | undefined): void
}

/** Why an attempt failed: a connection's reason, or the channel's error. @category models */
export type Failure = Http2ClientError.Reason | GrpcError

/** An attempt that waits for a connection, is on its way, or is over. @category models */
export type GrpcStream = Pick<
  Http2Call,
  "isWritable" | "isOver" | "write" | "end" | "consume" | "awaitBody" | "reset" | "release"
>

/** @category models */
export interface GrpcConnector {
  readonly timers: Timers
  readonly encodings: GrpcEncodings
  /** Sends an attempt, or has it wait; or says why it does neither, and then `receiver` hears nothing. */
  openUnsafe(attempt: Attempt, receiver: AttemptReceiver): GrpcStream | Failure
}
