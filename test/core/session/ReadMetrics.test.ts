import { assert, it } from "@effect/vitest"
import * as ReadMetrics from "@sluice/core/session/ReadMetrics"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

const shown = Effect.map(Metric.snapshot, (series) =>
  series.map(({ attributes, id, state }) => [id, { ...attributes }, state] as const)
)

it.effect("series are read when they are asked for, until the scope closes", () =>
  Effect.gen(function* () {
    let count = 1
    const published = ReadMetrics.publish({
      attributes: { where: "here" },
      counters: [["a", "grows", () => count]],
      gauges: [["b", "moves", () => -count]],
      frequencies: [["c", "by word", () => ({ word: count })]]
    })
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* published
        count = 2
        assert.deepStrictEqual(yield* shown, [
          ["a", { where: "here" }, { count: 2, incremental: true }],
          ["b", { where: "here" }, { value: -2 }],
          ["c", { where: "here" }, { occurrences: new Map([["word", 2]]) }]
        ])
      })
    )
    assert.deepStrictEqual(yield* shown, [])
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
)
