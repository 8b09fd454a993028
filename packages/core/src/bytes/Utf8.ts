/**
 * Text to UTF-8 bytes (RFC 3629), and back.
 *
 * @since 0.1.0
 */
import { hostBuffer } from "./HostBuffer.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const buffer = hostBuffer

/** UTF-8 of `text`; lone surrogates become U+FFFD (WHATWG Encoding). */
export const encode: (text: string) => Uint8Array =
  buffer === undefined ? (text) => encoder.encode(text) : (text) => buffer.from(text, "utf8")

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
