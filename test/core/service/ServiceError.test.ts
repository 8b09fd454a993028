import { assert, describe, it } from "@effect/vitest"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as Effect from "effect/Effect"

describe("ServiceError", () => {
  const reasons: ReadonlyArray<readonly [ServiceError.Reason, fault: string, retry: string, message: string]> = [
    [new ServiceError.TimedOut(50), "limit", "MaybeProcessed", "no answer within 50 ms"],
    [new ServiceError.DeadlineExceeded("MaybeProcessed"), "caller", "MaybeProcessed", "the deadline has passed"],
    [
      new ServiceError.DeadlineExceeded("NotSent"),
      "caller",
      "NotSent",
      "the deadline had passed before the call began"
    ],
    [new ServiceError.Overloaded("waiting", 8), "limit", "NotSent", "overloaded (waiting limit of 8)"],
    [new ServiceError.RateLimited("a", 12.3), "limit", "NotSent", "too many calls, the next one may begin in 13 ms"]
  ]
  for (const [reason, fault, retry, message] of reasons) {
    it(`${reason._tag} (${reason.retry}) says who is at fault and what is safe`, () => {
      const error = ServiceError.make(reason)
      assert.strictEqual(error.reason.fault, fault)
      assert.strictEqual(error.reason.retry, retry)
      assert.strictEqual(error.message, message)
    })
  }

  it.effect("a reason is caught by its name, and only the reasons that a policy has are in its type", () =>
    Effect.gen(function* () {
      const refused: Effect.Effect<never, ServiceError.ServiceError<ServiceError.Overloaded>> = ServiceError.fail(
        new ServiceError.Overloaded("waiting", 8)
      )
      const limit = yield* Effect.catchReason(refused, "ServiceError", "Overloaded", (reason) =>
        Effect.succeed(reason.limitAmount)
      )
      assert.strictEqual(limit, 8)
      // @ts-expect-error a refusal is no timeout
      const timedOut: Effect.Effect<never, ServiceError.ServiceError<ServiceError.TimedOut>> = refused
      assert.isDefined(timedOut)
    })
  )
})
