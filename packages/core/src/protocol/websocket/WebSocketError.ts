/**
 * Why a WebSocket failed, or was never opened.
 *
 * A reason says who is at fault, and what the peer is told: the `closeCode` of
 * the Close frame, or the `status` of the answer to a handshake.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as WebSocketCloseCode from "./WebSocketCloseCode.ts"

/**
 * The rules of frames and their order, each with the section that has it.
 *
 * @category models
 */
export type Rule = keyof typeof rules

/** The peer broke a rule of framing. @category reasons */
export class ProtocolViolation {
  readonly _tag = "ProtocolViolation"
  readonly fault = "peer"
  readonly closeCode = WebSocketCloseCode.protocolError
  readonly rule: Rule
  constructor(rule: Rule) {
    this.rule = rule
  }
  get message() {
    return rules[this.rule]
  }
}

/** A text message, or the reason of a Close frame, is not UTF-8 (RFC 6455 §8.1). @category reasons */
export class InvalidUtf8 {
  readonly _tag = "InvalidUtf8"
  readonly fault = "peer"
  readonly closeCode = WebSocketCloseCode.invalidPayload
  get message() {
    return "the text is not valid UTF-8"
  }
}

/** A compressed message is no DEFLATE, or has too many final blocks (RFC 7692 §7.2.2). @category reasons */
export class InvalidCompression {
  readonly _tag = "InvalidCompression"
  readonly fault = "peer"
  readonly closeCode = WebSocketCloseCode.invalidPayload
  get message() {
    return "the compressed message cannot be inflated"
  }
}

/** A frame announced more than `maxFrameSize`. @category reasons */
export class FrameTooLarge {
  readonly _tag = "FrameTooLarge"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.messageTooBig
  readonly receivedBytes: number
  readonly limitBytes: number
  constructor(receivedBytes: number, limitBytes: number) {
    this.receivedBytes = receivedBytes
    this.limitBytes = limitBytes
  }
  get message() {
    return `a frame of ${this.receivedBytes} bytes is above the limit of ${this.limitBytes}`
  }
}

/**
 * A message passed `maxMessageSize`: the sum of its fragments, or what came out
 * of its compression; then `receivedBytes` is one above the limit.
 *
 * @category reasons
 */
export class MessageTooLarge {
  readonly _tag = "MessageTooLarge"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.messageTooBig
  readonly receivedBytes: number
  readonly limitBytes: number
  constructor(receivedBytes: number, limitBytes: number) {
    this.receivedBytes = receivedBytes
    this.limitBytes = limitBytes
  }
  get message() {
    return `a message of ${this.receivedBytes} bytes or more is above the limit of ${this.limitBytes}`
  }
}

/** A message came in more than `maxFragments` frames. @category reasons */
export class TooManyFragments {
  readonly _tag = "TooManyFragments"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.policyViolation
  readonly limitCount: number
  constructor(limitCount: number) {
    this.limitCount = limitCount
  }
  get message() {
    return `a message has more than ${this.limitCount} fragments`
  }
}

/** The peer keeps the connection busy with frames that carry next to nothing. @category reasons */
export class Flood {
  readonly _tag = "Flood"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.policyViolation
  readonly kind: "control frames" | "tiny fragments"
  readonly limitCount: number
  readonly windowMillis: number
  constructor(kind: "control frames" | "tiny fragments", limitCount: number, windowMillis: number) {
    this.kind = kind
    this.limitCount = limitCount
    this.windowMillis = windowMillis
  }
  get message() {
    return `more than ${this.limitCount} ${this.kind} within ${this.windowMillis} ms`
  }
}

/** Nothing came from the peer, not even an answer to a ping. The transport is given up. @category reasons */
export class KeepaliveTimeout {
  readonly _tag = "KeepaliveTimeout"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.abnormal
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `no answer to a ping within ${this.limitMillis} ms`
  }
}

/** The peer did not answer a Close frame within `closeTimeout`. The transport is given up. @category reasons */
export class CloseTimeout {
  readonly _tag = "CloseTimeout"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.abnormal
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `no answer to a Close frame within ${this.limitMillis} ms`
  }
}

/** The transport was lost before the closing handshake. @category reasons */
export class ConnectionLost {
  readonly _tag = "ConnectionLost"
  readonly fault = "transport"
  readonly closeCode = WebSocketCloseCode.abnormal
  /** What the transport said; `undefined` where the peer just ended its side. */
  readonly detail: string | undefined
  constructor(detail?: string) {
    this.detail = detail
  }
  get message() {
    const message = "the connection was lost without a Close frame"
    return this.detail === undefined ? message : `${message}: ${this.detail}`
  }
}

