import { assert, describe, it } from "@effect/vitest"
import * as RetrySafety from "@sluice/core/service/RetrySafety"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as TransportError from "@sluice/core/transport/TransportError"

describe("RetrySafety", () => {
  const rows: ReadonlyArray<readonly [error: unknown, of: string, isSafe: boolean, ifIdempotent: boolean]> = [
    [TransportError.make(new TransportError.Unreachable("10.0.0.1:80", "EHOSTUNREACH")), "NotSent", true, true],
    [TransportError.make(new TransportError.TooManyConnections("total", 8)), "RefusedByServer", true, true],
    [TransportError.make(new TransportError.ConnectionLost("ECONNRESET")), "MaybeProcessed", false, true],
    [TransportError.make(new TransportError.AddressInUse("[::]:80")), "NotSent", false, false],
    [ServiceError.make(new ServiceError.TimedOut(10)), "MaybeProcessed", false, true],
    [ServiceError.make(new ServiceError.Overloaded("concurrent", 1)), "NotSent", true, true],
    [ServiceError.make(new ServiceError.DeadlineExceeded("NotSent")), "NotSent", false, false],
    [{ reason: { _tag: "DeadlineExceeded", fault: "limit", retry: "NotSent" } }, "NotSent", false, false],
    [{ retry: "RefusedByServer" }, "RefusedByServer", true, true],
    [new Error("no word about it"), "MaybeProcessed", false, true],
    ["text", "MaybeProcessed", false, true],
    [{ reason: null }, "MaybeProcessed", false, true]
  ]
  for (const [index, [error, of, isSafe, ifIdempotent]] of rows.entries()) {
    it(`row ${index}: ${of}, safe: ${isSafe}, if idempotent: ${ifIdempotent}`, () => {
      assert.strictEqual(RetrySafety.of(error), of)
      assert.strictEqual(RetrySafety.isSafe(error), isSafe)
      assert.strictEqual(RetrySafety.isSafeIfIdempotent(error), ifIdempotent)
    })
  }

  it("an error may say how long to wait", () => {
    assert.strictEqual(RetrySafety.retryAfterMillis(ServiceError.make(new ServiceError.RateLimited("a", 70))), 70)
    for (const none of [undefined, {}, { reason: { retryAfterMillis: -1 } }, { reason: { retryAfterMillis: "9" } }]) {
      assert.strictEqual(RetrySafety.retryAfterMillis(none), 0)
    }
  })
})
