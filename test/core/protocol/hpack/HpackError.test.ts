import { assert, it } from "@effect/vitest"
import * as HpackError from "@sluice/core/protocol/hpack/HpackError"

it("RFC 9113 §4.3: what is not decoded ends the connection with COMPRESSION_ERROR", () => {
  const invalid = new HpackError.InvalidHeaderBlock("unknown index")
  assert.deepStrictEqual([invalid.fault, invalid.errorCode], ["peer", "COMPRESSION_ERROR"])
  assert.match(invalid.message, /^RFC 7541 §2.3.3/)
  const bomb = new HpackError.HeaderBlockTooLarge(100)
  assert.deepStrictEqual([bomb.fault, bomb.errorCode], ["limit", "COMPRESSION_ERROR"])
  assert.match(bomb.message, /100 bytes/)
})
it("RFC 6585 §5: a list that is only too long is answered with 431", () => {
  const long = new HpackError.HeaderListTooLarge(101, 100)
  assert.deepStrictEqual([long.fault, long.status], ["limit", 431])
  assert.match(long.message, /101 bytes .* 100/)
})
