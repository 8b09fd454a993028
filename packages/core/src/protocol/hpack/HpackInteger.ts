/**
 * Integers in the low bits of an octet, and the octets behind it
 * (RFC 7541 §5.1).
 *
 * ```text
 *  | x x x 1 1 1 1 1 |   prefix of 5 bits, all set: the rest follows
 *  | 1   7 bits      |   the lowest first
 *  | 0   7 bits      |   the last
 * ```
 *
 * @internal
 * @since 0.1.0
 */

/** Where is read; moved behind what was read. @category models */
export interface Cursor {
  at: number
}

/** Instead of an integer: its octets have not all come. The cursor stays. @category models */
export const incomplete = -1

/** Instead of an integer: it has more than {@link mostOctets}. @category models */
export const tooLarge = -2

/**
 * Octets behind the prefix that an integer may have: 2^28 and some, more than
 * any length or size that is taken. RFC 7541 §5.1: "Integer encodings that
 * exceed implementation limits -- in value or octet length -- MUST be treated
 * as decoding errors", so zeros in front of nothing are bounded too.
 *
 * @category models
 */
export const mostOctets = 4

/** Reads an integer with a prefix of `prefixBits` from the bytes up to `end`; `cursor.at < end`. @category decoding */
export const read = (cursor: Cursor, bytes: Uint8Array, end: number, prefixBits: number): number => {
  const start = cursor.at
  const prefix = (1 << prefixBits) - 1
  let value = bytes[start]! & prefix
  if (value < prefix) {
    cursor.at = start + 1
    return value
  }
  for (let octet = 0; octet < mostOctets; octet++) {
    const at = start + 1 + octet
    if (at >= end) return incomplete
    const byte = bytes[at]!
    value += (byte & 0x7f) << (7 * octet)
    if (byte < 0x80) {
      cursor.at = at + 1
      return value
    }
  }
  return tooLarge
}

/** The most octets that {@link write} takes for any integer below 2^31. @category encoding */
export const mostWritten = 6

/**
 * Writes `value`, `0 <= value < 2^31`, with a prefix of `prefixBits` beside
 * the bits of `pattern`; returns the offset behind it.
 *
 * @category encoding
 */
export const write = (target: Uint8Array, at: number, pattern: number, prefixBits: number, value: number): number => {
  const prefix = (1 << prefixBits) - 1
  if (value < prefix) {
    target[at] = pattern | value
    return at + 1
  }
  target[at] = pattern | prefix
  let next = at + 1
  let rest = value - prefix
  while (rest >= 0x80) {
    target[next++] = 0x80 | (rest & 0x7f)
    rest >>>= 7
  }
  target[next] = rest
  return next + 1
}
