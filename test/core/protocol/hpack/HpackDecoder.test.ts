import { assert, describe, it } from "@effect/vitest"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackDecoder, type Options } from "@sluice/core/protocol/hpack/HpackDecoder"
import * as HpackField from "@sluice/core/protocol/hpack/HpackField"
import * as HpackStaticTable from "@sluice/core/protocol/hpack/HpackStaticTable"
import * as Chunkings from "../../../harness/Chunkings.ts"
import * as Hex from "../../../harness/Hex.ts"
import { decode, entriesOf, type Field, type Heard } from "./HpackWire.ts"

/** Decodes blocks one after the other, the last one at every split; what came of that one. */
const heard = (blocks: ReadonlyArray<string>, options?: Options, settings?: ReadonlyArray<number>): Heard => {
  const wires = blocks.map(Hex.hex)
  const [first, ...others] = Chunkings.everySplit(wires.at(-1)!).map((chunks) => {
    const decoder = new HpackDecoder(options)
    for (const wire of wires.slice(0, -1)) assert.isUndefined(decode(decoder, [wire]).outcome)
    for (const maxBytes of settings ?? []) decoder.setMaxTableBytes(maxBytes)
    const result = decode(decoder, chunks)
    assert.strictEqual(decoder.waitingBytes, 0)
    return { result, table: entriesOf(decoder), listBytes: decoder.listBytes }
  })
  for (const other of others) assert.deepStrictEqual(other, first)
  return first!.result
}
const fields = (...list: ReadonlyArray<Field>): Heard => ({ fields: list, outcome: undefined })
const refused = (outcome: string, ...list: ReadonlyArray<Field>): Heard => ({ fields: list, outcome })

describe("RFC 7541 §6: representations", () => {
  const cases: ReadonlyArray<readonly [rule: string, wire: string, expected: Heard]> = [
    [
      "C.2.1: a literal that is added",
      "40 0a 'custom-key' 0d 'custom-header'",
      fields(["custom-key", "custom-header"])
    ],
    ["C.2.2: a literal that is not added", "04 0c '/sample/path'", fields([":path", "/sample/path"])],
    ["C.2.3: a literal that is never added", "10 08 'password' 06 'secret'", fields(["password", "secret", "never"])],
    ["C.2.4: an index", "82", fields([":method", "GET"])],
    ["a static name without a value", "81", fields([":authority", ""])],
    ["empty strings", "00 00 00 40 80 80", fields(["", ""], ["", ""])],
    ["octets above 7F", "00 01 61 02 80ff", fields(["a", "\u0080\u00ff"])],
    ["no fields", "", fields()],
    ["table sizes alone", "20 3f e1 1f", fields()]
  ]
  for (const [rule, wire, expected] of cases) it(rule, () => assert.deepStrictEqual(heard([wire]), expected))

  it("names of the static table are its own", () => {
    const decoder = new HpackDecoder()
    const { fields } = decode(decoder, [Hex.hex("5f 01 78 be")])
    assert.deepStrictEqual(fields, [
      [HpackStaticTable.names[31]!, "x"],
      ["content-type", "x"]
    ])
  })
})

describe("what breaks a rule", () => {
  const cases: ReadonlyArray<readonly [rule: string, wire: string, expected: Heard]> = [
    ["RFC 7541 §6.1: index 0", "82 80", refused("unknown index", [":method", "GET"])],
    ["RFC 7541 §2.3.3: an index above the tables", "be", refused("unknown index")],
    ["RFC 7541 §2.3.3: a name's index above the tables", "7e 01 61", refused("unknown index")],
    ["RFC 7541 §5.1: an integer with too many octets", "ff 80 80 80 80 00", refused("integer too large")],
    ["RFC 7541 §5.1: a length with too many octets", "00 7f ff ff ff ff 0f", refused("integer too large")],
    ["RFC 7541 §5.2: EOS", "00 84 ff ff ff ff 00", refused("invalid Huffman code")],
    ["RFC 7541 §5.2: a padding of 8 bits", "00 01 61 81 ff", refused("invalid Huffman code")],
    ["RFC 7541 §4.2: a table size behind a field", "82 20", refused("table size late", [":method", "GET"])],
    ["RFC 7541 §4.2: three table sizes", "20 21 22", refused("table size repeated")],
    ["RFC 7541 §6.3: a table size above the setting", "3f e2 1f", refused("table size above the setting")],
    ["RFC 9113 §4.3: an index that is cut", "ff", refused("block cut off")],
    ["RFC 9113 §4.3: a name that is cut", "82 00 05 'abcd'", refused("block cut off", [":method", "GET"])],
    ["RFC 9113 §4.3: a literal without its value", "04", refused("block cut off")]
  ]
  for (const [rule, wire, expected] of cases) it(rule, () => assert.deepStrictEqual(heard([wire]), expected))

  it("nothing is decoded behind it", () => {
    const decoder = new HpackDecoder()
    assert.strictEqual(decode(decoder, [Hex.hex("40 01 61 01 62 80")]).outcome, "unknown index")
    assert.deepStrictEqual(decode(decoder, [Hex.hex("82")]), refused("unknown index"))
    assert.deepStrictEqual([decoder.tableBytes, decoder.waitingBytes], [0, 0])
  })
})

