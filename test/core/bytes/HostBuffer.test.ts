import { assert, it } from "@effect/vitest"
import { hostBuffer } from "@sluice/core/bytes/HostBuffer"

it("is the Buffer of the host that runs the tests", () => {
  assert.strictEqual(hostBuffer?.allocUnsafe(100).length, 100)
  assert.deepStrictEqual(Array.from(hostBuffer?.from("é", "utf8") ?? []), [0xc3, 0xa9])
  assert.deepStrictEqual(Array.from(hostBuffer?.from("é", "latin1") ?? []), [0xe9])
})
