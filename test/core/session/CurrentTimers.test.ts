import { assert, describe, it } from "@effect/vitest"
import * as CurrentTimers from "@sluice/core/session/CurrentTimers"
import * as Timers from "@sluice/core/session/Timers"
import * as Effect from "effect/Effect"

describe("getOrMake", () => {
  it.effect("is what the server has provided", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const found = yield* Effect.provideService(CurrentTimers.getOrMake, CurrentTimers.CurrentTimers, timers)
      assert.strictEqual(found, timers)
    })
  )

  it.effect("outside of a server it makes new ones, for the lifetime of the scope", () =>
    Effect.gen(function* () {
      const timers = yield* Effect.scoped(CurrentTimers.getOrMake)
      timers.set(new Timers.Timer(() => {}), timers.now() + 1000)
      assert.strictEqual(timers.size(), 0)
    })
  )
})
