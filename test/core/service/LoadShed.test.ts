import { assert, describe, it } from "@effect/vitest"
import * as LoadShed from "@sluice/core/service/LoadShed"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { Calls, endAfter, fork } from "./Calls.ts"

describe("LoadShed", () => {
  it.effect("at once: who finds no place is refused", () =>
    Effect.gen(function* () {
      const policy = yield* LoadShed.atOnce({ maxConcurrent: 2 })
      const calls = new Calls()
      yield* fork(policy(calls.taking(5)))
      yield* fork(policy(calls.taking(5)))
      const error = yield* Effect.flip(policy(calls.taking(5)))
      assert.deepStrictEqual([error.reason.limit, error.reason.limitAmount], ["concurrent", 2])
      yield* TestClock.adjust(5)
      assert.strictEqual(yield* endAfter(policy(calls.taking(5)), 5), "3")
    })
  )

  it.effect("by queue delay: in a burst a call waits for the interval, in a line that stays for the target", () =>
    Effect.gen(function* () {
      const policy = yield* LoadShed.byQueueDelay({ maxConcurrent: 1, target: 5, interval: 100 })
      yield* fork(policy(Effect.never))
      assert.strictEqual(yield* endAfter(policy(Effect.void), 99), "waiting")
      yield* fork(Effect.exit(policy(Effect.void)))
      yield* TestClock.adjust(60)
      yield* fork(Effect.exit(policy(Effect.void)))
      yield* TestClock.adjust(41)
      // Somebody has stood in line for 101 ms.
      assert.strictEqual(yield* endAfter(policy(Effect.void), 4), "waiting")
      assert.strictEqual(yield* endAfter(policy(Effect.void), 5), "Overloaded")
      yield* TestClock.adjust(100)
      assert.strictEqual(yield* endAfter(policy(Effect.void), 99), "waiting")
    })
  )

  it.effect("by queue delay: in overload the last who came is served first", () =>
    Effect.gen(function* () {
      const policy = yield* LoadShed.byQueueDelay({ maxConcurrent: 1, target: 50, interval: 100 })
      const served: Array<string> = []
      const call = (name: string, millis: number) =>
        fork(
          Effect.ignore(
            policy(
              Effect.andThen(
                Effect.sync(() => served.push(name)),
                Effect.sleep(millis)
              )
            )
          )
        )
      yield* call("holder", 120)
      yield* call("a", 1)
      yield* TestClock.adjust(60)
      yield* call("b", 1)
      yield* TestClock.adjust(45)
      yield* call("c", 1)
      yield* call("d", 1)
      yield* TestClock.adjust(50)
      assert.deepStrictEqual(served, ["holder", "d", "c", "b"])
    })
  )

  it.effect("by queue delay: the line has an end too", () =>
    Effect.gen(function* () {
      const policy = yield* LoadShed.byQueueDelay({ maxConcurrent: 1, maxWaiting: 1 })
      yield* fork(policy(Effect.never))
      yield* fork(Effect.exit(policy(Effect.void)))
      const error = yield* Effect.flip(policy(Effect.void))
      assert.deepStrictEqual([error.reason.limit, error.reason.limitAmount], ["waiting", 1])
    })
  )

  it.effect("law: at ten times the load, nine tenths of what can be done are done in time, in 20 seeds", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 20; seed++) {
        const random = new SeededRandom(seed)
        const policy = yield* LoadShed.byQueueDelay({ maxConcurrent: 4, target: 5, interval: 100 })
        let inTime = 0
        // Four at a time, 10 ms each: 400 in a second can be done, and 4,000 come. Callers go away after 150 ms.
        for (let millis = 0; millis < 1000; millis++) {
          const count = random.below(9)
          for (let index = 0; index < count; index++) {
            const call = Effect.timeoutOption(policy(Effect.sleep(10)), 150)
            yield* fork(Effect.ignore(Effect.tap(call, (end) => Effect.sync(() => end._tag === "Some" && inTime++))))
          }
          yield* TestClock.adjust(1)
        }
        assert.isAtLeast(inTime, 0.9 * 400, `seed ${seed}`)
      }
    })
  )

  it.effect("by priority: what matters less is refused first", () =>
    Effect.gen(function* () {
      const shed = yield* LoadShed.byPriority({ maxConcurrent: 4, shares: { user: 1, report: 0.5, crawl: 0.1 } })
      const begun = []
      for (const priority of ["crawl", "crawl", "report", "report", "user", "user", "user"] as const) {
        const calls = new Calls()
        yield* fork(Effect.ignore(shed(priority)(calls.counted(Effect.never))))
        begun.push(`${priority}: ${calls.begun}`)
      }
      assert.deepStrictEqual(begun, ["crawl: 1", "crawl: 0", "report: 1", "report: 0", "user: 1", "user: 1", "user: 0"])
    })
  )

  for (const [make, name] of [
    [LoadShed.atOnce({ maxConcurrent: 0.5 }), "maxConcurrent"],
    [LoadShed.byQueueDelay({ maxConcurrent: 1, target: 100, interval: 100 }), "target"],
    [LoadShed.byQueueDelay({ maxConcurrent: 1, interval: 0 }), "interval"],
    [LoadShed.byQueueDelay({ maxConcurrent: 1, maxWaiting: 0 }), "maxWaiting"],
    [LoadShed.byPriority({ maxConcurrent: 1, shares: { a: 1, b: 2 } }), "shares.b"],
    [LoadShed.byPriority({ maxConcurrent: 1, shares: { a: 0.5 } }), "shares"]
  ] as const) {
    it.effect(`an option that makes no sense is a mistake: ${name}`, () =>
      Effect.gen(function* () {
        assert.match(
          String(yield* Effect.exit(Effect.asVoid(make as Effect.Effect<unknown>))),
          new RegExp(`RangeError.*${name}`)
        )
      })
    )
  }
})
