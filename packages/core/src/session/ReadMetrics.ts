/**
 * Metrics that are read from counts which somebody keeps anyway: they cost
 * nothing until an exporter asks, and take no updates.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"

/** A series: its name, what it counts, and how it is read. @category models */
export type Series<A> = readonly [name: string, description: string, read: () => A]

/** What is published. @category options */
export interface Options {
  readonly attributes: Readonly<Record<string, string>>
  /** Numbers that only grow. */
  readonly counters: ReadonlyArray<Series<number>>
  readonly gauges: ReadonlyArray<Series<number>>
  /** Occurrences by word. */
  readonly frequencies?: ReadonlyArray<Series<Readonly<Record<string, number>>>> | undefined
}

/** Publishes the series in the registry of the current fiber, until the scope closes. @category metrics */
export const publish = ({
  attributes,
  counters,
  frequencies = [],
  gauges
}: Options): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const registrations = [
      ...counters.map(([name, description, read]) =>
        Metric.registerUnsafe(Metric.counter(name, { description, attributes, incremental: true }), context, {
          ...readOnly,
          get: () => ({ count: read(), incremental: true })
        })
      ),
      ...gauges.map(([name, description, read]) =>
        Metric.registerUnsafe(Metric.gauge(name, { description, attributes }), context, {
          ...readOnly,
          get: () => ({ value: read() })
        })
      ),
      ...frequencies.map(([name, description, read]) =>
        Metric.registerUnsafe(Metric.frequency(name, { description, attributes }), context, {
          ...readOnly,
          get: () => ({ occurrences: new Map(Object.entries(read())) })
        })
      )
    ]
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const registration of registrations) registration.remove()
      })
    )
  })

const readOnly = { update: () => {}, modify: () => {} }
