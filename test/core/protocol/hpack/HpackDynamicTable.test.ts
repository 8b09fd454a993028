import { assert, it } from "@effect/vitest"
import { HpackDynamicTable, sizeOf } from "@sluice/core/protocol/hpack/HpackDynamicTable"
import { HpackFieldIndex } from "@sluice/core/protocol/hpack/HpackFieldIndex"
import { SeededRandom } from "../../../harness/SeededRandom.ts"

const contents = (table: HpackDynamicTable) =>
  Array.from({ length: table.entryCount }, (_, index) => [table.nameAt(index + 1), table.valueAt(index + 1)] as const)

it("RFC 7541 §4.1: an entry has 32 bytes more than its octets", () => {
  assert.strictEqual(sizeOf("custom-key", "custom-header"), 55)
  const table = new HpackDynamicTable()
  table.add("custom-key", "custom-header")
  assert.deepStrictEqual([table.byteLength, table.entryCount, table.maxBytes], [55, 1, 4096])
})
it("RFC 7541 §2.3.3: the newest entry comes first", () => {
  const table = new HpackDynamicTable()
  for (let index = 0; index < 20; index++) table.add("n", String(index))
  assert.strictEqual(table.valueAt(1), "19")
  assert.strictEqual(table.valueAt(20), "0")
})
it("RFC 7541 §4.4: the oldest make room, and an entry above the size empties the table", () => {
  const table = new HpackDynamicTable()
  table.resize(2 * sizeOf("a", "1"))
  for (const value of ["1", "2", "3"]) table.add("a", value)
  assert.deepStrictEqual(contents(table), [
    ["a", "3"],
    ["a", "2"]
  ])
  table.add("a", "x".repeat(100))
  assert.deepStrictEqual([contents(table), table.byteLength], [[], 0])
  table.add("a", "x".repeat(table.maxBytes - 33))
  assert.strictEqual(table.byteLength, table.maxBytes)
})
it("RFC 7541 §4.3: a lower size evicts, 0 all", () => {
  const table = new HpackDynamicTable()
  for (const value of ["1", "2", "3"]) table.add("a", value)
  table.resize(70)
  assert.deepStrictEqual(contents(table), [
    ["a", "3"],
    ["a", "2"]
  ])
  table.resize(0)
  table.add("", "")
  assert.strictEqual(table.entryCount, 0)
})
it("is what a list would be, and its index finds what a search would", () => {
  const random = new SeededRandom(7)
  const index = new HpackFieldIndex()
  const table = new HpackDynamicTable(index)
  let model: Array<readonly [string, string]> = []
  const sizeOfModel = () => model.reduce((sum, [name, value]) => sum + sizeOf(name, value), 0)
  for (let turn = 0; turn < 5_000; turn++) {
    if (random.below(50) === 0) table.resize(random.pick([0, 40, 300, 4096]))
    else {
      const field = [random.pick(["a", "bb", "ccc"]), "v".repeat(random.below(6))] as const
      table.add(...field)
      model.unshift(field)
    }
    while (sizeOfModel() > table.maxBytes) model = model.slice(0, -1)
    assert.deepStrictEqual(contents(table), model)
    assert.strictEqual(table.byteLength, sizeOfModel())
    const [name, value] = [random.pick(["a", "bb", "ccc"]), "v".repeat(random.below(6))]
    const found = index.find(name)
    const position = (id: number | undefined) => (id === undefined ? -1 : table.addedCount - id - 1)
    assert.strictEqual(
      position(found?.newestId),
      model.findIndex(([known]) => known === name)
    )
    const at = model.findIndex(([known, other]) => known === name && other === value)
    assert.strictEqual(position(found?.byValue.get(value)), at)
  }
})
