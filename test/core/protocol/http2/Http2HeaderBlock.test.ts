import { assert, describe, it } from "@effect/vitest"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import { BudgetSpent, ConnectionViolation } from "@sluice/core/protocol/http2/Http2Error"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import { Http2RequestHead, Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"
import { Http2HeaderBlock, type Kind, type Options } from "@sluice/core/protocol/http2/Http2HeaderBlock"
import * as Chunkings from "../../../harness/Chunkings.ts"
import { hex } from "../../../harness/Hex.ts"

type Lines = ReadonlyArray<readonly [name: string, value: string]>

const options: Options = {
  maxListBytes: 400,
  maxBlockBytes: 1000,
  fieldCount: 4,
  continuationCount: 1000,
  connectProtocol: false
}

const encode = (lines: Lines, encoder = new HpackEncoder()): Uint8Array => {
  const block = new HpackBlock()
  encoder.begin(block)
  for (const [name, value] of lines) encoder.encode(block, name, value)
  return block.copy(0)
}

/** The pieces of one block, the first in HEADERS and the others in CONTINUATION. */
const feed = (block: Http2HeaderBlock, kind: Kind, pieces: ReadonlyArray<Uint8Array>) => {
  block.begin(kind)
  for (const [index, piece] of pieces.entries()) {
    // Within a larger chunk, as frames are.
    const chunk = new Uint8Array(piece.length + 4)
    chunk.set(piece, 3)
    const violation = block.receive(chunk, 3, 3 + piece.length, index > 0)
    if (violation !== undefined) return violation
  }
  return block.end()
}

const show = (result: ReturnType<typeof feed>): string => {
  if (result instanceof Http2RequestHead) return `${result.method} ${result.path} ${result.authority} ${result.list}`
  if (result instanceof Http2ResponseHead) return `${result.status} ${result.list}`
  if (result instanceof Http2Fields) return `${result.list}`
  return result === undefined ? "nothing" : `${result._tag}: ${result.message}`
}

const get: Lines = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/"],
  [":authority", "a"]
]
const long = (length: number): Lines => [["x", "y".repeat(length)]]

describe("a block, however it is cut", () => {
  const rows: ReadonlyArray<readonly [name: string, kind: Kind, block: Uint8Array, result: string]> = [
    ["a request", "request", encode([...get, ["b", "c"]]), "GET / a b,c"],
    [
      "a response",
      "response",
      encode([
        [":status", "404"],
        ["b", "c"]
      ]),
      "404 b,c"
    ],
    [
      "trailers",
      "trailers",
      encode([
        ["b", "c"],
        ["d", ""]
      ]),
      "b,c,d,"
    ],
    ["an empty section of trailers", "trailers", encode([]), ""],
    ["one that is discarded", "discarded", encode([["B", "\0"]]), "nothing"],
    ["one that is discarded and too large", "discarded", encode(long(500)), "nothing"],
    [
      "RFC 9113 §8.1.1: a malformed one",
      "request",
      encode([...get, ["B", "c"]]),
      "MalformedMessage: a field name is no token in lower case"
    ],
    ["RFC 9113 §8.3.1: an incomplete one", "request", encode(get.slice(1)), "MalformedMessage: :method is missing"],
    [
      "RFC 9113 §8.3: pseudo-header fields in trailers",
      "trailers",
      encode(get),
      "MalformedMessage: a pseudo-header field in trailers"
    ],
    [
      "RFC 9113 §6.5.2: a list above the limit",
      "request",
      encode([...get, ...long(400)]),
      "FieldSectionTooLarge: the header section is above the limit of 400 bytes"
    ],
    [
      "a malformed one above the limit",
      "request",
      encode([...get, ["B", ""], ...long(400)]),
      "MalformedMessage: a field name is no token in lower case"
    ],
    [
      "one that is malformed twice",
      "trailers",
      encode([
        ["a", "\0"],
        ["B", ""],
        ["c", "d"]
      ]),
      "MalformedMessage: a control character in a field value"
    ],
    [
      "as many fields as may be",
      "request",
      encode([...get, ["a", ""], ["b", ""], ["c", ""], ["d", ""]]),
      "GET / a a,,b,,c,,d,"
    ],
    [
      "more fields",
      "request",
      encode([...get, ["a", ""], ["b", ""], ["c", ""], ["d", ""], ["e", ""]]),
      "FieldSectionTooLarge: the header section is above the limit of 4 fields"
    ],
    [
      "RFC 9113 §4.3: an index that is not known",
      "request",
      hex("c5"),
      "ConnectionViolation: COMPRESSION_ERROR: RFC 7541 §2.3.3: an index is 0, or above the entries of both tables"
    ],
    [
      "RFC 9113 §4.3: one cut off",
      "discarded",
      hex("40 05 'ab'"),
      "ConnectionViolation: COMPRESSION_ERROR: RFC 9113 §4.3: the header block ends within a field"
    ],
    ["one far above the limit", "discarded", encode([...long(600), ...long(600)]), "BudgetSpent: too many headerBlock"]
  ]
  for (const [name, kind, bytes, expected] of rows) {
    it(name, () => {
      for (const pieces of Chunkings.everySplit(bytes)) {
        const block = new Http2HeaderBlock(options)
        assert.strictEqual(show(feed(block, kind, pieces)), expected, Chunkings.show(pieces))
      }
    })
  }
})

