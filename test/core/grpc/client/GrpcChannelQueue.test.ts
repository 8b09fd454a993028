import { assert, describe, it } from "@effect/vitest"
import { GrpcChannelCall } from "@sluice/core/grpc/client/GrpcChannelCall"
import { GrpcChannelQueue } from "@sluice/core/grpc/client/GrpcChannelQueue"
import * as Timers from "@sluice/core/session/Timers"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Heard } from "../../../harness/GrpcChannelWorld.ts"

const call = (path: string, waitForReady = false) =>
  new GrpcChannelCall({ path, headers: {}, body: undefined, rest: "whole", waitForReady }, new Heard(), () => {})

const names = (calls: Iterable<GrpcChannelCall>) => [...calls].map((one) => one.attempt.path).join("")

const make = (waitingCount: number, waitingMillis: number) =>
  Effect.gen(function* () {
    const late: Array<GrpcChannelCall> = []
    const timers = yield* Timers.make
    return {
      late,
      timers,
      queue: new GrpcChannelQueue(timers, { waitingCount, waitingMillis }, (one) => late.push(one))
    }
  })

describe("GrpcChannelQueue", () => {
  it.effect("keeps the order, and is full at its limit", () =>
    Effect.gen(function* () {
      const { queue } = yield* make(3, 1000)
      const [a, b, c] = [call("a"), call("b", true), call("c")]
      for (const one of [a, b]) queue.add(one)
      assert.isFalse(queue.isFull)
      queue.add(c)
      assert.isTrue(queue.isFull)
      assert.strictEqual(names(queue.values()), "abc")
      queue.delete(a)
      assert.isFalse(queue.isFull)
      assert.strictEqual(queue.count, 2)
      assert.strictEqual(names(queue.take("failFast")), "c")
      assert.strictEqual(names(queue.take("all")), "b")
      assert.strictEqual(queue.count, 0)
    })
  )

  it.effect("limits the time of each, but of those that wait for ready", () =>
    Effect.gen(function* () {
      const { late, queue, timers } = yield* make(10, 1000)
      queue.add(call("a"))
      queue.add(call("b", true))
      yield* TestClock.adjust(500)
      const c = call("c")
      for (const one of [c, call("d")]) queue.add(one)
      yield* TestClock.adjust(499)
      assert.strictEqual(names(late), "")
      yield* TestClock.adjust(1)
      assert.strictEqual(names(late), "a")
      queue.delete(c)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(names(late), "ad")
      assert.strictEqual(names(queue.values()), "b")
      assert.strictEqual(timers.size(), 0)
    })
  )
})
