import { assert, describe, it } from "@effect/vitest"
import * as VarintDelimited from "@sluice/core/codec/VarintDelimited"
import * as Schema from "effect/Schema"
import * as Chunkings from "../../harness/Chunkings.ts"
import { type Event, receive, send } from "../../harness/Decoding.ts"
import { hex, show } from "../../harness/Hex.ts"

const frame = (bytes: string): Event => ["frame", show(hex(bytes))]
const stops = (tag: "FrameTooLarge" | "InvalidLength" | "TruncatedFrame"): Event => ["violation", tag, "stops"]

// The maximum is 200 bytes.
const limited = VarintDelimited.make({ maxFrameSize: 200 })
const long = "61".repeat(200)

const received: ReadonlyArray<readonly [rule: string, wire: string, ReadonlyArray<Event>]> = [
  ["nothing", "", []],
  ["an empty frame", "00", [frame("")]],
  ["one byte of length", "03 616263 01 64", [frame("616263"), frame("64")]],
  ["two bytes of length, at the maximum", `c801 ${long}`, [frame(long)]],
  ["above the maximum", "c901", [stops("FrameTooLarge")]],
  ["longer than it must be", "8300 616263", [frame("616263")]],
  ["zero in ten bytes", "80808080808080808000", [frame("")]],
  ["2^53 - 1", "ffffffffffffff0f", [stops("FrameTooLarge")]],
  ["2^53", "8080808080808010", [stops("InvalidLength")]],
  ["2^64 - 1", "ffffffffffffffffff01", [stops("InvalidLength")]],
  ["more than 64 bits", "ffffffffffffffffff7f", [stops("InvalidLength")]],
  ["no end within ten bytes", "80808080808080808080", [stops("InvalidLength")]],
  ["the end inside a length", "01 61 80", [frame("61"), stops("TruncatedFrame")]],
  ["the end inside a frame", "02 61", [stops("TruncatedFrame")]]
]

describe("receiving", () => {
  for (const [rule, wire, events] of received) {
    it(rule, () => {
      for (const chunks of Chunkings.everySplit(hex(wire))) {
        assert.deepStrictEqual(receive(limited, chunks).events, events, Chunkings.show(chunks))
      }
    })
  }
  it("leaves the bytes behind a frame in the queue", () => {
    assert.deepStrictEqual(receive(limited, [hex("01 61 05 62")], "open").events, [frame("61"), ["left", "05 62"]])
  })
})

describe("sending", () => {
  const heads: ReadonlyArray<readonly [size: number, head: string]> = [
    [0, "00"],
    [1, "01"],
    [127, "7f"],
    [128, "80 01"],
    [300, "ac 02"],
    [16_383, "ff 7f"],
    [16_384, "80 80 01"],
    [2_097_152, "80 80 80 01"]
  ]
  for (const [size, head] of heads) {
    it(`a frame of ${size} bytes has the shortest length`, () => {
      const result = send(VarintDelimited.codec, [new Uint8Array(size)])
      if (!("bytes" in result)) throw new Error(result.message)
      assert.strictEqual(result.bytes.length, hex(head).length + size)
      assert.strictEqual(show(result.bytes.subarray(0, hex(head).length)), head)
      assert.strictEqual(result.writes, size > 4096 ? 2 : 1)
    })
  }
  it("refuses a frame above the maximum", () => {
    assert.deepInclude(send(limited, [new Uint8Array(201)]), { _tag: "FrameTooLarge", fault: "caller" })
  })
})

it("refuses a maximum of 0", () => assert.throws(() => VarintDelimited.make({ maxFrameSize: 0 }), RangeError))

it.prop(
  "what is sent is received",
  { frames: Schema.Array(Schema.Uint8Array) },
  ({ frames }) => {
    const wire = send(VarintDelimited.codec, frames)
    if (!("bytes" in wire)) throw new Error(wire.message)
    for (const chunks of Chunkings.everySplit(wire.bytes).slice(0, 30)) {
      assert.deepStrictEqual(
        receive(VarintDelimited.codec, chunks).events,
        frames.map((each) => ["frame", show(each)])
      )
    }
  },
  { arbitrary: { runs: 100 } }
)
