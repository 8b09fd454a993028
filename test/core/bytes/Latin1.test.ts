import { assert, it } from "@effect/vitest"
import * as Latin1 from "@sluice/core/bytes/Latin1"

const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
const text = Array.from(all, (byte) => String.fromCharCode(byte)).join("")

for (const [name, decode, write] of [
  ["of the host", Latin1.decode, Latin1.write],
  ["plain", Latin1.decodePlain, Latin1.writePlain]
] as const) {
  it(`${name}: a character a byte, both ways`, () => {
    assert.strictEqual(decode(all, 0, 256), text)
    assert.strictEqual(decode(all, 65, 68), "ABC")
    assert.strictEqual(decode(all, 5, 5), "")
    const target = new Uint8Array(258)
    write(text, target, 1)
    assert.deepStrictEqual(target.subarray(1, 257), all)
    assert.deepStrictEqual([target[0], target[257]], [0, 0])
  })
  it(`${name}: a long text, and the low byte of what has none`, () => {
    const long = new Uint8Array(10_000).fill(0xe9)
    assert.strictEqual(decode(long, 0, long.length), "\xe9".repeat(10_000))
    const target = new Uint8Array(1)
    write("\u0161", target, 0)
    assert.deepStrictEqual(Array.from(target), [0x61])
  })
}
