/**
 * Lets only some calls through: those of a tenant that has paid, those of a
 * feature that is on, those that are well formed.
 *
 * The check comes before everything that stands inside of it, so a call that is
 * refused takes no place, no token and no time of the callee. It says why with
 * an error of its own, which is in the type.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { PerCall } from "./Policy.ts"

/** A call is made when the check of it succeeds. @category constructors */
export const make =
  <I, E = never, R = never>(check: (call: I) => Effect.Effect<unknown, E, R>): PerCall<I, E, R> =>
  (call) =>
  (self) =>
    Effect.andThen(
      Effect.suspend(() => check(call)),
      self
    )