describe("RFC 7541 §4.2: the size of the table", () => {
  const added = "40 01 61 01 62"
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<number>, wire: string, expected: Heard]> = [
    ["a higher setting needs no table size", [8192], "be", fields(["a", "b"])],
    ["a higher setting is used", [8192], "3f e1 3f be", fields(["a", "b"])],
    ["a lower setting needs one", [100], "be", refused("table size missing")],
    ["a lower setting that is followed", [100], "3f 45 be", fields(["a", "b"])],
    ["an entry above a lower setting is gone", [32], "3f 01 be", refused("unknown index")],
    ["the lowest setting between is told first", [0, 4096], "20 3f e1 1f be", refused("unknown index")],
    ["the lowest setting between is not told", [0, 4096], "3f e1 1f be", refused("table size missing")],
    ["a table size that nobody asked for", [], "20 3f e1 1f 82", fields([":method", "GET"])]
  ]
  for (const [rule, settings, wire, expected] of cases) {
    it(rule, () => assert.deepStrictEqual(heard([added, wire], {}, settings), expected))
  }
})

describe("RFC 9113 §10.5.1: a list above its limit", () => {
  const field = "40 01 61 01 62"
  const one: Field = ["a", "b"]
  it("is taken up to the limit", () => {
    assert.deepStrictEqual(heard([`${field} be`], { maxListBytes: 68 }), fields(one, one))
    assert.deepStrictEqual(heard([`${field} be`], { maxListBytes: 67 }), refused("HeaderListTooLarge", one))
  })
  it("is not handed out any more, and costs its stream alone", () => {
    const options = { maxListBytes: 40 }
    assert.deepStrictEqual(heard([`${field} 82 83 40 01 63 01 64`], options), refused("HeaderListTooLarge", one))
    const decoder = new HpackDecoder(options)
    decode(decoder, [Hex.hex(`${field} 82 83 40 01 63 01 64`)])
    assert.strictEqual(decoder.listBytes, 34 + 42 + 43 + 34)
    // What was not handed out is in the table.
    assert.deepStrictEqual(decode(decoder, [Hex.hex("be")]), fields(["c", "d"]))
  })
  it("is given up far above the limit: a bomb of indices", () => {
    const options = { maxListBytes: 100, maxBlockBytes: 400 }
    assert.deepStrictEqual(heard([field, "be ".repeat(11)], options), refused("HeaderListTooLarge", one, one))
    assert.deepStrictEqual(heard([field, "be ".repeat(12)], options), refused("HeaderBlockTooLarge", one, one))
  })
  it("a string above all limits is refused before it is waited for", () => {
    const decoder = new HpackDecoder({ maxListBytes: 100, maxBlockBytes: 1000 })
    const block = new HpackBlock()
    block.integer(HpackField.plainPattern, HpackField.literalBits, 4)
    block.integer(0, 7, 1001)
    assert.strictEqual(decoder.receive(block.copy(0), { onField() {} })?._tag, "HeaderBlockTooLarge")
    assert.strictEqual(decoder.waitingBytes, 0)
  })
  it("the block as it is sent has the same limit", () => {
    const decoder = new HpackDecoder({ maxListBytes: 100, maxBlockBytes: 100 })
    assert.isUndefined(decode(decoder, [new Uint8Array(0), Hex.hex("20 20")]).outcome)
    assert.strictEqual(decode(decoder, [new Uint8Array(101)]).outcome, "HeaderBlockTooLarge")
    // Table sizes count as no field, and these have ten octets.
    const sizes = "3f 80 80 80 00 3f 80 80 80 00"
    assert.deepStrictEqual(heard([sizes], { maxListBytes: 10, maxBlockBytes: 10 }), fields())
    assert.deepStrictEqual(heard([sizes], { maxListBytes: 9, maxBlockBytes: 9 }), refused("HeaderBlockTooLarge"))
  })
  it("what comes before the end of that limit is decoded, however the block is cut", () => {
    const expected = refused("HeaderBlockTooLarge", [":method", "GET"])
    assert.deepStrictEqual(heard([`82 04 40 '${"x".repeat(64)}'`], { maxListBytes: 50, maxBlockBytes: 50 }), expected)
  })
  it("what is announced takes no memory before it comes", () => {
    const decoder = new HpackDecoder({ maxListBytes: 100_000 })
    assert.isUndefined(decoder.receive(Hex.hex("04 7f 81 f4 03 'a'"), { onField() {} }))
    const held = Reflect.get(decoder, "held") as Uint8Array
    assert.deepStrictEqual([decoder.waitingBytes, held.length], [6, 256])
  })
})
