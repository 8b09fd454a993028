import { assert, describe, it } from "@effect/vitest"
import * as Timers from "@sluice/core/session/Timers"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as CountingClock from "../../harness/CountingClock.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { turns } from "../../harness/TransportContract.ts"

/** A timer that writes its name and the time into `log`. */
const named = (log: Array<string>, name: string): Timers.Timer =>
  new Timers.Timer((nowMillis) => log.push(`${name} at ${nowMillis}`))

/** Timers on a clock whose sleepers are counted. */
const counted = Effect.gen(function* () {
  const clock = CountingClock.make(yield* Clock.clockWith(Effect.succeed))
  const timers = yield* Effect.provideService(Timers.make, Clock.Clock, clock)
  return { clock, timers }
})

describe("soon", () => {
  it.effect("runs tasks in their order, not at once, and also when the timers have stopped", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const timers = yield* Effect.scoped(Timers.make)
      timers.soon(() => log.push("a"))
      timers.soon(() => log.push("b"))
      assert.deepStrictEqual(log, [])
      yield* turns
      assert.deepStrictEqual(log, ["a", "b"])
    })
  )
})

describe("set", () => {
  it.effect("fires at its time, and not a millisecond before; once", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const log: Array<string> = []
      timers.set(named(log, "a"), 30_000)
      yield* TestClock.adjust(29_999)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["a at 30000"])
      yield* TestClock.adjust(90_000)
      assert.deepStrictEqual(log, ["a at 30000"])
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("a time within a millisecond is slept for once", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.clockWith(Effect.succeed)
      const sleptMillis: Array<number> = []
      const counting: Clock.Clock = Object.assign(Object.create(clock), {
        sleep: (duration: Duration.Duration) => {
          sleptMillis.push(Duration.toMillis(duration))
          return clock.sleep(duration)
        }
      })
      const timers = yield* Effect.provideService(Timers.make, Clock.Clock, counting)
      const log: Array<string> = []
      timers.set(named(log, "a"), 0.25)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([log, sleptMillis], [["a at 1"], [1]])
    })
  )

  it.effect("counts from the clock's present, not from its origin", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      yield* TestClock.adjust(1_000)
      assert.strictEqual(timers.now(), 1_000)
      const log: Array<string> = []
      timers.set(named(log, "a"), timers.now() + 500)
      yield* TestClock.adjust(499)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["a at 1500"])
    })
  )

  it.effect("moves a timer later, and then earlier", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const log: Array<string> = []
      const timer = named(log, "a")
      timers.set(timer, 100)
      timers.set(timer, 300)
      assert.strictEqual(timers.size(), 1)
      yield* TestClock.adjust(299)
      assert.deepStrictEqual(log, [])
      timers.set(timer, 1_000)
      yield* TestClock.adjust(1)
      timers.set(timer, 400)
      yield* TestClock.adjust(99)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["a at 400"])
    })
  )

  it.effect("Infinity disarms", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const log: Array<string> = []
      const timer = named(log, "a")
      timers.set(timer, 100)
      timers.set(timer, Number.POSITIVE_INFINITY)
      assert.strictEqual(timers.size(), 0)
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(log, [])
    })
  )

  it.effect("a time that is due is served soon, but never within the call", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      yield* TestClock.adjust(10)
      const log: Array<string> = []
      timers.set(named(log, "now"), 10)
      timers.set(named(log, "past"), -1)
      assert.deepStrictEqual(log, [])
      yield* turns
      assert.deepStrictEqual(log, ["past at 10", "now at 10"])
    })
  )

  it.effect("one that is due does not overtake those that are firing", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const log: Array<string> = []
      const again = named(log, "again")
      timers.set(
        new Timers.Timer((nowMillis) => {
          log.push("begin")
          timers.set(again, nowMillis)
          log.push("end")
        }),
        10
      )
      timers.set(named(log, "other"), 10)
      yield* TestClock.adjust(10)
      yield* turns
      assert.deepStrictEqual(log.slice(0, 2), ["begin", "end"])
      assert.deepStrictEqual(log.slice(2).sort(), ["again at 10", "other at 10"])
    })
  )
})

describe("within onTime", () => {
  it.effect("a timer arms itself anew, each time exact", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const at: Array<number> = []
      const timer: Timers.Timer = new Timers.Timer((nowMillis) => {
        at.push(nowMillis)
        timers.set(timer, nowMillis + 7)
      })
      timers.set(timer, 7)
      yield* TestClock.adjust(27)
      assert.deepStrictEqual(at, [7, 14, 21])
      assert.strictEqual(timers.size(), 1)
    })
  )

  it.effect("a timer clears another that is due at the same time", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const log: Array<string> = []
      const victim = named(log, "victim")
      timers.set(new Timers.Timer(() => timers.clear(victim)), 10)
      timers.set(victim, 10)
      yield* TestClock.adjust(20)
      assert.deepStrictEqual(log, [])
    })
  )

  it.effect("one that throws keeps no other from its time", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const log: Array<string> = []
      timers.set(
        new Timers.Timer(() => {
          throw new Error("a bug")
        }),
        10
      )
      timers.set(named(log, "same"), 10)
      timers.set(named(log, "later"), 20)
      yield* Effect.exit(TestClock.adjust(10))
      yield* turns
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(log, ["same at 10", "later at 20"])
    })
  )
})

