import { assert, describe, it } from "@effect/vitest"
import * as GrpcBackoff from "@sluice/core/grpc/client/GrpcBackoff"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"

const delays = (backoff: GrpcBackoff.GrpcBackoff, count: number) =>
  Effect.replicateEffect(backoff.next("refused"), count)

const withChance = (chance: number) =>
  Effect.provideService(Random.Random, { nextDoubleUnsafe: () => chance, nextIntUnsafe: () => 0 })

describe("gRPC connection-backoff", () => {
  const cases: ReadonlyArray<readonly [chance: number, delays: ReadonlyArray<number>]> = [
    [0, [800, 1280, 2048, 3277, 5243, 8389, 13_422, 21_475, 34_360, 54_976, 87_961, 96_000, 96_000]],
    [0.5, [1000, 1600, 2560, 4096, 6554, 10_486, 16_777, 26_844, 42_950, 68_719, 109_951, 120_000, 120_000]],
    [1, [1200, 1920, 3072, 4915, 7864, 12_583, 20_133, 32_212, 51_540, 82_463, 131_941, 144_000, 144_000]]
  ]
  for (const [chance, expected] of cases) {
    it.effect(`1 second, 1.6 times as much, up to 120 seconds, 20 % more or less: at ${chance}`, () =>
      Effect.gen(function* () {
        const backoff = new GrpcBackoff.GrpcBackoff(GrpcBackoff.schedule)
        assert.deepStrictEqual(yield* delays(backoff, expected.length), [...expected])
      }).pipe(withChance(chance))
    )
  }

  it.effect("a seed determines the delays", () =>
    Effect.gen(function* () {
      const make = () => delays(new GrpcBackoff.GrpcBackoff(GrpcBackoff.schedule), 8)
      const first = yield* Random.withSeed(make(), "a")
      assert.deepStrictEqual(yield* Random.withSeed(make(), "a"), first)
      assert.notDeepEqual(yield* Random.withSeed(make(), "b"), first)
    })
  )

  it.effect("begins anew once the server was reached", () =>
    Effect.gen(function* () {
      const backoff = new GrpcBackoff.GrpcBackoff(GrpcBackoff.schedule)
      yield* delays(backoff, 5)
      backoff.reset()
      assert.deepStrictEqual(yield* delays(backoff, 2), [1000, 1600])
    }).pipe(withChance(0.5))
  )
})

describe("another schedule", () => {
  it.effect("where it ends, its last delay stays", () =>
    Effect.gen(function* () {
      const schedule = Schedule.max([Schedule.spaced("3 seconds"), Schedule.recurs(2)])
      const backoff = new GrpcBackoff.GrpcBackoff(schedule)
      assert.deepStrictEqual(yield* delays(backoff, 4), [3000, 3000, 3000, 3000])
      const none = new GrpcBackoff.GrpcBackoff(Schedule.recurs(0))
      assert.deepStrictEqual(yield* delays(none, 2), [120_000, 120_000])
    })
  )

  it.effect("hears the error", () =>
    Effect.gen(function* () {
      const heard: Array<unknown> = []
      const schedule = Schedule.spaced(5).pipe(Schedule.tap(({ input }) => Effect.sync(() => heard.push(input))))
      yield* delays(new GrpcBackoff.GrpcBackoff(schedule), 2)
      assert.deepStrictEqual(heard, ["refused", "refused"])
    })
  )
})
