/**
 * Holds calls for as long as there is nobody to take them: a connection that is
 * being made again, a backend that restarts, settings that are being read.
 *
 * Without it a moment's absence fails all calls of that moment; with a wait
 * that has no bounds it becomes an outage here. So both are bounded, how many
 * wait and how long. When the callee is ready a call passes without waiting.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { cutOff } from "./CutOff.ts"
import type { Policy } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as ServiceError from "./ServiceError.ts"

/** @category options */
export interface Options<E = never, R = never> {
  /** Ends when calls may begin: at once when they may now. A failure fails the calls that wait. */
  readonly ready: Effect.Effect<unknown, E, R>
  /** Calls that may wait; from 1 to 65,536. Default 1,024. */
  readonly maxWaiting?: number | undefined
  /** How long a call may wait; above 0. Default 1 second. A deadline ends the wait too. */
  readonly maxWait?: Duration.Input | undefined
}

/** @category constructors */
export const make = <E = never, R = never>(
  options: Options<E, R>
): Effect.Effect<Policy<E | ServiceError.ServiceError<ServiceError.Overloaded>, R>> =>
  Effect.sync(() => {
    const maxWaiting = PolicyOption.count("maxWaiting", options.maxWaiting ?? 1024, 1, 65_536)
    const maxMillis = PolicyOption.millis("maxWait", options.maxWait ?? "1 second")
    const full = ServiceError.fail(new ServiceError.Overloaded("waiting", maxWaiting))
    const tooLong = ServiceError.fail(new ServiceError.Overloaded("wait", maxMillis))
    const wait = cutOff(options.ready, maxMillis, tooLong, "leave")
    const look = lookAt(options.ready, full)
    let waitingCount = 0
    const enter = Effect.suspend(() => {
      // Readiness that has just come is seen also while others wait: their fibers may only not have run yet.
      if (waitingCount >= maxWaiting) return look
      waitingCount++
      return Effect.onExitPrimitive(wait, () => {
        waitingCount--
        return undefined
      })
    })
    return (self) => Effect.andThen(enter, self)
  })

/** What is there without waiting, or else `otherwise`. */
const lookAt = <A, E, R, E2>(
  effect: Effect.Effect<A, E, R>,
  otherwise: Effect.Effect<never, E2>
): Effect.Effect<A, E | E2, R> =>
  Effect.withFiber((fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<A, E | E2> => {
    const looking = Effect.runForkWith(fiber.context as Context.Context<R>)(effect)
    const exit = looking.pollUnsafe()
    if (exit !== undefined) return exit
    looking.interruptUnsafe()
    return otherwise
  })
