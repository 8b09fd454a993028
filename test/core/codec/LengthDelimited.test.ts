import { assert, describe, it } from "@effect/vitest"
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import * as Schema from "effect/Schema"
import * as Chunkings from "../../harness/Chunkings.ts"
import { type Event, receive, send } from "../../harness/Decoding.ts"
import { hex, show } from "../../harness/Hex.ts"

type Options = LengthDelimited.Options

const frame = (bytes: string): Event => ["frame", show(hex(bytes))]
const stops = (tag: "FrameTooLarge" | "InvalidLength" | "TruncatedFrame"): Event => ["violation", tag, "stops"]

const check = (options: Options, wire: string, events: ReadonlyArray<Event>): void => {
  for (const chunks of Chunkings.everySplit(hex(wire))) {
    assert.deepStrictEqual(receive(LengthDelimited.make(options), chunks).events, events, Chunkings.show(chunks))
  }
}

const sent = (options: Options, ...frames: ReadonlyArray<string>): string => {
  const result = send(
    LengthDelimited.make(options),
    frames.map((each) => hex(each))
  )
  return "bytes" in result ? show(result.bytes) : `${result._tag} ${"fault" in result ? result.fault : ""}`
}

// What goes over the wire is the same both ways: one frame, each knob on its own and together.
const layouts: ReadonlyArray<readonly [rule: string, options: Options, wire: string, frame: string]> = [
  ["4 bytes, big endian", {}, "00000003 616263", "616263"],
  ["1 byte", { width: 1 }, "03 616263", "616263"],
  ["2 bytes, little endian", { width: 2, endianness: "little" }, "0300 616263", "616263"],
  ["3 bytes", { width: 3 }, "000003 616263", "616263"],
  ["3 bytes, little endian", { width: 3, endianness: "little" }, "030000 616263", "616263"],
  ["5 bytes", { width: 5 }, "0000000003 616263", "616263"],
  ["8 bytes", { width: 8 }, "0000000000000003 616263", "616263"],
  ["8 bytes, little endian", { width: 8, endianness: "little" }, "0300000000000000 616263", "616263"],
  ["an empty frame", { width: 2 }, "0000", ""],
  ["a length that counts itself", { width: 2, adjustment: -2 }, "0005 616263", "616263"],
  ["the head is kept", { width: 2, adjustment: 2, skip: 0 }, "0003 616263", "0003 616263"],
  ["the head is kept, and counted", { width: 2, skip: 0 }, "0005 616263", "0005 616263"],
  ["bytes before the length", { width: 2, offset: 1 }, "00 0003 616263", "616263"],
  ["bytes before the length, kept", { width: 2, offset: 1, adjustment: 3, skip: 0 }, "CA 0003 616263", "CA0003616263"],
  [
    "bytes before the length, the length kept",
    { width: 2, offset: 2, adjustment: 3, skip: 1 },
    "00CA0003616263",
    "CA0003616263"
  ],
  ["bytes after the length, dropped", { width: 2, skip: 4 }, "0003 0000 616263", "616263"],
  ["bytes after the length, kept", { width: 2, adjustment: 2 }, "0003 CAFE 616263", "CAFE616263"],
  ["all at once", { width: 3, offset: 1, adjustment: -5, skip: 5 }, "00 000008 00 616263", "616263"]
]

describe("layouts", () => {
  for (const [rule, options, wire, expected] of layouts) {
    it(`${rule}: received`, () => check(options, `${wire} ${wire}`, [frame(expected), frame(expected)]))
    it(`${rule}: sent`, () => assert.strictEqual(sent(options, expected), show(hex(wire))))
  }
  it("bytes before the length may be anything", () => check({ width: 1, offset: 2 }, "CAFE 01 61", [frame("61")]))
  it("a length within the frame is written over", () =>
    assert.strictEqual(sent({ width: 2, skip: 0 }, "ffff 6162"), "00 04 61 62"))
})

const received: ReadonlyArray<readonly [rule: string, options: Options, wire: string, ReadonlyArray<Event>]> = [
  ["nothing", {}, "", []],
  ["at the maximum", { width: 1, maxFrameSize: 3 }, "03 616263", [frame("616263")]],
  ["above the maximum", { width: 1, maxFrameSize: 3 }, "04 61626364", [stops("FrameTooLarge")]],
  ["above the maximum, from the head alone", { width: 1, maxFrameSize: 3 }, "04", [stops("FrameTooLarge")]],
  ["frames before it are handed out", { width: 1, maxFrameSize: 3 }, "0161 04", [frame("61"), stops("FrameTooLarge")]],
  ["the maximum is what is handed out", { width: 1, adjustment: 1, maxFrameSize: 3 }, "03", [stops("FrameTooLarge")]],
  ["the default maximum", {}, "00800001", [stops("FrameTooLarge")]],
  ["the largest length of 4 bytes", {}, "ffffffff", [stops("FrameTooLarge")]],
  ["2^53 - 1", { width: 8 }, "001fffffffffffff", [stops("FrameTooLarge")]],
  ["2^53", { width: 8 }, "0020000000000000", [stops("InvalidLength")]],
  ["2^64 - 1", { width: 8 }, "ffffffffffffffff", [stops("InvalidLength")]],
  ["2^64 - 1, little endian", { width: 8, endianness: "little" }, "ffffffffffffffff", [stops("InvalidLength")]],
  ["negative after the adjustment", { width: 1, adjustment: -2 }, "01", [stops("InvalidLength")]],
  [
    "negative, though not within the skipped bytes",
    { width: 1, adjustment: -2, skip: 4 },
    "01",
    [stops("InvalidLength")]
  ],
  ["zero after the adjustment", { width: 1, adjustment: -1 }, "01", [frame("")]],
  ["a frame that ends within its head", { width: 2, skip: 0 }, "0001 61", [stops("InvalidLength")]],
  ["a frame of no bytes at all", { width: 2, skip: 0 }, "0000", [stops("InvalidLength")]],
  ["the end inside a head", { width: 2 }, "00", [stops("TruncatedFrame")]],
  ["the end before a frame", { width: 2 }, "0001", [stops("TruncatedFrame")]],
  ["the end inside a frame", { width: 1 }, "0161 0261", [frame("61"), stops("TruncatedFrame")]]
]

