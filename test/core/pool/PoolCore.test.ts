import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { exclusively, PoolWorld } from "./PoolWorld.ts"

const seedCount = 200
const callCount = 40

/** A pool whose connections fail, hang, are slow, and whose borrowers are interrupted, at random. */
const run = (seed: number) =>
  Effect.gen(function* () {
    const random = new SeededRandom(seed)
    const fake = new PoolWorld()
    const pause = (mostMillis: number) => Effect.suspend(() => Effect.sleep(random.below(mostMillis)))
    fake.connecting = Effect.suspend(() =>
      Effect.andThen(pause(200), random.below(4) === 0 ? fake.refuse : Effect.void)
    )
    fake.closing = pause(300)
    const maxConnections = 1 + random.below(4)
    const acquireMillis = 5_000
    const scope = yield* Scope.make()
    const pool = yield* fake
      .make({
        maxConnections,
        minConnections: random.below(maxConnections + 1),
        acquireTimeout: acquireMillis,
        maxLifetime: 2_000,
        idleTimeout: 1_000,
        upkeepInterval: 100,
        connectSchedule: Schedule.spaced("50 millis"),
        testOnCheckout: random.pick(["always", "never", "50 millis"] as const),
        testOnReturn: random.pick(["always", "never"] as const),
        test: () =>
          Effect.suspend(() => Effect.andThen(pause(20), random.below(8) === 0 ? Effect.fail("bad") : Effect.void)),
        order: random.pick(["newest first", "oldest first"] as const)
      })
      .pipe(Scope.provide(scope))
    const work = Effect.suspend(() =>
      Effect.andThen(pause(100), random.below(6) === 0 ? Effect.fail("no") : Effect.void)
    )
    const call = Effect.suspend(() => {
      const borrow = exclusively(work)
      const invalid = random.below(8) === 0
      const body = (one: Parameters<typeof borrow>[0]) =>
        invalid ? Effect.andThen(pool.invalidate(one), borrow(one)) : borrow(one)
      return random.below(2) === 0 ? pool.use(body) : Effect.scoped(Effect.flatMap(pool.get, body))
    })
    const calls = yield* Effect.forEach(Array.from({ length: callCount }), () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Effect.andThen(pause(1_500), call))
        if (random.below(4) === 0) yield* Effect.forkChild(Effect.delay(Fiber.interrupt(fiber), random.below(3_000)))
        return fiber
      })
    )
    for (let step = 0; step < 80; step++) {
      yield* TestClock.adjust(100)
      assert.isAtMost(fake.live, maxConnections)
    }
    const outcomes = yield* Fiber.awaitAll(calls)
    const stats = yield* pool.stats
    const shown = `seed ${seed}: ${JSON.stringify(stats)}`
    assert.deepStrictEqual([stats.leased, stats.waiting], [0, 0], shown)
    assert.isAtMost(fake.mostLive, maxConnections, shown)
    const closed = stats.closedBroken + stats.closedInvalid + stats.closedLifetime + stats.closedIdle
    assert.strictEqual(stats.opened - closed, stats.idle + stats.testing, shown)
    const shutdown = yield* Effect.forkChild(Scope.close(scope, Exit.void))
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(shutdown)
    assert.strictEqual(fake.live, 0, shown)
    return outcomes.map((exit) => exit._tag).join() + JSON.stringify(stats)
  }).pipe(Random.withSeed(seed))

describe("PoolCore", () => {
  it.effect(
    `never more than the maximum, none lost, none handed out twice, nobody starves: ${seedCount} seeds`,
    () =>
      Effect.gen(function* () {
        for (let seed = 0; seed < seedCount; seed++) yield* Effect.provide(run(seed), TestClock.layer())
      }),
    60_000
  )

  it.effect("a seed gives the same run again", () =>
    Effect.gen(function* () {
      for (const seed of [1, 2, 3]) {
        const once = yield* Effect.provide(run(seed), TestClock.layer())
        assert.strictEqual(yield* Effect.provide(run(seed), TestClock.layer()), once)
      }
    })
  )
})
