import { assert, describe, it } from "@effect/vitest"
import * as Delimited from "@sluice/core/codec/Delimited"
import * as Schema from "effect/Schema"
import * as Chunkings from "../../harness/Chunkings.ts"
import { type Event, receive, send } from "../../harness/Decoding.ts"
import { hex, show } from "../../harness/Hex.ts"

const frame = (text: string): Event => ["frame", show(hex(text === "" ? "" : `'${text}'`))]
const stops = (tag: "FrameTooLarge" | "TruncatedFrame"): Event => ["violation", tag, "stops"]

// The maximum is 5 bytes without the delimiter.
const received: ReadonlyArray<readonly [rule: string, delimiter: string, wire: string, ReadonlyArray<Event>]> = [
  ["nothing", ";", "", []],
  ["one byte", ";", "ab;;c;", [frame("ab"), frame(""), frame("c")]],
  ["two bytes", "::", "ab::c:d::", [frame("ab"), frame("c:d")]],
  ["at the maximum", ";", "abcde;", [frame("abcde")]],
  ["above the maximum", ";", "abcdef;", [stops("FrameTooLarge")]],
  ["above the maximum, without a delimiter", ";", "abcdef", [stops("FrameTooLarge")]],
  ["at the maximum, within the delimiter", "::", "abcde:", [stops("TruncatedFrame")]],
  ["at the maximum, with what seemed to be the delimiter", "::", "abcde:f", [stops("FrameTooLarge")]],
  ["at the maximum, the delimiter of two bytes", "::", "abcde::", [frame("abcde")]],
  ["the end inside a frame", ";", "ab;c", [frame("ab"), stops("TruncatedFrame")]],
  ["a delimiter that begins twice", "aab", "aaab", [frame("a")]],
  ["a delimiter within itself", "abab", "ababababab", [frame(""), frame(""), stops("TruncatedFrame")]],
  ["a long way back", "aabaaac", "aabaabaaac", [frame("aab")]],
  ["a delimiter of three", "\r\n.", "a\r\n\r\n.b\r\n.", [frame("a\r\n"), frame("b")]]
]

describe("receiving", () => {
  for (const [rule, delimiter, wire, events] of received) {
    it(rule, () => {
      const codec = Delimited.make({ delimiter, maxFrameSize: 5 })
      for (const chunks of Chunkings.everySplit(new TextEncoder().encode(wire))) {
        assert.deepStrictEqual(receive(codec, chunks).events, events, Chunkings.show(chunks))
      }
    })
  }
  it("keeps the delimiter where that is asked; it does not count", () => {
    const codec = Delimited.make({ delimiter: "::", ending: "keep", maxFrameSize: 2 })
    for (const chunks of Chunkings.everySplit(hex("'ab::c::'"))) {
      assert.deepStrictEqual(receive(codec, chunks).events, [frame("ab::"), frame("c::")])
    }
  })
  it("buffers no more than the maximum and a part of the delimiter", () => {
    const codec = Delimited.make({ delimiter: "::::", maxFrameSize: 5 })
    const bytes = Chunkings.everySplit(hex("'abcde:::x'"))[1]!
    assert.strictEqual(receive(codec, bytes).mostBufferedBytes, 5 + 3)
  })
  it("leaves the bytes behind a frame in the queue", () => {
    const codec = Delimited.make({ delimiter: ";" })
    assert.deepStrictEqual(receive(codec, [hex("'a;b'")], "open").events, [frame("a"), ["left", "62"]])
  })
  it("is not changed by a change of the delimiter's array", () => {
    const delimiter = hex("0a")
    const codec = Delimited.make({ delimiter })
    delimiter[0] = 0
    assert.deepStrictEqual(receive(codec, [hex("61 0a")]).events, [frame("a")])
  })
})

// `sent` is undefined where the frame is refused.
const sending: ReadonlyArray<readonly [rule: string, Delimited.Options, frame: string, sent: string | undefined]> = [
  ["a frame", { delimiter: "::" }, "a:b", "a:b::"],
  ["an empty frame", { delimiter: "::" }, "", "::"],
  ["a frame with the delimiter in it", { delimiter: "::" }, "a::b", undefined],
  ["a frame that makes the delimiter come early", { delimiter: "::" }, "a:", undefined],
  ["the delimiter is kept", { delimiter: ";", ending: "keep" }, "a;", "a;"],
  ["the delimiter is missing", { delimiter: ";", ending: "keep" }, "a", undefined],
  ["the delimiter comes twice", { delimiter: ";", ending: "keep" }, "a;b;", undefined],
  ["above the maximum", { delimiter: ";", maxFrameSize: 1 }, "ab", undefined],
  ["at the maximum, with the delimiter", { delimiter: ";", ending: "keep", maxFrameSize: 1 }, "a;", "a;"]
]

describe("sending", () => {
  for (const [rule, options, text, expected] of sending) {
    it(rule, () => {
      const result = send(Delimited.make(options), [new TextEncoder().encode(text)])
      if ("bytes" in result) assert.strictEqual(new TextDecoder().decode(result.bytes), expected)
      else assert.deepStrictEqual(["fault" in result && result.fault, expected], ["caller", undefined])
    })
  }
})

describe("options out of range", () => {
  it("an empty delimiter", () => assert.throws(() => Delimited.make({ delimiter: "" }), RangeError))
  it("a maximum of 0", () => assert.throws(() => Delimited.make({ delimiter: ";", maxFrameSize: 0 }), RangeError))
})

/** The rule without a queue or an automaton: `text.split`, for text in which a delimiter cannot overlap itself. */
it.prop(
  "finds what a search from the front finds",
  {
    text: Schema.Array(Schema.Literals(["a", "b", "c"])),
    delimiter: Schema.Literals(["a", "ab", "aab", "aba", "aabaac", "abab"]),
    step: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))
  },
  ({ delimiter, step, text }) => {
    const wire = new TextEncoder().encode(text.join(""))
    const positions = Array.from({ length: Math.ceil(wire.length / step) - 1 }, (_, index) => (index + 1) * step)
    const expected = text.join("").split(delimiter)
    const rest = expected.pop()
    assert.deepStrictEqual(receive(Delimited.make({ delimiter }), Chunkings.cut(wire, positions)).events, [
      ...expected.map(frame),
      ...(rest === "" ? [] : [stops("TruncatedFrame")])
    ])
  },
  { arbitrary: { runs: 500, size: 60 } }
)
