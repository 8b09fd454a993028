/**
 * Why a request over HTTP/2 failed, or why there is no session for it.
 *
 * Every reason says who is at fault (`fault`) and whether the request may
 * safely be sent again (`retry`), in the words of `TransportError`. Policies
 * read those two, never the text.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { StreamFailure, Violation } from "../protocol/http2/Http2Error.ts"
import * as Code from "../protocol/http2/Http2ErrorCode.ts"
import type { Fault, RetrySafety, TransportError } from "../transport/TransportError.ts"

/** The request is no valid message: a field, the method or the path; or, when its head was sent, its body or trailers. @category reasons */
export class InvalidRequest {
  readonly _tag = "InvalidRequest"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety
  readonly detail: string
  constructor(retry: RetrySafety, detail: string) {
    this.retry = retry
    this.detail = detail
  }
  get message() {
    return `the request cannot be sent: ${this.detail}`
  }
}

/** The request's own body failed; `cause` is its error. @category reasons */
export class RequestBodyFailed {
  readonly _tag = "RequestBodyFailed"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
  get message() {
    return "the body of the request failed"
  }
}

/** This side has given the request up before its response was whole. @category reasons */
export class Cancelled {
  readonly _tag = "Cancelled"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety
  constructor(retry: RetrySafety) {
    this.retry = retry
  }
  get message() {
    return "the request was cancelled"
  }
}

/** This side has closed the session. @category reasons */
export class SessionClosed {
  readonly _tag = "SessionClosed"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety
  constructor(retry: RetrySafety) {
    this.retry = retry
  }
  get message() {
    return "the session was closed on this side"
  }
}

/** As many requests as `maxWaiting` allows wait already. @category reasons */
export class TooManyWaiting {
  readonly _tag = "TooManyWaiting"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "NotSent"
  readonly limitCount: number
  constructor(limitCount: number) {
    this.limitCount = limitCount
  }
  get message() {
    return `${this.limitCount} requests wait for the server already`
  }
}

/** The server took no further stream for `waitTimeout`. @category reasons */
export class WaitTimeout {
  readonly _tag = "WaitTimeout"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "NotSent"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the server took no further request for ${this.limitMillis} ms`
  }
}

/** The server takes no new requests on this connection (GOAWAY), or its identifiers are used up. @category reasons */
export class GoneAway {
  readonly _tag = "GoneAway"
  readonly fault: Fault = "peer"
  readonly retry: RetrySafety = "NotSent"
  readonly errorCode: number
  /** What the server said besides. */
  readonly debug: string
  constructor(errorCode: number, debug: string) {
    this.errorCode = errorCode
    this.debug = debug
  }
  get message() {
    const message = `the server takes no new requests: ${Code.nameOf(this.errorCode)}`
    return this.debug === "" ? message : `${message}, ${this.debug}`
  }
}

/** RFC 9113 §8.7: the server says that it has not looked at the request. @category reasons */
export class RefusedByServer {
  readonly _tag = "RefusedByServer"
  readonly fault: Fault = "peer"
  readonly retry: RetrySafety = "RefusedByServer"
  /** REFUSED_STREAM for the stream, or a GOAWAY whose last stream came before it. */
  readonly by: "reset" | "goaway"
  readonly errorCode: number
  constructor(by: "reset" | "goaway", errorCode: number) {
    this.by = by
    this.errorCode = errorCode
  }
  get message() {
    return `the server has not processed the request: ${Code.nameOf(this.errorCode)}`
  }
}

/** The server has ended the stream with RST_STREAM. @category reasons */
export class ResetByServer {
  readonly _tag = "ResetByServer"
  readonly fault: Fault = "peer"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly errorCode: number
  constructor(errorCode: number) {
    this.errorCode = errorCode
  }
  get message() {
    return `the server has reset the stream: ${Code.nameOf(this.errorCode)}`
  }
}

/** The response breaks a rule of HTTP, or of its stream. @category reasons */
export class InvalidResponse {
  readonly _tag = "InvalidResponse"
  readonly fault: Fault = "peer"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return `the response is invalid: ${this.detail}`
  }
}

/** The head or the body of the response is above a limit of ours. @category reasons */
export class ResponseTooLarge {
  readonly _tag = "ResponseTooLarge"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly part: "head" | "body"
  readonly limit: number
  readonly unit: "bytes" | "fields"
  constructor(part: "head" | "body", limit: number, unit: "bytes" | "fields") {
    this.part = part
    this.limit = limit
    this.unit = unit
  }
  get message() {
    return `the ${this.part} of the response is above the limit of ${this.limit} ${this.unit}`
  }
}

/** Nothing more of the response came, or the server took nothing more of the request. @category reasons */
export class Stalled {
  readonly _tag = "Stalled"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly side: "request" | "response"
  readonly limitMillis: number
  constructor(side: "request" | "response", limitMillis: number) {
    this.side = side
    this.limitMillis = limitMillis
  }
  get message() {
    return `the ${this.side} came to a halt for ${this.limitMillis} ms`
  }
}

/** The head of the response did not come in its time. @category reasons */
export class ResponseTimeout {
  readonly _tag = "ResponseTimeout"
  readonly fault: Fault = "limit"
  /** `NotSent`: the request still waited for a place. */
  readonly retry: RetrySafety
  readonly limitMillis: number
  constructor(retry: RetrySafety, limitMillis: number) {
    this.retry = retry
    this.limitMillis = limitMillis
  }
  get message() {
    return `the response did not begin within ${this.limitMillis} ms`
  }
}

/** The connection broke off. @category reasons */
export class ConnectionLost {
  readonly _tag = "ConnectionLost"
  readonly fault: Fault = "transport"
  readonly retry: RetrySafety
  /** What the transport said; `undefined` where the server just ended the connection. */
  readonly error: TransportError | undefined
  constructor(retry: RetrySafety, error: TransportError | undefined) {
    this.retry = retry
    this.error = error
  }
  get message() {
    return this.error === undefined ? "the server has ended the connection" : this.error.message
  }
}

/** The server broke a rule or a limit of the connection, which is closing. @category reasons */
export class ConnectionViolated {
  readonly _tag = "ConnectionViolated"
  readonly fault: Fault
  readonly retry: RetrySafety
  readonly violation: Violation
  constructor(retry: RetrySafety, violation: Violation) {
    this.fault = violation.fault
    this.retry = retry
    this.violation = violation
  }
  get message() {
    return this.violation.message
  }
}

/** No request was on its way for `idleTimeout`, so this side has ended the connection. @category reasons */
export class IdleTimeout {
  readonly _tag = "IdleTimeout"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "NotSent"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the connection was idle for ${this.limitMillis} ms`
  }
}

