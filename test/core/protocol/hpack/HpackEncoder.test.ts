import { assert, describe, it } from "@effect/vitest"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import * as HpackPrepared from "@sluice/core/protocol/hpack/HpackPrepared"
import * as Chunkings from "../../../harness/Chunkings.ts"
import * as Hex from "../../../harness/Hex.ts"
import { SeededRandom } from "../../../harness/SeededRandom.ts"
import { decode, encode, entriesOf, type Field } from "./HpackWire.ts"

describe("representations", () => {
  const cases: ReadonlyArray<readonly [rule: string, fields: ReadonlyArray<Field>, wire: string]> = [
    ["a static field is a byte", [[":status", "200"]], "88"],
    [
      "a field that came before is a byte",
      [
        ["!", "!"],
        ["!", "!"]
      ],
      "40 01 21 01 21 be"
    ],
    ["a static name", [["server", "!"]], "76 01 21"],
    [
      "a name that came before",
      [
        ["!", "!"],
        ["!", "?"]
      ],
      "40 01 21 01 21 7e 01 3f"
    ],
    [
      "RFC 7541 §7.1.3: a secret is never indexed",
      [
        ["authorization", "!"],
        ["authorization", "!"]
      ],
      "1f 08 01 21 1f 08 01 21"
    ],
    [
      "a field that was never indexed stays so",
      [
        ["!", "!", "never"],
        [":method", "GET", "never"]
      ],
      "10 01 21 01 21 12 03 47 45 54"
    ],
    [
      "a secret does not use what is in the table",
      [
        ["!", "!"],
        ["!", "!", "never"]
      ],
      "40 01 21 01 21 1f 2f 01 21"
    ],
    ["what differs each time is not indexed", [["content-length", "!"]], "0f 0d 01 21"]
  ]
  for (const [rule, fields, wire] of cases) {
    it(rule, () => assert.strictEqual(Hex.show(encode(new HpackEncoder(), fields)), Hex.show(Hex.hex(wire))))
  }
  it("an entry of most of the table is not added", () => {
    const encoder = new HpackEncoder()
    encode(encoder, [["!", "x".repeat(3072)]])
    assert.strictEqual(encoder.tableBytes, 0)
    encode(encoder, [["!", "x".repeat(3039)]])
    assert.strictEqual(encoder.tableBytes, 3072)
  })
  it("prepared fields are appended, behind the table sizes that are due", () => {
    const encoder = new HpackEncoder({ maxTableBytes: 0 })
    const block = new HpackBlock()
    encoder.begin(block)
    encoder.prepared(block, HpackPrepared.make([[":status", "200"]]))
    assert.strictEqual(Hex.show(block.copy(0)), "20 88")
  })
})

describe("RFC 7541 §4.2: table sizes", () => {
  const cases: ReadonlyArray<readonly [rule: string, own: number, settings: ReadonlyArray<number>, wire: string]> = [
    ["none at first", 4096, [], "88"],
    ["a lower one", 4096, [100], "3f 45 88"],
    ["a higher one is not used beyond the own limit", 4096, [65_536], "88"],
    ["a higher one up to the own limit", 8192, [65_536], "3f e1 3f 88"],
    ["an own limit below the initial size", 100, [], "3f 45 88"],
    ["the lowest and the last", 4096, [0, 4096], "20 3f e1 1f 88"],
    ["the lowest of many, and the last", 4096, [200, 31, 150, 100], "3f 00 3f 45 88"],
    ["lower ones of which the last is the lowest", 4096, [200, 100], "3f 45 88"]
  ]
  for (const [rule, maxTableBytes, settings, wire] of cases) {
    it(rule, () => {
      const encoder = new HpackEncoder({ maxTableBytes })
      for (const maxBytes of settings) encoder.setPeerMaxTableBytes(maxBytes)
      assert.strictEqual(Hex.show(encode(encoder, [[":status", "200"]])), Hex.show(Hex.hex(wire)))
      assert.strictEqual(Hex.show(encode(encoder, [[":status", "200"]])), "88")
    })
  }
})

it("what is encoded is decoded, at random splits, and the tables stay in step", () => {
  const random = new SeededRandom(3)
  const text = (most: number) => random.list(most, () => String.fromCharCode(random.below(256))).join("")
  const names = ["content-type", ":status", "cookie", "authorization", "x-a", "x-b", ""]
  for (let connection = 0; connection < 60; connection++) {
    const encoder = new HpackEncoder({ maxTableBytes: random.pick([0, 64, 300, 4096, 10_000]) })
    const decoder = new HpackDecoder()
    for (let turn = 0; turn < 40; turn++) {
      for (let changes = random.pick([0, 0, 0, 1, 3]); changes > 0; changes--) {
        const maxBytes = random.pick([0, 50, 200, 1000, 4096, 20_000])
        encoder.setPeerMaxTableBytes(maxBytes)
        decoder.setMaxTableBytes(maxBytes)
      }
      const list = random.list(12, (): Field => {
        const name = random.below(4) === 0 ? text(12) : random.pick(names)
        const value = random.pick(["200", "text/plain", text(5), text(60)])
        return [name, value, random.pick([undefined, undefined, "never"] as const)]
      })
      const wire = encode(encoder, list)
      const cuts = random.list(5, () => 1 + random.below(Math.max(1, wire.length - 1)))
      const heard = decode(
        decoder,
        Chunkings.cut(
          wire,
          [...new Set(cuts)].sort((a, b) => a - b)
        )
      )
      const isSecret = ([name, value, policy]: Field) =>
        policy === "never" || name === "authorization" || (name === "cookie" && value.length < 20)
      const expected = list.map((field) => (isSecret(field) ? [field[0], field[1], "never"] : [field[0], field[1]]))
      assert.deepStrictEqual<unknown>(heard, { fields: expected, outcome: undefined })
      assert.deepStrictEqual(entriesOf(decoder), entriesOf(encoder))
      assert.isAtMost(encoder.tableBytes, encoder.maxTableBytes)
    }
  }
})
