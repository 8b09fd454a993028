/**
 * Messages to send: five bytes in front of each.
 *
 * ```text
 *  flag (0 or 1)   length (4 bytes, big endian)   length bytes
 * ```
 *
 * Hot path: an encoder that leaves room for {@link prefixBytes} puts the prefix
 * there, and nothing is copied. Otherwise small messages become one array with
 * their prefix, and large ones go out as they are, behind it.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"

/** How many bytes stand in front of a message. @category constants */
export const prefixBytes = 5

/** Up to this many bytes, a message is copied behind its prefix: about what a frame of HTTP/2 holds. @category constants */
export const joinBelowBytes = 16_384

/** How a message is on the wire. @category models */
export type Form = "plain" | "compressed"

/** Where messages go: owns what it gets. @category models */
export interface Output {
  write(bytes: Uint8Array): void
}

/** Puts the prefix of a message of `messageBytes` into `target`, from `at` on. @category writing */
export const writePrefix = (target: Uint8Array, at: number, messageBytes: number, form: Form): void => {
  if (!(messageBytes <= mostBytes)) throw new RangeError(`a message of ${messageBytes} bytes has no prefix`)
  target[at] = form === "plain" ? 0 : 1
  target[at + 1] = messageBytes >>> 24
  target[at + 2] = messageBytes >>> 16
  target[at + 3] = messageBytes >>> 8
  target[at + 4] = messageBytes
}

/** A message with its prefix, in one array. @category writing */
export const join = (message: Uint8Array, form: Form): Uint8Array => {
  const joined = allocate(prefixBytes + message.length)
  writePrefix(joined, 0, message.length, form)
  joined.set(message, prefixBytes)
  return joined
}

/** Writes a message: a small one at once, a large one behind its prefix and without a copy. @category writing */
export const write = (output: Output, message: Uint8Array, form: Form): void => {
  if (message.length <= joinBelowBytes) {
    output.write(join(message, form))
    return
  }
  const prefix = allocate(prefixBytes)
  writePrefix(prefix, 0, message.length, form)
  output.write(prefix)
  output.write(message)
}

const mostBytes = 2 ** 32 - 1
