import { assert, describe, it } from "vitest"
import { rows } from "./Http1Differences.ts"
import * as Http1Differential from "./Http1Differential.ts"
import { NodeServer } from "./Http1Heard.ts"

it("reads the same messages as node:http, or parts with it by a rule", async () => {
  const result = Http1Differential.tally()
  const node = new NodeServer()
  for (let seed = 1; seed <= 1_000; seed++) await Http1Differential.round(seed, node, result)
  node.close()
  assert.deepStrictEqual(result.unexplained, [])
  // Both roles have met messages that both sides took, and some that neither did.
  for (const role of ["server", "client"]) {
    assert.isAbove(result.counts.get(`${role}: the same`) ?? 0, 300)
    assert.isAbove(result.counts.get(`${role}: both refuse`) ?? 0, 100)
  }
})

describe("each rule explains its example, against the node:http of today", () => {
  for (const { example, kind, method = "GET", role, rule } of rows) {
    it(`${kind}: ${rule}`, async () => {
      const result = Http1Differential.tally()
      if (example.startsWith("HTTP/") || role === "client") {
        await Http1Differential.judgeClient(example, { method, upgrade: undefined }, result)
      } else {
        const node = new NodeServer()
        await Http1Differential.judgeServer(example, node, result)
        node.close()
      }
      assert.deepStrictEqual(result.unexplained, [])
      assert.isTrue(
        [...result.counts.keys()].every((what) => what.endsWith(`${kind}: ${rule}`)),
        String([...result.counts.keys()])
      )
    })
  }
})
