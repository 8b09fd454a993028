import { assert, it } from "@effect/vitest"
import * as MonotonicMillis from "@sluice/core/service/MonotonicMillis"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

const now = Effect.withFiber((fiber) => Effect.succeed(MonotonicMillis.now(fiber)))

it.effect("goes on with the clock, by fractions of a millisecond too, and never back", () =>
  Effect.gen(function* () {
    const before = yield* now
    yield* TestClock.adjust("1500 micros")
    assert.closeTo((yield* now) - before, 1.5, 1e-9)
    yield* TestClock.setTime(0)
    assert.isAtLeast(yield* now, before)
  })
)
