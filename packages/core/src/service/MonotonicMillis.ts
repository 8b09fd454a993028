/**
 * The time by which policies measure: milliseconds of Effect's monotonic clock,
 * with fractions. A corrected wall clock neither ends nor prolongs a wait.
 *
 * @internal
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Fiber from "effect/Fiber"

/** The time of the fiber's clock. @category accessors */
export const now = (fiber: Fiber.Fiber<unknown, unknown>): number => of(fiber.getRef(Clock.Clock))

/** @category accessors */
export const of = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli

const nanosPerMilli = 1_000_000
