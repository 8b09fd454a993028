/**
 * A message as the backplane carries it: which hub it comes from, whether it
 * is text, and its bytes.
 *
 * ```text
 * 0        1        2                 10
 * | 1      | opcode | origin, 8 bytes | payload …
 * ```
 *
 * The first byte is the version, so that hubs of different versions can share
 * a backplane while they are replaced.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../bytes/Allocation.ts"
import * as WebSocketFrame from "../protocol/websocket/WebSocketFrame.ts"
import { PreparedMessage } from "../protocol/websocket/WebSocketPrepared.ts"

const version = 1
const originOffset = 2
/** @category constants */
export const originBytes = 8
const headBytes = originOffset + originBytes

/** @category encoding */
export const encode = (origin: Uint8Array, message: PreparedMessage): Uint8Array => {
  const bytes = allocate(headBytes + message.payload.length)
  bytes[0] = version
  bytes[1] = message.opcode
  bytes.set(origin, originOffset)
  bytes.set(message.payload, headBytes)
  return bytes
}

/** `"own"`: it comes from `origin` itself. `"unknown"`: no hub of this version wrote it. @category decoding */
export const decode = (origin: Uint8Array, bytes: Uint8Array): PreparedMessage | "own" | "unknown" => {
  const opcode = bytes[1]
  if (bytes.length < headBytes || bytes[0] !== version) return "unknown"
  if (opcode !== WebSocketFrame.text && opcode !== WebSocketFrame.binary) return "unknown"
  if (origin.every((byte, index) => bytes[originOffset + index] === byte)) return "own"
  return new PreparedMessage(opcode, bytes.subarray(headBytes))
}
