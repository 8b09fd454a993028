import { assert, describe, it } from "@effect/vitest"
import * as GrpcTimeout from "@sluice/core/protocol/grpc/GrpcTimeout"

describe("grpc-timeout, read", () => {
  const rows: ReadonlyArray<readonly [text: string, millis: number | undefined]> = [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3_000],
    ["4m", 4],
    ["5u", 0.005],
    ["6n", 0.000006],
    ["99999999m", 99_999_999],
    ["99999999H", 359_999_996_400_000],
    ["00000001S", 1_000],
    ["0m", 0],
    ["", undefined],
    ["m", undefined],
    ["1", undefined],
    ["123456789m", undefined],
    ["000000001S", undefined],
    ["-1m", undefined],
    ["+1m", undefined],
    ["1.5S", undefined],
    [" 1m", undefined],
    ["1m ", undefined],
    ["1 m", undefined],
    ["1ms", undefined],
    ["1s", undefined],
    ["1h", undefined],
    ["1x", undefined],
    ["/m", undefined],
    [":m", undefined],
    ["\u0661m", undefined]
  ]
  for (const [text, millis] of rows) {
    it(JSON.stringify(text), () => assert.strictEqual(GrpcTimeout.parseMillis(text), millis))
  }
})

describe("grpc-timeout, written: rounded up, in at most eight digits", () => {
  const rows: ReadonlyArray<readonly [millis: number, text: string | undefined]> = [
    [1, "1m"],
    [30_000, "30000m"],
    [1.5, "1500000n"],
    [0.0000001, "1n"],
    [99.999999, "99999999n"],
    [99.9999991, "100000u"],
    [1_000.25, "1000250u"],
    [99_999.9999, "100000m"],
    [100_000.5, "100001m"],
    [99_999_999, "99999999m"],
    [99_999_999.5, "100000S"],
    [100_000_000, "100000S"],
    [100_000_001, "100001S"],
    [99_999_999_000, "99999999S"],
    [99_999_999_001, "1666667M"],
    [99_999_999 * 60_000, "99999999M"],
    [99_999_999 * 60_000 + 1, "1666667H"],
    [1e18, "99999999H"],
    [Number.MAX_VALUE, "99999999H"],
    [Number.POSITIVE_INFINITY, undefined],
    [0, "1n"],
    [-5, "1n"],
    [Number.NEGATIVE_INFINITY, "1n"]
  ]
  for (const [millis, text] of rows) it(`${millis} ms`, () => assert.strictEqual(GrpcTimeout.format(millis), text))
  it("NaN is a mistake", () => assert.throws(() => GrpcTimeout.format(Number.NaN), RangeError))
})

it("what is read back is never less, and at most a part in 1,600 more", () => {
  for (let exponent = -6; exponent < 14; exponent++) {
    for (const factor of [1, 1.0000001, 1.7, 2.999999, 9.9999999]) {
      const millis = factor * 10 ** exponent
      const read = GrpcTimeout.parseMillis(GrpcTimeout.format(millis)!)!
      assert.isAtLeast(read, millis * (1 - 1e-15), `${millis}`)
      assert.isAtMost(read, millis * (1 + 1 / 1_600) + 0.000001, `${millis}`)
    }
  }
})
