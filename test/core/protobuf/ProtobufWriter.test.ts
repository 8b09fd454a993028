import { notPlain, ProtobufWriter } from "@sluice/core/protobuf/ProtobufWriter"
import { assert, describe, it } from "vitest"
import { show } from "../../harness/Hex.ts"

/** What one call writes. */
const written = (write: (writer: ProtobufWriter, at: number) => number): Uint8Array => {
  const writer = new ProtobufWriter()
  writer.open(0, 64)
  writer.position = write(writer, writer.position)
  return writer.close()
}
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

describe("integers", () => {
  const rows: ReadonlyArray<readonly [call: string, write: (w: ProtobufWriter, at: number) => number, bytes: string]> =
    [
      ["uint32 0", (w, at) => w.uint32(at, 0), "00"],
      ["uint32 127", (w, at) => w.uint32(at, 127), "7f"],
      ["uint32 128", (w, at) => w.uint32(at, 128), "8001"],
      ["uint32 2^32-1", (w, at) => w.uint32(at, 2 ** 32 - 1), "ffffffff0f"],
      ["int32 2^31-1", (w, at) => w.int32(at, 2 ** 31 - 1), "ffffffff07"],
      ["int32 -1", (w, at) => w.int32(at, -1), "ffffffffffffffffff01"],
      ["int32 -2^31", (w, at) => w.int32(at, -(2 ** 31)), "80808080f8ffffffff01"],
      ["int64 2^31", (w, at) => w.int64(at, 2n ** 31n), "8080808008"],
      ["int64 2^32", (w, at) => w.int64(at, 2n ** 32n), "8080808010"],
      ["int64 2^35-1", (w, at) => w.int64(at, 2n ** 35n - 1n), "ffffffff7f"],
      ["int64 2^35", (w, at) => w.int64(at, 2n ** 35n), "808080808001"],
      ["int64 -2^63", (w, at) => w.int64(at, -(2n ** 63n)), "80808080808080808001"],
      ["uint64 2^64-1", (w, at) => w.uint64(at, 2n ** 64n - 1n), "ffffffffffffffffff01"],
      ["sint64 -1", (w, at) => w.sint64(at, -1n), "01"],
      ["sint64 2^63-1", (w, at) => w.sint64(at, 2n ** 63n - 1n), "feffffffffffffffff01"],
      ["sfixed64 -1", (w, at) => w.sfixed64(at, -1n), "ffffffffffffffff"],
      ["fixed64 2^63", (w, at) => w.fixed64(at, 2n ** 63n), "0000000000000080"],
      ["float -0", (w, at) => w.float(at, -0), "00000080"],
      ["double 1", (w, at) => w.double(at, 1), "000000000000f03f"]
    ]
  for (const [call, write, bytes] of rows) it(call, () => assert.strictEqual(hexOf(written(write)), bytes))
  const refused: ReadonlyArray<readonly [call: string, write: (w: ProtobufWriter, at: number) => number]> = [
    ["int64 2^63", (w, at) => w.int64(at, 2n ** 63n)],
    ["uint64 -1", (w, at) => w.uint64(at, -1n)],
    ["sint64 -2^63-1", (w, at) => w.sint64(at, -(2n ** 63n) - 1n)],
    ["sfixed64 2^63", (w, at) => w.sfixed64(at, 2n ** 63n)],
    ["fixed64 2^64", (w, at) => w.fixed64(at, 2n ** 64n)],
    ["float 1e300", (w, at) => w.float(at, 1e300)],
    ["double of a text", (w, at) => w.double(at, "1" as unknown as number)]
  ]
  for (const [call, write] of refused) {
    it(`${call} is refused`, () => {
      let thrown: unknown
      try {
        written(write)
      } catch (cause) {
        thrown = cause
      }
      assert.strictEqual(thrown, notPlain)
    })
  }
})

