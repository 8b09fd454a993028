import { assert, describe, it } from "@effect/vitest"
import * as PoolError from "@sluice/core/pool/PoolError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

const reasons: ReadonlyArray<readonly [PoolError.Reason, fault: string, message: string]> = [
  [new PoolError.AcquireTimeout(5, undefined), "limit", "no connection came within 5 ms: all of them are in use"],
  [
    new PoolError.AcquireTimeout(5, Cause.fail("no")),
    "transport",
    "no connection came within 5 ms: none can be opened"
  ],
  [new PoolError.TooManyWaiters(2), "limit", "all connections are in use, and 2 may wait for one"],
  [new PoolError.ConnectTimeout(7), "transport", "the connection was not open after 7 ms"],
  [new PoolError.TooManyKeys(3), "limit", "3 keys are in use, and no further one may be"],
  [new PoolError.PoolClosed(), "caller", "the pool is closed"]
]

describe("PoolError", () => {
  for (const [reason, fault, message] of reasons) {
    it(`${reason._tag} says who is at fault: ${fault}`, () => {
      assert.strictEqual(reason.fault, fault)
      assert.strictEqual(PoolError.make(reason).message, message)
    })
  }

  it.effect("its reasons can be caught by name", () =>
    Effect.gen(function* () {
      const fails: Effect.Effect<number, PoolError.PoolError> = Effect.fail(
        PoolError.make(new PoolError.TooManyWaiters(1))
      )
      const limit = yield* fails.pipe(
        Effect.catchReason("PoolError", "TooManyWaiters", (reason) => Effect.succeed(reason.limitCount))
      )
      assert.strictEqual(limit, 1)
    })
  )
})
