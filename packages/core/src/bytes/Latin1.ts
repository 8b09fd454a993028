/**
 * Bytes as text of the same length, a character a byte (ISO 8859-1): the form
 * in which the heads of HTTP/1 are kept.
 *
 * Hot path: `bench/` rows "http1".
 *
 * @since 0.1.0
 */
import { hostBuffer } from "./HostBuffer.ts"

const { latin1Slice, latin1Write } = hostBuffer?.prototype ?? {}

/** The bytes from `start` up to `end`, as text; `0 <= start <= end <= bytes.length`. */
export const decode: (bytes: Uint8Array, start: number, end: number) => string =
  latin1Slice === undefined
    ? (bytes, start, end) => decodePlain(bytes, start, end)
    : (bytes, start, end) => latin1Slice.call(bytes, start, end)

/**
 * Puts `text` into `target` from `offset` on, where there is room for it. Its
 * characters are U+0000 to U+00FF; of others only the low byte is written.
 */
export const write: (text: string, target: Uint8Array, offset: number) => void =
  latin1Write === undefined
    ? (text, target, offset) => writePlain(text, target, offset)
    : (text, target, offset) => void latin1Write.call(target, text, offset, text.length)

/** {@link decode} for a host without `Buffer`. */
export const decodePlain = (bytes: Uint8Array, start: number, end: number): string => {
  let text = ""
  // In parts: every argument of a call takes stack.
  for (let from = start; from < end; from += partBytes) {
    text += String.fromCharCode(...bytes.subarray(from, Math.min(end, from + partBytes)))
  }
  return text
}

/** {@link write} for a host without `Buffer`. */
export const writePlain = (text: string, target: Uint8Array, offset: number): void => {
  for (let index = 0; index < text.length; index++) target[offset + index] = text.charCodeAt(index)
}

const partBytes = 4096
