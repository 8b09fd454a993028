import { assert, describe, it } from "@effect/vitest"
import * as JsonLines from "@sluice/core/codec/JsonLines"
import * as Schema from "effect/Schema"
import * as Chunkings from "../../harness/Chunkings.ts"
import { type Event, receive, send } from "../../harness/Decoding.ts"

const value = (json: unknown): Event => ["frame", json]
const goesOn = (tag: "InvalidContent" | "InvalidUtf8" | "FrameTooLarge"): Event => ["violation", tag, "goes on"]

// The maximum is 10 bytes without the ending.
const received: ReadonlyArray<readonly [rule: string, wire: string, ReadonlyArray<Event>]> = [
  ["nothing", "", []],
  ["values", '{"a":1}\n[2]\r\n"é"\n', [value({ a: 1 }), value([2]), value("é")]],
  ["null and false are values", "null\nfalse\n0\n", [value(null), value(false), value(0)]],
  ["empty lines are skipped", "\n\r\n1\n\n\n2\n\n", [value(1), value(2)]],
  ["the last line has no ending", "1\n2", [value(1), value(2)]],
  ["the last line is empty", "1\n\r", [value(1)]],
  ["no JSON", "{a}\n1\n", [goesOn("InvalidContent"), value(1)]],
  ["no JSON in the last line", "1\n[2", [value(1), goesOn("InvalidContent")]],
  ["two values", "1 2\n3\n", [goesOn("InvalidContent"), value(3)]],
  ["spaces around", " 1 \n", [value(1)]],
  ["only spaces", " \n1\n", [goesOn("InvalidContent"), value(1)]],
  ["at the maximum", '"12345678"\n', [value("12345678")]],
  ["above the maximum", '"123456789"\n', [["violation", "FrameTooLarge", "stops"]]]
]

describe("receiving", () => {
  for (const [rule, wire, events] of received) {
    it(rule, () => {
      for (const chunks of Chunkings.everySplit(new TextEncoder().encode(wire))) {
        assert.deepStrictEqual(receive(JsonLines.make({ maxLineSize: 10 }), chunks).events, events)
      }
    })
  }
  it("goes on after a line that is discarded, or is not UTF-8", () => {
    const codec = JsonLines.make({ maxLineSize: 4, tooLong: "discard" })
    const wire = Uint8Array.of(0xff, 0x0a, 49, 50, 51, 52, 53, 0x0a, 49, 0x0a)
    for (const chunks of Chunkings.everySplit(wire)) {
      assert.deepStrictEqual(receive(codec, chunks).events, [goesOn("InvalidUtf8"), goesOn("FrameTooLarge"), value(1)])
    }
  })
  it("takes arrays as deep as a line allows without a defect", () => {
    const { events } = receive(JsonLines.codec, [new TextEncoder().encode(`${"[".repeat(1_000_000)}\n1\n`)])
    assert.deepStrictEqual(events, [goesOn("InvalidContent"), value(1)])
  })
})

describe("sending", () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const refused: ReadonlyArray<readonly [rule: string, value: unknown]> = [
    ["undefined", undefined],
    ["a function", () => {}],
    ["a bigint", 1n],
    ["a cycle", cycle]
  ]
  for (const [rule, value] of refused) {
    it(`refuses ${rule}`, () => {
      assert.deepInclude(send(JsonLines.codec, [value]), { _tag: "InvalidContent", fault: "caller" })
    })
  }
  it("sends a value above the maximum, which is for what is received", () => {
    assert.property(send(JsonLines.make({ maxLineSize: 4 }), ["abcdef"]), "bytes")
  })
})

it("refuses a maximum of 0", () => assert.throws(() => JsonLines.make({ maxLineSize: 0 }), RangeError))

it.prop("what is sent is received", { values: Schema.Array(Schema.Json) }, ({ values }) => {
  const wire = send(JsonLines.codec, values)
  if (!("bytes" in wire)) throw new Error(wire.message)
  // JSON has no -0.
  assert.deepStrictEqual(receive(JsonLines.codec, [wire.bytes]).events, JSON.parse(JSON.stringify(values)).map(value))
})
