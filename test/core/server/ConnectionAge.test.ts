import { assert, describe, it } from "@effect/vitest"
import * as Http2Session from "@sluice/core/client/Http2Session"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { turns } from "../../harness/TransportContract.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const connect = (world: WebWorld.World) =>
  Http2Session.connect(MemoryWorld.target).pipe(
    Effect.provide(
      MemoryNetwork.layerDialer.pipe(Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, world.network)))
    )
  )

describe("ConnectionAge", () => {
  it.effect("asks clients of old connections to make others, each at its own time", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const app = Effect.as(Deferred.await(gate), HttpServerResponse.text("whole"))
        const world = yield* WebWorld.serving(app, { maxConnectionAge: "30 seconds" })
        keep(world)
        const sessions = yield* Effect.all(Array.from({ length: 20 }, () => connect(world)))
        const available = () => sessions.filter((session) => session.isAvailable).length
        const asking = yield* Effect.forkChild(
          Effect.flatMap(sessions[0]!.request(), (response) => response.text()),
          { startImmediately: true }
        )
        yield* TestClock.adjust("26 seconds")
        assert.strictEqual(available(), 20)
        yield* TestClock.adjust("4 seconds")
        const half = available()
        assert.isTrue(half > 0 && half < 20, `${half}`)
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual(available(), 0)
        // What is on its way finishes.
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Fiber.join(asking), "whole")
      }).pipe(Effect.scoped, Random.withSeed("age"))
    )
  )

  it.effect("ends what takes longer than the grace", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const interrupted = yield* Deferred.make<void>()
        const app = Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
        const world = yield* WebWorld.serving(app, {
          maxConnectionAge: "100 seconds",
          maxConnectionAgeGrace: "5 seconds"
        })
        keep(world)
        const session = yield* connect(world)
        const asking = yield* Effect.forkChild(Effect.exit(session.request()), { startImmediately: true })
        yield* turns
        yield* TestClock.adjust("114 seconds")
        yield* TestClock.adjust("2 seconds")
        assert.isTrue(Exit.isFailure(yield* Fiber.join(asking)))
        yield* Deferred.await(interrupted)
      }).pipe(Effect.scoped)
    )
  )
})
