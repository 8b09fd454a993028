/**
 * Why a request did not become a WebSocket. Effect answers the request with
 * what the error says; it is not reported, since the client is at fault.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { HandshakeInvalid } from "../protocol/websocket/WebSocketError.ts"
import * as WebSocketHandshake from "../protocol/websocket/WebSocketHandshake.ts"

/** A page of an origin that is not allowed has asked (RFC 6455 §10.2). @category reasons */
export class OriginRefused {
  readonly _tag = "OriginRefused"
  readonly fault = "peer"
  readonly status = 403
  readonly origin: string
  constructor(origin: string) {
    this.origin = origin
  }
  get message() {
    return `the origin ${this.origin} is not allowed`
  }
}

/** The request was answered already, or its client is gone. @category reasons */
export class ExchangeOver {
  readonly _tag = "ExchangeOver"
  readonly fault = "transport"
  readonly status = 499
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return `the protocol cannot be changed: ${this.detail}`
  }
}

/** An extended CONNECT asks for another protocol (RFC 9220 §3: "501"). @category reasons */
export class ProtocolUnknown {
  readonly _tag = "ProtocolUnknown"
  readonly fault = "peer"
  readonly status = 501
  readonly protocol: string
  constructor(protocol: string) {
    this.protocol = protocol
  }
  get message() {
    return `${this.protocol} is not served here`
  }
}

/** @category reasons */
export type Reason = HandshakeInvalid | OriginRefused | ProtocolUnknown | ExchangeOver

/** @category errors */
export class WebSocketUpgradeError
  extends Data.TaggedError("WebSocketUpgradeError")<{
    readonly reason: Reason
  }>
  implements HttpServerRespondable.Respondable
{
  override get message(): string {
    return this.reason.message
  }

  override get [ErrorReporter.ignore](): boolean {
    return true
  }

  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    const { status } = this.reason
    return Effect.succeed(HttpServerResponse.empty({ status, headers: headersOf(status) }))
  }
}

/** RFC 9110 §15.5.6 and §15.5.22 want these; RFC 6455 §4.4 the version. */
const headersOf = (status: number): Record<string, string> => {
  if (status === 405) return { allow: "GET" }
  if (status !== 426) return {}
  return { upgrade: "websocket", "sec-websocket-version": WebSocketHandshake.version }
}
