/**
 * Until when the work that runs now is wanted.
 *
 * A server sets it for the handler of a call that has a deadline, and every
 * call that is made from there has at most what is left: so a deadline crosses
 * hops without anybody passing it on.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * The end, in milliseconds of Effect's monotonic clock; `Infinity`, the
 * default, for none.
 *
 * @category references
 */
export const GrpcDeadline: Context.Reference<number> = Context.Reference<number>("@sluice/core/grpc/GrpcDeadline", {
  defaultValue: () => Number.POSITIVE_INFINITY
})

/** What is left; `undefined` where there is no deadline, and zero behind it. @category accessors */
export const remaining: Effect.Effect<Duration.Duration | undefined> = Effect.withFiber((fiber) => {
  const untilMillis = Context.get(fiber.context, GrpcDeadline)
  if (untilMillis === Number.POSITIVE_INFINITY) return Effect.succeed(undefined)
  return Effect.clockWith((clock) =>
    Effect.succeed(Duration.millis(Math.max(0, untilMillis - Number(clock.monotonicTimeNanosUnsafe() / nanosPerMilli))))
  )
})

/** Runs without the deadline of the call around it: what is to go on when that is over. @category combinators */
export const uncoupled = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, GrpcDeadline, Number.POSITIVE_INFINITY)

const nanosPerMilli = BigInt(1_000_000)
