import { assert, describe, it } from "@effect/vitest"
import { Places, type WhenFull } from "@sluice/core/service/Places"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { Calls, endAfter, fork, interruptedAtEveryPoint } from "./Calls.ts"

const refusal = Effect.fail("refused")
const wait = (maxMillis: number): WhenFull<string> => ({ _tag: "Wait", maxMillis, refusal })

describe("Places", () => {
  it.effect("a place is given back by success, failure, defect and interruption", () =>
    Effect.gen(function* () {
      const places = new Places({ maxConcurrent: 1, whenFull: () => ({ _tag: "Refuse", refusal }) })
      for (const end of [Effect.void, Effect.fail("own"), Effect.die("broken"), Effect.interrupt]) {
        yield* Effect.exit(places.around(end))
        assert.strictEqual(places.takenCount, 0)
      }
    })
  )

  it.effect("who waits is served in order: the first, or the last", () =>
    Effect.gen(function* () {
      for (const [order, expected] of [
        ["first", "1,2,3"],
        ["last", "3,2,1"]
      ] as const) {
        const places = new Places({ maxConcurrent: 1, whenFull: () => wait(1000), order: () => order })
        const served: Array<1 | 2 | 3> = []
        yield* fork(places.around(Effect.sleep(1)))
        for (const id of [1, 2, 3] as const) {
          yield* fork(
            places.around(
              Effect.andThen(
                Effect.sync(() => served.push(id)),
                Effect.sleep(1)
              )
            )
          )
        }
        yield* TestClock.adjust(4)
        assert.strictEqual(served.join(), expected)
        assert.strictEqual(places.takenCount, 0)
      }
    })
  )

  it.effect("it is told when the line is empty, by a place or by somebody who leaves", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const places = new Places({
        maxConcurrent: 1,
        whenFull: () => wait(10),
        onLineEmpty: () => log.push("empty")
      })
      yield* fork(places.around(Effect.sleep(5)))
      yield* fork(places.around(Effect.never))
      yield* TestClock.adjust(4)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["empty"])
      yield* fork(Effect.exit(places.around(Effect.void)))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(log, ["empty", "empty"])
    })
  )

  it.effect("a limit that is lowered takes nobody's place, one that is raised serves those who wait", () =>
    Effect.gen(function* () {
      const calls = new Calls()
      const places = new Places({ maxConcurrent: 4, whenFull: () => wait(1000) })
      const call = places.around(calls.taking(10))
      for (let index = 0; index < 8; index++) yield* fork(call)
      places.maxConcurrent = 1
      assert.strictEqual(calls.active, 4)
      yield* TestClock.adjust(10)
      assert.deepStrictEqual([calls.active, places.takenCount, places.waitingCount], [1, 1, 3])
      places.maxConcurrent = 3
      places.serve()
      assert.deepStrictEqual([calls.active, places.takenCount, places.waitingCount], [3, 3, 1])
    })
  )

  it.effect("`most` is a lower limit for a call that does not wait above it", () =>
    Effect.gen(function* () {
      const places = new Places({ maxConcurrent: 2, whenFull: () => ({ _tag: "Refuse", refusal }) })
      yield* fork(places.around(Effect.never))
      assert.strictEqual(yield* endAfter(places.around(Effect.void, 1), 0), "refused")
      assert.strictEqual(yield* endAfter(places.around(Effect.void, 2), 0), "undefined")
    })
  )

  it.effect("who is interrupted, in its place or in line, leaves it to others", () =>
    Effect.gen(function* () {
      const places = new Places({ maxConcurrent: 1, whenFull: () => wait(4) })
      yield* interruptedAtEveryPoint(8, () => ({
        effect: Effect.all(
          [1, 2, 3, 4].map(() => Effect.ignore(places.around(Effect.sleep(2)))),
          {
            concurrency: "unbounded"
          }
        ),
        check: (at) => Effect.sync(() => assert.deepStrictEqual([places.takenCount, places.waitingCount], [0, 0], at))
      }))
    })
  )

  it.effect("law: never more than the limit, and nobody is forgotten, in 200 seeds", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) {
        const random = new SeededRandom(seed)
        const calls = new Calls()
        const maxConcurrent = 1 + random.below(4)
        const places = new Places({
          maxConcurrent,
          whenFull: () => wait(1 + random.below(30)),
          order: () => random.pick(["first", "last"])
        })
        const fibers = []
        for (let index = 0; index < 30; index++) {
          const fiber = yield* fork(Effect.exit(places.around(calls.taking(random.below(10)))))
          fibers.push(fiber)
          if (random.below(4) === 0) yield* Fiber.interrupt(random.pick(fibers))
          if (random.below(2) === 0) yield* TestClock.adjust(random.below(5))
        }
        yield* TestClock.adjust(300)
        assert.isTrue(
          fibers.every((fiber) => fiber.pollUnsafe() !== undefined),
          `seed ${seed}`
        )
        assert.isAtMost(calls.mostActive, maxConcurrent, `seed ${seed}`)
        assert.deepStrictEqual([calls.active, places.takenCount, places.waitingCount], [0, 0, 0], `seed ${seed}`)
      }
    })
  )
})
