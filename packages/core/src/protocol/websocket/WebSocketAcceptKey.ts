/**
 * The keys of the opening handshake (RFC 6455 §4.1, §4.2.2): a server proves
 * that it has read the request by hashing the client's key.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import * as Sha1 from "../../bytes/Sha1.ts"
import * as Utf8 from "../../bytes/Utf8.ts"

/** How many random bytes a client's key is made of. @category constants */
export const keyBytes = 16

/** `Sec-WebSocket-Key` of 16 random bytes. Throws a `RangeError` for another number. @category constructors */
export const fromRandom = (random: Uint8Array): string => {
  if (random.length !== keyBytes) throw new RangeError(`a key is made of ${keyBytes} bytes, not ${random.length}`)
  return base64(random)
}

/** Whether `key` is the base64 of 16 bytes (RFC 6455 §4.2.1 item 5). @category checking */
export const isKey = (key: string): boolean => keyForm.test(key)

/** `Sec-WebSocket-Accept` for a key: base64 of the SHA-1 of it and a fixed text. @category constructors */
export const accept = (key: string): string => {
  const text = key + suffix
  const bytes = allocate(text.length * 3)
  return base64(Sha1.digest(bytes.subarray(0, Utf8.write(text, bytes, 0))))
}

const suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** The last of 22 digits holds two bits; RFC 4648 §3.5 wants the others to be 0, and servers do not look. */
const keyForm = /^[A-Za-z0-9+/]{22}==$/

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

const base64 = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    for (let digit = 0; digit < 4; digit++) {
      text += at + digit > bytes.length ? "=" : digits[(group >>> (18 - digit * 6)) & 63]
    }
  }
  return text
}
