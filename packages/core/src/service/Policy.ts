/**
 * A policy is a function from an effect to an effect: it stands around a call
 * and decides when, how often, and whether it is made.
 *
 * It wraps any effect, keeps the effect's errors and requirements, and adds its
 * own to them: nothing is erased. So there is no second world of services to
 * enter; what is an `Effect` can have a policy.
 *
 * Policies are composed in reading order: a call meets the first one first.
 *
 * ```ts
 * import * as Deadline from "@sluice/core/service/Deadline"
 * import * as Policy from "@sluice/core/service/Policy"
 * import * as Timeout from "@sluice/core/service/Timeout"
 * import * as Effect from "effect/Effect"
 *
 * const resilient = Policy.stack(
 *   Deadline.make({ within: "2 seconds" }),
 *   Timeout.make({ timeout: "500 millis" })
 * )
 * const answer = resilient(Effect.succeed(42))
 * ```
 *
 * A usual order of those that go with each other, and why:
 *
 * ```text
 *  Fallback          answers where all of the others could not
 *  Deadline          the time for all of it
 *  Retry             again, while there is time and the budget has a token
 *  Hedge             a second one beside a slow one, from the same budget
 *  CircuitBreaker    a verdict on each attempt
 *  ConcurrencyLimit  a place for each attempt, not for its waits
 *  Timeout           the time of an attempt, without the line before it
 * ```
 *
 * What a policy remembers (tokens, places, measured times) belongs to the
 * policy: make it once, and use it for all calls that share it. Constructors of
 * those are effects, so that no two layers share one by accident.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

/** Adds the errors `E` and the requirements `R` to what it wraps. @category models */
export type Policy<out E = never, out R = never> = <A, E2, R2>(
  self: Effect.Effect<A, E2, R2>
) => Effect.Effect<A, E | E2, R | R2>

/** What a policy adds to the errors of a call. @category types */
export type ErrorOf<P> = P extends Policy<infer E, unknown> ? E : never

/** What a policy adds to the requirements of a call. @category types */
export type RequirementsOf<P> = P extends Policy<unknown, infer R> ? R : never

/**
 * A policy that looks at the call: at its key, its priority, whether it may be
 * repeated.
 *
 * @category models
 */
export type PerCall<in I, out E = never, out R = never> = (call: I) => Policy<E, R>

/** Leaves every call as it is. @category constructors */
export const none: Policy = (self) => self

/**
 * Several policies as one. A call meets the first one first, so the first is
 * the outermost.
 *
 * @category combinators
 */
export const stack = <const Policies extends ReadonlyArray<Policy<unknown, unknown>>>(
  ...policies: Policies
): Policy<ErrorOf<Policies[number]>, RequirementsOf<Policies[number]>> => {
  type E = ErrorOf<Policies[number]>
  type R = RequirementsOf<Policies[number]>
  return <A, E2, R2>(self: Effect.Effect<A, E2, R2>) => {
    let wrapped: Effect.Effect<A, unknown, unknown> = self
    for (let index = policies.length - 1; index >= 0; index--) wrapped = policies[index]!(wrapped)
    return wrapped as Effect.Effect<A, E | E2, R | R2>
  }
}

/**
 * The same for policies that look at the call; `always` makes one of a policy
 * that does not.
 *
 * @category combinators
 */
export const stackPerCall =
  <I, const Choices extends ReadonlyArray<PerCall<I, unknown, unknown>>>(
    ...choices: Choices & ReadonlyArray<PerCall<I, unknown, unknown>>
  ): PerCall<I, ErrorOf<ReturnType<Choices[number]>>, RequirementsOf<ReturnType<Choices[number]>>> =>
  (call) =>
    stack(...choices.map((choice) => choice(call))) as Policy<
      ErrorOf<ReturnType<Choices[number]>>,
      RequirementsOf<ReturnType<Choices[number]>>
    >

/** The same policy whatever the call. @category combinators */
export const always =
  <E, R>(policy: Policy<E, R>): PerCall<unknown, E, R> =>
  () =>
    policy
