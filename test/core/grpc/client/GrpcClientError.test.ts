import { assert, describe, it } from "@effect/vitest"
import * as GrpcClientError from "@sluice/core/grpc/client/GrpcClientError"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import { SettingsTimeout } from "@sluice/core/protocol/http2/Http2Error"
import { EnhanceYourCalm } from "@sluice/core/protocol/http2/Http2ErrorCode"
import * as Http2ClientError from "@sluice/core/session/Http2ClientError"

type Row = readonly [reason: Http2ClientError.Reason, tag: GrpcError.Tag]
type Rows = { readonly [T in Http2ClientError.Reason["_tag"]]: ReadonlyArray<Row> }

/** Every reason: who is at fault and whether the call is safe to make again stay as they are. */
const rows: Rows = {
  InvalidRequest: [[new Http2ClientError.InvalidRequest("NotSent", "a field"), "Internal"]],
  RequestBodyFailed: [[new Http2ClientError.RequestBodyFailed("mine"), "Cancelled"]],
  Cancelled: [
    [new Http2ClientError.Cancelled("NotSent"), "Cancelled"],
    [new Http2ClientError.Cancelled("MaybeProcessed"), "Cancelled"]
  ],
  TooManyWaiting: [[new Http2ClientError.TooManyWaiting(9), "ResourceExhausted"]],
  WaitTimeout: [[new Http2ClientError.WaitTimeout(9), "Unavailable"]],
  RefusedByServer: [
    [new Http2ClientError.RefusedByServer("reset", 7), "Unavailable"],
    [new Http2ClientError.RefusedByServer("goaway", 0), "Unavailable"]
  ],
  ResetByServer: [
    [new Http2ClientError.ResetByServer(8), "Cancelled"],
    [new Http2ClientError.ResetByServer(0), "Internal"],
    [new Http2ClientError.ResetByServer(EnhanceYourCalm), "ResourceExhausted"],
    [new Http2ClientError.ResetByServer(12), "PermissionDenied"],
    [new Http2ClientError.ResetByServer(7), "Unavailable"]
  ],
  InvalidResponse: [[new Http2ClientError.InvalidResponse("a field"), "Internal"]],
  ResponseTooLarge: [[new Http2ClientError.ResponseTooLarge("head", 9, "bytes"), "ResourceExhausted"]],
  Stalled: [[new Http2ClientError.Stalled("request", 9), "Unavailable"]],
  ResponseTimeout: [[new Http2ClientError.ResponseTimeout("MaybeProcessed", 9), "DeadlineExceeded"]],
  Http2NotAgreed: [[new Http2ClientError.Http2NotAgreed("http/1.1"), "Unavailable"]],
  SessionClosed: [[new Http2ClientError.SessionClosed("NotSent"), "Unavailable"]],
  GoneAway: [[new Http2ClientError.GoneAway(0, ""), "Unavailable"]],
  IdleTimeout: [[new Http2ClientError.IdleTimeout(9), "Unavailable"]],
  ConnectionLost: [
    [new Http2ClientError.ConnectionLost("MaybeProcessed", undefined), "Unavailable"],
    [new Http2ClientError.ConnectionLost("NotSent", undefined), "Unavailable"]
  ],
  ConnectionViolated: [
    [new Http2ClientError.ConnectionViolated("MaybeProcessed", new SettingsTimeout(9)), "Unavailable"]
  ]
}

describe("a reason of the connection", () => {
  for (const [reason, tag] of Object.values(rows).flat()) {
    it(`${reason._tag} ${reason.retry}: ${tag}`, () => {
      const { reason: made } = GrpcClientError.of(reason)
      assert.deepStrictEqual([made._tag, made.fault, made.retry], [tag, reason.fault, reason.retry])
    })
  }
})

describe("others", () => {
  it("an error of the channel is that", () => {
    const error = GrpcError.unavailable("no servers")
    assert.strictEqual(GrpcClientError.of(error), error)
  })

  it("the time that is over is a limit", () => {
    const { reason } = GrpcClientError.expired("NotSent")
    assert.deepStrictEqual([reason._tag, reason.fault, reason.retry], ["DeadlineExceeded", "limit", "NotSent"])
  })

  it("requests that failed are the caller's", () => {
    const error = GrpcClientError.requestsFailed("mine")
    assert.deepStrictEqual([error.reason._tag, error.reason.fault, error.cause], ["Cancelled", "caller", "mine"])
  })
})
