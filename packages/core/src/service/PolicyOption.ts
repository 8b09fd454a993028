/**
 * Settings of policies as a user writes them, read once where a policy is made.
 *
 * A setting that makes no sense is a `RangeError` that names its option: it is
 * a mistake in the program, and no traffic causes it.
 *
 * @internal
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** A time in milliseconds, above 0 and up to what a timer of 32 bits holds, 24.8 days. @category converting */
export const millis = (option: string, input: Duration.Input): number => {
  const limitMillis = millisOf(input)
  if (limitMillis > 0 && limitMillis <= mostMillis) return limitMillis
  throw new RangeError(`${option} must be above 0 and at most 24.8 days, but is ${String(input)}`)
}

/** The same, from 0: no time at all makes sense for it. @category converting */
export const millisOrNone = (option: string, input: Duration.Input): number => {
  const limitMillis = millisOf(input)
  if (limitMillis >= 0 && limitMillis <= mostMillis) return limitMillis
  throw new RangeError(`${option} must be from 0 to 24.8 days, but is ${String(input)}`)
}

/** A whole number from `least` to `most`. @category converting */
export const count = (option: string, input: number, least = 1, most = Number.MAX_SAFE_INTEGER): number => {
  if (Number.isSafeInteger(input) && input >= least && input <= most) return input
  throw new RangeError(`${option} must be a whole number from ${least} to ${shown(most)}, but is ${String(input)}`)
}

/** A number from `least` to `most`, which need not be whole. @category converting */
export const ratio = (option: string, input: number, least: number, most: number): number => {
  if (input >= least && input <= most) return input
  throw new RangeError(`${option} must be from ${least} to ${shown(most)}, but is ${String(input)}`)
}

const mostMillis = 2 ** 31 - 1

const millisOf = (input: Duration.Input): number => {
  const value = Option.getOrUndefined(Duration.fromInput(input))
  return value === undefined ? Number.NaN : Duration.toMillis(value)
}

const shown = (most: number): string => (most === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : String(most))
