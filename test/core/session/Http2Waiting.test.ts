import { assert, describe, it } from "@effect/vitest"
import { Http2Waiting } from "@sluice/core/session/Http2Waiting"
import * as Timers from "@sluice/core/session/Timers"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

const waiting = (waitingCount: number, waitingMillis: number) =>
  Effect.map(Timers.make, (timers) => {
    const late: Array<string> = []
    return {
      timers,
      late,
      queue: new Http2Waiting<string>(timers, { waitingCount, waitingMillis }, (item) => late.push(item))
    }
  })

describe("Http2Waiting", () => {
  it.effect("keeps their order, and says when it is full", () =>
    Effect.gen(function* () {
      const { queue } = yield* waiting(2, 1000)
      assert.isUndefined(queue.first)
      queue.add("a")
      assert.isFalse(queue.isFull)
      queue.add("b")
      assert.isTrue(queue.isFull)
      assert.strictEqual(queue.count, 2)
      assert.strictEqual(queue.first, "a")
      assert.isTrue(queue.delete("a"))
      assert.isFalse(queue.delete("a"))
      assert.strictEqual(queue.first, "b")
      assert.isFalse(queue.isFull)
    })
  )

  it.effect("nobody waits where none may", () =>
    Effect.gen(function* () {
      const { queue } = yield* waiting(0, 1000)
      assert.isTrue(queue.isFull)
    })
  )

  it.effect("each waits for its own time, no less and no more", () =>
    Effect.gen(function* () {
      const { late, queue } = yield* waiting(9, 1000)
      queue.add("a")
      yield* TestClock.adjust(400)
      queue.add("b")
      queue.add("c")
      yield* TestClock.adjust(599)
      assert.deepStrictEqual(late, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(late, ["a"])
      queue.delete("b")
      yield* TestClock.adjust(399)
      assert.deepStrictEqual(late, ["a"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(late, ["a", "c"])
      assert.strictEqual(queue.count, 0)
    })
  )

  it.effect("who has left in time is not late, and those behind it are not early", () =>
    Effect.gen(function* () {
      const { late, queue } = yield* waiting(9, 1000)
      queue.add("a")
      yield* TestClock.adjust(500)
      queue.add("b")
      queue.delete("a")
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(late, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(late, ["b"])
    })
  )

  it.effect("an empty one keeps no timer", () =>
    Effect.gen(function* () {
      const { queue, timers } = yield* waiting(9, 1000)
      queue.add("a")
      assert.strictEqual(timers.size(), 1)
      queue.delete("a")
      assert.strictEqual(timers.size(), 0)
      queue.add("b")
      queue.add("c")
      assert.deepStrictEqual(queue.takeAll(), ["b", "c"])
      assert.strictEqual(timers.size(), 0)
      assert.strictEqual(queue.count, 0)
    })
  )

  it.effect("without a limit of time nobody is late", () =>
    Effect.gen(function* () {
      const { late, queue, timers } = yield* waiting(9, Number.POSITIVE_INFINITY)
      queue.add("a")
      assert.strictEqual(timers.size(), 0)
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(late, [])
    })
  )
})
