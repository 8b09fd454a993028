/**
 * What a Close frame says (RFC 6455 §5.5.1): nothing, or a code of two bytes
 * and a reason in UTF-8.
 *
 * @internal
 * @since 0.1.0
 */
import * as Utf8 from "../../bytes/Utf8.ts"
import * as WebSocketCloseCode from "./WebSocketCloseCode.ts"
import { InvalidUtf8, ProtocolViolation } from "./WebSocketError.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"

/** @category models */
export interface Close {
  /** 1005 where the frame has no code (RFC 6455 §7.1.5). */
  readonly code: number
  readonly reason: string
}

/** What the payload says, or what is wrong with it. @category decoding */
export const decode = (payload: Uint8Array): Close | ProtocolViolation | InvalidUtf8 => {
  if (payload.length === 0) return { code: WebSocketCloseCode.noStatus, reason: "" }
  if (payload.length === 1) return new ProtocolViolation("close payload")
  const code = (payload[0]! << 8) | payload[1]!
  if (!WebSocketCloseCode.isOnWire(code)) return new ProtocolViolation("close code")
  const reason = Utf8.decode(payload.subarray(2))
  return reason === undefined ? new InvalidUtf8() : { code, reason }
}

/**
 * The payload for a code and a reason. A code that may not be sent, or a reason
 * of more than 123 bytes in UTF-8, is a `RangeError`.
 *
 * @category encoding
 */
export const encode = (code: number, reason: string): Uint8Array => {
  if (!WebSocketCloseCode.isOnWire(code)) throw new RangeError(`${code} may not be sent in a Close frame`)
  const text = Utf8.encode(reason)
  if (text.length > WebSocketFrame.closeReasonBytes) {
    throw new RangeError(`a close reason has at most ${WebSocketFrame.closeReasonBytes} bytes, not ${text.length}`)
  }
  const payload = new Uint8Array(2 + text.length)
  payload[0] = code >>> 8
  payload[1] = code
  payload.set(text, 2)
  return payload
}
