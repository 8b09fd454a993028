import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as World from "../../../harness/GrpcChannelWorld.ts"

describe("an attempt", () => {
  it.effect("a server that says nothing is given up after the connectTimeout", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "mute"
      const channel = yield* World.channel(world, World.targets("a"), { connectTimeout: 7000 })
      const heard = yield* World.called(channel, "/1")
      yield* World.adjust(6999)
      assert.isFalse(heard.isOver)
      yield* World.adjust(1)
      assert.include(World.reasonOf(heard).message, "7000 ms")
      // Its time was longer than the delay, so the next attempt is under way.
      assert.deepStrictEqual(
        world.at("a").mutes.map((far) => far.state),
        ["closed", "open"]
      )
    })
  )

  it.effect("a dialer that is broken is a server that cannot be reached", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "die"
      const channel = yield* World.channel(world, World.targets("a"))
      const heard = yield* World.called(channel, "/1")
      assert.include(World.reasonOf(heard).message, "a broken dialer")
    })
  )
})
