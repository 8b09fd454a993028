import { assert, describe, it } from "@effect/vitest"
import * as GrpcHedgingPolicy from "@sluice/core/grpc/client/GrpcHedgingPolicy"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"

const wrong: ReadonlyArray<readonly [keyof GrpcHedgingPolicy.Options, unknown]> = [
  ["maxAttempts", 1],
  ["maxAttempts", Number.NaN],
  ["hedgingDelay", "Infinity"],
  ["nonFatalStatusCodes", [GrpcStatus.Ok]]
]

describe("GrpcHedgingPolicy", () => {
  it("converts its options", () => {
    const policy = GrpcHedgingPolicy.make({
      maxAttempts: 3,
      hedgingDelay: "0.5 seconds",
      nonFatalStatusCodes: [GrpcStatus.Unavailable, GrpcStatus.Aborted]
    })
    assert.deepStrictEqual(policy, {
      maxAttempts: 3,
      delayMillis: 500,
      nonFatal: new Set([GrpcStatus.Unavailable, GrpcStatus.Aborted] as const)
    })
  })

  it("sends all at once, and takes every failure as fatal, where nothing else is said", () => {
    assert.deepStrictEqual(GrpcHedgingPolicy.make({ maxAttempts: 2 }), {
      maxAttempts: 2,
      delayMillis: 0,
      nonFatal: new Set<GrpcStatus.FailureCode>()
    })
  })

  it("A6: more than five attempts are five", () => {
    assert.strictEqual(GrpcHedgingPolicy.make({ maxAttempts: 9 }).maxAttempts, 5)
  })

  for (const [option, value] of wrong) {
    it(`refuses ${JSON.stringify(value) ?? value} as ${option}`, () => {
      const bad = { maxAttempts: 2, [option]: value }
      assert.strictEqual(GrpcHedgingPolicy.problem(bad)?.[0], option)
      assert.throws(() => GrpcHedgingPolicy.make(bad), RangeError, option)
    })
  }
})
