import { assert, it } from "@effect/vitest"
import * as Http2Error from "@sluice/core/protocol/http2/Http2Error"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"

it("every violation says who is at fault, what the peer is told, and why", () => {
  const violations: ReadonlyArray<Http2Error.Violation> = [
    new Http2Error.ConnectionViolation(Code.FrameSizeError, "a"),
    new Http2Error.BudgetSpent("pings"),
    new Http2Error.SettingsTimeout(1),
    new Http2Error.HeadTimeout(1),
    new Http2Error.KeepaliveTimeout(1),
    new Http2Error.SendStalled(1)
  ]
  assert.deepStrictEqual(
    violations.map((one) => `${one._tag}: ${one.fault} ${Code.nameOf(one.errorCode)} ${one.message}`),
    [
      "ConnectionViolation: peer FRAME_SIZE_ERROR FRAME_SIZE_ERROR: a",
      "BudgetSpent: limit ENHANCE_YOUR_CALM too many pings",
      "SettingsTimeout: peer SETTINGS_TIMEOUT SETTINGS were not acknowledged within 1 ms",
      "HeadTimeout: limit ENHANCE_YOUR_CALM the preface, or a header block, was not complete within 1 ms",
      "KeepaliveTimeout: transport NO_ERROR a PING was not answered within 1 ms",
      "SendStalled: limit NO_ERROR the peer has read nothing for 1 ms"
    ]
  )
})

it("every failure of a stream says the same, with the status of a server's answer", () => {
  const failures: ReadonlyArray<Http2Error.StreamFailure> = [
    new Http2Error.StreamViolation(Code.StreamClosed, "a"),
    new Http2Error.MalformedMessage("a"),
    new Http2Error.FieldSectionTooLarge(1, "fields"),
    new Http2Error.BodyTooLarge(1),
    new Http2Error.BodyTimeout(1),
    new Http2Error.StreamStalled(1),
    new Http2Error.PeerReset(Code.Cancel),
    new Http2Error.LocalReset(Code.RefusedStream),
    new Http2Error.Unprocessed(Code.NoError),
    new Http2Error.ConnectionLost(undefined),
    new Http2Error.ConnectionLost(new Http2Error.SendStalled(1))
  ]
  const shown = failures.map((one) => {
    const status = "status" in one ? one.status : "-"
    return `${one._tag}: ${one.fault} ${Code.nameOf(one.errorCode)} ${status} ${one.message}`
  })
  assert.deepStrictEqual(shown, [
    "StreamViolation: peer STREAM_CLOSED - STREAM_CLOSED: a",
    "MalformedMessage: peer PROTOCOL_ERROR - a",
    "FieldSectionTooLarge: limit ENHANCE_YOUR_CALM 431 the header section is above the limit of 1 fields",
    "BodyTooLarge: limit CANCEL 413 the body is above the limit of 1 bytes",
    "BodyTimeout: limit CANCEL 408 nothing of the body came for 1 ms",
    "StreamStalled: limit CANCEL - the peer's window was shut for 1 ms",
    "PeerReset: peer CANCEL - the peer has reset the stream: CANCEL",
    "LocalReset: caller REFUSED_STREAM - the stream was reset: REFUSED_STREAM",
    "Unprocessed: peer NO_ERROR - the peer has gone away before it processed the stream",
    "ConnectionLost: transport INTERNAL_ERROR - the connection was lost",
    "ConnectionLost: transport INTERNAL_ERROR - the connection has ended: the peer has read nothing for 1 ms"
  ])
})

it("a refusal is the caller's fault, a limit, or a race that was lost", () => {
  const refusals: ReadonlyArray<Http2Error.RequestRefusal> = [
    new Http2Error.StreamEnded(),
    new Http2Error.InvalidMessage("a"),
    new Http2Error.StreamsExhausted(100),
    new Http2Error.GoingAway()
  ]
  assert.deepStrictEqual(
    refusals.map((one) => `${one._tag}: ${one.fault} ${one.message}`),
    [
      "StreamEnded: transport the stream has ended",
      "InvalidMessage: caller a",
      "StreamsExhausted: limit the peer takes 100 streams at a time",
      "GoingAway: peer the connection takes no new streams"
    ]
  )
})
