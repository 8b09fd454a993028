/** The frames of the load against the readers of servers. */
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import { assert, it } from "vitest"
import * as Http2Frames from "../../../bench/src/load/Http2Frames.ts"
import { hex } from "../../harness/Hex.ts"

const fieldsOf = (blocks: ReadonlyArray<Uint8Array>): ReadonlyArray<ReadonlyArray<string>> => {
  const decoder = new HpackDecoder()
  return blocks.map((block) => {
    const fields: Array<string> = []
    assert.isUndefined(decoder.decode(block, { onField: (name, value) => void fields.push(`${name} ${value}`) }))
    return fields
  })
}

it("a request without a body has the pseudo-header fields, and the same ones each time", () => {
  const { first, next } = Http2Frames.blocksOf({ method: "GET", path: "/" })
  const fields = [":method GET", ":scheme http", ":authority localhost", ":path /"]
  assert.deepStrictEqual(fieldsOf([first, next, next]), [fields, fields, fields])
})

it("a request after the first one is an index a field", () => {
  assert.strictEqual(Http2Frames.blocksOf({ method: "GET", path: "/" }).next.length, 4)
  assert.strictEqual(Http2Frames.blocksOf({ method: "POST", path: "/upload", bodyBytes: 16_384 }).next.length, 6)
})

it("a request with a body says its length", () => {
  const { first, next } = Http2Frames.blocksOf({ method: "POST", path: "/upload", bodyBytes: 16_384 })
  for (const fields of fieldsOf([first, next])) assert.include(fields, "content-length 16384")
})

it("RFC 9113 §3.4: the opening is the preface, SETTINGS, and more of the connection's window", () => {
  const settings = "00000c 04 00 00000000 0002 00000000 0004 00600000"
  assert.deepStrictEqual(
    Http2Frames.opening,
    Buffer.from(hex(`'PRI * HTTP/2.0' 0d0a0d0a 'SM' 0d0a0d0a ${settings} 000004 08 00 00000000 00ef0001`))
  )
})
