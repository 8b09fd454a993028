/**
 * Why a message of HTTP/1.1 cannot be received or sent, who is at fault, and
 * what the peer is told.
 *
 * `status` is the answer that a server gives, with `Connection: close`; a
 * client has no answer, and closes. Engines hand over these plain reasons: the
 * session makes errors of them.
 *
 * @since 0.1.0
 */

/** A start line or field that breaks the grammar. @category reasons */
export class MalformedHead {
  readonly _tag = "MalformedHead"
  readonly fault = "peer"
  readonly status = 400
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/** RFC 9112 §3.2: `Host` is missing, there twice, or no host. @category reasons */
export class InvalidHost {
  readonly _tag = "InvalidHost"
  readonly fault = "peer"
  readonly status = 400
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/**
 * RFC 9112 §6.3: where the body ends is not said, said twice, or wrong. Two
 * recipients could read two messages from it: request smuggling.
 *
 * @category reasons
 */
export class InvalidFraming {
  readonly _tag = "InvalidFraming"
  readonly fault = "peer"
  readonly status = 400
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/** RFC 9112 §6.1: "a transfer coding it does not understand". @category reasons */
export class UnsupportedCoding {
  readonly _tag = "UnsupportedCoding"
  readonly fault = "peer"
  readonly status = 501
  readonly coding: string
  constructor(coding: string) {
    this.coding = coding
  }
  get message() {
    return `the transfer coding ${this.coding} is not supported`
  }
}

/** RFC 9110 §15.6.6: a major version other than 1. @category reasons */
export class UnsupportedVersion {
  readonly _tag = "UnsupportedVersion"
  readonly fault = "peer"
  readonly status = 505
  readonly version: string
  constructor(version: string) {
    this.version = version
  }
  get message() {
    return `HTTP/${this.version} is not supported`
  }
}

/** RFC 9110 §10.1.1: an expectation other than `100-continue`. @category reasons */
export class UnmetExpectation {
  readonly _tag = "UnmetExpectation"
  readonly fault = "peer"
  readonly status = 417
  readonly expectation: string
  constructor(expectation: string) {
    this.expectation = expectation
  }
  get message() {
    return `the expectation ${this.expectation} cannot be met`
  }
}

/** RFC 9112 §7.1: chunks that break the grammar. @category reasons */
export class MalformedChunk {
  readonly _tag = "MalformedChunk"
  readonly fault = "peer"
  readonly status = 400
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/** The stream ended inside a message. @category reasons */
export class Truncated {
  readonly _tag = "Truncated"
  readonly fault = "peer"
  readonly status = 400
  /**
   * What of the message had come. A client whose request got `nothing` back on
   * a connection that had been used before has probably met the server's idle
   * close; with `nothing` or `interim`, no answer was lost.
   */
  readonly received: Received
  constructor(received: Received) {
    this.received = received
  }
  get message() {
    return this.received === "nothing"
      ? "the stream ended before the message began"
      : `the stream ended in a message of which only ${this.received} had come`
  }
}

/** @category models */
export type Received = "nothing" | "interim" | "part of the head" | "part of the body"

/** A client received bytes that answer no request. @category reasons */
export class UnexpectedResponse {
  readonly _tag = "UnexpectedResponse"
  readonly fault = "peer"
  readonly status = undefined
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/** The request line or status line passed its limit. @category reasons */
export class StartLineTooLong {
  readonly _tag = "StartLineTooLong"
  readonly fault = "limit"
  readonly status = 414
  readonly limitBytes: number
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }
  get message() {
    return `the first line is above the limit of ${this.limitBytes} bytes`
  }
}

/** The fields of a head are too many, or have too many bytes. @category reasons */
export class FieldSectionTooLarge {
  readonly _tag = "FieldSectionTooLarge"
  readonly fault = "limit"
  readonly status = 431
  readonly limit: number
  readonly unit: "bytes" | "fields"
  constructor(limit: number, unit: "bytes" | "fields") {
    this.limit = limit
    this.unit = unit
  }
  get message() {
    return `the header section is above the limit of ${this.limit} ${this.unit}`
  }
}

/** The trailers are too many, or have too many bytes. @category reasons */
export class TrailerSectionTooLarge {
  readonly _tag = "TrailerSectionTooLarge"
  readonly fault = "limit"
  readonly status = 400
  readonly limit: number
  readonly unit: "bytes" | "fields"
  constructor(limit: number, unit: "bytes" | "fields") {
    this.limit = limit
    this.unit = unit
  }
  get message() {
    return `the trailer section is above the limit of ${this.limit} ${this.unit}`
  }
}

/** The chunk extensions of one body passed their limit. @category reasons */
export class ChunkExtensionsTooLarge {
  readonly _tag = "ChunkExtensionsTooLarge"
  readonly fault = "limit"
  readonly status = 400
  readonly limitBytes: number
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }
  get message() {
    return `the chunk extensions are above the limit of ${this.limitBytes} bytes`
  }
}

/** The body has, or announces, more bytes than its limit. @category reasons */
export class BodyTooLarge {
  readonly _tag = "BodyTooLarge"
  readonly fault = "limit"
  readonly status = 413
  readonly limitBytes: number
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }
  get message() {
    return `the body is above the limit of ${this.limitBytes} bytes`
  }
}

/** A server sent more 1xx responses than a client takes before the final one. @category reasons */
export class TooManyInterimResponses {
  readonly _tag = "TooManyInterimResponses"
  readonly fault = "limit"
  readonly status = undefined
  readonly limitCount: number
  constructor(limitCount: number) {
    this.limitCount = limitCount
  }
  get message() {
    return `more than ${this.limitCount} interim responses came`
  }
}

/** The peer took too long. @category reasons */
export class ReceiveTimeout {
  readonly _tag = "ReceiveTimeout"
  readonly fault = "limit"
  readonly status = 408
  readonly waitedFor: "head" | "body" | "response"
  readonly limitMillis: number
  constructor(waitedFor: "head" | "body" | "response", limitMillis: number) {
    this.waitedFor = waitedFor
    this.limitMillis = limitMillis
  }
  get message() {
    return `the ${this.waitedFor} did not come within ${this.limitMillis} ms`
  }
}

/** The peer took nothing of what waited for it. @category reasons */
export class SendStalled {
  readonly _tag = "SendStalled"
  readonly fault = "limit"
  readonly status = undefined
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the peer took nothing for ${this.limitMillis} ms`
  }
}

/** What a peer did wrong, or what took too much of it. @category models */
export type Violation =
  | MalformedHead
  | InvalidHost
  | InvalidFraming
  | UnsupportedCoding
  | UnsupportedVersion
  | UnmetExpectation
  | MalformedChunk
  | Truncated
  | UnexpectedResponse
  | StartLineTooLong
  | FieldSectionTooLarge
  | TrailerSectionTooLarge
  | ChunkExtensionsTooLarge
  | BodyTooLarge
  | TooManyInterimResponses
  | ReceiveTimeout
  | SendStalled

/** A head, body or trailer that our caller must not send. Nothing of it was sent. @category reasons */
export class InvalidMessage {
  readonly _tag = "InvalidMessage"
  readonly fault = "caller"
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/** A command that the exchange is not ready for. @category reasons */
export class OutOfOrder {
  readonly _tag = "OutOfOrder"
  readonly fault = "caller"
  /** Where the exchange is: a state of `Http1Cycle`. */
  readonly state: string
  constructor(state: string) {
    this.state = state
  }
  get message() {
    return `this cannot be sent in the state ${this.state}`
  }
}

/** The connection was over before the command: a race that any caller can lose. @category reasons */
export class ConnectionEnded {
  readonly _tag = "ConnectionEnded"
  readonly fault = "transport"
  get message() {
    return "the connection is over"
  }
}

/** Why a command did nothing. @category models */
export type Refusal = InvalidMessage | OutOfOrder | ConnectionEnded
