/**
 * Why a connection or a stream of HTTP/2 cannot go on, who is at fault, and
 * what the peer is told.
 *
 * A {@link Violation} ends the connection, with its `errorCode` in GOAWAY. A
 * {@link StreamFailure} ends one stream, and the others go on. A
 * {@link Refusal} is about a command: nothing was sent. These are plain
 * reasons; sessions make errors of them.
 *
 * @since 0.1.0
 */
import * as Code from "./Http2ErrorCode.ts"

/** The peer broke a rule of the connection. @category violations */
export class ConnectionViolation {
  readonly _tag = "ConnectionViolation"
  readonly fault = "peer"
  readonly errorCode: number
  readonly detail: string
  constructor(errorCode: number, detail: string) {
    this.errorCode = errorCode
    this.detail = detail
  }
  get message() {
    return `${Code.nameOf(this.errorCode)}: ${this.detail}`
  }
}

/** The peer makes more work than a budget allows (RFC 9113 §10.5). @category violations */
export class BudgetSpent {
  readonly _tag = "BudgetSpent"
  readonly fault = "limit"
  readonly errorCode = Code.EnhanceYourCalm
  /** Which budget, as in `Http2AbuseGuard`, or `continuation`, `headerBlock`. */
  readonly budget: string
  constructor(budget: string) {
    this.budget = budget
  }
  get message() {
    return `too many ${this.budget}`
  }
}

/** RFC 9113 §6.5.3: SETTINGS were not acknowledged in their time. @category violations */
export class SettingsTimeout {
  readonly _tag = "SettingsTimeout"
  readonly fault = "peer"
  readonly errorCode = Code.SettingsTimeout
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `SETTINGS were not acknowledged within ${this.limitMillis} ms`
  }
}

/** The connection's first frames, or the end of a header block, did not come in their time. @category violations */
export class HeadTimeout {
  readonly _tag = "HeadTimeout"
  readonly fault = "limit"
  readonly errorCode = Code.EnhanceYourCalm
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the preface, or a header block, was not complete within ${this.limitMillis} ms`
  }
}

/** A PING was not answered: the peer is not there any more. @category violations */
export class KeepaliveTimeout {
  readonly _tag = "KeepaliveTimeout"
  readonly fault = "transport"
  readonly errorCode = Code.NoError
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `a PING was not answered within ${this.limitMillis} ms`
  }
}

/** The transport was full for too long. @category violations */
export class SendStalled {
  readonly _tag = "SendStalled"
  readonly fault = "limit"
  readonly errorCode = Code.NoError
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the peer has read nothing for ${this.limitMillis} ms`
  }
}

/** What ends a connection. @category violations */
export type Violation =
  | ConnectionViolation
  | BudgetSpent
  | SettingsTimeout
  | HeadTimeout
  | KeepaliveTimeout
  | SendStalled

/** The peer broke a rule of one stream (RFC 9113 §5.4.2). @category failures */
export class StreamViolation {
  readonly _tag = "StreamViolation"
  readonly fault = "peer"
  readonly errorCode: number
  readonly detail: string
  constructor(errorCode: number, detail: string) {
    this.errorCode = errorCode
    this.detail = detail
  }
  get message() {
    return `${Code.nameOf(this.errorCode)}: ${this.detail}`
  }
}

/** RFC 9113 §8.1.1: the message breaks a rule of HTTP. Its stream is reset, without an answer. @category failures */
export class MalformedMessage {
  readonly _tag = "MalformedMessage"
  readonly fault = "peer"
  readonly errorCode = Code.ProtocolError
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/** The fields of a head are too many, or have too many bytes; a server answers 431. @category failures */
export class FieldSectionTooLarge {
  readonly _tag = "FieldSectionTooLarge"
  readonly fault = "limit"
  readonly errorCode = Code.EnhanceYourCalm
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

/** The body is above `maxBodySize`; a server answers 413. @category failures */
export class BodyTooLarge {
  readonly _tag = "BodyTooLarge"
  readonly fault = "limit"
  readonly errorCode = Code.Cancel
  readonly status = 413
  readonly limitBytes: number
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }
  get message() {
    return `the body is above the limit of ${this.limitBytes} bytes`
  }
}

/** A body came to a halt in the middle; a server answers 408. @category failures */
export class BodyTimeout {
  readonly _tag = "BodyTimeout"
  readonly fault = "limit"
  readonly errorCode = Code.Cancel
  readonly status = 408
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `nothing of the body came for ${this.limitMillis} ms`
  }
}

