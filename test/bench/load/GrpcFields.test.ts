import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import { assert, describe, it } from "vitest"
import { GrpcFields } from "../../../bench/src/load/GrpcFields.ts"

type Fields = Readonly<Record<string, string>>

const right = { ":status": "200", "content-type": "application/grpc" }

/** The peer of a connection: what it says is checked, in the middle of other bytes. */
const start = (how: "index" | "plain") => {
  const fields = new GrpcFields()
  const encoder = new HpackEncoder()
  const encode = (list: Fields): Buffer => {
    const block = new HpackBlock()
    block.begin(0)
    encoder.begin(block)
    for (const [name, value] of Object.entries(list)) encoder.encode(block, name, value, how)
    return Buffer.from(block.bytes.subarray(0, block.length))
  }
  const among = (block: Buffer): Buffer => Buffer.concat([Buffer.from("??"), block, Buffer.from("?")])
  return {
    head: (list: Fields) => {
      const block = encode(list)
      return fields.checkHead(among(block), 2, 2 + block.length)
    },
    trailers: (list: Fields) => {
      const block = encode(list)
      return fields.checkTrailers(among(block), 2, 2 + block.length)
    }
  }
}

for (const how of ["index", "plain"] as const) {
  describe(`fields that are sent ${how === "index" ? "for the table" : "in full"}`, () => {
    it("right ones are right, as often as they come", () => {
      const { head, trailers } = start(how)
      for (let call = 0; call < 5; call++) {
        assert.strictEqual(head(right), undefined)
        assert.strictEqual(trailers({ "grpc-status": "0" }), undefined)
      }
    })

    it("wrong ones are seen behind right ones", () => {
      const { head, trailers } = start(how)
      for (let call = 0; call < 3; call++) {
        head(right)
        trailers({ "grpc-status": "0" })
      }
      for (let call = 0; call < 3; call++) {
        assert.match(head({ ...right, ":status": "503" })!, /503/)
        assert.match(head({ ...right, "content-type": "text/plain" })!, /text\/plain/)
        assert.match(trailers({ "grpc-status": "8", "grpc-message": "full" })!, /8: full/)
        assert.match(trailers({ "grpc-message": "none" })!, /undefined/)
      }
      assert.strictEqual(head(right), undefined)
      assert.strictEqual(trailers({ "grpc-status": "0" }), undefined)
    })
  })
}

it("a block that means something else since the table has changed is decoded anew", () => {
  const { head, trailers } = start("index")
  const dated = (second: number): Fields => ({ ...right, date: `Mon, 23 Nov 2026 06:00:0${second} GMT` })
  const status = (value: string): Fields => ({ "grpc-status": value })
  trailers(status("0"))
  assert.strictEqual(trailers(status("0")), undefined)
  // The field of a status of 7 is now where that of 0 was: the same byte.
  assert.match(trailers(status("7"))!, /7/)
  assert.match(trailers(status("7"))!, /7/)
  for (let second = 0; second < 5; second++) {
    for (let call = 0; call < 3; call++) assert.strictEqual(head(dated(second)), undefined)
    assert.strictEqual(trailers(status("0")), undefined)
    assert.match(trailers(status("7"))!, /7/)
  }
})

it("what cannot be decoded is an error", () => {
  assert.throws(() => new GrpcFields().checkHead(Buffer.from([0xff, 0x7f]), 0, 2), /cannot be decoded/)
})
