import { assert, describe, it } from "@effect/vitest"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import * as Http2Frame from "@sluice/core/protocol/http2/Http2Frame"
import * as Encoder from "@sluice/core/protocol/http2/Http2FrameEncoder"
import { Http2Output } from "@sluice/core/protocol/http2/Http2Output"
import * as Hex from "../../../harness/Hex.ts"

const sent = (send: (output: Http2Output) => void): Uint8Array => {
  const output = new Http2Output()
  send(output)
  const { byteLength } = output
  const bytes = Hex.concat(output.take())
  assert.strictEqual(bytes.length, byteLength)
  return bytes
}

const repeated = (byteCount: number): Uint8Array => Uint8Array.from({ length: byteCount }, (_, index) => index * 7)
/** A plain frame: the reference. */
const frame = (frameType: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array => {
  const head = new DataView(new ArrayBuffer(9))
  head.setUint32(0, payload.length * 256 + frameType)
  head.setUint8(4, flags)
  head.setUint32(5, streamId)
  return Hex.concat([new Uint8Array(head.buffer), payload])
}
const blockOf = (fields: Uint8Array): HpackBlock => {
  const block = new HpackBlock()
  block.begin(Http2Frame.headBytes)
  block.append(fields)
  return block
}

type Row = readonly [rule: string, send: (output: Http2Output) => void, wire: string]
const rows: ReadonlyArray<Row> = [
  [
    "RFC 9113 §4.1: a head",
    (output) => Encoder.frameHead(output, 0x010203, 0xfe, 0xff, 2 ** 31 - 1),
    "010203 fe ff 7fffffff"
  ],
  ["RFC 9113 §6.5: SETTINGS without a value", (output) => Encoder.settings(output, []), "000000 04 00 00000000"],
  [
    "RFC 9113 §6.5: SETTINGS",
    (output) =>
      Encoder.settings(output, [
        [3, 100],
        [0x0102, 2 ** 32 - 1]
      ]),
    "00000c 04 00 00000000 0003 00000064 0102 ffffffff"
  ],
  ["RFC 9113 §6.5: an acknowledgement", (output) => Encoder.settingsAck(output), "000000 04 01 00000000"],
  [
    "RFC 9113 §6.7: PING",
    (output) => Encoder.ping(output, Hex.hex("ff 'pingpong' ff"), 1, false),
    "000008 06 00 00000000 'pingpong'"
  ],
  [
    "RFC 9113 §6.7: the answer to a PING",
    (output) => Encoder.ping(output, Hex.hex("'pingpong'"), 0, true),
    "000008 06 01 00000000 'pingpong'"
  ],
  [
    "RFC 9113 §6.8: GOAWAY",
    (output) => Encoder.goAway(output, 2 ** 31 - 1, 0xfedcba98, ""),
    "000008 07 00 00000000 7fffffff fedcba98"
  ],
  [
    "RFC 9113 §6.8: GOAWAY with a text",
    (output) => Encoder.goAway(output, 3, 1, "é!"),
    "00000b 07 00 00000000 00000003 00000001 c3a921"
  ],
  [
    "RFC 9113 §6.9: WINDOW_UPDATE of the connection",
    (output) => Encoder.windowUpdate(output, 0, 2 ** 31 - 1),
    "000004 08 00 00000000 7fffffff"
  ],
  [
    "RFC 9113 §6.9: WINDOW_UPDATE of a stream",
    (output) => Encoder.windowUpdate(output, 5, 1),
    "000004 08 00 00000005 00000001"
  ],
  ["RFC 9113 §6.4: RST_STREAM", (output) => Encoder.rstStream(output, 5, 8), "000004 03 00 00000005 00000008"],
  [
    "RFC 9113 §6.2: HEADERS",
    (output) => Encoder.headers(output, 5, blockOf(Hex.hex("8286")), 16_384, false),
    "000002 01 04 00000005 8286"
  ],
  [
    "RFC 9113 §6.2: HEADERS that end the stream",
    (output) => Encoder.headers(output, 5, blockOf(Hex.hex("88")), 16_384, true),
    "000001 01 05 00000005 88"
  ],
  [
    "RFC 9113 §6.2: HEADERS without a field",
    (output) => Encoder.headers(output, 5, blockOf(Hex.hex("")), 16_384, false),
    "000000 01 04 00000005"
  ],
  [
    "RFC 9113 §6.1: DATA",
    (output) => Encoder.data(output, 5, Hex.hex("00010203"), 1, 3, false),
    "000002 00 00 00000005 0102"
  ],
  [
    "RFC 9113 §6.1: DATA without content, which ends the stream",
    (output) => Encoder.data(output, 5, Hex.hex("00"), 1, 1, true),
    "000000 00 01 00000005"
  ],
  ["DATA of a text", (output) => Encoder.dataText(output, 5, "abc", 3, false), "000003 00 00 00000005 616263"],
  ["DATA of an empty text", (output) => Encoder.dataText(output, 5, "", 0, true), "000000 00 01 00000005"]
]

for (const [rule, send, wire] of rows) {
  it(rule, () => assert.strictEqual(Hex.show(sent(send)), Hex.show(Hex.hex(wire))))
}

it("a long text of GOAWAY is cut", () => {
  const bytes = sent((output) => Encoder.goAway(output, 0, 0, "\u20ac".repeat(100_000)))
  assert.strictEqual(Hex.show(bytes.subarray(0, 9)), "00 0c 08 07 00 00 00 00 00")
  assert.strictEqual(bytes.length, 9 + 8 + 3 * 1024)
})

describe("RFC 9113 §6.10: a block above the peer's maximum goes on in CONTINUATION", () => {
  for (const [blockBytes, maxFrameBytes, parts] of [
    [10, 10, 1],
    [11, 10, 2],
    [20, 10, 2],
    [21, 10, 3],
    [500, 7, 72],
    [5000, 2000, 3],
    [16_384, 16_384, 1],
    [16_385, 16_384, 2],
    [100_000, 16_384, 7]
  ] as const) {
    it(`${blockBytes} bytes by ${maxFrameBytes}`, () => {
      const fields = repeated(blockBytes)
      const expected = Array.from({ length: parts }, (_, index) =>
        frame(
          index === 0 ? 1 : 9,
          (index === 0 ? 1 : 0) | (index === parts - 1 ? 4 : 0),
          7,
          fields.subarray(index * maxFrameBytes, (index + 1) * maxFrameBytes)
        )
      )
      const bytes = sent((output) => Encoder.headers(output, 7, blockOf(fields), maxFrameBytes, true))
      assert.deepStrictEqual(bytes, Hex.concat(expected))
    })
  }
})

describe("DATA", () => {
  for (const byteCount of [1, 24, 25, 1024, 1025, 8192, 16_384]) {
    it(`${byteCount} bytes, a part of more`, () => {
      const source = repeated(byteCount + 20)
      const bytes = sent((output) => Encoder.data(output, 1, source, 10, 10 + byteCount, true))
      assert.deepStrictEqual(bytes, frame(0, 1, 1, source.subarray(10, 10 + byteCount)))
    })
  }

  it("a small payload is copied, and comes out with its head", () => {
    const output = new Http2Output()
    const payload = repeated(1024)
    for (let count = 0; count < 40; count++) Encoder.data(output, 1, payload, 0, 1024, false)
    payload.fill(0)
    const chunks = output.take()
    assert.isAtMost(chunks.length, 4)
    for (const chunk of chunks) {
      // Whole frames, wherever a page ends.
      assert.strictEqual(chunk.length % 1033, 0)
      assert.deepStrictEqual(chunk.slice(0, 1033), frame(0, 0, 1, repeated(1024)))
    }
  })

  it("a large payload is handed over", () => {
    const output = new Http2Output()
    const payload = repeated(1025)
    Encoder.data(output, 1, payload, 0, 1025, false)
    Encoder.rstStream(output, 1, 0)
    const chunks = output.take()
    assert.deepStrictEqual(
      chunks.map((chunk) => chunk.length),
      [9, 1025, 13]
    )
    assert.isTrue(chunks[1] === payload)
  })

  for (const [what, unit] of [
    ["ASCII", "a"],
    ["two bytes a character", "é"],
    ["three bytes a character", "€"],
    ["four bytes a character", "😀"],
    ["lone surrogates", "\ud800x"]
  ] as const) {
    it(`a text of ${what}`, () => {
      for (const count of [1, 5, 23, 24, 1000, 10_000]) {
        const text = unit.repeat(count)
        const payload = new TextEncoder().encode(text)
        const bytes = sent((output) => Encoder.dataText(output, 3, text, payload.length, true))
        assert.isTrue(Hex.show(bytes) === Hex.show(frame(0, 1, 3, payload)), `${count} times`)
      }
    })
  }

  it("a text with a wrong length sends nothing that was in memory before", () => {
    const bytes = sent((output) => Encoder.dataText(output, 3, "é", 9000, true))
    assert.deepStrictEqual(bytes, frame(0, 1, 3, Hex.hex("c3a9")))
  })
})

it("a response of HEADERS and DATA, with what else is small, is one segment", () => {
  const block = blockOf(repeated(150))
  const most = 30
  const output = new Http2Output()
  for (let tries = 0; tries < 2; tries++) {
    for (let count = 0; count < most; count++) {
      Encoder.headers(output, 1, block, 16_384, false)
      Encoder.dataText(output, 1, "Hello, World!", 13, true)
      Encoder.windowUpdate(output, 0, 100)
    }
    assert.strictEqual(output.byteLength, most * (9 + 150 + 9 + 13 + 13))
    if (output.take().length === 1) return
  }
  assert.fail("more than one segment")
})

it("a block may be begun again, and bytes of a PING changed, before the turn is over", () => {
  const output = new Http2Output()
  const block = blockOf(Hex.hex("82"))
  const opaque = Hex.hex("'pingpong'")
  Encoder.headers(output, 1, block, 16_384, false)
  Encoder.ping(output, opaque, 0, false)
  block.begin(9)
  block.append(Hex.hex("83"))
  opaque.fill(0)
  Encoder.headers(output, 3, block, 16_384, false)
  assert.strictEqual(
    Hex.show(Hex.concat(output.take())),
    Hex.show(Hex.hex("000001 01 04 00000001 82 000008 06 00 00000000 'pingpong' 000001 01 04 00000003 83"))
  )
})

it("nothing is sent once the output has ended", () => {
  const bytes = sent((output) => {
    output.end()
    Encoder.headers(output, 1, blockOf(Hex.hex("82")), 16_384, false)
    Encoder.data(output, 1, repeated(2000), 0, 2000, false)
    Encoder.data(output, 1, repeated(20), 0, 20, false)
    Encoder.dataText(output, 1, "abc", 3, true)
    Encoder.goAway(output, 0, 0, "")
  })
  assert.lengthOf(bytes, 0)
})
