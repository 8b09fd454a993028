import { assert, describe, it } from "@effect/vitest"
import * as Filter from "@sluice/core/service/Filter"
import * as Effect from "effect/Effect"
import { Calls } from "./Calls.ts"

describe("Filter", () => {
  it.effect("a call is made when its check succeeds, and else fails with what the check says", () =>
    Effect.gen(function* () {
      const calls = new Calls()
      const paid = Filter.make((tenant: string) => (tenant === "a" ? Effect.void : Effect.fail("unpaid" as const)))
      const call: Effect.Effect<number, "unpaid" | "own"> = paid("a")(calls.counted(Effect.succeed(1)))
      assert.strictEqual(yield* call, 1)
      assert.strictEqual(yield* Effect.flip(paid("b")(calls.counted(Effect.void))), "unpaid")
      assert.strictEqual(calls.begun, 1)
    })
  )

  it.effect("a check is made for each call, and a check that throws is a defect", () =>
    Effect.gen(function* () {
      let checked = 0
      const counted = Filter.make(() => Effect.sync(() => checked++))
      const call = counted(undefined)(Effect.void)
      yield* call
      yield* call
      assert.strictEqual(checked, 2)
      const broken = Filter.make((): Effect.Effect<void> => {
        throw new TypeError("broken")
      })
      assert.match(String(yield* Effect.exit(broken(1)(Effect.void))), /Die.*TypeError/)
    })
  )
})
