/**
 * `grpc-timeout`: how long the client still waits, as a number of at most eight
 * digits and a unit (gRPC over HTTP/2, "Requests").
 *
 * Hot path: a call with a deadline reads or writes one.
 *
 * @since 0.1.0
 */

/**
 * The milliseconds that a `grpc-timeout` says, with a fraction for the smaller
 * units; `undefined` where it says nothing: another unit, no digit, a ninth.
 * Zero, which the grammar has not ("positive integer"), is taken: the time is
 * over.
 *
 * @category parsing
 */
export const parseMillis = (text: string): number | undefined => {
  const last = text.length - 1
  if (last < 1 || last > mostDigits) return undefined
  let value = 0
  for (let at = 0; at < last; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (!(digit >= 0 && digit <= 9)) return undefined
    value = value * 10 + digit
  }
  switch (text.charCodeAt(last)) {
    case 0x6d: // m
      return value
    case 0x53: // S
      return value * 1_000
    case 0x75: // u
      return value / 1_000
    case 0x6e: // n
      return value / 1_000_000
    case 0x4d: // M
      return value * 60_000
    case 0x48: // H
      return value * 3_600_000
    default:
      return undefined
  }
}

/**
 * `grpc-timeout` for a number of milliseconds, in the smallest of the units
 * that has room for it: of whole milliseconds, milliseconds and more. Rounded
 * up, so that the server never gives up before the client does.
 *
 * A deadline that is over becomes `1n`, since zero is not in the grammar; above
 * the largest, 99,999,999 hours, that is sent. `undefined` for `Infinity`:
 * nothing is sent. `NaN` is a `RangeError`.
 *
 * @category formatting
 */
export const format = (millis: number): string | undefined => {
  if (Number.isNaN(millis)) throw new RangeError("a timeout of NaN milliseconds")
  if (millis === Number.POSITIVE_INFINITY) return undefined
  if (millis <= 0) return "1n"
  if (!Number.isInteger(millis)) {
    const nanos = Math.ceil(millis * 1_000_000)
    if (nanos <= mostValue) return `${nanos}n`
    const micros = Math.ceil(millis * 1_000)
    if (micros <= mostValue) return `${micros}u`
  }
  const whole = Math.ceil(millis)
  if (whole <= mostValue) return `${whole}m`
  const seconds = Math.ceil(millis / 1_000)
  if (seconds <= mostValue) return `${seconds}S`
  const minutes = Math.ceil(millis / 60_000)
  if (minutes <= mostValue) return `${minutes}M`
  return `${Math.min(Math.ceil(millis / 3_600_000), mostValue)}H`
}

/** "at most 8 digits" */
const mostDigits = 8
const mostValue = 99_999_999
