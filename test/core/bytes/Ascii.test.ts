import { assert, it } from "@effect/vitest"
import * as Ascii from "@sluice/core/bytes/Ascii"

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))

it("byteSet takes ranges and single characters", () => {
  const set = Ascii.byteSet("a-c", "-", "\xff")
  const members = Array.from(set.keys()).filter((byte) => set[byte] === 1)
  assert.deepStrictEqual(members, [0x2d, 0x61, 0x62, 0x63, 0xff])
})
it("hexadecimal digits and their values", () => {
  const digits = Array.from("0123456789abcdefABCDEF")
  const members = Array.from(Ascii.hexDigits.keys()).filter((byte) => Ascii.hexDigits[byte] === 1)
  assert.deepStrictEqual(members, Array.from(bytes("0123456789ABCDEFabcdef")))
  for (const digit of digits) assert.strictEqual(Ascii.hexValue(digit.charCodeAt(0)), Number.parseInt(digit, 16))
})
it("isWord compares letters without case, and nothing else", () => {
  const isWord = (text: string, word: string) => Ascii.isWord(bytes(`<${text}>`), 1, text.length + 1, word)
  assert.isTrue(isWord("Content-LENGTH", "content-length"))
  assert.isFalse(isWord("content-lengt", "content-length"))
  assert.isFalse(isWord("content\rlength", "content-length"))
  assert.isFalse(isWord("@", "`"))
})
it("isMadeOf looks at a part of a text", () => {
  const set = Ascii.byteSet("a-z")
  assert.isTrue(Ascii.isMadeOf(set, "-abc-", 1, 4))
  assert.isFalse(Ascii.isMadeOf(set, "-abc-", 1, 5))
  assert.isFalse(Ascii.isMadeOf(set, "\u0161", 0, 1))
  assert.isTrue(Ascii.isMadeOf(set, "", 0, 0))
})
