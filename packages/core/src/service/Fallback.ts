/**
 * Answers in another way when a call fails: by a value that was kept, by
 * another region, by less than what was asked for.
 *
 * It stands outside of what protects the call: when a breaker is open or a
 * limit is reached, the fallback is what makes the refusal bearable. It needs
 * no less care than the call: its errors are in the type beside those of the
 * call, and the deadline around both goes on.
 *
 * Failures that are the caller's own are not covered up: by default there is a
 * fallback for all others (see `RetrySafety`). Defects and interrupts have none.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as RetrySafety from "./RetrySafety.ts"

/** Adds its answers to those of the call, so it is no `Policy`, which leaves them as they are. @category models */
export type Fallback<out A2, out E2 = never, out R2 = never> = <A, E, R>(
  self: Effect.Effect<A, E, R>
) => Effect.Effect<A | A2, E | E2, R | R2>

/** @category options */
export interface Options<A2, E2, R2> {
  /** Answers in place of a call that failed so. */
  readonly orElse: (error: unknown) => Effect.Effect<A2, E2, R2>
  /** After which failures. Default: all but those of the caller, and a deadline that has passed. */
  readonly failures?: ((error: unknown) => boolean) | undefined
}

/** @category constructors */
export const make = <A2, E2 = never, R2 = never>(options: Options<A2, E2, R2>): Fallback<A2, E2, R2> => {
  const isCovered = options.failures ?? RetrySafety.isSafeIfIdempotent
  return <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.catchCause(self, (cause): Effect.Effect<A2, E | E2, R2> => {
      const [reason, ...others] = cause.reasons
      const isFailure = reason !== undefined && others.length === 0 && Cause.isFailReason(reason)
      return isFailure && isCovered(reason.error) ? options.orElse(reason.error) : Effect.failCause(cause)
    })
}
