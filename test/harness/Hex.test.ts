import { assert, describe, it } from "@effect/vitest"
import * as Hex from "./Hex.ts"

describe("hex", () => {
  const cases: ReadonlyArray<readonly [text: string, bytes: ReadonlyArray<number>]> = [
    ["", []],
    ["00 0a FF", [0, 10, 255]],
    ["00000003", [0, 0, 0, 3]],
    ["00 'abc'", [0, 97, 98, 99]],
    ["'a b' 0d0a", [97, 32, 98, 13, 10]],
    ["'é'", [0xc3, 0xa9]],
    ["00'a'01", [0, 97, 1]]
  ]
  for (const [text, bytes] of cases) {
    it(`reads ${text}`, () => assert.deepStrictEqual([...Hex.hex(text)], bytes))
  }
  for (const text of ["0", "zz", "00 0", "'abc"]) {
    it(`refuses ${text}`, () => assert.throws(() => Hex.hex(text)))
  }
})

describe("show", () => {
  it("prints what hex reads", () => {
    for (const text of ["", "00 0a ff", "00 'abcd' 0a", "'ab cd'", "61 62 63 27 27 27 27"]) {
      assert.strictEqual(Hex.show(Hex.hex(text)), text)
    }
  })
})
