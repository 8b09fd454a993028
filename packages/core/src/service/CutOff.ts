/**
 * Work that ends at a time.
 *
 * The work is a fiber of its own, since nothing less can be interrupted alone.
 * It begins at once, and where it ends without waiting no timer is armed: that
 * costs a third of a microsecond, a race with a sleeping fiber twice as much.
 *
 * @internal
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Runs `self` for at most `limitMillis`; what is late then is interrupted, and
 * `late` takes its place: when all that `self` has to clean up is done
 * (`"wait"`), or at once (`"leave"`).
 *
 * @category running
 */
export const cutOff = <A, E, R, E2>(
  self: Effect.Effect<A, E, R>,
  limitMillis: number,
  late: Effect.Effect<never, E2>,
  cleanup: "wait" | "leave"
): Effect.Effect<A, E | E2, R> =>
  Effect.suspend(() => {
    const race: Race<A, E> = { work: undefined, isLate: false }
    // The finalizer is there before the work begins: an interrupt that comes from within its first steps loses nothing.
    return Effect.onExitPrimitive(
      Effect.withFiber((caller: Fiber.Fiber<unknown, unknown>): Effect.Effect<A, E | E2> => {
        const work = Effect.runForkWith(caller.context as Context.Context<R>)(self)
        race.work = work
        return work.pollUnsafe() ?? wait(race, work, limitMillis, late, caller)
      }),
      () => {
        const { work, isLate } = race
        if (work === undefined || work.pollUnsafe() !== undefined) return undefined
        if (!isLate || cleanup === "wait") return Fiber.interrupt(work)
        work.interruptUnsafe()
        return undefined
      }
    )
  })

interface Race<A, E> {
  work: Fiber.Fiber<A, E> | undefined
  isLate: boolean
}

const wait = <A, E, E2>(
  race: Race<A, E>,
  work: Fiber.Fiber<A, E>,
  limitMillis: number,
  late: Effect.Effect<never, E2>,
  caller: Fiber.Fiber<unknown, unknown>
): Effect.Effect<A, E | E2> =>
  Effect.callback((resume) => {
    const sleep = caller.getRef(Clock.Clock).sleep(Duration.millis(limitMillis))
    const timer = Effect.runForkWith(caller.context)(sleep)
    work.addObserver((exit) => {
      timer.interruptUnsafe()
      resume(exit)
    })
    // The caller is told first: the work ends by its hand, with nothing but an interrupt to say.
    timer.addObserver((exit) => {
      if (exit._tag === "Failure") return
      race.isLate = true
      resume(late)
    })
    return Effect.sync(() => timer.interruptUnsafe())
  })
