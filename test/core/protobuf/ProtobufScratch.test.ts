import * as Scratch from "@sluice/core/protobuf/ProtobufScratch"
import { assert, it } from "vitest"

it("the low word is the first", () => {
  assert.isTrue(Scratch.isLittleEndian)
  Scratch.signed[0] = -2n
  assert.deepStrictEqual([...Scratch.words], [-2, -1])
  assert.strictEqual(Scratch.unsigned[0], 2n ** 64n - 2n)
  Scratch.doubles[0] = 1
  assert.deepStrictEqual([...Scratch.bytes], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
  Scratch.floats[0] = 1
  assert.strictEqual(Scratch.words[0], 0x3f800000)
})
