/**
 * A limit for the time of one attempt.
 *
 * It stands inside of `Retry` and `Hedge`, and `Deadline` outside of them: an
 * attempt that takes too long is given up so that another one can be made while
 * there is time. One limit alone cannot be both.
 *
 * What is late is interrupted, and waited for until it has cleaned up: the next
 * attempt does not begin beside one that still holds its connection. The error
 * says `MaybeProcessed`, because nobody knows.
 *
 * An attempt that ends without waiting arms no timer.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { cutOff } from "./CutOff.ts"
import type { Policy } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as ServiceError from "./ServiceError.ts"

/** @category options */
export interface Options {
  /** The time of one attempt; above 0, at most 24.8 days. */
  readonly timeout: Duration.Input
}

/** @category constructors */
export const make = (options: Options): Policy<ServiceError.ServiceError<ServiceError.TimedOut>> => {
  const limitMillis = PolicyOption.millis("timeout", options.timeout)
  const late = ServiceError.fail(new ServiceError.TimedOut(limitMillis))
  return <A, E, R>(self: Effect.Effect<A, E, R>) => cutOff(self, limitMillis, late, "wait")
}
