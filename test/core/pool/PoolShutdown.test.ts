import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { levels, reasonOf, settle, world } from "./PoolWorld.ts"

describe("PoolShutdown", () => {
  it.effect("waits for borrowers, fails those who wait, and takes no new ones", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 1 })
      const borrower = yield* Effect.forkChild(pool.use(() => Effect.sleep("3 seconds")))
      yield* settle
      const waiter = yield* Effect.forkChild(Effect.flip(pool.use(() => Effect.void)))
      yield* settle
      const shutdown = yield* Effect.forkChild(pool.shutdown)
      yield* settle
      assert.strictEqual(reasonOf(yield* Fiber.join(waiter)), "PoolClosed")
      assert.strictEqual(reasonOf(yield* Effect.flip(pool.use(() => Effect.void))), "PoolClosed")
      assert.strictEqual(reasonOf(yield* Effect.flip(Effect.scoped(pool.get))), "PoolClosed")
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(borrower)
      assert.deepStrictEqual(yield* Fiber.join(shutdown), { returned: 1, cut: 0, left: 0 })
      assert.strictEqual(fake.live, 0)
    })
  )

  it.effect("closes under a borrower what it still has at the deadline", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ drainTimeout: "5 seconds" })
      const borrower = yield* Effect.forkChild(pool.use(() => Effect.sleep("1 minute")))
      yield* settle
      const shutdown = yield* Effect.forkChild(pool.shutdown)
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(fake.live, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(fake.live, 0)
      assert.deepStrictEqual(yield* Fiber.join(shutdown), { returned: 0, cut: 1, left: 0 })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(borrower)
      assert.strictEqual(yield* levels(pool), "")
      assert.deepStrictEqual(yield* pool.shutdown, { returned: 0, cut: 1, left: 0 })
    })
  )

  it.effect("ends though a connection never closes and another never opens", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.closing = Effect.never
      const scope = yield* Scope.make()
      const pool = yield* Scope.provide(fake.make({ closeTimeout: "2 seconds" }), scope)
      yield* pool.use(() => Effect.void)
      fake.connecting = Effect.uninterruptible(Effect.never)
      yield* Effect.forkChild(pool.use(() => pool.use(() => Effect.void)))
      yield* settle
      const closed = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("20 seconds")
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(closed)
      assert.deepStrictEqual(yield* pool.shutdown, { returned: 1, cut: 0, left: 1 })
      assert.strictEqual((yield* pool.stats).abandoned, 1)
    })
  )

  it.effect("interrupts what is being opened, and closes what opens nevertheless", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.connecting = Effect.uninterruptible(Effect.sleep("1 second"))
      const pool = yield* fake.make({ minConnections: 1 })
      const shutdown = yield* Effect.forkChild(pool.shutdown)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(shutdown), { returned: 0, cut: 0, left: 0 })
      assert.strictEqual(fake.live, 0)
    })
  )
})
