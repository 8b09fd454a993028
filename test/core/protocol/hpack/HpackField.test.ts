import { assert, it } from "@effect/vitest"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import * as HpackField from "@sluice/core/protocol/hpack/HpackField"
import * as Hex from "../../../harness/Hex.ts"

const written = (write: (block: HpackBlock) => void): string => {
  const block = new HpackBlock()
  write(block)
  return Hex.show(block.copy(0))
}

it("RFC 7541 §6: each representation has its first bits", () => {
  assert.strictEqual(
    written((block) => HpackField.indexed(block, 2)),
    "82"
  )
  assert.strictEqual(
    written((block) => HpackField.indexed(block, 127)),
    "ff 00"
  )
  assert.strictEqual(
    written((block) => HpackField.literal(block, "index", 62, "", "")),
    "7e 00"
  )
  assert.strictEqual(
    written((block) => HpackField.literal(block, "plain", 4, "", "")),
    "04 00"
  )
  assert.strictEqual(
    written((block) => HpackField.literal(block, "never", 15, "", "")),
    "1f 00 00"
  )
  assert.strictEqual(
    written((block) => HpackField.tableSize(block, 4096)),
    "3f e1 1f"
  )
})
it("a name that is in no table is written before the value", () => {
  assert.strictEqual(
    written((block) => HpackField.literal(block, "never", 0, "!", "")),
    "10 01 21 00"
  )
})
