import { assert, describe, it } from "@effect/vitest"
import * as Lines from "@sluice/core/codec/Lines"
import * as Schema from "effect/Schema"
import * as Chunkings from "../../harness/Chunkings.ts"
import { type Event, receive, send } from "../../harness/Decoding.ts"
import { hex } from "../../harness/Hex.ts"

const line = (text: string): Event => ["frame", text]
const notUtf8: Event = ["violation", "InvalidUtf8", "goes on"]
const tooLong: Event = ["violation", "FrameTooLarge", "stops"]
const discarded: Event = ["violation", "FrameTooLarge", "goes on"]

const check = (options: Lines.Options, wire: string, events: ReadonlyArray<Event>): void => {
  for (const chunks of Chunkings.everySplit(hex(wire))) {
    assert.deepStrictEqual(receive(Lines.make(options), chunks).events, events, Chunkings.show(chunks))
  }
}

// The maximum is 4 bytes without the ending.
const received: ReadonlyArray<readonly [rule: string, wire: string, ReadonlyArray<Event>]> = [
  ["nothing", "", []],
  ["LF", "'a' 0a 'bc' 0a", [line("a"), line("bc")]],
  ["CR LF", "'a' 0d0a 'bc' 0d0a", [line("a"), line("bc")]],
  ["both", "'a' 0d0a 'b' 0a", [line("a"), line("b")]],
  ["empty lines", "0a 0d0a 0a", [line(""), line(""), line("")]],
  ["one CR is stripped", "'a' 0d0d0a", [line("a\r")]],
  ["a bare CR is content", "'a' 0d 'b' 0a", [line("a\rb")]],
  ["the last line has no ending", "'a' 0a 'b'", [line("a"), line("b")]],
  ["the last line has half an ending", "'a' 0a 'b' 0d", [line("a"), line("b")]],
  ["at the maximum", "'abcd' 0a 'efgh' 0d0a", [line("abcd"), line("efgh")]],
  ["at the maximum, at the end", "'abcd' 0d", [line("abcd")]],
  ["above the maximum", "'a' 0a 'abcde' 0a", [line("a"), tooLong]],
  ["above the maximum, with a CR", "'abcd' 0d0d0a", [tooLong]],
  ["above the maximum, without an ending", "'abcde'", [tooLong]],
  ["the maximum counts bytes", "'ééa' 0a", [tooLong]],
  ["two, three and four bytes a character", "c3a9 0a e282ac 0a f09f9880 0a", [line("é"), line("€"), line("😀")]],
  ["a byte order mark", "efbbbf 'a' 0a", [line("\uFEFFa")]],
  ["a replacement character", "efbfbd 0a", [line("\uFFFD")]],
  ["a NUL", "61 00 62 0a", [line("a\0b")]],
  ["the largest code point", "f48fbfbf 0a", [line("\u{10FFFF}")]],
  ["a byte that is never UTF-8", "'a' ff 0a 'b' 0a", [notUtf8, line("b")]],
  ["a continuation on its own", "80 0a 'b' 0a", [notUtf8, line("b")]],
  ["a character cut off by the ending", "e282 0a 'b' 0a", [notUtf8, line("b")]],
  ["a character cut off by the end", "e282", [notUtf8]],
  ["overlong: LF in two bytes", "c08a 0a 'b'", [notUtf8, line("b")]],
  ["overlong: / in three bytes", "e080af 0a", [notUtf8]],
  ["a surrogate", "eda080 0a", [notUtf8]],
  ["above U+10FFFF", "f4908080 0a", [notUtf8]],
  ["a bad byte beside a replacement character", "efbfbd ff 0a", [notUtf8]],
  ["a cut-off beginning of a replacement character", "efbf 0a", [notUtf8]]
]

describe("receiving", () => {
  for (const [rule, wire, events] of received) it(rule, () => check({ maxLineSize: 4 }, wire, events))

  it("leaves the bytes behind a line in the queue", () => {
    assert.deepStrictEqual(receive(Lines.codec, [hex("'a' 0d0a 'b'")], "open").events, [line("a"), ["left", "62"]])
  })
  it("tells the size at which it gave up, at every split", () => {
    for (const chunks of Chunkings.everySplit(hex("'abcdefgh' 0a"))) {
      const [reason] = receive(Lines.make({ maxLineSize: 4 }), chunks).reasons
      assert.deepEqual(
        { ...reason },
        {
          _tag: "FrameTooLarge",
          receivedBytes: 5,
          limitBytes: 4,
          fault: "limit",
          recoverable: false
        }
      )
    }
  })
  it("takes 64 KiB by default, and no more", () => {
    const most = new Uint8Array(65_536).fill(97)
    assert.deepStrictEqual(receive(Lines.codec, [most, hex("0a")]).events, [line("a".repeat(65_536))])
    assert.deepStrictEqual(receive(Lines.codec, [most, hex("61")]).events, [tooLong])
  })
})

