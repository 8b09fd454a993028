import { assert, describe, it } from "@effect/vitest"
import * as Utf8 from "@sluice/core/bytes/Utf8"
import * as Schema from "effect/Schema"

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const expected = (bytes: Uint8Array): string | undefined => {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

it("text comes back", () => {
  for (const text of ["", "abc", "é€😀", "\uFFFD\uFFFDa", "\uFEFFa", "\0"]) {
    assert.strictEqual(Utf8.decode(Utf8.encode(text)), text)
  }
})
it("encodes lone surrogates as U+FFFD", () => assert.strictEqual(Utf8.decode(Utf8.encode("a\ud800")), "a\uFFFD"))

describe("decode is strict, as a TextDecoder is that throws", () => {
  // Bytes from which the beginnings, middles and ends of good and bad characters are made.
  const bytes = [0x00, 0x61, 0x7f, 0x80, 0xbd, 0xbf, 0xc0, 0xc3, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff]
  it("for all of three bytes", () => {
    for (const first of bytes) {
      for (const second of bytes) {
        for (const third of bytes) {
          const all = Uint8Array.of(first, second, third)
          assert.strictEqual(Utf8.decode(all), expected(all), String(all))
        }
      }
    }
  })
  it.prop(
    "for any",
    { picks: Schema.Array(Schema.Literals(bytes)), other: Schema.Uint8Array },
    ({ other, picks }) => {
      for (const all of [Uint8Array.from(picks), other]) assert.strictEqual(Utf8.decode(all), expected(all))
    },
    { arbitrary: { runs: 500 } }
  )
})

describe("decodeRange", () => {
  it("is decode, of a part", () => {
    for (const text of ["", "abc", "é€😀", "\uFFFD\uFFFDa", "\uFEFFa"]) {
      const inside = Uint8Array.from([0xff, 0xff, ...Utf8.encode(text), 0xff])
      assert.strictEqual(Utf8.decodeRange(inside, 2, inside.length - 1), text)
    }
  })
  it("is as strict", () => {
    const all = Uint8Array.of(0x61, 0xc3, 0xa9, 0x61)
    assert.strictEqual(Utf8.decodeRange(all, 0, 3), "aé")
    assert.isUndefined(Utf8.decodeRange(all, 0, 2))
    assert.isUndefined(Utf8.decodeRange(all, 2, 4))
  })
})

describe("write", () => {
  it("puts into an array what encode makes, which has byteLength bytes", () => {
    for (const text of ["", "abc", "é€😀", "\ud800"]) {
      const encoded = Utf8.encode(text)
      assert.strictEqual(Utf8.byteLength(text), encoded.length)
      const target = new Uint8Array(encoded.length + 2)
      Utf8.write(text, target, 1)
      assert.deepStrictEqual(Array.from(target), [0, ...encoded, 0])
    }
  })
})
