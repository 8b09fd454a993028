import { assert, it } from "@effect/vitest"
import * as Http1Error from "@sluice/core/protocol/http1/Http1Error"

it("every violation says who is at fault, what the peer is told, and why", () => {
  const violations: ReadonlyArray<Http1Error.Violation> = [
    new Http1Error.MalformedHead("a"),
    new Http1Error.InvalidHost("a"),
    new Http1Error.InvalidFraming("a"),
    new Http1Error.UnsupportedCoding("gzip"),
    new Http1Error.UnsupportedVersion("2.0"),
    new Http1Error.UnmetExpectation("a"),
    new Http1Error.MalformedChunk("a"),
    new Http1Error.Truncated("interim"),
    new Http1Error.Truncated("nothing"),
    new Http1Error.UnexpectedResponse("a"),
    new Http1Error.StartLineTooLong(1),
    new Http1Error.FieldSectionTooLarge(1, "bytes"),
    new Http1Error.TrailerSectionTooLarge(1, "fields"),
    new Http1Error.ChunkExtensionsTooLarge(1),
    new Http1Error.BodyTooLarge(1),
    new Http1Error.TooManyInterimResponses(1),
    new Http1Error.ReceiveTimeout("head", 1),
    new Http1Error.SendStalled(1)
  ]
  const shown = violations.map((one) => `${one.fault} ${one.status ?? "-"} ${one.message}`)
  assert.deepStrictEqual(shown, [
    "peer 400 a",
    "peer 400 a",
    "peer 400 a",
    "peer 501 the transfer coding gzip is not supported",
    "peer 505 HTTP/2.0 is not supported",
    "peer 417 the expectation a cannot be met",
    "peer 400 a",
    "peer 400 the stream ended in a message of which only interim had come",
    "peer 400 the stream ended before the message began",
    "peer - a",
    "limit 414 the first line is above the limit of 1 bytes",
    "limit 431 the header section is above the limit of 1 bytes",
    "limit 400 the trailer section is above the limit of 1 fields",
    "limit 400 the chunk extensions are above the limit of 1 bytes",
    "limit 413 the body is above the limit of 1 bytes",
    "limit - more than 1 interim responses came",
    "limit 408 the head did not come within 1 ms",
    "limit - the peer took nothing for 1 ms"
  ])
})

it("a refusal is the caller's fault, or a race that was lost", () => {
  const refusals: ReadonlyArray<Http1Error.Refusal> = [
    new Http1Error.InvalidMessage("a"),
    new Http1Error.OutOfOrder("Idle"),
    new Http1Error.ConnectionEnded()
  ]
  assert.deepStrictEqual(
    refusals.map((one) => `${one.fault} ${one.message}`),
    ["caller a", "caller this cannot be sent in the state Idle", "transport the connection is over"]
  )
})
