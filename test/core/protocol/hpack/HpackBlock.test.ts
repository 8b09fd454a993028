import { assert, it } from "@effect/vitest"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import * as Hex from "../../../harness/Hex.ts"

it("RFC 7541 §5.2: a string is coded where that is shorter", () => {
  const block = new HpackBlock()
  block.string("www.example.com")
  block.string("!!")
  assert.strictEqual(Hex.show(block.copy(0)), Hex.show(Hex.hex("8c f1e3c2e5f23a6ba0ab90f4ff 02 2121")))
})
it("leaves room for the head of its frame, and begins again", () => {
  const block = new HpackBlock()
  block.string("x")
  block.begin(9)
  block.integer(0x80, 7, 2)
  assert.deepStrictEqual([block.length, block.bytes[9]], [10, 0x82])
  assert.strictEqual(Hex.show(block.copy(9)), "82")
})
it("grows as it has to, and does not stay so large", () => {
  const block = new HpackBlock()
  const text = "\u00ff".repeat(100_000)
  block.append(Uint8Array.of(1, 2))
  block.string(text)
  assert.deepStrictEqual([...block.bytes.subarray(0, 3)], [1, 2, 0x7f])
  assert.strictEqual(block.bytes[block.length - 1], 0xff)
  assert.isAbove(block.bytes.length, 100_000)
  block.begin(0)
  assert.isBelow(block.bytes.length, 10_000)
})
