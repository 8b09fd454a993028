/**
 * Chooses a policy by the call: reads are retried and writes are not, a slow
 * method has more time, a tenant has a limit of its own.
 *
 * The policies are made once and named. So what they remember (tokens, places)
 * is shared by all calls that are steered to them, and a name that has none is
 * a mistake that the compiler sees.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ErrorOf, PerCall, Policy, RequirementsOf } from "./Policy.ts"

/** @category options */
export interface Options<I, Policies extends Readonly<Record<string, Policy<unknown, unknown>>>> {
  readonly policies: Policies
  /** The name of the policy for a call. It may throw: that is a defect of the call. */
  readonly choose: (call: I) => keyof Policies & string
}

/** @category constructors */
export const make =
  <I, const Policies extends Readonly<Record<string, Policy<unknown, unknown>>>>(
    options: Options<I, Policies>
  ): PerCall<I, ErrorOf<Policies[keyof Policies]>, RequirementsOf<Policies[keyof Policies]>> =>
  (call) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) => {
    type Steered = Effect.Effect<A, E | ErrorOf<Policies[keyof Policies]>, R | RequirementsOf<Policies[keyof Policies]>>
    return Effect.suspend(() => {
      const name = options.choose(call)
      const policy = Object.hasOwn(options.policies, name) ? options.policies[name] : undefined
      if (policy === undefined) return Effect.die(new RangeError(`there is no policy ${name}`))
      return policy(self) as Steered
    })
  }
