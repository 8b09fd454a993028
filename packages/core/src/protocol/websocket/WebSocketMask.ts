/**
 * Masks and unmasks payloads in place (RFC 6455 §5.3): byte `i` is combined
 * with byte `i mod 4` of the key.
 *
 * Hot path (`bench/` rows "websocket-unmask"). Measured three ways, in ns a
 * payload: a loop over bytes with an index into the key 175 at 64 B and 2,115
 * at 1 KiB; eight bytes a turn with the key in variables 64 and 900; 32-bit
 * words 120 and 380. Making the view of words costs some 60 ns, so that bytes
 * win up to about 128 B, and words from there on (5 to 6 times at 64 KiB).
 *
 * @internal
 * @since 0.1.0
 */

/**
 * Combines the bytes from `start` to `end` with `key`, whose first byte is the
 * highest of the 32 bits and belongs to the byte at `start`.
 *
 * @category masking
 */
export const apply = (bytes: Uint8Array, start: number, end: number, key: number): void => {
  if (end - start < wordsFromBytes) applyBytes(bytes, start, end, key)
  else applyWords(bytes, start, end, key)
}

/** The key for what follows `byteCount` bytes. @category masking */
export const rotate = (key: number, byteCount: number): number => {
  const bits = (byteCount & 3) * 8
  return bits === 0 ? key | 0 : (key << bits) | (key >>> (32 - bits))
}

const wordsFromBytes = 128

const applyBytes = (bytes: Uint8Array, start: number, end: number, key: number): void => {
  const first = key >>> 24
  const second = (key >>> 16) & 0xff
  const third = (key >>> 8) & 0xff
  const fourth = key & 0xff
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    bytes[at]! ^= first
    bytes[at + 1]! ^= second
    bytes[at + 2]! ^= third
    bytes[at + 3]! ^= fourth
    bytes[at + 4]! ^= first
    bytes[at + 5]! ^= second
    bytes[at + 6]! ^= third
    bytes[at + 7]! ^= fourth
  }
  if (at + 4 <= end) {
    bytes[at]! ^= first
    bytes[at + 1]! ^= second
    bytes[at + 2]! ^= third
    bytes[at + 3]! ^= fourth
    at += 4
  }
  if (at < end) bytes[at]! ^= first
  if (at + 1 < end) bytes[at + 1]! ^= second
  if (at + 2 < end) bytes[at + 2]! ^= third
}

/** The key as four bytes, and as one word in the machine's own order. */
const keyBytes = new Uint8Array(4)
const keyWord = new Int32Array(keyBytes.buffer)

const applyWords = (bytes: Uint8Array, start: number, end: number, key: number): void => {
  // Up to three bytes stand before the first whole word of the memory below.
  const head = -(bytes.byteOffset + start) & 3
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + start + head, (end - start - head) >> 2)
  applyBytes(bytes, start, start + head, key)
  const turned = rotate(key, head)
  keyBytes[0] = turned >>> 24
  keyBytes[1] = turned >>> 16
  keyBytes[2] = turned >>> 8
  keyBytes[3] = turned
  const word = keyWord[0]!
  for (let index = 0; index < words.length; index++) words[index]! ^= word
  applyBytes(bytes, start + head + words.length * 4, end, turned)
}
