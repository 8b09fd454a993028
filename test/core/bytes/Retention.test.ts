import { assert, it } from "@effect/vitest"
import * as Retention from "@sluice/core/bytes/Retention"

const cases: ReadonlyArray<readonly [why: string, buffer: number, bytes: number, kept: "as it is" | "copied"]> = [
  ["a small buffer is held as it is", 8_192, 1, "as it is"],
  ["a large buffer for a few bytes", 65_536, 100, "copied"],
  ["a quarter of a large buffer", 65_536, 16_384, "as it is"],
  ["less than a quarter", 65_536, 16_383, "copied"],
  ["all of it", 65_536, 65_536, "as it is"],
  ["nothing of it", 65_536, 0, "copied"]
]
for (const [why, bufferBytes, byteCount, kept] of cases) {
  it(why, () => {
    const buffer = new Uint8Array(bufferBytes).fill(7)
    const view = buffer.subarray(0, byteCount)
    const result = Retention.keepable(view)
    assert.strictEqual(result === view ? "as it is" : "copied", kept)
    assert.deepStrictEqual(Array.from(result), Array.from(view))
    assert.isTrue(result.buffer.byteLength <= Math.max(8_192, result.length * 4))
  })
}

it("small copies share a pool, and do not overlap", () => {
  const chunk = Uint8Array.from({ length: 65_536 }, (_, index) => index % 251)
  const views = Array.from({ length: 300 }, (_, index) => chunk.subarray(index * 7, index * 7 + index * 5))
  const copies = views.map(Retention.keepable)
  copies.forEach((copy, index) => {
    assert.deepStrictEqual(copy, views[index]!.slice())
  })
})
