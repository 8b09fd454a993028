/**
 * A limit for the calls that are under way at a time.
 *
 * What a callee does well is known as a number of calls at once much better
 * than as a number a second: by Little's law the first is right for fast and
 * for slow calls alike. Beyond it calls wait in order, and the line has an end:
 * who would stand in a line that is too long, or has stood for too long, is
 * refused before anything is sent, and can go elsewhere.
 *
 * Size the line by what a caller can wait: `maxWaiting` of about
 * `maxConcurrent` doubles the time of a call at worst.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Places } from "./Places.ts"
import type { Policy } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as ServiceError from "./ServiceError.ts"

/** @category options */
export interface Options {
  /** Calls at a time; at least 1. */
  readonly maxConcurrent: number
  /** Calls that may wait for a place, from 0 (none: refused at once) to 65,536. Default: as many as `maxConcurrent`. */
  readonly maxWaiting?: number | undefined
  /** How long a call may wait; above 0. Default 1 second. A deadline ends the wait too. */
  readonly maxWait?: Duration.Input | undefined
}

/** @category constructors */
export const make = (options: Options): Effect.Effect<Policy<ServiceError.ServiceError<ServiceError.Overloaded>>> =>
  Effect.sync(() => {
    const maxConcurrent = PolicyOption.count("maxConcurrent", options.maxConcurrent)
    const maxWaiting = PolicyOption.count(
      "maxWaiting",
      options.maxWaiting ?? Math.min(maxConcurrent, mostWaiting),
      0,
      mostWaiting
    )
    const maxMillis = PolicyOption.millis("maxWait", options.maxWait ?? "1 second")
    // Made once: to refuse must cost next to nothing.
    const lineFull = {
      _tag: "Refuse",
      refusal: ServiceError.fail(
        maxWaiting === 0
          ? new ServiceError.Overloaded("concurrent", maxConcurrent)
          : new ServiceError.Overloaded("waiting", maxWaiting)
      )
    } as const
    const wait = {
      _tag: "Wait",
      maxMillis,
      refusal: ServiceError.fail(new ServiceError.Overloaded("wait", maxMillis))
    } as const
    const places: Places<ServiceError.ServiceError<ServiceError.Overloaded>> = new Places({
      maxConcurrent,
      whenFull: () => (places.waitingCount < maxWaiting ? wait : lineFull)
    })
    return <A, E, R>(self: Effect.Effect<A, E, R>) => places.around(self)
  })

const mostWaiting = 65_536
