import { assert, describe, it } from "@effect/vitest"
import { Output } from "@sluice/core/protocol/Engine"
import { hex, show } from "../../harness/Hex.ts"

const taken = (output: Output): string => output.take().map(show).join(" | ")

describe("Output", () => {
  it("hands over what was written, in order, once", () => {
    const output = new Output()
    output.write(hex("01 02"))
    output.write(hex("03"))
    assert.strictEqual(output.byteLength, 3)
    assert.strictEqual(taken(output), "01 02 | 03")
    assert.strictEqual(output.byteLength, 0)
    assert.strictEqual(taken(output), "")
  })

  it("what was taken is not touched by later writes", () => {
    const output = new Output()
    output.write(hex("01"))
    const first = output.take()
    output.write(hex("02"))
    assert.deepStrictEqual(first, [hex("01")])
    assert.strictEqual(taken(output), "02")
  })

  it("has no empty pieces", () => {
    const output = new Output()
    output.write(new Uint8Array(0))
    assert.lengthOf(output.take(), 0)
  })

  for (const closing of ["end", "abort"] as const) {
    it(`takes nothing after ${closing}, and keeps what was written before`, () => {
      const output = new Output()
      output.write(hex("01"))
      output[closing]()
      output.write(hex("02"))
      assert.strictEqual(output.closing, closing)
      assert.strictEqual(output.byteLength, 1)
      assert.strictEqual(taken(output), "01")
      output.write(hex("03"))
      assert.strictEqual(taken(output), "")
    })
  }

  it("an abort follows an end; nothing follows an abort", () => {
    const output = new Output()
    output.end()
    output.abort()
    assert.strictEqual(output.closing, "abort")
    output.end()
    assert.strictEqual(output.closing, "abort")
  })
})
