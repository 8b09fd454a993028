import { assert, describe, it } from "vitest"
import * as Wire from "../harness/WebSocketWire.ts"
import { rows } from "./WebSocketDifferences.ts"
import * as WebSocketDifferential from "./WebSocketDifferential.ts"
import * as WebSocketLive from "./WebSocketLive.ts"

it("hears what ws hears, and fails whom ws fails, or parts with it by a rule", async () => {
  const result = WebSocketDifferential.tally()
  for (let seed = 1; seed <= 400; seed++) await WebSocketDifferential.round(seed, result)
  assert.deepStrictEqual(result.unexplained, [])
  for (const code of [1002, 1007]) assert.isAbove(result.counts.get(`the same, failed with ${code}`) ?? 0, 20)
  assert.isAbove(result.counts.get("the same") ?? 0, 100)
})

it("garbage behind a final block is no DEFLATE, where ws passes it over", async () => {
  const result = WebSocketDifferential.tally()
  const wire = Wire.frame("client", 0xc2, "0b2bcb2b0500fc")
  await WebSocketDifferential.judge({ role: "server", deflate: "negotiated" }, wire, [wire], result)
  assert.deepStrictEqual(
    [...result.counts.keys(), ...result.unexplained],
    ["apart: RFC 7692 §7.2.2: a compressed message is blocks, and ends where one does"]
  )
})

describe("each rule explains its example, against the ws of today", () => {
  for (const { deflate, example, rule } of rows) {
    it(rule, async () => {
      const result = WebSocketDifferential.tally()
      await WebSocketDifferential.judge({ role: "server", deflate }, example, [example], result)
      assert.deepStrictEqual([...result.counts.keys(), ...result.unexplained], [`apart: ${rule}`])
    })
  }
})

describe("what one side says over a socket comes back", () => {
  for (const [name, make] of [
    ["our client, and a server of ws", WebSocketLive.ourClient],
    ["a client of ws, and our server", WebSocketLive.ourServer]
  ] as const) {
    it(name, async () => {
      const side = await make()
      try {
        let count = 0
        for (let seed = 1; seed <= 40; seed++) count += await side.round(seed)
        assert.isAbove(count, 200)
      } finally {
        side.close()
      }
    })
  }
})
