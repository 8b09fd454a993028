import { assert, describe, it } from "@effect/vitest"
import type { ConnectionPool } from "@sluice/core/pool/ConnectionPool"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import {
  exclusively,
  type FakeConnection,
  levels,
  PoolWorld,
  type Refused,
  reasonOf,
  settle,
  world
} from "./PoolWorld.ts"

type Pool = ConnectionPool<FakeConnection, Refused>

describe("waiting", () => {
  it.effect("a connection goes to who has waited longest, and who comes later does not overtake", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 1 })
      const served: Array<number> = []
      const call = (index: number) =>
        pool.use(
          exclusively(
            Effect.andThen(
              Effect.sync(() => served.push(index)),
              Effect.yieldNow
            )
          )
        )
      const first = yield* Effect.forkChild(pool.use(() => Effect.sleep("1 second")))
      yield* settle
      const rest: Array<Fiber.Fiber<unknown, unknown>> = []
      for (let index = 0; index < 20; index++) {
        rest.push(yield* Effect.forkChild(call(index)))
        yield* settle
      }
      yield* TestClock.adjust("1 second")
      rest.push(yield* Effect.forkChild(call(20)))
      yield* Fiber.joinAll([first, ...rest])
      assert.deepStrictEqual(
        served,
        Array.from({ length: 21 }, (_, index) => index)
      )
      const stats = yield* pool.stats
      assert.deepStrictEqual(
        [stats.acquireWaited, stats.acquireWaitMillis],
        [stats.acquireStarted - stats.acquireDirect, 20_000]
      )
    })
  )

  it.effect("10,000 calls that end at once wait for one connection on a flat stack", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 1, maxWaiters: 10_000 })
      yield* Effect.forEach(Array.from({ length: 10_000 }), () => pool.use(exclusively(Effect.void)), {
        concurrency: "unbounded",
        discard: true
      })
      assert.strictEqual(fake.mostLive, 1)
    })
  )

  it.effect("ends after acquireTimeout, and says that all are in use", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 1, acquireTimeout: "2 seconds" })
      const holder = yield* Effect.forkChild(pool.use(() => Effect.never))
      yield* settle
      const early = yield* Effect.forkChild(Effect.flip(pool.use(() => Effect.void)))
      yield* TestClock.adjust("1 second")
      const late = yield* Effect.forkChild(Effect.flip(Effect.scoped(pool.get)))
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(early.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(early)
      assert.strictEqual(reasonOf(error), "AcquireTimeout")
      assert.strictEqual((error as { reason: { fault: string } }).reason.fault, "limit")
      assert.strictEqual(yield* levels(pool), "connections 1, leased 1, waiting 1")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(reasonOf(yield* Fiber.join(late)), "AcquireTimeout")
      assert.strictEqual((yield* pool.stats).acquireTimedOut, 2)
      yield* Fiber.interrupt(holder)
    })
  )

  it.effect("one more than maxWaiters is refused; those whose connection is being opened do not count", () =>
    Effect.gen(function* () {
      const fake = yield* world
      fake.connecting = Effect.sleep("1 second")
      const pool = yield* fake.make({ maxConnections: 2, maxWaiters: 1 })
      yield* Effect.forkChild(
        Effect.replicateEffect(
          pool.use(() => Effect.never),
          3,
          { concurrency: 3 }
        )
      )
      yield* settle
      assert.strictEqual(yield* levels(pool), "connections 2, opening 2, waiting 3")
      assert.strictEqual(reasonOf(yield* Effect.flip(pool.use(() => Effect.void))), "TooManyWaiters")
      assert.strictEqual((yield* pool.stats).acquireRefused, 1)
    })
  )

  it.effect("with maxWaiters 0 a call gets a connection at once or not at all", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 1, maxWaiters: 0 })
      const refused = yield* pool.use(() => Effect.flip(pool.use(() => Effect.void)))
      assert.strictEqual(reasonOf(refused), "TooManyWaiters")
    })
  )
})

describe("testing before lending", () => {
  it.effect("a connection that fails is closed, and the call goes on to the next", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 2, test: (one) => one.test })
      yield* Effect.replicateEffect(
        pool.use(() => settle),
        2,
        { concurrency: 2 }
      )
      fake.connections[1]!.test = Effect.fail("gone")
      assert.strictEqual(yield* pool.use((one) => Effect.succeed(one.id)), 1)
      assert.strictEqual((yield* pool.stats).closedInvalid, 1)
      assert.strictEqual(fake.mostLive, 2)
    })
  )

  it.effect("a test that hangs ends after testTimeout", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 1, test: (one) => one.test, testTimeout: "1 second" })
      yield* pool.use(() => Effect.void)
      fake.connections[0]!.test = Effect.never
      const call = yield* Effect.forkChild(pool.use((one) => Effect.succeed(one.id)))
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(yield* levels(pool), "connections 1, testing 1")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(call), 2)
    })
  )

  it.effect("who was given a bad connection keeps the place in the line", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ maxConnections: 1, test: (one) => one.test })
      const served: Array<number> = []
      const holder = yield* Effect.forkChild(
        pool.use((one) =>
          Effect.delay(
            Effect.sync(() => {
              one.test = Effect.delay(Effect.fail("bad"), "1 second")
            }),
            "1 second"
          )
        )
      )
      yield* settle
      for (let index = 0; index < 3; index++) {
        yield* Effect.forkChild(pool.use(() => Effect.sync(() => served.push(index))))
        yield* settle
      }
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(holder)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(served, [0, 1, 2])
    })
  )

  it.effect("only those idle for long enough are tested", () =>
    Effect.gen(function* () {
      const fake = yield* world
      const pool = yield* fake.make({ test: () => Effect.fail("bad"), testOnCheckout: "1 second" })
      const id = pool.use((one) => Effect.succeed(one.id))
      yield* id
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(yield* id, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* id, 2)
    })
  )
})

