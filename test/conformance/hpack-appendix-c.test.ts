/** RFC 7541 Appendix C.3 to C.6 in both directions: each block, and the table behind it. C.1 and C.2 are in the unit tests. */
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import { assert, describe, it } from "vitest"
import { decode, encode, entriesOf, type Field } from "../core/protocol/hpack/HpackWire.ts"
import * as Hex from "../harness/Hex.ts"

interface Step {
  readonly wire: string
  readonly list: ReadonlyArray<Field>
  /** The newest first. */
  readonly table: ReadonlyArray<Field>
  readonly tableBytes: number
}

const authority: Field = [":authority", "www.example.com"]
const noCache: Field = ["cache-control", "no-cache"]
const custom: Field = ["custom-key", "custom-value"]
const request = (scheme: string, path: string): ReadonlyArray<Field> => [
  [":method", "GET"],
  [":scheme", scheme],
  [":path", path],
  authority
]
const requests = (...wires: readonly [string, string, string]): ReadonlyArray<Step> => [
  { wire: wires[0], list: request("http", "/"), table: [authority], tableBytes: 57 },
  { wire: wires[1], list: [...request("http", "/"), noCache], table: [noCache, authority], tableBytes: 110 },
  {
    wire: wires[2],
    list: [...request("https", "/index.html"), custom],
    table: [custom, noCache, authority],
    tableBytes: 164
  }
]

const status302: Field = [":status", "302"]
const status307: Field = [":status", "307"]
const isPrivate: Field = ["cache-control", "private"]
const date21: Field = ["date", "Mon, 21 Oct 2013 20:13:21 GMT"]
const date22: Field = ["date", "Mon, 21 Oct 2013 20:13:22 GMT"]
const location: Field = ["location", "https://www.example.com"]
const gzip: Field = ["content-encoding", "gzip"]
const setCookie: Field = ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"]
const responses = (...wires: readonly [string, string, string]): ReadonlyArray<Step> => [
  {
    wire: wires[0],
    list: [status302, isPrivate, date21, location],
    table: [location, date21, isPrivate, status302],
    tableBytes: 222
  },
  {
    wire: wires[1],
    list: [status307, isPrivate, date21, location],
    table: [status307, location, date21, isPrivate],
    tableBytes: 222
  },
  {
    wire: wires[2],
    list: [[":status", "200"], isPrivate, date22, location, gzip, setCookie],
    table: [setCookie, gzip, date22],
    tableBytes: 215
  }
]

const plainRequests = requests(
  "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
  "8286 84be 5808 6e6f 2d63 6163 6865",
  "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"
)
const codedRequests = requests(
  "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
  "8286 84be 5886 a8eb 1064 9cbf",
  "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"
)
const plainResponses = responses(
  `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e
   1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
  "4803 3330 37c1 c0bf",
  `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d
   4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572
   7369 6f6e 3d31`
)
const codedResponses = responses(
  `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b
   97c8 e9ae 82ae 43d3`,
  "4883 640e ffc1 c0bf",
  `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf
   cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`
)

const conversations: ReadonlyArray<readonly [title: string, steps: ReadonlyArray<Step>, maxTableBytes: number]> = [
  ["RFC 7541 C.3: requests without the code", plainRequests, 4096],
  ["RFC 7541 C.4: requests with it", codedRequests, 4096],
  ["RFC 7541 C.5: responses without the code", plainResponses, 256],
  ["RFC 7541 C.6: responses with it", codedResponses, 256]
]

/** What the examples agreed on before they began. */
const tableSizeOf = (maxTableBytes: number): string => (maxTableBytes === 4096 ? "" : "3fe101")

describe("decoding", () => {
  for (const [title, steps, maxTableBytes] of conversations) {
    it(title, () => {
      const decoder = new HpackDecoder()
      decoder.setMaxTableBytes(maxTableBytes)
      decode(decoder, [Hex.hex(tableSizeOf(maxTableBytes))])
      for (const { list, table, tableBytes, wire } of steps) {
        assert.deepStrictEqual(decode(decoder, [Hex.hex(wire)]), { fields: list, outcome: undefined })
        assert.deepStrictEqual(entriesOf(decoder), table)
        assert.strictEqual(decoder.tableBytes, tableBytes)
      }
    })
  }
})

describe("encoding, with all fields indexed", () => {
  for (const [title, steps, maxTableBytes] of conversations) {
    if (steps === plainRequests || steps === plainResponses) continue
    it(title, () => {
      const encoder = new HpackEncoder()
      encoder.setPeerMaxTableBytes(maxTableBytes)
      assert.strictEqual(Hex.show(encode(encoder, [])), Hex.show(Hex.hex(tableSizeOf(maxTableBytes))))
      for (const { list, table, tableBytes, wire } of steps) {
        const block = encode(
          encoder,
          list.map(([name, value]) => [name, value, "index"] as const)
        )
        // The example codes "307" though it is no shorter; we do not.
        const expected = wire.replace("4883 640e ff", "4803 3330 37")
        assert.strictEqual(Hex.show(block), Hex.show(Hex.hex(expected)))
        assert.deepStrictEqual(entriesOf(encoder), table)
        assert.strictEqual(encoder.tableBytes, tableBytes)
      }
    })
  }
})
