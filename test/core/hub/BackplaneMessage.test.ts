import { assert, describe, it } from "@effect/vitest"
import * as BackplaneMessage from "@sluice/core/hub/BackplaneMessage"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import { hex, show } from "../../harness/Hex.ts"

const origin = hex("0102030405060708")
const other = hex("0102030405060709")

describe("BackplaneMessage", () => {
  const cases: ReadonlyArray<readonly [rule: string, message: string | Uint8Array, wire: string]> = [
    ["a text", "hé", "01 01 0102030405060708 68c3a9"],
    ["an empty text", "", "01 01 0102030405060708"],
    ["bytes", hex("00ff"), "01 02 0102030405060708 00ff"]
  ]
  for (const [rule, message, wire] of cases) {
    it(`${rule} is the same behind the backplane`, () => {
      const prepared = WebSocketPrepared.make(message)
      const bytes = BackplaneMessage.encode(origin, prepared)
      assert.strictEqual(show(bytes), show(hex(wire)))
      const decoded = BackplaneMessage.decode(other, bytes)
      if (typeof decoded === "string") return assert.fail(decoded)
      assert.strictEqual(decoded.opcode, prepared.opcode)
      assert.strictEqual(show(decoded.payload), show(prepared.payload))
    })
  }

  it("a hub knows its own", () => {
    assert.strictEqual(BackplaneMessage.decode(origin, hex("01 01 0102030405060708 61")), "own")
  })

  const unknown: ReadonlyArray<readonly [rule: string, wire: string]> = [
    ["nothing", ""],
    ["a cut origin", "01 01 01020304050607"],
    ["a later version", "02 01 0102030405060708 61"],
    ["a frame that is no message", "01 08 0102030405060708 61"]
  ]
  for (const [rule, wire] of unknown) {
    it(`${rule} is unknown`, () => assert.strictEqual(BackplaneMessage.decode(other, hex(wire)), "unknown"))
  }
})
