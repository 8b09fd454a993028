import { assert, describe, it } from "@effect/vitest"
import * as Http1BodyLength from "@sluice/core/protocol/http1/Http1BodyLength"

const shown = (decision: Http1BodyLength.Delimiter | { readonly _tag: string }) =>
  typeof decision === "string" ? decision : decision._tag

it("RFC 9112 §6.3: the whole table", () => {
  const codings = {
    Absent: undefined,
    Chunked: "chunked",
    Layered: "gzip, chunked",
    Unchunked: "gzip",
    Malformed: "a b"
  }
  const rows = Object.entries(codings).map(([name, text]) => {
    const cells = [undefined, 5].flatMap((length) => [
      shown(Http1BodyLength.ofRequest("POST", 1, text, length)),
      shown(Http1BodyLength.ofResponse("POST", 200, 1, text, length))
    ])
    return `${name}: ${cells.join(" ")}`
  })
  assert.deepStrictEqual(rows, [
    "Absent: Empty UntilClose Length Length",
    "Chunked: Chunked Chunked InvalidFraming InvalidFraming",
    "Layered: UnsupportedCoding UnsupportedCoding InvalidFraming InvalidFraming",
    "Unchunked: InvalidFraming UnsupportedCoding InvalidFraming InvalidFraming",
    "Malformed: InvalidFraming InvalidFraming InvalidFraming InvalidFraming"
  ])
  assert.deepStrictEqual(Object.keys(Http1BodyLength.requests), Object.keys(codings))
  assert.deepStrictEqual(Object.keys(Http1BodyLength.responses), Object.keys(codings))
})

describe("what the table does not see", () => {
  const cases: ReadonlyArray<
    readonly [rule: string, actual: ReturnType<typeof Http1BodyLength.ofRequest>, expected: string]
  > = [
    ["RFC 9112 §6.3: a length of 0 is no body", Http1BodyLength.ofRequest("POST", 1, undefined, 0), "Empty"],
    [
      "RFC 9112 §6.1: a coding in HTTP/1.0",
      Http1BodyLength.ofRequest("POST", 0, "chunked", undefined),
      "InvalidFraming"
    ],
    [
      "RFC 9112 §6.1: a coding in an HTTP/1.0 response",
      Http1BodyLength.ofResponse("GET", 200, 0, "chunked", undefined),
      "InvalidFraming"
    ],
    ["RFC 9110 §9.3.6: CONNECT with a length", Http1BodyLength.ofRequest("CONNECT", 1, undefined, 5), "InvalidFraming"],
    ["RFC 9110 §9.3.6: CONNECT", Http1BodyLength.ofRequest("CONNECT", 1, undefined, undefined), "Empty"],
    ["RFC 9112 §6.3 rule 1: HEAD", Http1BodyLength.ofResponse("HEAD", 200, 1, "chunked", 5), "Empty"],
    ["RFC 9112 §6.3 rule 1: 1xx", Http1BodyLength.ofResponse("GET", 103, 1, undefined, 5), "Empty"],
    ["RFC 9112 §6.3 rule 2: a tunnel", Http1BodyLength.ofResponse("CONNECT", 200, 1, "chunked", undefined), "Empty"]
  ]
  for (const [rule, actual, expected] of cases) it(rule, () => assert.strictEqual(shown(actual), expected))
})

it("RFC 9112 §7: Transfer-Encoding is a list of codings", () => {
  const cases: ReadonlyArray<readonly [text: string, coding: Http1BodyLength.Coding]> = [
    ["chunked", "Chunked"],
    ["CHUNKED", "Chunked"],
    ["gzip , chunked", "Layered"],
    ["gzip;q=1, chunked", "Layered"],
    ["gzip", "Unchunked"],
    ["identity", "Unchunked"],
    ["xchunked", "Unchunked"],
    ["chunked, gzip", "Malformed"],
    ["chunked, chunked", "Malformed"],
    ["chunked;a", "Malformed"],
    ["", "Malformed"],
    [",chunked", "Malformed"],
    ["chunked,", "Malformed"],
    ['"chunked"', "Malformed"],
    ["\x0bchunked", "Malformed"]
  ]
  for (const [text, coding] of cases) assert.strictEqual(Http1BodyLength.parseCodings(text), coding, text)
})
