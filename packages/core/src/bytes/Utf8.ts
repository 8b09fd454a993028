/**
 * Text to UTF-8 bytes (RFC 3629), and back.
 *
 * @since 0.1.0
 */
import { hostBuffer } from "./HostBuffer.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const buffer = hostBuffer
const utf8Write = hostBuffer?.prototype.utf8Write

/** UTF-8 of `text`; lone surrogates become U+FFFD (WHATWG Encoding). */
export const encode: (text: string) => Uint8Array =
  buffer === undefined ? (text) => encoder.encode(text) : (text) => buffer.from(text, "utf8")

/** How many bytes `encode(text)` has. */
export const byteLength: (text: string) => number =
  buffer === undefined ? (text) => encoder.encode(text).length : (text) => buffer.byteLength(text, "utf8")

/**
 * Puts `encode(text)` into `target` from `offset` on, where there is room for
 * its `byteLength(text)` bytes; three a UTF-16 code unit are always enough.
 * Returns how many they were.
 */
export const write = (text: string, target: Uint8Array, offset: number): number =>
  utf8Write === undefined
    ? encoder.encodeInto(text, target.subarray(offset)).written
    : utf8Write.call(target, text, offset, target.length - offset)

/**
 * The text that `bytes` are in UTF-8; `undefined` where they are not UTF-8:
 * cut off or overlong characters, surrogates, code points above U+10FFFF. A
 * byte order mark is kept as U+FEFF.
 *
 * Decoded leniently, and looked at again where a U+FFFD came out: an exception
 * for each bad line costs a hundred times the line, and a peer chooses how
 * many it sends.
 */
export const decode = (bytes: Uint8Array): string | undefined => {
  const text = decoder.decode(bytes)
  return text.includes(replacement) && !isSent(bytes, text) ? undefined : text
}

/**
 * As `decode`, of the bytes from `start` to `end`. On hosts with a `Buffer` it
 * makes no view of them, and so takes half the time for short text.
 */
export const decodeRange: (bytes: Uint8Array, start: number, end: number) => string | undefined =
  buffer?.prototype.utf8Slice === undefined
    ? (bytes, start, end) => decode(bytes.subarray(start, end))
    : (bytes, start, end) => {
        const text = buffer.prototype.utf8Slice!.call(bytes, start, end)
        return text.includes(replacement) && !isSent(bytes.subarray(start, end), text) ? undefined : text
      }

const replacement = "\uFFFD"

/**
 * Whether each U+FFFD of `text` was sent as one (`EF BF BD`). Errors only add
 * to them, and `EF` always begins a character, so the counts are the same for
 * valid bytes alone.
 */
const isSent = (bytes: Uint8Array, text: string): boolean => {
  let count = 0
  for (let at = text.indexOf(replacement); at >= 0; at = text.indexOf(replacement, at + 1)) count++
  for (let at = bytes.indexOf(0xef); at >= 0; at = bytes.indexOf(0xef, at + 1)) {
    if (bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) count--
  }
  return count === 0
}
