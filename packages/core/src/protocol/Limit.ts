/**
 * Limits as a user writes them, read once where something is made.
 *
 * A limit that makes no sense is a `RangeError` that names its option: it is a
 * mistake in the program, and no traffic causes it. 0 never means "no limit".
 *
 * @internal
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** The longest time limit: what a timer of 32 bits holds, 24.8 days. @category constants */
export const mostMillis = 2 ** 31 - 1

/**
 * A time in milliseconds, above 0 and up to `mostMillis`.
 *
 * @category converting
 */
export const millis = (option: string, input: Duration.Input): number => {
  const value = Option.getOrUndefined(Duration.fromInput(input))
  const limitMillis = value === undefined ? Number.NaN : Duration.toMillis(value)
  if (limitMillis > 0 && limitMillis <= mostMillis) return limitMillis
  throw new RangeError(`${option} must be above 0 and at most 24.8 days, but is ${String(input)}`)
}

/**
 * The same, or `"unbounded"` (also as an infinite duration), which is `Infinity`.
 *
 * @category converting
 */
export const millisOrUnbounded = (option: string, input: Duration.Input | "unbounded"): number =>
  isUnbounded(input) ? Number.POSITIVE_INFINITY : millis(option, input)

/**
 * A size in bytes, from `least` to `most`; `defaultBytes` where none is given.
 *
 * @category converting
 */
export const bytes = (
  option: string,
  input: ByteSize.Input | undefined,
  defaultBytes: number,
  least = 1,
  most = Number.MAX_SAFE_INTEGER
): number => {
  if (input === undefined) return defaultBytes
  const limitBytes = ByteSize.fromInput(input).pipe(Option.flatMap(ByteSize.toNumber), Option.getOrUndefined)
  if (limitBytes !== undefined && limitBytes >= least && limitBytes <= most) return limitBytes
  throw new RangeError(`${option} must be from ${least} to ${numberOf(most)} bytes, but is ${String(input)}`)
}

/**
 * The same, at least 1, or `"unbounded"`, which is `Infinity`.
 *
 * @category converting
 */
export const bytesOrUnbounded = (
  option: string,
  input: ByteSize.Input | "unbounded" | undefined,
  defaultBytes: number
): number => (input === "unbounded" ? Number.POSITIVE_INFINITY : bytes(option, input, defaultBytes))

/**
 * A whole number from `least` to `most`.
 *
 * @category converting
 */
export const count = (option: string, input: number, least = 1, most = Number.MAX_SAFE_INTEGER): number => {
  if (Number.isSafeInteger(input) && input >= least && input <= most) return input
  throw new RangeError(`${option} must be a whole number from ${least} to ${numberOf(most)}, but is ${String(input)}`)
}

/**
 * The same, or `"unbounded"`, which is `Infinity`.
 *
 * @category converting
 */
export const countOrUnbounded = (option: string, input: number | "unbounded", least = 1): number =>
  input === "unbounded" ? Number.POSITIVE_INFINITY : count(option, input, least)

const isUnbounded = (input: Duration.Input | "unbounded"): input is "unbounded" =>
  input === "unbounded" || Option.exists(Duration.fromInput(input), (value) => !Duration.isFinite(value))

const numberOf = (most: number): string => (most === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : String(most))
