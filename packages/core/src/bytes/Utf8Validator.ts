/**
 * Checks UTF-8 (RFC 3629) as it arrives: a wrong byte is seen when it comes,
 * not when the text is complete, however the text is cut.
 *
 * It tells at the same byte as the grammar of RFC 3629 §4 does: overlong forms,
 * surrogates and code points above U+10FFFF fail at their second byte.
 *
 * @since 0.1.0
 */

/** @category models */
export class Utf8Validator {
  /** Continuation bytes that the character still needs, 0 to 3. */
  private pending = 0
  /** What the next continuation byte may be; narrower than 80 to BF only behind E0, ED, F0 and F4. */
  private least = 0x80
  private most = 0xbf

  /** Whether all characters so far are complete. */
  get isComplete(): boolean {
    return this.pending === 0
  }

  /** Begins a new text. */
  reset(): void {
    this.pending = 0
    this.least = 0x80
    this.most = 0xbf
  }

  /** Takes the bytes from `start` to `end`; whether all so far can be the beginning of a text. */
  push(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    let at = start
    while (at < end) {
      if (this.pending === 0) {
        while (at + 4 <= end && (bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) < 0x80) at += 4
        if (at === end) return true
      }
      const byte = bytes[at++]!
      if (this.pending > 0) {
        if (byte < this.least || byte > this.most) return false
        this.pending--
        this.least = 0x80
        this.most = 0xbf
      } else if (byte >= 0x80 && !this.lead(byte)) return false
    }
    return true
  }

  /** Takes the first byte of a character of several bytes. */
  private lead(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false
    this.pending = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    if (byte === 0xe0) this.least = 0xa0
    else if (byte === 0xed) this.most = 0x9f
    else if (byte === 0xf0) this.least = 0x90
    else if (byte === 0xf4) this.most = 0x8f
    return true
  }
}
