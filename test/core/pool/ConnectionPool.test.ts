import { assert, describe, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/pool/ConnectionPool"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pool from "effect/Pool"
import * as TestClock from "effect/testing/TestClock"
import { type FakeConnection, levels, PoolWorld, type Refused, settle, world } from "./PoolWorld.ts"

describe("ConnectionPool", () => {
  it.effect("opens a connection when one is needed, and lends it again", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make()
      assert.strictEqual(yield* levels(pool), "")
      const ids = [yield* pool.use((one) => Effect.succeed(one.id)), yield* pool.use((one) => Effect.succeed(one.id))]
      assert.deepStrictEqual(ids, [1, 1])
      assert.strictEqual(yield* levels(pool), "connections 1, idle 1")
    })
  )

  it.effect("get lends until the scope closes", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make()
      for (let round = 0; round < 2; round++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const one = yield* pool.get
            assert.strictEqual(one.id, 1)
            assert.strictEqual(yield* levels(pool), "connections 1, leased 1")
          })
        )
        assert.strictEqual(yield* levels(pool), "connections 1, idle 1")
      }
    })
  )

  it.effect("opens the minimum by itself", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ minConnections: 3 })
      assert.strictEqual(yield* levels(pool), "connections 3, idle 3")
    })
  )

  it.effect("a broken connection is closed when its borrower gives it back, and not lent again", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 1 })
      yield* pool.use((one) => pool.invalidate(one))
      assert.strictEqual(fake.live, 0)
      assert.strictEqual(yield* pool.use((one) => Effect.succeed(one.id)), 2)
      yield* pool.invalidate(fake.connections[1]!)
      assert.strictEqual(fake.live, 0)
      assert.strictEqual((yield* pool.stats).closedBroken, 2)
      assert.strictEqual(fake.mostLive, 1)
    })
  )

  it.effect("what its borrower failed with can close a connection", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ invalidateOn: () => true })
      yield* Effect.exit(pool.use(() => Effect.fail("no")))
      yield* Effect.exit(Effect.scoped(Effect.andThen(pool.get, Effect.fail("no"))))
      yield* pool.use(() => Effect.void)
      assert.deepStrictEqual([fake.connections.length, fake.live], [3, 1])
    })
  )

  it.effect("a connection that is known to be closed is lent to nobody", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ isOpen: (one) => one.isOpen })
      yield* pool.use(() => Effect.void)
      fake.connections[0]!.isOpen = false
      assert.strictEqual(yield* pool.use((one) => Effect.succeed(one.id)), 2)
      yield* pool.use((one) =>
        Effect.sync(() => {
          one.isOpen = false
        })
      )
      assert.strictEqual(fake.live, 0)
    })
  )

  it.effect("closes with its scope, and leaves nothing", () =>
    Effect.gen(function* () {
      const fake = yield* world
      yield* Effect.scoped(
        Effect.gen(function* () {
          const pool = yield* fake.make({ minConnections: 2 })
          yield* pool.use(() => Effect.void)
        })
      )
      assert.strictEqual(fake.live, 0)
    })
  )

  class Database extends Context.Service<Database, ConnectionPool.ConnectionPool<FakeConnection, Refused>>()(
    "test/Database"
  ) {}

  it.effect("is a layer", () => {
    const fake = new PoolWorld()
    return Effect.gen(function* () {
      const pool = yield* Database
      assert.strictEqual(yield* pool.use((one) => Effect.succeed(one.id)), 1)
    }).pipe(Effect.provide(ConnectionPool.layer(Database, { connect: fake.connect })))
  })

  it.effect("an option that makes no sense is a defect that names it", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const exit = yield* Effect.exit(fake.make({ minConnections: 3, maxConnections: 2 }))
      assert.include(String(exit), "minConnections")
      assert.include(String(exit), "Die")
    })
  )
})

/** Why this pool is not made of Effect's. If one of these fails, look again. */
describe("Effect's Pool", () => {
  it.effect("has more than its maximum open while a borrower has a broken item", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* Pool.make({ acquire: fake.connect, size: 1 })
      yield* Pool.use(pool, (one) => Effect.andThen(Pool.invalidate(pool, one), settle))
      assert.strictEqual(fake.mostLive, 2)
    })
  )

  it.effect("lets an item that takes long to open hold up all others, as this one does not", () =>
    Effect.gen(function* () {
      const slow = Effect.gen(function* () {
        const fake = new PoolWorld()
        fake.connecting = Effect.sleep("1 second")
        return fake
      })
      const theirs = yield* slow
      const ours = yield* slow
      const pool = yield* Pool.makeWithTTL({ acquire: theirs.connect, min: 0, max: 2, timeToLive: "1 minute" })
      const mine = yield* ours.make({ maxConnections: 2 })
      const calls = yield* Effect.forkChild(
        Effect.all(
          [Pool.use(pool, () => Effect.never), mine.use(() => Effect.never)].flatMap((call) => [
            call,
            Effect.delay(call, "500 millis")
          ]),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("600 millis")
      assert.deepStrictEqual([theirs.attempts, ours.attempts], [1, 2])
      yield* Fiber.interrupt(calls)
    })
  )
})
