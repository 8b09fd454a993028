import { assert, describe, it } from "@effect/vitest"
import * as Chunkings from "./Chunkings.ts"
import * as Hex from "./Hex.ts"

const shown = (wire: string): ReadonlyArray<string> => Chunkings.everySplit(Hex.hex(wire)).map(Chunkings.show)

describe("everySplit", () => {
  it("is whole, byte by byte, and at every cut in two and three", () => {
    assert.deepStrictEqual(shown("01 02 03"), ["01 02 03", "01 | 02 | 03", "01 | 02 03", "01 | 02 | 03", "01 02 | 03"])
  })
  it("keeps the bytes of each split", () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, index) => index)
    const splits = Chunkings.everySplit(bytes)
    assert.strictEqual(splits.length, 2 + 39)
    for (const chunks of splits) assert.deepStrictEqual(Hex.concat(chunks), bytes)
  })
  it("has one split of no byte, and of one", () => {
    assert.deepStrictEqual(shown(""), ["", ""])
    assert.deepStrictEqual(shown("01"), ["01", "01"])
  })
})
