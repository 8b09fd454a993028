/**
 * What a call fails with on its client's side: reasons of the connection below
 * it, as statuses of gRPC. Who is at fault, and whether the call can be made
 * again, stays as it was.
 *
 * @internal
 * @since 0.1.0
 */
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import type * as Http2ClientError from "../../session/Http2ClientError.ts"
import type { Failure } from "./GrpcConnector.ts"

/** @category constructors */
export const of = (failure: Failure): GrpcError.GrpcError =>
  failure instanceof GrpcError.GrpcError ? failure : ofReason(failure)

/** The time of a call is over. `retry`: whether it was sent. @category constructors */
export const expired = (retry: GrpcError.RetrySafety): GrpcError.GrpcError =>
  GrpcError.deadlineExceeded("the time of the call is over", { fault: "limit", retry })

/** The stream of requests failed, which the caller is told of by that. @category constructors */
export const requestsFailed = (cause: unknown): GrpcError.GrpcError =>
  GrpcError.cancelled("the requests of the call failed", { fault: "caller", cause })

const ofReason = (reason: Http2ClientError.Reason): GrpcError.GrpcError => {
  switch (reason._tag) {
    // gRPC over HTTP/2, "Errors": the table of error codes.
    case "ResetByServer":
      return GrpcError.fromReset(reason.errorCode, "response")
    case "RefusedByServer":
      return reason.by === "reset"
        ? GrpcError.fromReset(reason.errorCode, "nothing")
        : as(GrpcError.unavailable, reason)
    case "InvalidRequest":
    case "InvalidResponse":
      return as(GrpcError.internal, reason)
    case "ResponseTooLarge":
    case "TooManyWaiting":
      return as(GrpcError.resourceExhausted, reason)
    case "Cancelled":
    case "RequestBodyFailed":
      return as(GrpcError.cancelled, reason)
    case "ResponseTimeout":
      return as(GrpcError.deadlineExceeded, reason)
    // The call as such can be made: elsewhere, or later.
    case "ConnectionLost":
    case "ConnectionViolated":
    case "GoneAway":
    case "Http2NotAgreed":
    case "IdleTimeout":
    case "SessionClosed":
    case "Stalled":
    case "WaitTimeout":
      return as(GrpcError.unavailable, reason)
  }
}

const as = (status: typeof GrpcError.unavailable, reason: Http2ClientError.Reason): GrpcError.GrpcError =>
  status(reason.message, { fault: reason.fault, retry: reason.retry, cause: reason })