describe("limits and damage", () => {
  for (const [rule, options, wire, events] of received) it(rule, () => check(options, wire, events))

  it("says how large the frame would have been", () => {
    const [reason] = receive(LengthDelimited.make({ maxFrameSize: "1 KiB" }), [hex("00000401")]).reasons
    assert.deepInclude(reason, { receivedBytes: 1025, limitBytes: 1024, fault: "limit", recoverable: false })
  })
  it("the maximum is lowered to what the length can express", () => {
    const codec = LengthDelimited.make({ width: 1, adjustment: -5 })
    assert.deepInclude(send(codec, [new Uint8Array(251)]), { _tag: "FrameTooLarge", limitBytes: 250 })
    assert.deepInclude(send(codec, [new Uint8Array(250)]), { writes: 1 })
  })
  it("leaves the bytes behind a frame in the queue", () => {
    const { events } = receive(LengthDelimited.make({ width: 1 }), [hex("01 61 05 62")], "open")
    assert.deepStrictEqual(events, [frame("61"), ["left", "05 62"]])
  })
})

describe("sending", () => {
  it("refuses a frame above the maximum", () =>
    assert.strictEqual(sent({ maxFrameSize: 2 }, "616263"), "FrameTooLarge caller"))
  it("refuses a frame shorter than the adjustment", () =>
    assert.strictEqual(sent({ adjustment: 4 }, "616263"), "InvalidLength caller"))
  it("refuses a frame too short for the length in it", () =>
    assert.strictEqual(sent({ width: 2, skip: 0 }, "61"), "InvalidLength caller"))
  it("joins a small frame with its head, and not a large one", () => {
    const codec = LengthDelimited.codec
    assert.deepInclude(send(codec, [new Uint8Array(4096), new Uint8Array(4097)]), { writes: 3 })
  })
  it("writes a length into a copy of a large frame", () => {
    const frame = new Uint8Array(5000)
    const result = send(LengthDelimited.make({ width: 2, skip: 0 }), [frame])
    if (!("bytes" in result)) throw new Error(result.message)
    assert.deepStrictEqual(
      [result.writes, show(result.bytes.subarray(0, 2)), show(frame.subarray(0, 2))],
      [1, "13 88", "00 00"]
    )
  })
  it("sends zeros for skipped bytes, whatever the memory held", () => {
    const options = { width: 1, offset: 1, skip: 40 }
    const expected = show(hex(`0001${"00".repeat(38)}61`))
    for (let turn = 0; turn < 50; turn++) {
      const bytes = send(LengthDelimited.make(options), [hex("61")])
      assert.strictEqual("bytes" in bytes ? show(bytes.bytes) : "", expected)
      if ("bytes" in bytes) bytes.bytes.fill(0xff)
    }
  })
})

describe("options out of range", () => {
  const refused: ReadonlyArray<readonly [rule: string, options: Options]> = [
    ["width 0", { width: 0 }],
    ["width 9", { width: 9 }],
    ["width 1.5", { width: 1.5 }],
    ["offset -1", { offset: -1 }],
    ["skip -1", { skip: -1 }],
    ["adjustment NaN", { adjustment: Number.NaN }],
    ["maximum 0", { maxFrameSize: 0 }],
    ["maximum -1", { maxFrameSize: -1 }],
    ["an adjustment that leaves no frame", { width: 1, adjustment: -255 }]
  ]
  for (const [rule, options] of refused) {
    it(rule, () => assert.throws(() => LengthDelimited.make(options), RangeError))
  }
})

const between = (least: number, most: number) => Schema.Int.check(Schema.isBetween({ minimum: least, maximum: most }))

it.prop(
  "what is sent is received, in every layout and at every split",
  {
    width: between(1, 8),
    endianness: Schema.Literals(["big", "little"]),
    offset: between(0, 5),
    adjustment: between(-4, 4),
    extra: between(0, 5),
    sizes: Schema.Array(between(4, 30)).check(Schema.isMaxLength(3)),
    cuts: Schema.Array(between(0, 120))
  },
  ({ adjustment, cuts, endianness, extra, offset, sizes, width }) => {
    const codec = LengthDelimited.make({ width, endianness, offset, adjustment, skip: offset + width + extra })
    const frames = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
    const wire = send(codec, frames)
    if (!("bytes" in wire)) throw new Error(wire.message)
    const positions = [...new Set(cuts)].filter((at) => at > 0 && at < wire.bytes.length).sort((a, b) => a - b)
    assert.deepStrictEqual(
      receive(codec, Chunkings.cut(wire.bytes, positions)).events,
      frames.map((each) => ["frame", show(each)])
    )
  },
  { arbitrary: { runs: 300 } }
)