describe("text", () => {
  const texts = ["", "a", "é", "x".repeat(16), "x".repeat(17), `${"x".repeat(15)}é`, "\ud800", "\u{1f600}"]
  const lengths = [42, 43, 127, 128, 1_024, 1_025, 5_461, 5_462, 16_383, 16_384]
  const all = [...texts, ...lengths.flatMap((length) => ["x", "é", "語"].map((character) => character.repeat(length)))]
  for (const text of all) {
    it(`${text.length} of ${text.slice(-1)}`, () => {
      const utf8 = Buffer.from(text, "utf8")
      const prefix = written((writer, at) => writer.uint32(at, utf8.length))
      const bytes = written((writer, at) => writer.text(at, text))
      assert.isTrue(Buffer.concat([prefix, utf8]).equals(bytes), show(bytes.subarray(0, 40)))
    })
  }
})

describe("lengths", () => {
  for (const length of [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_152]) {
    it(`a message of ${length} B within another`, () => {
      const content = new Uint8Array(length).fill(7)
      const bytes = written((writer, at) => {
        const end = writer.blob(at + 1, content)
        return writer.join(at, end)
      })
      const inner = written((writer, at) => writer.blob(at, content))
      assert.isTrue(Buffer.from(written((writer, at) => writer.blob(at, inner))).equals(bytes))
    })
  }
})

describe("memory", () => {
  it("a length that becomes longer makes room for itself", () => {
    const bytes = written((writer, at) => {
      let end = at + 1
      while (end < writer.bytes.length) end = writer.uint32(end, 7)
      return writer.join(at, end)
    })
    assert.deepStrictEqual([bytes.length, ...bytes.subarray(0, 5)], [8_193, 0xff, 0x3f, 7, 7, 7])
    assert.strictEqual(bytes.at(-1), 7)
  })
  it("messages lie behind each other", () => {
    const writer = new ProtobufWriter()
    const messages = [1, 2, 3].map((value) => {
      writer.open(0, 64)
      writer.position = writer.uint32(writer.position, value)
      return writer.close()
    })
    assert.deepStrictEqual(
      messages.map((bytes) => [...bytes]),
      [[1], [2], [3]]
    )
    assert.deepStrictEqual(
      messages.map((bytes) => bytes.byteOffset),
      [0, 1, 2]
    )
  })
  it("what was abandoned is written over", () => {
    const writer = new ProtobufWriter()
    writer.open(0, 64)
    writer.position = writer.text(writer.position, "x".repeat(20_000))
    writer.abandon()
    assert.isFalse(writer.isOpen)
    writer.open(0, 64)
    writer.position = writer.uint32(writer.position, 5)
    const bytes = writer.close()
    assert.deepStrictEqual([[...bytes], bytes.byteOffset, bytes.buffer.byteLength], [[5], 0, 8_192])
  })
  it("a message holds less than twice its length where it has its own memory", () => {
    for (const length of [9_000, 20_000, 100_000]) {
      for (const expected of [64, length, length * 10]) {
        const writer = new ProtobufWriter()
        writer.open(0, expected)
        writer.position = writer.blob(writer.position, new Uint8Array(length))
        assert.isAtMost(writer.close().buffer.byteLength, length * 2 + 8)
      }
    }
  })
  it("bytes are reserved before the message", () => {
    const writer = new ProtobufWriter()
    for (const reserved of [5, 8_000, 10_000]) {
      writer.open(reserved, 64)
      writer.position = writer.uint32(writer.position, 9)
      const bytes = writer.close()
      assert.deepStrictEqual([bytes.length, bytes[reserved]], [reserved + 1, 9])
    }
  })
})

it("unknown fields are written as they came", () => {
  const fields = [
    { no: 1, wireType: 0, data: Uint8Array.of(5) },
    { no: 536_870_911, wireType: 5, data: new Uint8Array(4) },
    { no: 2, wireType: 2, data: new Uint8Array(40) }
  ]
  const bytes = written((writer, at) => writer.unknown(at, fields))
  assert.strictEqual(hexOf(bytes), `0805fdffffff0f0000000012${"00".repeat(40)}`)
})
