import { assert, it } from "@effect/vitest"
import * as HpackStaticTable from "@sluice/core/protocol/hpack/HpackStaticTable"

it("RFC 7541 Appendix A: 61 entries, in their places", () => {
  const { entryCount, names, values } = HpackStaticTable
  assert.deepStrictEqual([entryCount, names.length, values.length], [61, 62, 62])
  const entries = [1, 2, 5, 8, 14, 16, 28, 32, 38, 61].map((index) => [index, names[index], values[index]])
  assert.deepStrictEqual(entries, [
    [1, ":authority", ""],
    [2, ":method", "GET"],
    [5, ":path", "/index.html"],
    [8, ":status", "200"],
    [14, ":status", "500"],
    [16, "accept-encoding", "gzip, deflate"],
    [28, "content-length", ""],
    [32, "cookie", ""],
    [38, "host", ""],
    [61, "www-authenticate", ""]
  ])
})
it("every entry is found, and a name at its first", () => {
  const { entryCount, find, names, values } = HpackStaticTable
  for (let index = 1; index <= entryCount; index++) {
    const found = find(names[index]!)
    assert.strictEqual(found?.index, names.indexOf(names[index]!))
    if (values[index] !== "") assert.strictEqual(found?.byValue.get(values[index]!), index)
  }
  assert.isUndefined(find("x-other"))
  assert.isUndefined(find(""))
  assert.isUndefined(find(":status")?.byValue.get("201"))
})