it("RFC 9113 §4.3: the tables stay in step behind blocks that were discarded or refused", () => {
  const encoder = new HpackEncoder()
  const block = new Http2HeaderBlock(options)
  const send = (kind: Kind, lines: Lines) => show(feed(block, kind, [encode(lines, encoder)]))
  assert.strictEqual(send("discarded", [["a", "1"]]), "nothing")
  assert.strictEqual(send("request", [...get, ["B", ""], ["b", "2"]]).split(":")[0], "MalformedMessage")
  assert.strictEqual(send("trailers", [...long(400), ["c", "3"]]).split(":")[0], "FieldSectionTooLarge")
  // These are indices by now.
  const lines: Lines = [...get, ["a", "1"], ["b", "2"], ["c", "3"]]
  assert.isBelow(encode(lines, encoder).length, 12)
  assert.strictEqual(send("request", lines), "GET / a a,1,b,2,c,3")
})

it("CVE-2024-27316: CONTINUATION frames are counted, a block at a time", () => {
  const block = new Http2HeaderBlock({ ...options, continuationCount: 2 })
  const pieces = [encode(get), new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)]
  for (let round = 0; round < 3; round++)
    assert.instanceOf(feed(block, "request", pieces.slice(0, 3)), Http2RequestHead)
  const result = feed(block, "request", pieces)
  assert.instanceOf(result, BudgetSpent)
  assert.strictEqual(show(result), "BudgetSpent: too many continuation")
})

it("RFC 9113 §6.10: a block is open from its first frame to its last", () => {
  const block = new Http2HeaderBlock(options)
  assert.isFalse(block.isOpen)
  block.begin("request")
  assert.isTrue(block.isOpen)
  block.receive(encode(get), 0, 2, false)
  assert.isTrue(block.isOpen)
  block.end()
  assert.isFalse(block.isOpen)
})

it("a field that is cut waits, and is counted", () => {
  const block = new Http2HeaderBlock(options)
  block.begin("trailers")
  block.receive(hex("40 05 'ab'"), 0, 4, false)
  assert.strictEqual(block.waitingBytes, 4)
})

it("RFC 7541 §4.2: a lower table size that was acknowledged must be answered", () => {
  const block = new Http2HeaderBlock(options)
  block.setMaxTableBytes(0)
  assert.instanceOf(feed(block, "request", [encode(get)]), ConnectionViolation)
  const other = new Http2HeaderBlock(options)
  other.setMaxTableBytes(0)
  const encoder = new HpackEncoder()
  encoder.setPeerMaxTableBytes(0)
  assert.instanceOf(feed(other, "request", [encode(get, encoder)]), Http2RequestHead)
})

it("heads are not shared: each block makes its own", () => {
  const block = new Http2HeaderBlock(options)
  const first = feed(block, "request", [encode([...get, ["a", "1"]])])
  const second = feed(block, "request", [encode(get)])
  assert.strictEqual(show(first), "GET / a a,1")
  assert.strictEqual(show(second), "GET / a ")
})

it("the default limit of a block is that of its decoder", () => {
  const block = new Http2HeaderBlock({ ...options, maxBlockBytes: undefined })
  const lines: Lines = [["x", "y".repeat(60_000)]]
  assert.strictEqual(show(feed(block, "discarded", [encode(lines)])), "nothing")
})
