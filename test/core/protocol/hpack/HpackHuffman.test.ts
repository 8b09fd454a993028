import { assert, it } from "@effect/vitest"
import * as Latin1 from "@sluice/core/bytes/Latin1"
import * as HpackHuffman from "@sluice/core/protocol/hpack/HpackHuffman"
import * as Hex from "../../../harness/Hex.ts"
import { SeededRandom } from "../../../harness/SeededRandom.ts"

const encode = (text: string): Uint8Array => {
  const target = new Uint8Array(text.length * 4 + 4)
  const end = HpackHuffman.encode(text, target, 1)
  assert.strictEqual(end - 1, HpackHuffman.encodedBytes(text))
  return target.slice(1, end)
}
const decode = (bytes: Uint8Array): string | undefined => {
  const target = new Uint8Array(HpackHuffman.roomFor(bytes.length))
  const length = HpackHuffman.decode(bytes, 0, bytes.length, target)
  return length === HpackHuffman.invalid ? undefined : Latin1.decode(target, 0, length)
}
/** Bits as bytes, filled up with ones. */
const bits = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/.{1,8}/g) ?? [], (octet) => Number.parseInt(octet.padEnd(8, "1"), 2))

// RFC 7541 Appendix B, from the lines of the shortest and the longest codes.
const codes: ReadonlyArray<readonly [octet: number, code: string]> = [
  [0x30, "00000"],
  [0x74, "01001"],
  [0x20, "010100"],
  [0x42, "1011101"],
  [0x21, "1111111000"],
  [0x00, "1111111111000"],
  [0x7f, "1111111111111111111111111100"],
  [0x80, "11111111111111100110"],
  [0xff, "11111111111111111111101110"],
  [0x0a, "111111111111111111111111111100"],
  [0x16, "111111111111111111111111111110"]
]
for (const [octet, code] of codes) {
  it(`RFC 7541 Appendix B: ${octet}`, () => {
    const text = String.fromCharCode(octet)
    assert.deepStrictEqual(encode(text), bits(code))
    assert.strictEqual(decode(bits(code)), text)
  })
}
it("RFC 7541 C.4.1: www.example.com", () => {
  const wire = Hex.hex("f1e3c2e5f23a6ba0ab90f4ff")
  assert.deepStrictEqual(encode("www.example.com"), wire)
  assert.strictEqual(decode(wire), "www.example.com")
})
it("every octet behind every other comes back", () => {
  for (let left = 0; left < 256; left++) {
    for (let right = 0; right < 256; right++) {
      const text = String.fromCharCode(left, right)
      assert.strictEqual(decode(encode(text)), text)
    }
  }
})
it("random strings come back", () => {
  const random = new SeededRandom(1)
  for (let turn = 0; turn < 2_000; turn++) {
    const most = random.pick([0x7f, 0xff])
    const text = random.list(60, () => String.fromCharCode(random.below(most + 1))).join("")
    assert.strictEqual(decode(encode(text)), text)
  }
})
it("the empty string has no octets", () => {
  assert.strictEqual(encode("").length, 0)
  assert.strictEqual(decode(new Uint8Array(0)), "")
})
it("RFC 7541 §5.2: a padding of 7 ones is taken, one of 8 is not", () => {
  assert.strictEqual(decode(bits(`01001${"010100".repeat(2)}1111111`)), "t  ")
  assert.isUndefined(decode(Hex.hex("ff")))
  assert.isUndefined(decode(bits("00000111 11111111".replace(" ", ""))))
})
it("RFC 7541 §5.2: a padding of other bits is refused", () => {
  assert.isUndefined(decode(bits("00000000")))
  assert.isUndefined(decode(bits("00000110")))
})
it("RFC 7541 §5.2: EOS is refused, at the end and within", () => {
  assert.isUndefined(decode(Hex.hex("ff ff ff ff")))
  assert.isUndefined(decode(bits(`00000${"1".repeat(30)}00000`)))
})
