/**
 * Stops calling who has failed for a while, and asks again by one call at a
 * time. This is Effect's `CircuitBreaker`, with the verdicts of our errors and
 * a metric.
 *
 * What counts against the callee is what the callee did: refusals of our own
 * policies are nothing to it, and an error that is the caller's own fault shows
 * that it answers. A failure that asks for time (`retryAfterMillis`) gets it.
 *
 * It stands inside of `Retry` and outside of `Timeout`, so that an attempt that
 * takes too long counts. While it is open, calls fail with Effect's
 * `CircuitBreakerError`: nothing was sent, and the same callee is no help.
 * `Retry` leaves it, `Fallback` covers it.
 *
 * `sluice.circuit_breaker.transitions` counts by `from` and `to`, not by key:
 * the number of series does not depend on traffic.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as EffectBreaker from "effect/persistence/CircuitBreaker"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { PerCall } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as RetrySafety from "./RetrySafety.ts"
import { ServiceError } from "./ServiceError.ts"

/** @category options */
export interface Options {
  /** When it opens. Default: after 5 failures in a row. */
  readonly tripPolicy?: EffectBreaker.TripPolicy | undefined
  /** How long it stays open: a time, or one for each opening in a row. Default 5 seconds. */
  readonly openDuration?: Duration.Input | Schedule.Schedule<unknown, number> | undefined
  /** What an end of a call says about the callee. Default: see above. */
  readonly classify?: ((exit: Exit.Exit<unknown, unknown>) => EffectBreaker.Outcome) | undefined
  /** Told apart in metrics: a fixed set of values. */
  readonly attributes?: Readonly<Record<string, string>> | undefined
}

/**
 * A circuit for each key, such as an endpoint. Its state is in Effect's
 * `CircuitBreakerStore`: `CircuitBreaker.layerStoreMemory()` there, or Redis.
 *
 * @category constructors
 */
export const make = (
  options?: Options
): Effect.Effect<
  PerCall<string, EffectBreaker.CircuitBreakerError>,
  never,
  EffectBreaker.CircuitBreakerStore | Scope.Scope
> =>
  Effect.gen(function* () {
    const openDuration = options?.openDuration ?? "5 seconds"
    const breaker = yield* EffectBreaker.make({
      tripPolicy: options?.tripPolicy ?? EffectBreaker.consecutive(5),
      openDuration: isSchedule(openDuration) ? openDuration : PolicyOption.millis("openDuration", openDuration)
    })
    yield* Effect.forkScoped(
      Stream.runForEach(breaker.transitions, ({ from, to }) =>
        Metric.update(Metric.withAttributes(transitions, { ...options?.attributes, from, to }), 1)
      ),
      { startImmediately: true }
    )
    const classify = options?.classify ?? outcomeOf
    return (key) =>
      <A, E, R>(self: Effect.Effect<A, E, R>) =>
        breaker.execute<A, E, R>(self, { key, classify })
  })

/** What an end of a call says about the callee. @category predicates */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): EffectBreaker.Outcome => {
  if (exit._tag === "Success") return EffectBreaker.success
  const error = Cause.squash(exit.cause)
  if (error instanceof ServiceError) {
    // Refused on this side, or out of the caller's time: not the callee's doing. A timeout is.
    if (error.reason._tag !== "TimedOut") return EffectBreaker.ignored
  } else if (RetrySafety.isCallersFault(error)) return EffectBreaker.success
  const retryAfterMillis = RetrySafety.retryAfterMillis(error)
  return EffectBreaker.failure(retryAfterMillis > 0 ? { retryAfter: retryAfterMillis } : undefined)
}

/** How often circuits have changed their state. @category metrics */
export const transitions: Metric.Counter<number> = /*#__PURE__*/ Metric.counter("sluice.circuit_breaker.transitions", {
  description: "How often a circuit breaker has changed its state.",
  incremental: true
})

const isSchedule = (
  input: Duration.Input | Schedule.Schedule<unknown, number>
): input is Schedule.Schedule<unknown, number> => Schedule.isSchedule(input)
