import { assert, it } from "@effect/vitest"
import { Draining } from "@sluice/core/server/Draining"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

it.effect("outside of a server nothing drains", () =>
  Effect.gen(function* () {
    const draining = yield* Draining
    assert.isFalse(draining.isDraining())
    assert.isTrue(Option.isNone(yield* Effect.timeoutOption(draining.begun, 0)))
  })
)
