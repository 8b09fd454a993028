import { assert, it } from "@effect/vitest"
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import * as HpackPrepared from "@sluice/core/protocol/hpack/HpackPrepared"
import * as Hex from "../../../harness/Hex.ts"
import { decode, entriesOf } from "./HpackWire.ts"

it(":status: 200 is a byte", () => assert.strictEqual(Hex.show(HpackPrepared.make([[":status", "200"]]).bytes), "88"))
it("is right for a decoder of any past, and leaves nothing behind", () => {
  const fields = [
    [":status", "201"],
    ["content-type", "text/plain"],
    ["x-other", "a b"]
  ] as const
  const { bytes } = HpackPrepared.make([...fields, ["set-cookie", "id=1"]])
  const decoder = new HpackDecoder()
  for (let turn = 0; turn < 2; turn++) {
    const expected = [...fields, ["set-cookie", "id=1", "never"]]
    assert.deepStrictEqual<unknown>(decode(decoder, [bytes]), { fields: expected, outcome: undefined })
    assert.deepStrictEqual(entriesOf(decoder), [])
    decode(decoder, [Hex.hex("40 01 61 01 62")])
    decode(decoder, [Hex.hex("20 3f e1 1f")])
  }
})
