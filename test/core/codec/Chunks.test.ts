import { assert, it } from "@effect/vitest"
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as Chunks from "@sluice/core/codec/Chunks"
import { receive, send } from "../../harness/Decoding.ts"
import { hex } from "../../harness/Hex.ts"

it("hands chunks out as they were received", () => {
  assert.deepStrictEqual(receive(Chunks.codec, [hex("0102"), hex("03")]).events, [
    ["frame", "01 02"],
    ["frame", "03"]
  ])
})
it("hands out at the end what another codec has left", () => {
  const input = new ByteQueue()
  input.push(hex("0102"))
  const decoder = Chunks.make().decoder()
  assert.deepStrictEqual([decoder.decodeEnd(input), decoder.decodeEnd(input)], [hex("0102"), undefined])
})
it("sends chunks as they are", () => {
  assert.deepStrictEqual(send(Chunks.codec, [hex("0102"), hex("03")]), { bytes: hex("010203"), writes: 2 })
})
