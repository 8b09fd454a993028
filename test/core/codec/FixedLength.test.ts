import { assert, describe, it } from "@effect/vitest"
import * as FixedLength from "@sluice/core/codec/FixedLength"
import * as Chunkings from "../../harness/Chunkings.ts"
import { type Event, receive, send } from "../../harness/Decoding.ts"
import { hex } from "../../harness/Hex.ts"

const received: ReadonlyArray<readonly [rule: string, wire: string, ReadonlyArray<Event>]> = [
  ["nothing", "", []],
  ["one frame", "010203", [["frame", "01 02 03"]]],
  [
    "two frames",
    "010203 040506",
    [
      ["frame", "01 02 03"],
      ["frame", "04 05 06"]
    ]
  ],
  [
    "the end inside a frame",
    "010203 0405",
    [
      ["frame", "01 02 03"],
      ["violation", "TruncatedFrame", "stops"]
    ]
  ]
]

describe("frames of 3 bytes", () => {
  for (const [rule, wire, events] of received) {
    it(rule, () => {
      for (const chunks of Chunkings.everySplit(hex(wire))) {
        assert.deepStrictEqual(receive(FixedLength.make(3), chunks).events, events, Chunkings.show(chunks))
      }
    })
  }
  it("leaves the bytes behind a frame in the queue", () => {
    const { events } = receive(FixedLength.make(3), [hex("01020304")], "open")
    assert.deepStrictEqual(events, [
      ["frame", "01 02 03"],
      ["left", "04"]
    ])
  })
  it("sends them as they are", () => {
    assert.deepStrictEqual(send(FixedLength.make(3), [hex("010203")]), { bytes: hex("010203"), writes: 1 })
  })
  for (const wire of ["", "0102", "01020304"]) {
    it(`refuses to send <${wire}>`, () => {
      assert.deepInclude(send(FixedLength.make(3), [hex(wire)]), { _tag: "InvalidLength", fault: "caller" })
    })
  }
})

it("takes a size with a unit", () => {
  assert.deepStrictEqual(receive(FixedLength.make("2 B"), [hex("0102")]).events, [["frame", "01 02"]])
})
it("refuses a size of 0", () => assert.throws(() => FixedLength.make(0), RangeError))
