import { assert, it } from "@effect/vitest"
import * as HpackInteger from "@sluice/core/protocol/hpack/HpackInteger"
import * as Hex from "../../../harness/Hex.ts"

/** The integer, and where the cursor is behind it. */
const read = (wire: string, prefixBits: number): readonly [number, number] => {
  const bytes = Hex.hex(wire)
  const cursor = { at: 0 }
  return [HpackInteger.read(cursor, bytes, bytes.length, prefixBits), cursor.at]
}
const write = (value: number, prefixBits: number, pattern = 0): string => {
  const target = new Uint8Array(8)
  return Hex.show(target.subarray(0, HpackInteger.write(target, 0, pattern, prefixBits, value)))
}

// RFC 7541 C.1: 10 and 1337 with a prefix of 5 bits, 42 at the beginning of an octet.
const cases: ReadonlyArray<readonly [value: number, prefixBits: number, wire: string]> = [
  [10, 5, "0a"],
  [1337, 5, "1f 9a 0a"],
  [42, 8, "2a"],
  [30, 5, "1e"],
  [31, 5, "1f 00"],
  [158, 5, "1f 7f"],
  [159, 5, "1f 80 01"],
  [127, 7, "7f 00"]
]
for (const [value, prefixBits, wire] of cases) {
  it(`RFC 7541 §5.1: ${value} in ${prefixBits} bits`, () => {
    assert.strictEqual(write(value, prefixBits), wire)
    assert.deepStrictEqual(read(wire, prefixBits), [value, Hex.hex(wire).length])
  })
}
it("the bits above the prefix are another's", () => {
  assert.deepStrictEqual(read("ea", 5), [10, 1])
  assert.strictEqual(write(10, 5, 0xe0), "ea")
})
it("an integer that has not come leaves the cursor", () => {
  for (const wire of ["1f", "1f 9a", "1f 80 80 80"]) assert.deepStrictEqual(read(wire, 5), [HpackInteger.incomplete, 0])
})
it("RFC 7541 §5.1: too many octets are an error, whatever they say", () => {
  assert.deepStrictEqual(read("1f ff ff ff 7f", 5), [2 ** 28 - 1 + 31, 5])
  assert.deepStrictEqual(read("1f 80 80 80 00", 5), [31, 5])
  assert.deepStrictEqual(read("1f 80 80 80 80", 5), [HpackInteger.tooLarge, 0])
  assert.deepStrictEqual(read("1f ff ff ff ff ff ff ff ff 7f", 5), [HpackInteger.tooLarge, 0])
})
it("every size of integer comes back", () => {
  for (let value = 0; value < 2 ** 28; value = value * 2 + (value % 3)) {
    for (let prefixBits = 1; prefixBits <= 8; prefixBits++) {
      assert.strictEqual(read(write(value, prefixBits), prefixBits)[0], value)
    }
    if (value === 0) value = 1
  }
  assert.isAtMost(Hex.hex(write(2 ** 31 - 1, 1)).length, HpackInteger.mostWritten)
})
