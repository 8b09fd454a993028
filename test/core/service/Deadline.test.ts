import { assert, describe, it } from "@effect/vitest"
import * as Deadline from "@sluice/core/service/Deadline"
import * as Policy from "@sluice/core/service/Policy"
import * as Timeout from "@sluice/core/service/Timeout"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { Calls, endAfter, fork, interruptedAtEveryPoint, word } from "./Calls.ts"

const within = (millis: number) => Deadline.make({ within: millis })
const left = Effect.map(Deadline.remaining, (time) => (time === undefined ? undefined : Duration.toMillis(time)))

describe("Deadline", () => {
  it.effect("there is none at first; below it everything knows what is left", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* left)
      assert.strictEqual(yield* within(100)(left), 100)
      const later = within(100)(Effect.andThen(Effect.sleep(30), left))
      assert.strictEqual(yield* endAfter(later, 30), "70")
      assert.isUndefined(yield* within(100)(Deadline.uncoupled(left)))
      assert.isUndefined(yield* left)
    })
  )

  it.effect("a nested one can only be earlier", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* within(100)(within(1000)(left)), 100)
      assert.strictEqual(yield* within(100)(within(10)(left)), 10)
      assert.strictEqual(yield* within(100)(Effect.andThen(within(10)(Effect.void), left)), 100)
    })
  )

  it.effect("behind it nothing is begun, and the error says so", () =>
    Effect.gen(function* () {
      const calls = new Calls()
      const nowMillis = Number(yield* Clock.monotonicTimeNanos) / 1e6
      const error = yield* within(100)(calls.taking(1)).pipe(
        Effect.provideService(Deadline.CurrentDeadline, nowMillis),
        Effect.flip
      )
      assert.strictEqual(error.reason.retry, "NotSent")
      assert.strictEqual(calls.begun, 0)
    })
  )

  it.effect("the caller has its answer at once, also where something takes long to clean up", () =>
    Effect.gen(function* () {
      let cleaned = false
      const stubborn = Effect.onInterrupt(Effect.never, () =>
        Effect.andThen(
          Effect.sleep("1 hour"),
          Effect.sync(() => (cleaned = true))
        )
      )
      const fiber = yield* fork(within(50)(stubborn))
      yield* TestClock.adjust(50)
      assert.strictEqual(word(fiber.pollUnsafe()!), "DeadlineExceeded")
      yield* TestClock.adjust("1 hour")
      assert.isTrue(cleaned)
    })
  )

  it.effect("law: nothing nested overruns it, in 200 seeds", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) {
        const random = new SeededRandom(seed)
        const limitMillis = 1 + random.below(100)
        const calls = new Calls()
        const fiber = yield* fork(within(limitMillis)(nested(random, calls, 5)))
        yield* TestClock.adjust(limitMillis)
        assert.isDefined(fiber.pollUnsafe(), `seed ${seed}`)
        assert.strictEqual(calls.active, 0, `seed ${seed}`)
      }
    })
  )

  it.effect("who is interrupted leaves nothing behind", () =>
    interruptedAtEveryPoint(12, () => {
      const calls = new Calls()
      return {
        effect: within(10)(within(8)(calls.taking(20))),
        check: (at) => Effect.sync(() => assert.strictEqual(calls.active, 0, at))
      }
    })
  )

  it("a time that makes no sense is a mistake", () => {
    assert.throws(() => within(0), RangeError, /within/)
  })
})

/** Calls in all kinds of other things, most of which never end by themselves. */
const nested = (random: SeededRandom, calls: Calls, depth: number): Effect.Effect<unknown, unknown> => {
  const inner = depth === 0 ? calls.counted(Effect.never) : nested(random, calls, depth - 1)
  switch (random.below(6)) {
    case 0:
      return Effect.andThen(Effect.sleep(random.below(50)), inner)
    case 1:
      return Effect.all([inner, calls.taking(random.below(200))], { concurrency: "unbounded" })
    case 2:
      return Effect.forever(Effect.ignore(Timeout.make({ timeout: 1 + random.below(60) })(inner)))
    case 3:
      return Policy.stack(within(1 + random.below(300)), Timeout.make({ timeout: 1 + random.below(300) }))(inner)
    case 4:
      return Effect.ensuring(
        inner,
        Effect.sync(() => undefined)
      )
    default:
      return Effect.ignore(within(1 + random.below(60))(inner)).pipe(Effect.andThen(inner))
  }
}