describe("one sleeper", () => {
  it.effect("an earlier timer replaces the sleeper and leaves no other", () =>
    Effect.gen(function* () {
      const { clock, timers } = yield* counted
      const log: Array<string> = []
      for (const [index, atMillis] of [500, 400, 300, 200, 100].entries()) {
        timers.set(named(log, String(index)), atMillis)
        assert.strictEqual(clock.sleepers(), 1, `after the timer at ${atMillis}`)
      }
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(log, ["4 at 100"])
      assert.strictEqual(clock.sleepers(), 1)
      yield* TestClock.adjust(400)
      assert.strictEqual(clock.sleepers(), 0)
    })
  )

  it.effect("a thousand timers that are armed anew at once leave one", () =>
    Effect.gen(function* () {
      const { clock, timers } = yield* counted
      let fired = 0
      for (let index = 0; index < 1_000; index++) {
        const timer: Timers.Timer = new Timers.Timer((nowMillis) => {
          fired++
          timers.set(timer, nowMillis + 1_000 - index)
        })
        timers.set(timer, 10)
      }
      yield* TestClock.adjust(10)
      assert.strictEqual(fired, 1_000)
      assert.strictEqual(clock.sleepers(), 1)
    })
  )

  it.effect("none when the scope has closed; and nothing is armed after that", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { clock, timers } = yield* Scope.provide(counted, scope)
      const log: Array<string> = []
      const timer = named(log, "a")
      timers.set(timer, 100)
      timers.set(named(log, "b"), 50)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(clock.sleepers(), 0)
      assert.strictEqual(timers.size(), 0)
      timers.set(timer, 60)
      timers.clear(timer)
      assert.strictEqual(timers.size(), 0)
      assert.strictEqual(clock.sleepers(), 0)
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(log, [])
    })
  )

  it.effect("a scope that is closed within onTime stops the rest", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { clock, timers } = yield* Scope.provide(counted, scope)
      const log: Array<string> = []
      timers.set(new Timers.Timer(() => Effect.runFork(Scope.close(scope, Exit.void))), 10)
      timers.set(named(log, "same"), 10)
      timers.set(named(log, "later"), 20)
      yield* TestClock.adjust(30)
      assert.deepStrictEqual(log, [])
      assert.strictEqual(clock.sleepers(), 0)
    })
  )

  it.effect("leaves nothing", () =>
    MemoryWorld.leavesNothing(() =>
      Effect.gen(function* () {
        const timers = yield* Timers.make
        timers.set(named([], "late"), 1_000)
        timers.set(named([], "early"), 100)
        timers.set(named([], "earlier"), 50)
        yield* TestClock.adjust(75)
      })
    )
  )
})

const index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11 }))
const millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))
const operation = Schema.Tuple([Schema.Literals(["set", "set", "set", "clear", "advance"]), index, millis])

it.effect.prop(
  "is like a sorted list, whatever is done to it",
  { operations: Schema.Array(operation) },
  ({ operations }) =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const originMillis = timers.now()
      const fired: Array<readonly [atMillis: number, index: number]> = []
      const all = Array.from(
        { length: 12 },
        (_, index) => new Timers.Timer((nowMillis) => fired.push([nowMillis - originMillis, index]))
      )
      const model = new Map<number, number>()
      let nowMillis = 0
      for (const [kind, index, millis] of operations) {
        const timer = all[index]!
        if (kind === "set") {
          // Not at once: what is due already has its own test.
          timers.set(timer, originMillis + nowMillis + millis + 1)
          model.set(index, nowMillis + millis + 1)
        } else if (kind === "clear") {
          timers.clear(timer)
          model.delete(index)
        } else {
          fired.length = 0
          yield* TestClock.adjust(millis)
          nowMillis += millis
          const due = [...model].filter(([, atMillis]) => atMillis <= nowMillis)
          for (const [index] of due) model.delete(index)
          assert.deepStrictEqual(
            [...fired].sort(byTimeAndIndex),
            due.map(([index, at]) => [at, index] as const).sort(byTimeAndIndex)
          )
          assert.deepStrictEqual(
            fired.map(([at]) => at),
            fired.map(([at]) => at).sort((left, right) => left - right)
          )
        }
        assert.strictEqual(timers.size(), model.size)
      }
    }).pipe(Effect.scoped),
  { arbitrary: { runs: 100, size: 60 } }
)

const byTimeAndIndex = (left: readonly [number, number], right: readonly [number, number]): number =>
  left[0] - right[0] || left[1] - right[1]
