/**
 * Work that ends at a time.
 *
 * The work is a fiber of its own, since nothing less can be interrupted alone.
 * It begins at once, and where it ends without waiting no timer is armed: that
 * costs a fifth of a microsecond, a race with a sleeping fiber three times that.
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
  Effect.withFiber((caller: Fiber.Fiber<unknown, unknown>) =>
    cutOffIn(caller, caller.context as Context.Context<R>, self, limitMillis, late, cleanup)
  )

/** The same, on the fiber of the caller, with the work in a context of its own. @category running */
export const cutOffIn = <A, E, R, E2>(
  caller: Fiber.Fiber<unknown, unknown>,
  context: Context.Context<R>,
  self: Effect.Effect<A, E, R>,
  limitMillis: number,
  late: Effect.Effect<never, E2>,
  cleanup: "wait" | "leave"
): Effect.Effect<A, E | E2> => {
  const work = Effect.runForkWith(context)(self)
  const exit = work.pollUnsafe()
  if (exit !== undefined) return exit
  const race = { isLate: false }
  const forget = endWith(caller, work)
  return Effect.onExitPrimitive(wait(race, work, limitMillis, late, caller), () => {
    forget()
    if (work.pollUnsafe() !== undefined) return undefined
    if (!race.isLate || cleanup === "wait") return Fiber.interrupt(work)
    work.interruptUnsafe()
    return undefined
  })
}

/**
 * Interrupts `work` when its caller's fiber ends. A finalizer does so before;
 * but an interrupt that comes from within the first steps of the work keeps the
 * caller from ever having that finalizer, and must lose nothing either.
 *
 * @category running
 */
export const endWith = (caller: Fiber.Fiber<unknown, unknown>, work: Fiber.Fiber<unknown, unknown>): (() => void) =>
  caller.addObserver(() => work.interruptUnsafe())

const wait = <A, E, E2>(
  race: { isLate: boolean },
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
