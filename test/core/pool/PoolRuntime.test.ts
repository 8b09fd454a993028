import { assert, describe, it } from "@effect/vitest"
import { PoolRuntime } from "@sluice/core/pool/PoolRuntime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { settle, world } from "./PoolWorld.ts"

describe("PoolRuntime", () => {
  it.effect("knows the time, runs tasks later, and stops what is in the background", () =>
    Effect.gen(function* () {
      const runtime = new PoolRuntime(yield* Effect.context<never>())
      yield* TestClock.adjust("5 millis")
      assert.strictEqual(runtime.now(), 5)
      const told: Array<string> = []
      runtime.later(() => told.push("later"))
      told.push("now")
      const fiber = runtime.forkBackground(
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => told.push("stopped")))
      )
      yield* settle
      runtime.stopBackground()
      assert.deepStrictEqual(told, ["now", "later", "stopped"])
      assert.isDefined(fiber.pollUnsafe())
    })
  )

  it.effect("hooks are told of all that happens, and what they throw breaks nothing", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const told: Array<string> = []
      const tell = (what: string) => () => {
        told.push(what)
        throw new Error("a hook")
      }
      const pool = yield* fake.make({
        hooks: {
          onOpened: tell("opened"),
          onOpenFailed: tell("open failed"),
          onLent: tell("lent"),
          onReturned: tell("returned"),
          onClosed: (_, reason) => tell(`closed ${reason}`)()
        }
      })
      yield* pool.use(() => Effect.void)
      yield* pool.use((one) => pool.invalidate(one))
      assert.deepStrictEqual(told, ["opened", "lent", "returned", "lent", "returned", "closed broken"])
    })
  )
})