// The maximum is 4 bytes; what is longer is discarded.
const discarding: ReadonlyArray<readonly [rule: string, wire: string, ReadonlyArray<Event>]> = [
  ["the next line is received", "'abcdefgh' 0a 'b' 0a", [discarded, line("b")]],
  ["its ending may be CR LF", "'abcdefgh' 0d0a 'b' 0a", [discarded, line("b")]],
  ["each is reported once", "'abcde' 0a 'abcde' 0a 'b' 0a", [discarded, discarded, line("b")]],
  ["the stream ends within it", "'a' 0a 'abcdefgh'", [line("a"), discarded]],
  ["it is not decoded", "ffffffffff 0a 'b'", [discarded, line("b")]],
  ["an empty line follows", "'abcde' 0a0a", [discarded, line("")]]
]

describe("discarding", () => {
  for (const [rule, wire, events] of discarding) {
    it(rule, () => check({ maxLineSize: 4, tooLong: "discard" }, wire, events))
  }
  it("buffers nothing of the line", () => {
    const chunks = Array.from({ length: 100 }, () => new Uint8Array(100).fill(97))
    const { events, mostBufferedBytes } = receive(Lines.make({ maxLineSize: 4, tooLong: "discard" }), chunks)
    assert.deepStrictEqual([events, mostBufferedBytes], [[discarded], 0])
  })
})

const sending: ReadonlyArray<readonly [rule: string, options: Lines.Options, line: string, sent: string]> = [
  ["LF", {}, "a", "a\n"],
  ["CR LF", { ending: "\r\n" }, "a", "a\r\n"],
  ["an empty line", {}, "", "\n"],
  ["a CR within", {}, "a\rb", "a\rb\n"],
  ["a CR at the end, kept by CR LF", { ending: "\r\n" }, "a\r", "a\r\r\n"],
  ["at the maximum", { maxLineSize: 4, ending: "\r\n" }, "éé", "éé\r\n"],
  ["a CR at the end, which LF would lose", {}, "a\r", "InvalidContent"],
  ["an LF within", {}, "a\nb", "InvalidContent"],
  ["an LF at the end", { ending: "\r\n" }, "a\n", "InvalidContent"],
  ["a lone surrogate", {}, "a\ud800", "InvalidContent"],
  ["above the maximum, which is for what is received", { maxLineSize: 4 }, "abcde", "abcde\n"]
]

describe("sending", () => {
  for (const [rule, options, text, expected] of sending) {
    it(rule, () => {
      const result = send(Lines.make(options), [text])
      if ("bytes" in result) assert.strictEqual(new TextDecoder().decode(result.bytes), expected)
      else assert.deepStrictEqual([result._tag, result.fault], [expected, "caller"])
    })
  }
})

it("an unfinished last line is truncated, where that is asked for", () => {
  const codec = Lines.make({ unfinished: "truncated" })
  for (const chunks of Chunkings.everySplit(new TextEncoder().encode("whole\nhalf"))) {
    const { events } = receive(codec, chunks, "ended")
    assert.deepStrictEqual(
      events,
      [
        ["frame", "whole"],
        ["violation", "TruncatedFrame", "stops"]
      ],
      Chunkings.show(chunks)
    )
  }
})

it("refuses a maximum of 0", () => assert.throws(() => Lines.make({ maxLineSize: 0 }), RangeError))

it.prop(
  "what is sent is received",
  { lines: Schema.Array(Schema.String), ending: Schema.Literals(["\n", "\r\n"]) },
  ({ ending, lines }) => {
    const codec = Lines.make({ ending })
    for (const text of lines) {
      const wire = send(codec, [text])
      if (!("bytes" in wire)) continue
      for (const chunks of Chunkings.everySplit(wire.bytes).slice(0, 40)) {
        assert.deepStrictEqual(receive(codec, chunks).events, [line(text)])
      }
    }
  },
  { arbitrary: { runs: 100 } }
)
