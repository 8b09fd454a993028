/**
 * `Content-Length` (RFC 9110 §8.6).
 *
 * @since 0.1.0
 */

/**
 * The value of `Content-Length`; `undefined` where it is none. RFC 9110 §8.6:
 * digits, and nothing else; "a recipient MUST anticipate potentially large
 * decimal numerals". RFC 9112 §6.3 (stricter): a list of equal values is
 * refused too.
 *
 * @category parsing
 */
export const parse = (text: string): number | undefined => {
  if (text === "" || text.length > longestLength) return undefined
  let value = 0
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}

/** 2^53 - 1 has 16 digits; zeros in front of it are digits too. */
const longestLength = 19