/** A call, with all that can happen to its connection before it gets one. */
interface Scene {
  readonly name: string
  readonly options?: Parameters<PoolWorld["make"]>[0]
  /** What happens beside the call. */
  readonly beside?: (pool: Pool, fake: PoolWorld) => Effect.Effect<unknown, unknown>
  /** Before the call. */
  readonly before?: (pool: Pool, fake: PoolWorld) => Effect.Effect<unknown, unknown>
}

const scenes: ReadonlyArray<Scene> = [
  { name: "an idle connection", before: (pool) => pool.use(() => Effect.void) },
  { name: "one that must be opened" },
  {
    name: "one that takes long to open",
    before: (_, fake) =>
      Effect.sync(() => {
        fake.connecting = steps(5)
      })
  },
  {
    name: "one that comes back while the call waits",
    options: { maxConnections: 1 },
    beside: (pool) => pool.use(exclusively(steps(5)))
  },
  {
    name: "one that comes back broken",
    options: { maxConnections: 1 },
    beside: (pool) =>
      pool.use(exclusively(Effect.andThen(steps(3), (): Effect.Effect<void> => pool.invalidate(undefined as never))))
  },
  {
    name: "one that is tested",
    options: { test: () => steps(5), testOnReturn: "always" },
    before: (pool) =>
      Effect.andThen(
        pool.use(() => Effect.void),
        steps(60)
      )
  },
  {
    name: "one that fails its test",
    options: {
      maxConnections: 1,
      test: (one) => (one.id === 1 ? Effect.andThen(steps(3), Effect.fail("bad")) : Effect.void)
    },
    before: (pool) => pool.use(() => Effect.void)
  }
]

const steps = (times: number) => Effect.repeat(Effect.yieldNow, { times })

/** How many operations a fiber does before others run, and may interrupt it. With 3 some get nowhere. */
const strides: ReadonlyArray<number> = [5, 6]
const mostPoints = 400

describe("interruption at every point loses no lease, and hands none out twice", () => {
  const calls: ReadonlyArray<readonly [string, (pool: Pool) => Effect.Effect<unknown, unknown>]> = [
    ["use", (pool) => pool.use(exclusively(steps(3)))],
    ["get", (pool) => Effect.scoped(Effect.flatMap(pool.get, exclusively(steps(3))))]
  ]
  for (const scene of scenes) {
    for (const [name, call] of calls) {
      it.effect(`${name}: ${scene.name}`, () =>
        Effect.gen(function* () {
          for (const stride of strides) {
            let point = 0
            let done = 0
            // Until the call is over before it can be interrupted.
            for (; done < 3 && point < mostPoints; point++) {
              if ((yield* interruptedAt(point, stride, scene, call)) === "done") done++
            }
            assert.isAbove(point, 5)
            assert.strictEqual(done, 3, `more than ${mostPoints} points`)
          }
        })
      )
    }
  }
})

const interruptedAt = (
  point: number,
  stride: number,
  scene: Scene,
  call: (pool: Pool) => Effect.Effect<unknown, unknown>
) =>
  Effect.gen(function* () {
    const fake = new PoolWorld()
    const inSteps = Effect.provideService(Scheduler.MaxOpsBeforeYield, stride)
    const scope = yield* Scope.make()
    const pool = yield* Scope.provide(fake.make({ maxConnections: 2, ...scene.options }), scope)
    yield* scene.before?.(pool, fake) ?? Effect.void
    const beside = yield* Effect.forkChild(inSteps(scene.beside?.(pool, fake) ?? Effect.void), {
      startImmediately: true
    })
    const fiber = yield* Effect.forkChild(inSteps(call(pool)), { startImmediately: true })
    yield* steps(point)
    yield* Fiber.interrupt(fiber)
    const exit = yield* Fiber.await(fiber)
    yield* Fiber.await(beside)
    yield* steps(30)
    const stats = yield* pool.stats
    assert.deepStrictEqual(
      [stats.leased, stats.testing, stats.waiting, stats.opening],
      [0, 0, 0, 0],
      `at ${point}: ${JSON.stringify(stats)}`
    )
    assert.isTrue(fake.mostLive <= 2 && fake.live === stats.connections, `at ${point}`)
    // All of them can still be had at once.
    const most = scene.options?.maxConnections ?? 2
    let together = 0
    yield* Effect.replicateEffect(
      pool.use(
        exclusively(
          Effect.andThen(
            Effect.sync(() => together++),
            steps(30)
          )
        )
      ),
      most,
      { concurrency: most }
    )
    assert.strictEqual(together, most)
    yield* Scope.close(scope, Exit.void)
    assert.strictEqual(fake.live, 0, `at ${point}`)
    return Exit.isSuccess(exit) ? "done" : "interrupted"
  })
