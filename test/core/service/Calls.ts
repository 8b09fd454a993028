/** Calls for the tests of policies, and what became of them. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

/** Counts the calls that are begun, at work, ended and interrupted. */
export class Calls {
  begun = 0
  active = 0
  mostActive = 0
  done = 0
  interrupted = 0

  /** The same call, counted. */
  readonly counted = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      this.begun++
      this.active++
      this.mostActive = Math.max(this.mostActive, this.active)
      return Effect.onExit(call, (exit) =>
        Effect.sync(() => {
          this.active--
          if (Exit.hasInterrupts(exit)) this.interrupted++
          else this.done++
        })
      )
    })

  /** A call that takes `millis`, and gives its number. */
  readonly taking = (millis: number): Effect.Effect<number> =>
    this.counted(Effect.suspend(() => Effect.as(Effect.sleep(millis), this.begun)))
}

/** A fiber that runs until it waits. */
export const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

/** In one word: the value as text, the tag of the error's reason, or how else it ended. */
export const word = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return String(exit.value)
  if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
  const error = Cause.squash(exit.cause)
  if (typeof error === "object" && error !== null && "reason" in error) {
    const { reason } = error
    if (typeof reason === "object" && reason !== null && "_tag" in reason) return String(reason._tag)
  }
  return error instanceof Error ? error.name : String(error)
}

/** What becomes of an effect while the clock goes on by `millis`: its word, or `waiting`. */
export const endAfter = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number) =>
  Effect.gen(function* () {
    const fiber = yield* fork(effect)
    yield* TestClock.adjust(millis)
    const exit = fiber.pollUnsafe()
    if (exit === undefined) yield* Fiber.interrupt(fiber)
    return exit === undefined ? "waiting" : word(exit)
  })

/**
 * Interrupts an effect at every millisecond of `untilMillis`, and within them
 * after 0 to 3 turns of the scheduler; `check` looks at what is left each time.
 */
export const interruptedAtEveryPoint = <E, R, R2>(
  untilMillis: number,
  make: () => {
    readonly effect: Effect.Effect<unknown, E, R>
    readonly check: (at: string) => Effect.Effect<void, never, R2>
  }
) =>
  Effect.gen(function* () {
    for (let atMillis = 0; atMillis <= untilMillis; atMillis++) {
      for (let turns = 0; turns < 4; turns++) {
        const { effect, check } = make()
        const fiber = yield* Effect.forkChild(effect, { startImmediately: turns > 0 })
        if (atMillis > 0) yield* TestClock.adjust(atMillis)
        for (let turn = 1; turn < turns; turn++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        yield* check(`at ${atMillis} ms, turn ${turns}`)
      }
    }
  })
