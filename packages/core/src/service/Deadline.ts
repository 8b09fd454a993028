/**
 * Until when the work that runs now is wanted: one time for all of it, however
 * many attempts, waits and calls are nested in it.
 *
 * The time is ambient. `make` sets it, for a server the call that it answers
 * does, and everything below reads it: a nested deadline can only be earlier, a
 * retry that would wait beyond it is not waited for, and a call to another
 * server tells it what is left. So nobody passes it on, and nobody forgets to.
 *
 * When the time is over the caller has its answer at once. What was under way
 * is interrupted; a finalizer that takes long ends by itself, and holds nobody.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { cutOffIn } from "./CutOff.ts"
import * as MonotonicMillis from "./MonotonicMillis.ts"
import type { Policy } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as ServiceError from "./ServiceError.ts"

/**
 * The end, in milliseconds of Effect's monotonic clock; `Infinity`, the
 * default, for none.
 *
 * @category references
 */
export const CurrentDeadline: Context.Reference<number> = Context.Reference<number>(
  "@sluice/core/service/Deadline/CurrentDeadline",
  { defaultValue: () => Number.POSITIVE_INFINITY }
)

/** @category options */
export interface Options {
  /** The time for all of the work, from where it begins; above 0, at most 24.8 days. */
  readonly within: Duration.Input
}

/**
 * Where the deadline around it is earlier, that one counts, and whoever set it
 * ends the work.
 *
 * @category constructors
 */
export const make = (options: Options): Policy<ServiceError.ServiceError<ServiceError.DeadlineExceeded>> => {
  const withinMillis = PolicyOption.millis("within", options.within)
  return <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.withFiber(
      (
        fiber: Fiber.Fiber<unknown, unknown>
      ): Effect.Effect<A, E | ServiceError.ServiceError<ServiceError.DeadlineExceeded>, R> => {
        const untilMillis = Context.get(fiber.context, CurrentDeadline)
        const nowMillis = MonotonicMillis.now(fiber)
        if (untilMillis <= nowMillis) return tooLate
        if (untilMillis <= nowMillis + withinMillis) return self
        const inner = Context.add(fiber.context as Context.Context<R>, CurrentDeadline, nowMillis + withinMillis)
        return cutOffIn(fiber, inner, self, withinMillis, passed, "leave")
      }
    )
}

/** What is left; `undefined` where there is no deadline, and zero behind it. @category accessors */
export const remaining: Effect.Effect<Duration.Duration | undefined> = Effect.withFiber((fiber) => {
  const leftMillis = remainingMillis(fiber.context, () => MonotonicMillis.now(fiber))
  return Effect.succeed(leftMillis === Number.POSITIVE_INFINITY ? undefined : Duration.millis(leftMillis))
})

/**
 * The same as a number, for whoever has a context and a clock at hand:
 * `Infinity` where there is no deadline. The clock is not read then.
 *
 * @category accessors
 */
export const remainingMillis = (context: Context.Context<never>, nowMillis: () => number): number => {
  const untilMillis = Context.get(context, CurrentDeadline)
  return untilMillis === Number.POSITIVE_INFINITY ? untilMillis : Math.max(0, untilMillis - nowMillis())
}

/** Runs without the deadline around it: what is to go on when that is over. @category combinators */
export const uncoupled = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, CurrentDeadline, Number.POSITIVE_INFINITY)

const tooLate = ServiceError.fail(new ServiceError.DeadlineExceeded("NotSent"))
const passed = ServiceError.fail(new ServiceError.DeadlineExceeded("MaybeProcessed"))