/** RFC 9113 §3.2: the server did not agree on `h2` by ALPN. @category reasons */
export class Http2NotAgreed {
  readonly _tag = "Http2NotAgreed"
  readonly fault: Fault = "peer"
  readonly retry: RetrySafety = "NotSent"
  /** What it agreed on instead. */
  readonly alpnProtocol: string | undefined
  constructor(alpnProtocol: string | undefined) {
    this.alpnProtocol = alpnProtocol
  }
  get message() {
    return `the server did not agree on HTTP/2, but on ${this.alpnProtocol ?? "nothing"}`
  }
}

/** How a session can end. @category reasons */
export type Ended = SessionClosed | GoneAway | IdleTimeout | ConnectionLost | ConnectionViolated

/** @category reasons */
export type Reason =
  | InvalidRequest
  | RequestBodyFailed
  | Cancelled
  | TooManyWaiting
  | WaitTimeout
  | RefusedByServer
  | ResetByServer
  | InvalidResponse
  | ResponseTooLarge
  | Stalled
  | ResponseTimeout
  | Http2NotAgreed
  | Ended

/**
 * A request failed, or a session; `reason` says why.
 *
 * ```ts
 * Effect.retry({ while: (error) => error.reason.retry !== "MaybeProcessed" })
 * ```
 *
 * @category errors
 */
export class Http2ClientError extends Data.TaggedError("Http2ClientError")<{
  readonly reason: Reason
}> {
  override get message(): string {
    return this.reason.message
  }
}

/** @category constructors */
export const make = (reason: Reason): Http2ClientError => new Http2ClientError({ reason })

/**
 * The reason for what ended a stream of the engine. `heard`: a part of the
 * response came, so that a server which says that it has not looked at the
 * request is not believed.
 *
 * @category constructors
 */
export const ofFailure = (failure: StreamFailure, heard: "nothing" | "response" | "whole"): Reason => {
  switch (failure._tag) {
    case "PeerReset":
      return failure.errorCode === Code.RefusedStream && heard === "nothing"
        ? new RefusedByServer("reset", failure.errorCode)
        : new ResetByServer(failure.errorCode)
    case "Unprocessed":
      return heard === "nothing"
        ? new RefusedByServer("goaway", failure.errorCode)
        : new ResetByServer(failure.errorCode)
    case "StreamViolation":
    case "MalformedMessage":
      return new InvalidResponse(failure.message)
    case "FieldSectionTooLarge":
      return new ResponseTooLarge("head", failure.limit, failure.unit)
    case "BodyTooLarge":
      return new ResponseTooLarge("body", failure.limitBytes, "bytes")
    case "BodyTimeout":
      return new Stalled("response", failure.limitMillis)
    case "StreamStalled":
      return new Stalled("request", failure.limitMillis)
    case "LocalReset":
      return new Cancelled("MaybeProcessed")
    case "ConnectionLost":
      return failure.violation === undefined
        ? new ConnectionLost("MaybeProcessed", undefined)
        : new ConnectionViolated("MaybeProcessed", failure.violation)
  }
}

/** What a request fails with that was not sent before the session ended so. @category constructors */
export const unsent = (ended: Ended): Ended => {
  switch (ended._tag) {
    case "GoneAway":
    case "IdleTimeout":
      return ended
    case "SessionClosed":
      return new SessionClosed("NotSent")
    case "ConnectionLost":
      return new ConnectionLost("NotSent", ended.error)
    case "ConnectionViolated":
      return new ConnectionViolated("NotSent", ended.violation)
  }
}
