import type { UnknownField } from "@bufbuild/protobuf"
import { Fault, keepUnknownEnum, ProtobufReader } from "@sluice/core/protobuf/ProtobufReader"
import type { Reason } from "@sluice/core/protobuf/ProtobufViolation"
import { assert, describe, it } from "vitest"
import { hex } from "../../harness/Hex.ts"

const reading = (wire: string): ProtobufReader => {
  const reader = new ProtobufReader()
  reader.begin(hex(wire))
  return reader
}

const refused = (reason: Reason, run: () => unknown): void => {
  let thrown: unknown
  try {
    run()
  } catch (cause) {
    thrown = cause
  }
  assert.deepStrictEqual(thrown, new Fault(reason))
}

describe("values", () => {
  type Read = (reader: ProtobufReader) => unknown
  const rows: ReadonlyArray<readonly [what: string, wire: string, read: Read, value: unknown]> = [
    ["uint32", "ac02", (r) => r.uint32(), 300],
    ["uint32 of 32 bits", "ffffffff0f", (r) => r.uint32(), 2 ** 32 - 1],
    ["uint32 drops what is above", "ffffffffffffffffff01", (r) => r.uint32(), 2 ** 32 - 1],
    ["int64", "ffffffffffffffffff01", (r) => r.int64(), -1n],
    ["int64 of 35 bits", "ffffffff7f", (r) => r.int64(), 2n ** 35n - 1n],
    ["int64 of 36 bits", "808080808001", (r) => r.int64(), 2n ** 35n],
    ["uint64", "ffffffffffffffffff01", (r) => r.uint64(), 2n ** 64n - 1n],
    ["uint64 drops what is above", "ffffffffffffffffff7f", (r) => r.uint64(), 2n ** 64n - 1n],
    ["sint64", "feffffffffffffffff01", (r) => r.sint64(), 2n ** 63n - 1n],
    ["bool of many bytes", "8080808001", (r) => r.bool(), true],
    ["bool of many bytes that are 0", "808000", (r) => r.bool(), false],
    ["bool of the high word", "80808080808001", (r) => r.bool(), true],
    ["sfixed32", "feffffff", (r) => r.sfixed32(), -2],
    ["fixed32", "feffffff", (r) => r.fixed32(), 2 ** 32 - 2],
    ["sfixed64", "feffffffffffffff", (r) => r.sfixed64(), -2n],
    ["fixed64", "feffffffffffffff", (r) => r.fixed64(), 2n ** 64n - 2n],
    ["float", "0000c03f", (r) => r.float(), 1.5],
    ["double", "000000000000f83f", (r) => r.double(), 1.5],
    ["tag", "f8ffffff0f", (r) => r.tag(), (536_870_911 << 3) >>> 0],
    ["a varint that is skipped", "ffffff7f", (r) => r.skip(0x08, 0).length, 4],
    ["64 bits that are skipped", "0000000000000000", (r) => r.skip(0x09, 0).length, 8],
    ["bytes that are skipped", "02aabb", (r) => r.skip(0x0a, 0).length, 3],
    ["32 bits that are skipped", "00000000", (r) => r.skip(0x0d, 0).length, 4]
  ]
  for (const [what, wire, read, value] of rows) {
    it(what, () => {
      const reader = reading(wire)
      assert.deepStrictEqual(read(reader), value)
      assert.strictEqual(reader.position, reader.length)
    })
    it(`${what}, cut short`, () => {
      const bytes = hex(wire)
      for (let length = 0; length < bytes.length; length++) {
        const reader = new ProtobufReader()
        reader.begin(bytes.subarray(0, length))
        refused("Truncated", () => read(reader))
      }
    })
  }
})

describe("groups that are skipped", () => {
  it("to their end, with those within them", () => {
    const reader = reading("1b 08 05 1c 0c ff")
    assert.deepStrictEqual(reader.skip(0x0b, 2), hex("1b 08 05 1c 0c"))
  })
  it("so many within each other", () => {
    assert.strictEqual(reading("13 14 0c").skip(0x0b, 2).length, 3)
    refused("TooDeep", () => reading("13 14 0c").skip(0x0b, 1))
    refused("TooDeep", () => reading("0c").skip(0x0b, 0))
  })
  it("not to another's end", () => refused("InvalidGroup", () => reading("14").skip(0x0b, 1)))
  it("not without an end", () => refused("Truncated", () => reading("08 05").skip(0x0b, 1)))
  it("an end is no field", () => refused("InvalidTag", () => reading("00").skip(0x0c, 1)))
})

describe("tags", () => {
  for (const wire of ["00", "06", "0e", "0f", "8080808010", "80808080808000", "888080808000"]) {
    it(`${wire} is none`, () => refused("InvalidTag", () => reading(wire).tag()))
  }
  it("varints of 11 bytes are none", () => {
    refused("VarintTooLong", () => reading("8080808080808080808000").uint32())
    refused("VarintTooLong", () => reading("8080808080808080808000").int64())
  })
})

describe("text", () => {
  const texts = ["", "a", "twelve chars", "thirteen char", "é", "\ufeffa", "\ufffd", "語".repeat(50), "\u{1f600}"]
  for (const text of texts) {
    it(JSON.stringify(text.slice(0, 20)), () => {
      const reader = new ProtobufReader()
      reader.begin(new Uint8Array(Buffer.from(`<${text}>`)))
      assert.strictEqual(reader.text(1, reader.length - 1), text)
      assert.strictEqual(reader.strictText(1, reader.length - 1), text)
    })
  }
  for (const wire of ["c3", "c328", "eda080", "f8", `${"61".repeat(20)}80`]) {
    it(`${wire} is no UTF-8`, () => {
      const reader = reading(wire)
      refused("InvalidUtf8", () => reader.strictText(0, reader.length))
      assert.strictEqual(reader.text(0, reader.length), new TextDecoder().decode(hex(wire)))
    })
  }
})

it("holds on to nothing behind the end", () => {
  const reader = reading("00")
  reader.end()
  assert.deepStrictEqual([reader.bytes.length, reader.length], [0, 0])
})
it("a closed enum's unknown value is kept as a varint of its sign", () => {
  const message: { $unknown?: Array<UnknownField> } = {}
  keepUnknownEnum(message, 0x48, 300)
  keepUnknownEnum(message, 0x48, -1)
  assert.deepStrictEqual(message.$unknown, [
    { no: 9, wireType: 0, data: hex("ac02") },
    { no: 9, wireType: 0, data: hex("ffffffffffffffffff01") }
  ])
})
it("a fault is no error, for the price of its stack", () => assert.notInstanceOf(new Fault("Truncated"), Error))
