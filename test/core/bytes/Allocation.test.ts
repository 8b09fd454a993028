import { assert, it } from "@effect/vitest"
import { allocate } from "@sluice/core/bytes/Allocation"

it("hands out arrays of the size asked for, which do not overlap", () => {
  const arrays = Array.from({ length: 200 }, (_, index) => allocate(index * 3).fill(index))
  arrays.forEach((bytes, index) => {
    assert.strictEqual(bytes.length, index * 3)
    assert.isTrue(bytes.every((byte) => byte === index))
  })
})
