/**
 * Sets of bytes, and words without regard to case: what the grammars of text
 * protocols are made of.
 *
 * @since 0.1.0
 */

/** A set of bytes: `set[byte] === 1` for those in it. @category models */
export type ByteSet = Uint8Array

/**
 * The bytes of all `ranges`, each a character or two with a hyphen between,
 * in Latin-1: `byteSet("a-z", "0-9", "_")`.
 *
 * @category constructors
 */
export const byteSet = (...ranges: ReadonlyArray<string>): ByteSet => {
  const set = new Uint8Array(256)
  for (const range of ranges) {
    const first = range.charCodeAt(0)
    set.fill(1, first, (range.length === 3 ? range.charCodeAt(2) : first) + 1)
  }
  return set
}

/** The digits and letters of hexadecimal numbers, of both cases. */
export const hexDigits: ByteSet = /*#__PURE__*/ byteSet("0-9", "a-f", "A-F")

/** The value of a byte of {@link hexDigits}; of others anything. */
export const hexValue = (byte: number): number => (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57)

/** Whether the bytes from `start` up to `end` are `word`, a word in lower case, in any case. */
export const isWord = (bytes: Uint8Array, start: number, end: number, word: string): boolean => {
  if (end - start !== word.length) return false
  for (let index = 0; index < word.length; index++) {
    if (lower(bytes[start + index]!) !== word.charCodeAt(index)) return false
  }
  return true
}

/** Whether all characters of `text` from `start` up to `end` are in `set`; true for none. */
export const isMadeOf = (set: ByteSet, text: string, start: number, end: number): boolean => {
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index)
    // Above U+00FF there is no entry: `undefined` is not 1.
    if (set[code] !== 1) return false
  }
  return true
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)
