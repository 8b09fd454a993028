/**
 * Base64 as grpc-web-text has it (PROTOCOL-WEB, "Text-encoded streams"): the
 * bytes of the stream in parts, each with padding of its own, so that padding
 * comes in the middle of the text. Where one part ends says nothing of where a
 * message does.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"

/** A part of the stream, as text with padding: so it can be sent at once. @category encoding */
export const encode = (bytes: Uint8Array): Uint8Array => {
  const text = allocate(Math.ceil(bytes.length / 3) * 4)
  const wholeEnd = bytes.length - (bytes.length % 3)
  let end = 0
  for (let at = 0; at < wholeEnd; at += 3) {
    const group = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    text[end++] = digits[group >>> 18]!
    text[end++] = digits[(group >>> 12) & 63]!
    text[end++] = digits[(group >>> 6) & 63]!
    text[end++] = digits[group & 63]!
  }
  if (wholeEnd < bytes.length) {
    const group = (bytes[wholeEnd]! << 16) | ((bytes[wholeEnd + 1] ?? 0) << 8)
    text[end++] = digits[group >>> 18]!
    text[end++] = digits[(group >>> 12) & 63]!
    text[end++] = wholeEnd + 1 < bytes.length ? digits[(group >>> 6) & 63]! : padding
    text[end] = padding
  }
  return text
}

/** Reads a stream that comes in pieces, cut wherever they are. It holds less than four digits. @category models */
export class GrpcWebTextReader {
  /** Whether something came that is no base64: then nothing more is read. */
  isMalformed = false
  private group = 0
  /** Digits of the group, with its padding: `0 <= digitCount <= 3`. */
  private digitCount = 0
  private paddingCount = 0

  /** The bytes that are certain by now; none where it is no base64. */
  push(text: Uint8Array): Uint8Array {
    if (this.isMalformed) return noBytes
    const bytes = allocate(Math.floor(((this.digitCount + text.length) * 3) / 4))
    let end = 0
    for (let at = 0; at < text.length; at++) {
      const code = text[at]!
      const value = values[code]!
      if (code === padding && this.digitCount >= 2) this.paddingCount++
      else if (value === none || this.paddingCount > 0) return this.fail()
      this.group = (this.group << 6) | (code === padding ? 0 : value)
      if (++this.digitCount < 4) continue
      bytes[end++] = this.group >>> 16
      if (this.paddingCount < 2) bytes[end++] = this.group >>> 8
      if (this.paddingCount === 0) bytes[end++] = this.group
      this.group = 0
      this.digitCount = 0
      this.paddingCount = 0
    }
    return bytes.subarray(0, end)
  }

  /** The stream has ended: whether it did behind a whole group. */
  end(): boolean {
    return !this.isMalformed && this.digitCount === 0
  }

  private fail(): Uint8Array {
    this.isMalformed = true
    return noBytes
  }
}

const noBytes = new Uint8Array(0)
const padding = 0x3d
const none = 0xff
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** The character of each value. */
const digits: Uint8Array = /*#__PURE__*/ Uint8Array.from(alphabet, (digit) => digit.charCodeAt(0))

/** The value of each character. */
const values: Uint8Array = /*#__PURE__*/ (() => {
  const table = new Uint8Array(256).fill(none)
  for (let value = 0; value < digits.length; value++) table[digits[value]!] = value
  return table
})()
