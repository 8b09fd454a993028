import { assert, it } from "@effect/vitest"
import * as ByteJoin from "@sluice/core/bytes/ByteJoin"
import { hex } from "../../harness/Hex.ts"

it("joins chunks in order", () => {
  assert.deepStrictEqual([...ByteJoin.join([hex("01 02"), hex(""), hex("03")], 3)], [1, 2, 3])
  assert.deepStrictEqual([...ByteJoin.join([], 0)], [])
})
it("returns a single chunk as it is", () => {
  const chunk = hex("01 02")
  assert.strictEqual(ByteJoin.join([chunk], 2), chunk)
})
