import { assert, describe, it } from "@effect/vitest"
import { Signal } from "@sluice/core/session/Signal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { turns } from "../../harness/TransportContract.ts"

describe("Signal", () => {
  it.effect("wakes all who wait, in order, once", () =>
    Effect.gen(function* () {
      const signal = new Signal()
      const woken: Array<number> = []
      for (const index of [1, 2, 3]) {
        yield* Effect.forkChild(Effect.map(signal.await, () => woken.push(index)))
      }
      yield* turns
      assert.deepStrictEqual(woken, [])
      signal.fire()
      signal.fire()
      assert.deepStrictEqual(woken, [1, 2, 3])
      assert.isTrue(signal.fired)
    })
  )

  it.effect("does not suspend who comes later", () =>
    Effect.gen(function* () {
      const signal = new Signal()
      signal.fire()
      yield* signal.await
      yield* signal.await
    })
  )

  it.effect("an effect that was taken before it fired completes after it", () =>
    Effect.gen(function* () {
      const signal = new Signal()
      const early = signal.await
      signal.fire()
      yield* early
    })
  )

  it.effect("who is interrupted is forgotten, and nobody else is", () =>
    Effect.gen(function* () {
      const signal = new Signal()
      const interrupted = yield* Effect.forkChild(signal.await)
      const waiting = yield* Effect.forkChild(signal.await)
      yield* turns
      yield* Fiber.interrupt(interrupted)
      assert.isUndefined(waiting.pollUnsafe())
      signal.fire()
      yield* Fiber.join(waiting)
    })
  )

  it.effect("who waits again from within its wake-up is woken at once", () =>
    Effect.gen(function* () {
      const signal = new Signal()
      const again = yield* Effect.forkChild(Effect.andThen(signal.await, signal.await))
      yield* turns
      signal.fire()
      yield* Fiber.join(again)
    })
  )
})