/** The peer took nothing of what waits for it for `writeTimeout`. The transport is given up. @category reasons */
export class SendStalled {
  readonly _tag = "SendStalled"
  readonly fault = "limit"
  readonly closeCode = WebSocketCloseCode.abnormal
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the peer read nothing for ${this.limitMillis} ms`
  }
}

/** The peer has closed the WebSocket, or the server drains (1001): nothing more can be sent. @category reasons */
export class Closed {
  readonly _tag = "Closed"
  readonly fault = "transport"
  readonly closeCode: number
  readonly reason: string
  constructor(closeCode: number, reason: string) {
    this.closeCode = closeCode
    this.reason = reason
  }
  get message() {
    const message = `the WebSocket was closed with ${this.closeCode}`
    return this.reason === "" ? message : `${message}: ${this.reason}`
  }
}

/** This side has closed the WebSocket, and then wanted to send. @category reasons */
export class SendAfterClose {
  readonly _tag = "SendAfterClose"
  readonly fault = "caller"
  readonly closeCode = WebSocketCloseCode.abnormal
  get message() {
    return "the WebSocket is closing or closed"
  }
}

/** A request to open a WebSocket is wrong (RFC 6455 §4.2.1); `status` is its HTTP answer. @category reasons */
export class HandshakeInvalid {
  readonly _tag = "HandshakeInvalid"
  readonly fault = "peer"
  /** 400, 405 for another method than GET, or 426 for another version than 13. */
  readonly status: 400 | 405 | 426
  /** The header field, in lower case, or `method`. */
  readonly field: string
  readonly detail: string
  constructor(status: 400 | 405 | 426, field: string, detail: string) {
    this.status = status
    this.field = field
    this.detail = detail
  }
  get message() {
    return `${this.field}: ${this.detail}`
  }
}

/** A server's answer does not open the WebSocket that was asked for (RFC 6455 §4.1). @category reasons */
export class HandshakeRefused {
  readonly _tag = "HandshakeRefused"
  readonly fault = "peer"
  /** The header field, in lower case, or `status`. */
  readonly field: string
  readonly detail: string
  /** The status of an answer that is no WebSocket. */
  readonly status: number | undefined
  constructor(field: string, detail: string, status?: number) {
    this.field = field
    this.detail = detail
    this.status = status
  }
  get message() {
    return `${this.field}: ${this.detail}`
  }
}

/** What ends an open WebSocket from this side. @category reasons */
export type Violation =
  | ProtocolViolation
  | InvalidUtf8
  | InvalidCompression
  | FrameTooLarge
  | MessageTooLarge
  | TooManyFragments
  | Flood
  | KeepaliveTimeout
  | CloseTimeout

/** @category reasons */
export type Reason =
  | Violation
  | ConnectionLost
  | SendStalled
  | Closed
  | SendAfterClose
  | HandshakeInvalid
  | HandshakeRefused

/**
 * A WebSocket failed, or was never opened; `reason` says why.
 *
 * @category errors
 */
export class WebSocketError extends Data.TaggedError("WebSocketError")<{
  readonly reason: Reason
}> {
  override get message(): string {
    return this.reason.message
  }
}

const rules = {
  "reserved bits": "RFC 6455 §5.2: a reserved bit is set that no extension gave a meaning",
  "reserved opcode": "RFC 6455 §5.2: the opcode is reserved",
  "unmasked frame": "RFC 6455 §5.1: a client masks its frames",
  "masked frame": "RFC 6455 §5.1: a server does not mask its frames",
  "fragmented control frame": "RFC 6455 §5.5: a control frame is not fragmented",
  "long control frame": "RFC 6455 §5.5: a control frame has at most 125 bytes",
  "length not minimal": "RFC 6455 §5.2: a length takes the fewest bytes that it can",
  "length above 2^63": "RFC 6455 §5.2: the first bit of a length is 0",
  "continuation of nothing": "RFC 6455 §5.4: there is no message to continue",
  "message within a message": "RFC 6455 §5.4: the fragments of two messages are not mixed",
  "close payload": "RFC 6455 §5.5.1: a Close frame has no content, or begins with two bytes of code",
  "close code": "RFC 6455 §7.4: the code may not be sent in a Close frame"
} as const
