import { afterEach, assert, beforeEach, it, vi } from "vitest"
import * as Pace from "../../../bench/src/load/Pace.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setImmediate", "setTimeout"] })
})
afterEach(() => {
  vi.useRealTimers()
})

it("begins each when it is due, those that were missed at once, and says when they were due", () => {
  const begun: Array<readonly [index: number, dueMillis: number]> = []
  const since = performance.now()
  const stop = Pace.start(1_000, (index, dueMillis) => begun.push([index, dueMillis - since]))
  assert.deepStrictEqual(begun, [[0, 0]])
  setTimeout(stop, 3.5)
  vi.advanceTimersByTime(10)
  assert.deepStrictEqual(
    begun,
    Array.from({ length: 4 }, (_, index) => [index, index] as const)
  )
})
