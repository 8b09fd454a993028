import { assert, describe, it } from "@effect/vitest"
import * as LoadShed from "@sluice/core/service/LoadShed"
import * as Policy from "@sluice/core/service/Policy"
import * as Steer from "@sluice/core/service/Steer"
import * as Timeout from "@sluice/core/service/Timeout"
import * as Effect from "effect/Effect"
import { endAfter, fork } from "./Calls.ts"

describe("Steer", () => {
  it.effect("a call has the policy of its kind, and shares what that remembers", () =>
    Effect.gen(function* () {
      const steer = Steer.make({
        policies: {
          fast: Timeout.make({ timeout: 10 }),
          slow: Policy.none,
          single: yield* LoadShed.atOnce({ maxConcurrent: 1 })
        },
        choose: (call: { readonly method: string }) => (call.method === "GET" ? "fast" : "single")
      })
      assert.strictEqual(yield* endAfter(steer({ method: "GET" })(Effect.never), 10), "TimedOut")
      yield* fork(steer({ method: "POST" })(Effect.never))
      assert.strictEqual(yield* endAfter(steer({ method: "PUT" })(Effect.never), 0), "Overloaded")
    })
  )

  it.effect("a name without a policy does not compile; one that comes by a cast is a defect", () =>
    Effect.gen(function* () {
      // @ts-expect-error there is no such policy
      const steer = Steer.make({ policies: { a: Policy.none }, choose: (name: string) => name })
      assert.match(String(yield* Effect.exit(steer("toString")(Effect.void))), /Die.*no policy toString/)
      assert.strictEqual(yield* steer("a")(Effect.succeed(1)), 1)
    })
  )
})
