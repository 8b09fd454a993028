import { assert, describe, it } from "@effect/vitest"
import * as FrameLimit from "@sluice/core/codec/FrameLimit"
import type * as ByteSize from "effect/ByteSize"

describe("fromInput", () => {
  const taken: ReadonlyArray<readonly [input: ByteSize.Input | undefined, limitBytes: number]> = [
    [undefined, 77],
    [1, 1],
    ["4 KiB", 4096],
    [12n, 12],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
  ]
  for (const [input, limitBytes] of taken) {
    it(`takes ${input}`, () => assert.strictEqual(FrameLimit.fromInput("size", input, 77), limitBytes))
  }
  for (const input of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2n ** 53n] as const) {
    it(`refuses ${input}`, () => assert.throws(() => FrameLimit.fromInput("size", input, 77), RangeError, /size/))
  }
})
