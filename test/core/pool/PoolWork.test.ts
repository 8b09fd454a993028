import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { levels, reasonOf, settle, world } from "./PoolWorld.ts"

describe("opening", () => {
  it.effect("tries again as the schedule says, while somebody waits", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.connecting = fake.refuse
      const pool = yield* fake.make({ connectSchedule: Schedule.exponential("100 millis"), acquireTimeout: "1 second" })
      const call = yield* Effect.forkChild(Effect.flip(pool.use(() => Effect.void)))
      const attempts: Array<number> = []
      for (const step of [0, 99, 1, 199, 1, 400, 300]) {
        yield* TestClock.adjust(step)
        attempts.push(fake.attempts)
      }
      assert.deepStrictEqual(attempts, [1, 1, 2, 2, 3, 4, 4])
      const error = yield* Fiber.join(call)
      assert.strictEqual(reasonOf(error), "AcquireTimeout")
      assert.strictEqual((error as { reason: { fault: string } }).reason.fault, "transport")
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(fake.attempts, 5)
      assert.strictEqual(yield* levels(pool), "")
      assert.strictEqual(fake.live, 0)
    })
  )

  it.effect("a server that comes back is used again", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.connecting = fake.refuse
      const pool = yield* fake.make()
      const call = yield* Effect.forkChild(pool.use((one) => Effect.succeed(one.id)))
      yield* TestClock.adjust("1 second")
      fake.connecting = Effect.void
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* Fiber.join(call), 1)
    })
  )

  it.effect("when the schedule ends, each call gets the failure of an attempt", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.connecting = fake.refuse
      const pool = yield* fake.make({ maxConnections: 1, connectSchedule: Schedule.recurs(0) })
      const errors = yield* Effect.replicateEffect(Effect.flip(pool.use(() => Effect.void)), 3, { concurrency: 3 })
      assert.deepStrictEqual(errors.map(reasonOf), ["Refused", "Refused", "Refused"])
      assert.strictEqual((yield* pool.stats).openFailed, 3)
      assert.strictEqual(fake.mostLive, 1)
    })
  )

  it.effect("a defect of connect reaches the caller", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.connecting = Effect.die("oops")
      const pool = yield* fake.make()
      assert.include(String(yield* Effect.exit(pool.use(() => Effect.void))), "oops")
      fake.connecting = Effect.interrupt
      assert.include(String(yield* Effect.exit(pool.use(() => Effect.void))), "Interrupt")
    })
  )

  it.effect("an attempt that hangs ends after connectTimeout", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.connecting = Effect.never
      const pool = yield* fake.make({ connectTimeout: "2 seconds", connectSchedule: Schedule.recurs(0) })
      const call = yield* Effect.forkChild(Effect.flip(pool.use(() => Effect.void)))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(reasonOf(yield* Fiber.join(call)), "ConnectTimeout")
      assert.strictEqual(fake.live, 0)
    })
  )
})

describe("coming back", () => {
  it.effect("a connection is reset and tested without its borrower, and lent after that", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const told: Array<string> = []
      const step = (what: string) =>
        Effect.delay(
          Effect.sync(() => {
            told.push(what)
          }),
          "1 second"
        )
      const pool = yield* fake.make({
        maxConnections: 1,
        reset: () => step("reset"),
        test: () => step("test"),
        testOnCheckout: "never",
        testOnReturn: "always"
      })
      yield* pool.use(() => Effect.void)
      assert.strictEqual(yield* levels(pool), "connections 1, testing 1")
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(told, ["reset", "test"])
      assert.strictEqual(yield* levels(pool), "connections 1, idle 1")
    })
  )

  it.effect("one that cannot be reset, or was invalidated meanwhile, is closed", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ reset: (one) => Effect.delay(one.test, "1 second") })
      yield* pool.use((one) =>
        Effect.sync(() => {
          one.test = Effect.fail("no")
        })
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* pool.stats).closedInvalid, 1)
      yield* pool.use(() => Effect.void)
      yield* pool.invalidate(fake.connections[1]!)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* pool.stats).closedBroken, 1)
      assert.strictEqual(fake.live, 0)
    })
  )
})

describe("upkeep", () => {
  it.effect("closes what has been idle too long, down to the minimum", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ minConnections: 1, idleTimeout: "1 minute", maxLifetime: "unbounded" })
      yield* Effect.replicateEffect(
        pool.use(() => settle),
        3,
        { concurrency: 3 }
      )
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* levels(pool), "connections 3, idle 3")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* levels(pool), "connections 1, idle 1")
      assert.strictEqual((yield* pool.stats).closedIdle, 2)
    })
  )

  it.effect("replaces what is too old, each at an age of its own", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({
        minConnections: 10,
        maxLifetime: "10 minutes",
        lifetimeJitter: 0.5,
        idleTimeout: "unbounded",
        upkeepInterval: "1 second"
      })
      yield* TestClock.adjust("5 minutes")
      const opened: Array<number> = [(yield* pool.stats).opened]
      for (let minute = 0; minute < 5; minute++) {
        yield* TestClock.adjust("1 minute")
        opened.push((yield* pool.stats).opened)
      }
      assert.strictEqual(opened[0], 10)
      assert.isAtLeast(opened.at(-1)!, 20)
      assert.isAbove(new Set(opened).size, 3)
      assert.strictEqual(yield* levels(pool), "connections 10, idle 10")
      assert.strictEqual(fake.mostLive, 10)
    })
  )

  it.effect("a borrower keeps what is too old, and its return closes it", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxLifetime: "1 minute" })
      const borrower = yield* Effect.forkChild(pool.use(() => Effect.sleep("2 minutes")))
      yield* TestClock.adjust("119 seconds")
      assert.strictEqual(fake.live, 1)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(borrower)
      assert.deepStrictEqual([fake.live, (yield* pool.stats).closedLifetime], [0, 1])
    })
  )

  it.effect("restores the minimum when the server is there again", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.connecting = fake.refuse
      const pool = yield* fake.make({ minConnections: 2, connectSchedule: Schedule.recurs(1) })
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* levels(pool), "")
      fake.connecting = Effect.void
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* levels(pool), "connections 2, idle 2")
    })
  )
})

describe("closing", () => {
  it.effect("a connection that closes slowly counts, until closeTimeout", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.closing = Effect.sleep("3 seconds")
      const pool = yield* fake.make({ maxConnections: 1, closeTimeout: "4 seconds" })
      yield* pool.use((one) => pool.invalidate(one))
      const call = yield* Effect.forkChild(pool.use((one) => Effect.succeed(one.id)))
      yield* TestClock.adjust("2999 millis")
      assert.strictEqual(yield* levels(pool), "connections 1, closing 1, waiting 1")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(call), 2)
      assert.strictEqual(fake.mostLive, 1)
      fake.closing = Effect.never
      yield* pool.invalidate(fake.connections[1]!)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(yield* levels(pool), "")
      assert.strictEqual((yield* pool.stats).abandoned, 1)
    })
  )
})
