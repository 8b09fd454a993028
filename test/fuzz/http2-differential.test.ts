import { afterAll, assert, describe, it } from "vitest"
import { rows } from "./Http2Differences.ts"
import * as Http2Differential from "./Http2Differential.ts"
import * as Http2Wires from "./Http2Wires.ts"

const loopback = new Http2Differential.Loopback()
afterAll(() => loopback.close())

it("says and hears the same as node:http2, in both roles", async () => {
  const result = Http2Differential.tally()
  for (let seed = 1; seed <= 60; seed++) await Http2Differential.round(seed, loopback, result)
  assert.deepStrictEqual(result.unexplained, [])
  // Exchanges have ended in each way.
  for (const role of ["server", "client"]) {
    for (const what of [
      "client ended, server ended",
      "client reset by me, server reset by peer",
      "client reset by peer, server reset by me"
    ]) {
      assert.isAbove(result.counts.get(`${role}: ${what}`) ?? 0, 0, `${role}: ${what}`)
    }
  }
})

it("reads the same requests as node:http2 from the same frames, good and damaged", async () => {
  const result = Http2Differential.tally()
  for (let seed = 1; seed <= 300; seed++) await Http2Wires.round(seed, loopback, result)
  assert.deepStrictEqual(result.unexplained, [])
  assert.isAbove(result.counts.get("frames: the same") ?? 0, 500)
  assert.isAbove(result.counts.get("frames: neither takes it whole") ?? 0, 100)
})

describe("each rule explains its example, against the node:http2 of today", () => {
  for (const { example, role, rule } of rows) {
    it(`${role}: ${rule}`, async () => {
      const result = Http2Differential.tally()
      await Http2Differential.converse("example", role, example, loopback, result)
      assert.deepStrictEqual(result.unexplained, [])
      assert.isTrue(result.counts.has(`${role}: ${rule}`), [...result.counts.keys()].join())
    })
  }
})