/** The peer has not let this side send for too long: its window stayed shut. @category failures */
export class StreamStalled {
  readonly _tag = "StreamStalled"
  readonly fault = "limit"
  readonly errorCode = Code.Cancel
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the peer's window was shut for ${this.limitMillis} ms`
  }
}

/** The peer has ended the stream with RST_STREAM. @category failures */
export class PeerReset {
  readonly _tag = "PeerReset"
  readonly fault = "peer"
  readonly errorCode: number
  constructor(errorCode: number) {
    this.errorCode = errorCode
  }
  get message() {
    return `the peer has reset the stream: ${Code.nameOf(this.errorCode)}`
  }
}

/** This side has ended the stream with RST_STREAM, because its user wanted it. @category failures */
export class LocalReset {
  readonly _tag = "LocalReset"
  readonly fault = "caller"
  readonly errorCode: number
  constructor(errorCode: number) {
    this.errorCode = errorCode
  }
  get message() {
    return `the stream was reset: ${Code.nameOf(this.errorCode)}`
  }
}

/** RFC 9113 §6.8: the stream is above the last one of the peer's GOAWAY, so it was not processed. @category failures */
export class Unprocessed {
  readonly _tag = "Unprocessed"
  readonly fault = "peer"
  /** Of the GOAWAY. */
  readonly errorCode: number
  constructor(errorCode: number) {
    this.errorCode = errorCode
  }
  get message() {
    return "the peer has gone away before it processed the stream"
  }
}

/** The connection was over before the stream. @category failures */
export class ConnectionLost {
  readonly _tag = "ConnectionLost"
  readonly fault = "transport"
  readonly errorCode = Code.InternalError
  /** What ended it, where it was no end of the transport alone. */
  readonly violation: Violation | undefined
  constructor(violation: Violation | undefined) {
    this.violation = violation
  }
  get message() {
    return this.violation === undefined
      ? "the connection was lost"
      : `the connection has ended: ${this.violation.message}`
  }
}

/** What ends a stream before both sides have. @category failures */
export type StreamFailure =
  | StreamViolation
  | MalformedMessage
  | FieldSectionTooLarge
  | BodyTooLarge
  | BodyTimeout
  | StreamStalled
  | PeerReset
  | LocalReset
  | Unprocessed
  | ConnectionLost

/** The stream, or the whole connection, takes no more: a race with the peer. @category refusals */
export class StreamEnded {
  readonly _tag = "StreamEnded"
  readonly fault = "transport"
  get message() {
    return "the stream has ended"
  }
}

/** What was to be sent is no valid message: our caller's mistake. @category refusals */
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

/** A client's request has to wait: as many as the peer allows are on their way. @category refusals */
export class StreamsExhausted {
  readonly _tag = "StreamsExhausted"
  readonly fault = "limit"
  /** SETTINGS_MAX_CONCURRENT_STREAMS of the peer. */
  readonly limit: number
  constructor(limit: number) {
    this.limit = limit
  }
  get message() {
    return `the peer takes ${this.limit} streams at a time`
  }
}

/** The connection takes no new streams: GOAWAY was received or sent, or the stream identifiers are used up. @category refusals */
export class GoingAway {
  readonly _tag = "GoingAway"
  readonly fault = "peer"
  get message() {
    return "the connection takes no new streams"
  }
}

/** Why a command did nothing. @category refusals */
export type Refusal = StreamEnded | InvalidMessage

/** Why a client's request was not sent. @category refusals */
export type RequestRefusal = StreamEnded | InvalidMessage | StreamsExhausted | GoingAway
