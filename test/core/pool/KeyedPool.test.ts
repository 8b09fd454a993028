import { assert, describe, it } from "@effect/vitest"
import * as KeyedPool from "@sluice/core/pool/KeyedPool"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { exclusively, type FakeConnection, PoolWorld, type Refused, reasonOf, settle } from "./PoolWorld.ts"

const make = (options?: Partial<KeyedPool.Options<string, FakeConnection, Refused>>) =>
  Effect.gen(function* () {
    const fake = new PoolWorld()
    const pool = yield* KeyedPool.make<string, FakeConnection, Refused, Scope.Scope>({
      connect: () => fake.connect,
      ...options
    })
    return { fake, pool }
  })

describe("KeyedPool", () => {
  it.effect("has connections of its own for each key", () =>
    Effect.gen(function* () {
      const { pool } = yield* make()
      const id = (key: string) => pool.use(key, (one) => Effect.succeed(one.id))
      assert.deepStrictEqual([yield* id("a"), yield* id("b"), yield* id("a")], [1, 2, 1])
      assert.strictEqual(yield* Effect.scoped(Effect.map(pool.get("b"), (one) => one.id)), 2)
      yield* pool.invalidate("a", yield* Effect.scoped(pool.get("a")))
      assert.strictEqual((yield* pool.stats).idle, 1)
    })
  )

  it.effect("closes an idle connection of another key when the total is reached", () =>
    Effect.gen(function* () {
      const { fake, pool } = yield* make({ maxConnections: 2 })
      for (const key of ["a", "b", "c"]) yield* pool.use(key, () => Effect.void)
      assert.deepStrictEqual([fake.mostLive, (yield* pool.stats).closedRoom], [2, 1])
    })
  )

  it.effect("no key starves while another one is always busy", () =>
    Effect.gen(function* () {
      const { fake, pool } = yield* make({ maxConnections: 2 })
      const busy = yield* Effect.forkChild(
        Effect.replicateEffect(Effect.forever(pool.use("a", exclusively(Effect.sleep(10)))), 6, { concurrency: 6 })
      )
      yield* TestClock.adjust(100)
      const other = yield* Effect.forkChild(pool.use("b", exclusively(Effect.void)))
      yield* TestClock.adjust(200)
      assert.isDefined(other.pollUnsafe())
      assert.strictEqual(fake.mostLive, 2)
      yield* Fiber.interrupt(busy)
    })
  )

  it.effect("drops keys without connections, and keeps what they counted", () =>
    Effect.gen(function* () {
      const { fake, pool } = yield* make({ idleTimeout: "1 minute" })
      yield* pool.use("a", () => Effect.void)
      assert.deepStrictEqual(yield* pool.keys, ["a"])
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* pool.keys, [])
      const stats = yield* pool.stats
      assert.deepStrictEqual([fake.live, stats.opened, stats.closedIdle, stats.connections], [0, 1, 1, 0])
    })
  )

  it.effect("a key too many replaces the oldest one that is not used, or is refused", () =>
    Effect.gen(function* () {
      const { fake, pool } = yield* make({ maxKeys: 2 })
      for (const key of ["a", "b", "c"]) {
        yield* pool.use(key, () => Effect.void)
        yield* TestClock.adjust(1)
      }
      assert.deepStrictEqual([...(yield* pool.keys)].sort(), ["b", "c"])
      assert.strictEqual(fake.live, 2)
      const full = pool.use("b", () =>
        pool.use("c", () => Effect.andThen(TestClock.adjust(1), Effect.flip(pool.use("d", () => Effect.void))))
      )
      assert.strictEqual(reasonOf(yield* full), "TooManyKeys")
    })
  )

  it.effect("closes all with its scope, also what a dropped key still closes", () =>
    Effect.gen(function* () {
      let fake: PoolWorld | undefined
      const closed = yield* Effect.forkChild(
        Effect.scoped(
          Effect.gen(function* () {
            const made = yield* make({ maxKeys: 1 })
            fake = made.fake
            fake.closing = Effect.sleep("2 seconds")
            yield* made.pool.use("a", () => Effect.void)
            yield* TestClock.adjust(1)
            yield* made.pool.use("b", () => Effect.void)
          })
        )
      )
      yield* settle
      assert.strictEqual(fake?.live, 2)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(closed)
      assert.strictEqual(fake?.live, 0)
    })
  )

  it.effect("an option that makes no sense is a defect that names it", () =>
    Effect.gen(function* () {
      for (const option of ["maxKeys", "maxConnections", "maxConnectionsPerKey"] as const) {
        assert.include(String(yield* Effect.exit(make({ [option]: 0 }))), option)
      }
    })
  )
})
