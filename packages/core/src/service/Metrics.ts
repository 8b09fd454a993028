/**
 * Counts the calls of a callee, and measures them.
 *
 * - `sluice.call.duration`, in seconds: a histogram by `outcome`.
 * - `sluice.call.active`: a gauge of those under way.
 *
 * An outcome is `success`, `interrupt`, `defect`, or the tag of the error's
 * reason, else of the error. Tags are as many as there are kinds of errors, so
 * the number of series does not depend on traffic; what has no tag is `failure`.
 *
 * Outside of a stack it measures what callers see, inside of `Retry` each
 * attempt: use both with two names.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MonotonicMillis from "./MonotonicMillis.ts"
import type { Policy } from "./Policy.ts"

/** @category options */
export interface Options {
  /** The attribute `name` of all series: whom the calls go to. */
  readonly name: string
  /** Further attributes: a fixed set of values. */
  readonly attributes?: Readonly<Record<string, string>> | undefined
}

type Attributes = Readonly<Record<string, string>>

/** Seconds; a series has its own attributes, with `name` and `outcome`. @category metrics */
export const durationOf = (attributes: Attributes): Metric.Histogram<number> =>
  Metric.histogram("sluice.call.duration", {
    description: "How long calls took, in seconds.",
    boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    attributes
  })

/** Calls under way; a series has its own attributes, with `name`. @category metrics */
export const activeOf = (attributes: Attributes): Metric.Gauge<number> =>
  Metric.gauge("sluice.call.active", { description: "Calls under way.", attributes })

/** @category constructors */
export const make = (options: Options): Effect.Effect<Policy> =>
  Effect.map(Effect.context<never>(), (context): Policy => {
    const attributes = { ...options.attributes, name: options.name }
    const activeHere = activeOf(attributes)
    const durations = new Map<string, Metric.Histogram<number>>()
    let activeCount = 0
    const move = (by: 1 | -1): void => {
      activeCount += by
      activeHere.updateUnsafe(activeCount, context)
    }
    const ended = (exit: Exit.Exit<unknown, unknown>, tookMillis: number): void => {
      move(-1)
      const outcome = outcomeOf(exit)
      let series = durations.get(outcome)
      if (series === undefined) {
        series = durationOf({ ...attributes, outcome })
        durations.set(outcome, series)
      }
      series.updateUnsafe(tookMillis / 1000, context)
    }
    return <A, E, R>(self: Effect.Effect<A, E, R>) =>
      Effect.withFiber((fiber): Effect.Effect<A, E, R> => {
        const clock = fiber.getRef(Clock.Clock)
        let begunAt: number | undefined
        return Effect.onExitPrimitive(
          Effect.suspend(() => {
            begunAt = MonotonicMillis.of(clock)
            move(1)
            return self
          }),
          (exit) => {
            // A fiber may be interrupted between the two.
            if (begunAt !== undefined) ended(exit, MonotonicMillis.of(clock) - begunAt)
            return undefined
          }
        )
      })
  })

/** In one word. @category accessors */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (exit._tag === "Success") return "success"
  if (Cause.hasInterruptsOnly(exit.cause)) return "interrupt"
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  if (failure === undefined) return "defect"
  return tagOf(reasonOf(failure.error)) ?? tagOf(failure.error) ?? "failure"
}

const reasonOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "reason" in error ? error.reason : undefined

const tagOf = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null && "_tag" in value && typeof value._tag === "string"
    ? value._tag
    : undefined
