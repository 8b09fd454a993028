import { assert, describe, it } from "@effect/vitest"
import * as Wire from "@sluice/core/protocol/grpc/GrpcDetailWire"
import * as Duration from "effect/Duration"
import * as Hex from "../../../harness/Hex.ts"

const inner: Wire.Table = [[1, "text", "text"]]
const table: Wire.Table = [
  [1, "text", "text"],
  [2, "texts", "texts"],
  [3, "perhaps", "optionalText"],
  [4, "map", "map"],
  [5, "time", "duration"],
  [6, "number", "int32"],
  [7, "bytes", "bytes"],
  [16, "list", inner]
]
const empty = { text: "", texts: [], map: {}, time: Duration.zero, number: 0, bytes: new Uint8Array(0), list: [] }

describe("a field, both ways", () => {
  const rows: ReadonlyArray<readonly [key: string, value: unknown, wire: string]> = [
    ["text", "", ""],
    ["text", "aé", "0a 03 61c3a9"],
    ["texts", ["", "a", "b"], "12 00 12 01 61 12 01 62"],
    ["perhaps", "a", "1a 01 61"],
    ["map", { a: "b" }, "22 06 0a 01 61 12 01 62"],
    ["map", { "": "" }, "22 04 0a 00 12 00"],
    ["map", Object.fromEntries([["__proto__", "b"]]), "22 0e 0a 09 '__proto__' 12 01 62"],
    ["time", Duration.zero, "2a 00"],
    ["time", Duration.millis(1_500), "2a 08 08 01 10 80cab5ee01"],
    ["time", Duration.seconds(300), "2a 03 08 ac02"],
    ["time", Duration.nanos(7n), "2a 02 10 07"],
    ["time", Duration.millis(-1), "2a 0b 10 c0fbc2ffffffffffff01"],
    ["time", Duration.seconds(315_576_000_000), "2a 07 08 80bcaece9709"],
    ["number", 5, "30 05"],
    ["number", 300, "30 ac02"],
    ["number", 2 ** 31 - 1, "30 ffffffff07"],
    ["number", -1, "30 ffffffffffffffffff01"],
    ["bytes", Uint8Array.of(1, 2), "3a 02 01 02"],
    ["list", [{ text: "a" }, { text: "" }], "8201 03 0a 01 61 8201 00"]
  ]
  for (const [key, value, wire] of rows) {
    it(`${key}: ${wire}`, () => {
      const message = { ...empty, [key]: value }
      // A duration is always written: it is a message, not a number.
      const written = Hex.show(
        Wire.encode(
          table.filter(([, one]) => one !== "time" || key === "time"),
          message
        )
      )
      assert.strictEqual(written, Hex.show(Hex.hex(wire)))
      assert.deepStrictEqual(Wire.decode(table, Hex.hex(wire)), message)
    })
  }
  it("a duration that has no end is the longest there is", () => {
    const wire = Wire.encode([[5, "time", "duration"]], { time: Duration.infinity })
    assert.strictEqual(Hex.show(wire), Hex.show(Hex.hex("2a 07 08 80bcaece9709")))
  })
  it("a long text grows the memory of its writer", () => {
    const text = "é".repeat(70_000)
    assert.deepStrictEqual(Wire.decode(inner, Wire.encode(inner, { text })), { text })
  })
})

describe("what is passed over", () => {
  const rows: ReadonlyArray<readonly [rule: string, wire: string]> = [
    ["a varint", "48 ac02"],
    ["8 bytes", "49 0102030405060708"],
    ["4 bytes", "4d 01020304"],
    ["bytes", "4a 02 0102"],
    ["a number above 15", "a206 01 61"],
    ["a known field of another type", "08 01 32 01 00"]
  ]
  for (const [rule, wire] of rows) {
    it(rule, () => assert.deepStrictEqual(Wire.decode(table, Hex.hex(`${wire} 0a 01 62`)), { ...empty, text: "b" }))
  }
  it("what came before: the last one counts", () =>
    assert.deepStrictEqual(Wire.decode(table, Hex.hex("0a 01 61 0a 01 62")), { ...empty, text: "b" }))
})

describe("what is no message", () => {
  const rows: ReadonlyArray<readonly [rule: string, wire: string]> = [
    ["a tag without a value", "0a"],
    ["a tag that is cut", "82"],
    ["a length that is cut", "0a 80"],
    ["a text that is cut", "0a 02 61"],
    ["a negative length", "0a ffffffffffffffffff01"],
    ["a length that leads back to the beginning", "0a f5ffffffffffffffff01"],
    ["a length above what there is", "0a ffffffff0f 61"],
    ["a varint of eleven bytes", "30 ffffffffffffffffffff01"],
    ["a number that is cut", "30"],
    ["the field 0", "02 00"],
    ["a text that is not UTF-8", "0a 01 ff"],
    ["one of several texts that is not UTF-8", "12 01 61 12 01 ff"],
    ["a map's entry that is broken", "22 02 0a 05"],
    ["a duration that is broken", "2a 01 08"],
    ["an inner message that is broken", "8201 01 0a"],
    ["a group", "4b 4c"],
    ["an unknown type", "4e"],
    ["unknown bytes that are cut", "4a 02 01"],
    ["unknown 8 bytes that are cut", "49 01"],
    ["unknown 4 bytes that are cut", "4d 01"],
    ["an unknown varint that is cut", "48 80"],
    ["an unknown negative length", "4a ffffffffffffffffff01"],
    ["an unknown length that leads back to the beginning", "4a f5ffffffffffffffff01"]
  ]
  for (const [rule, wire] of rows) it(rule, () => assert.isUndefined(Wire.decode(table, Hex.hex(wire))))
})
