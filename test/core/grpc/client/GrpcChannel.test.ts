import { assert, describe, it } from "@effect/vitest"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../../../harness/GrpcChannelWorld.ts"
import * as MemoryWorld from "../../../harness/MemoryWorld.ts"
import { turns } from "../../../harness/TransportContract.ts"

const target = { host: "a.test", port: 50_051 }

describe("one server", () => {
  it.effect("is connected to by the first call, once, and nothing is left behind", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* World.make()
        track(world as never)
        const channel = yield* World.channel(world, target)
        assert.strictEqual(yield* channel.state, "Idle")
        assert.deepStrictEqual(world.at("a.test").dialedMillis, [])
        World.succeeded(yield* World.called(channel, "/a"))
        World.succeeded(yield* World.called(channel, "/b"))
        assert.strictEqual(yield* channel.state, "Ready")
        assert.strictEqual(world.at("a.test").dialedMillis.length, 1)
        const [first] = world.at("a.test").requests
        assert.deepInclude(first?.head, { method: "POST", scheme: "http", authority: "a.test:50051", path: "/a" })
      })
    )
  )

  it.effect("that cannot be reached fails calls at once", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a.test").conduct = "refuse"
      const channel = yield* World.channel(world, target)
      for (const path of ["/a", "/b"]) {
        const heard = yield* World.called(channel, path)
        assert.instanceOf(heard.failure, GrpcError.GrpcError)
        assert.deepInclude(heard.failure.reason, { _tag: "Unavailable", fault: "transport", retry: "NotSent" })
      }
      assert.strictEqual(yield* channel.state, "TransientFailure")
      yield* TestClock.adjust("800 millis")
      yield* turns
    })
  )
})
