/** A clock that knows how many fibers sleep on it. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface CountingClock extends Clock.Clock {
  readonly sleepers: () => number
}

/** The same clock, with a count of those who sleep on it. */
export const make = (clock: Clock.Clock): CountingClock => {
  let sleepers = 0
  return Object.assign(Object.create(clock), {
    sleepers: () => sleepers,
    sleep: (duration: Parameters<Clock.Clock["sleep"]>[0]) =>
      Effect.acquireUseRelease(
        Effect.sync(() => sleepers++),
        () => clock.sleep(duration),
        () => Effect.sync(() => sleepers--)
      )
  })
}
