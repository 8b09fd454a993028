/**
 * Base64 (RFC 4648 §4) as binary metadata has it: without padding on sending,
 * with or without on receiving.
 *
 * Another character, or padding that does not fit, is no base64. Bits behind
 * the last byte are not looked at (RFC 4648 §3.5 leaves that open), as other
 * implementations of gRPC do it.
 *
 * @internal
 * @since 0.1.0
 */
import * as Latin1 from "../../bytes/Latin1.ts"

/** Without padding. @category formatting */
export const encode = (bytes: Uint8Array): string => {
  const text = new Uint8Array(Math.ceil((bytes.length * 4) / 3))
  let end = 0
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    // Behind the end of the array nothing is written.
    text[end++] = digits.charCodeAt(group >>> 18)
    text[end++] = digits.charCodeAt((group >>> 12) & 63)
    text[end++] = digits.charCodeAt((group >>> 6) & 63)
    text[end++] = digits.charCodeAt(group & 63)
  }
  return Latin1.decode(text, 0, text.length)
}

/** The bytes of `text`; `undefined` where it is no base64. @category parsing */
export const decode = (text: string): Uint8Array | undefined => {
  const digitCount = countDigits(text)
  // A single digit behind the groups of four has no whole byte.
  if (digitCount === undefined || digitCount % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((digitCount * 3) / 4))
  let end = 0
  let bits = 0
  let bitCount = 0
  for (let at = 0; at < digitCount; at++) {
    const value = values[text.charCodeAt(at)]
    if (value === undefined || value === none) return undefined
    bits = ((bits << 6) | value) & 0xffff
    bitCount += 6
    if (bitCount < 8) continue
    bitCount -= 8
    bytes[end++] = bits >>> bitCount
  }
  return bytes
}

/** The digits before the padding, which fills up a group of four where there is any. */
const countDigits = (text: string): number | undefined => {
  const { length } = text
  if (length === 0 || text.charCodeAt(length - 1) !== padding) return length
  if (length % 4 !== 0) return undefined
  return text.charCodeAt(length - 2) === padding ? length - 2 : length - 1
}

const padding = 0x3d
const none = 0xff
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** The value of each digit, by its character. */
const values: Uint8Array = /*#__PURE__*/ (() => {
  const table = new Uint8Array(256).fill(none)
  for (let value = 0; value < digits.length; value++) table[digits.charCodeAt(value)] = value
  return table
})()
