import { assert, describe, it } from "@effect/vitest"
import * as GrpcRetryPolicy from "@sluice/core/grpc/client/GrpcRetryPolicy"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"

const options: GrpcRetryPolicy.Options = {
  maxAttempts: 4,
  initialBackoff: "100 millis",
  maxBackoff: "1 second",
  backoffMultiplier: 2,
  retryableStatusCodes: [GrpcStatus.Unavailable]
}

const wrong: ReadonlyArray<readonly [keyof GrpcRetryPolicy.Options, unknown]> = [
  ["maxAttempts", 1],
  ["maxAttempts", 2.5],
  ["initialBackoff", 0],
  ["initialBackoff", "Infinity"],
  ["maxBackoff", 0],
  ["maxBackoff", "Infinity"],
  ["backoffMultiplier", 0],
  ["backoffMultiplier", Number.POSITIVE_INFINITY],
  ["retryableStatusCodes", []],
  ["retryableStatusCodes", [GrpcStatus.Ok]],
  ["retryableStatusCodes", [17]]
]

describe("GrpcRetryPolicy", () => {
  it("converts its options", () => {
    assert.deepStrictEqual(GrpcRetryPolicy.make(options), {
      maxAttempts: 4,
      initialBackoffMillis: 100,
      maxBackoffMillis: 1000,
      backoffMultiplier: 2,
      retryable: new Set([GrpcStatus.Unavailable] as const)
    })
  })

  it("A6: more than five attempts are five", () => {
    assert.strictEqual(GrpcRetryPolicy.make({ ...options, maxAttempts: 5 }).maxAttempts, 5)
    assert.strictEqual(GrpcRetryPolicy.make({ ...options, maxAttempts: 100 }).maxAttempts, 5)
  })

  for (const [option, value] of wrong) {
    it(`refuses ${JSON.stringify(value) ?? value} as ${option}`, () => {
      const bad = { ...options, [option]: value }
      assert.strictEqual(GrpcRetryPolicy.problem(bad)?.[0], option)
      assert.throws(() => GrpcRetryPolicy.make(bad), RangeError, option)
    })
  }

  it("A6: waits grow to maxBackoff, a fifth shorter to a fifth longer", () => {
    const policy = GrpcRetryPolicy.make(options)
    const waits = (random: number) =>
      [0, 1, 2, 3, 4, 5].map((count) => Math.round(GrpcRetryPolicy.backoffMillis(policy, count, random)))
    assert.deepStrictEqual(waits(0), [80, 160, 320, 640, 800, 800])
    assert.deepStrictEqual(waits(0.5), [100, 200, 400, 800, 1000, 1000])
    assert.deepStrictEqual(waits(1), [120, 240, 480, 960, 1200, 1200])
  })
})
