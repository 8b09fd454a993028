import { assert, describe, it } from "@effect/vitest"
import * as Http2Error from "@sluice/core/protocol/http2/Http2Error"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import * as Http2ClientError from "@sluice/core/session/Http2ClientError"
import * as TransportError from "@sluice/core/transport/TransportError"

type Failure = Http2Error.StreamFailure

const violation = new Http2Error.ConnectionViolation(Code.ProtocolError, "no")

describe("what ended a stream", () => {
  // [the engine's reason, the tag, who is at fault, whether it can be sent again]
  const rows: ReadonlyArray<readonly [rule: string, failure: Failure, tag: string, fault: string, retry: string]> = [
    [
      "RFC 9113 §8.7: REFUSED_STREAM can be sent again",
      new Http2Error.PeerReset(Code.RefusedStream),
      "RefusedByServer",
      "peer",
      "RefusedByServer"
    ],
    [
      "RFC 9113 §8.7: above the last stream of a GOAWAY, too",
      new Http2Error.Unprocessed(Code.NoError),
      "RefusedByServer",
      "peer",
      "RefusedByServer"
    ],
    ["another code cannot", new Http2Error.PeerReset(Code.Cancel), "ResetByServer", "peer", "MaybeProcessed"],
    ["a rule of the stream", new Http2Error.StreamViolation(1, "x"), "InvalidResponse", "peer", "MaybeProcessed"],
    ["a rule of HTTP", new Http2Error.MalformedMessage("x"), "InvalidResponse", "peer", "MaybeProcessed"],
    ["a large head", new Http2Error.FieldSectionTooLarge(9, "fields"), "ResponseTooLarge", "limit", "MaybeProcessed"],
    ["a large body", new Http2Error.BodyTooLarge(9), "ResponseTooLarge", "limit", "MaybeProcessed"],
    ["a pause of the response", new Http2Error.BodyTimeout(9), "Stalled", "limit", "MaybeProcessed"],
    ["a pause of the request", new Http2Error.StreamStalled(9), "Stalled", "limit", "MaybeProcessed"],
    ["our reset", new Http2Error.LocalReset(Code.Cancel), "Cancelled", "caller", "MaybeProcessed"],
    ["the connection", new Http2Error.ConnectionLost(undefined), "ConnectionLost", "transport", "MaybeProcessed"],
    [
      "the connection by a violation",
      new Http2Error.ConnectionLost(violation),
      "ConnectionViolated",
      "peer",
      "MaybeProcessed"
    ],
    [
      "the connection by a limit",
      new Http2Error.ConnectionLost(new Http2Error.BudgetSpent("pings")),
      "ConnectionViolated",
      "limit",
      "MaybeProcessed"
    ]
  ]
  for (const [rule, failure, _tag, fault, retry] of rows) {
    it(rule, () => {
      const reason = Http2ClientError.ofFailure(failure, "nothing")
      const { _tag: tag, fault: by, retry: again } = reason
      assert.deepStrictEqual([tag, by, again], [_tag, fault, retry])
      assert.strictEqual(Http2ClientError.make(reason).message, reason.message)
      assert.notStrictEqual(reason.message, "")
    })
  }

  it("a server that has answered is not believed that it has not looked", () => {
    for (const failure of [new Http2Error.PeerReset(Code.RefusedStream), new Http2Error.Unprocessed(Code.NoError)]) {
      assert.strictEqual(Http2ClientError.ofFailure(failure, "response").retry, "MaybeProcessed")
    }
  })

  it("says which side came to a halt, and which part was too large", () => {
    const of = (failure: Failure) => Http2ClientError.ofFailure(failure, "nothing")
    assert.deepInclude(of(new Http2Error.BodyTimeout(9)), { side: "response", limitMillis: 9 })
    assert.deepInclude(of(new Http2Error.StreamStalled(9)), { side: "request", limitMillis: 9 })
    assert.deepInclude(of(new Http2Error.BodyTooLarge(9)), { part: "body", limit: 9, unit: "bytes" })
    assert.deepInclude(of(new Http2Error.FieldSectionTooLarge(9, "fields")), { part: "head", limit: 9, unit: "fields" })
  })
})

describe("what was not sent", () => {
  const lost = TransportError.make(new TransportError.ConnectionLost("ECONNRESET"))
  const rows: ReadonlyArray<Http2ClientError.Ended> = [
    new Http2ClientError.SessionClosed("MaybeProcessed"),
    new Http2ClientError.GoneAway(Code.NoError, "bye"),
    new Http2ClientError.IdleTimeout(9),
    new Http2ClientError.ConnectionLost("MaybeProcessed", lost),
    new Http2ClientError.ConnectionViolated("MaybeProcessed", violation)
  ]
  for (const ended of rows) {
    it(`can be sent again: ${ended._tag}`, () => {
      const { _tag, fault, message } = ended
      assert.deepInclude(Http2ClientError.unsent(ended), { _tag, fault, message, retry: "NotSent" } as never)
    })
  }
})

describe("what its maker knows", () => {
  const rows: ReadonlyArray<readonly [Http2ClientError.Reason, fault: string, retry: string, message: RegExp]> = [
    [new Http2ClientError.InvalidRequest("NotSent", "why"), "caller", "NotSent", /why/],
    [new Http2ClientError.RequestBodyFailed("why"), "caller", "MaybeProcessed", /body/],
    [new Http2ClientError.Cancelled("NotSent"), "caller", "NotSent", /cancel/],
    [new Http2ClientError.TooManyWaiting(3), "limit", "NotSent", /3/],
    [new Http2ClientError.WaitTimeout(3), "limit", "NotSent", /3 ms/],
    [new Http2ClientError.GoneAway(Code.EnhanceYourCalm, "why"), "peer", "NotSent", /ENHANCE_YOUR_CALM, why/],
    [new Http2ClientError.Http2NotAgreed("http/1.1"), "peer", "NotSent", /http\/1.1/],
    [new Http2ClientError.Http2NotAgreed(undefined), "peer", "NotSent", /nothing/]
  ]
  for (const [reason, fault, retry, message] of rows) {
    it(reason._tag, () => {
      assert.deepStrictEqual([reason.fault, reason.retry], [fault, retry])
      assert.match(reason.message, message)
    })
  }
})
