import { assert, it } from "@effect/vitest"
import { HpackFieldIndex } from "@sluice/core/protocol/hpack/HpackFieldIndex"

it("finds the newest of a name, and of a name and value", () => {
  const index = new HpackFieldIndex()
  index.add("a", "1", 0)
  index.add("a", "2", 1)
  index.add("a", "1", 2)
  assert.strictEqual(index.find("a")?.newestId, 2)
  assert.strictEqual(index.find("a")?.byValue.get("1"), 2)
  assert.strictEqual(index.find("a")?.byValue.get("2"), 1)
  assert.isUndefined(index.find("b"))
})
it("an older entry that goes leaves the newer one, and the last one leaves nothing", () => {
  const index = new HpackFieldIndex()
  index.add("a", "1", 0)
  index.add("a", "1", 1)
  index.add("a", "2", 2)
  index.remove("a", "1", 0)
  assert.strictEqual(index.find("a")?.byValue.get("1"), 1)
  index.remove("a", "1", 1)
  assert.isUndefined(index.find("a")?.byValue.get("1"))
  index.remove("a", "2", 2)
  assert.isUndefined(index.find("a"))
  index.remove("a", "2", 2)
})
