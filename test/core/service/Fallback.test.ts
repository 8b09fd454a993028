import { assert, describe, it } from "@effect/vitest"
import * as Fallback from "@sluice/core/service/Fallback"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as Effect from "effect/Effect"
import { endAfter } from "./Calls.ts"

const kept = Fallback.make({ orElse: (error) => Effect.succeed(`kept, because of ${error}`) })

describe("Fallback", () => {
  it.effect("answers when a call fails, and only then", () =>
    Effect.gen(function* () {
      const answer: string | number = yield* kept(Effect.succeed(1))
      assert.strictEqual(answer, 1)
      assert.strictEqual(yield* kept(Effect.fail("x")), "kept, because of x")
    })
  )

  it.effect("what is the caller's own, defects and interrupts are not covered up", () =>
    Effect.gen(function* () {
      const late = ServiceError.fail(new ServiceError.DeadlineExceeded("MaybeProcessed"))
      assert.strictEqual(yield* endAfter(kept(late), 0), "DeadlineExceeded")
      assert.strictEqual(yield* endAfter(kept(Effect.die(new TypeError())), 0), "TypeError")
      assert.strictEqual(yield* endAfter(kept(Effect.interrupt), 0), "interrupted")
    })
  )

  it.effect("for chosen failures, with an error of its own in the type", () =>
    Effect.gen(function* () {
      const other = Fallback.make({
        orElse: () => Effect.fail("other region too" as const),
        failures: (error) => error === "x"
      })
      const call: Effect.Effect<never, "x" | "y" | "other region too"> = other(Effect.fail<"x" | "y">("x"))
      assert.strictEqual(yield* Effect.flip(call), "other region too")
      assert.strictEqual(yield* Effect.flip(other(Effect.fail("y"))), "y")
    })
  )
})
