/**
 * Why a transport could not be opened, or was lost.
 *
 * Every reason says who is at fault (`fault`) and whether a client that had
 * something to say may safely say it again (`retry`). Policies read those two
 * fields, never the text.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * Who is at fault: the peer broke a rule, a limit of ours was reached, the
 * transport was lost, or our own caller asked for something impossible.
 *
 * @category models
 */
export type Fault = "peer" | "limit" | "transport" | "caller"

/**
 * Whether what was sent can be sent again: nothing left this process
 * (`NotSent`), the server said that it did not look at it
 * (`RefusedByServer`), or it may have been acted on (`MaybeProcessed`).
 *
 * @category models
 */
export type RetrySafety = "NotSent" | "RefusedByServer" | "MaybeProcessed"

/** The address is bound by somebody else. `address` is what was asked for. @category reasons */
export class AddressInUse {
  readonly _tag = "AddressInUse"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety = "NotSent"
  readonly address: string
  constructor(address: string) {
    this.address = address
  }
  get message() {
    return `${this.address} is in use by another listener`
  }
}

/** The address is not one of this machine's, or its path cannot be used. @category reasons */
export class AddressUnavailable {
  readonly _tag = "AddressUnavailable"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety = "NotSent"
  readonly address: string
  readonly detail: string
  constructor(address: string, detail: string) {
    this.address = address
    this.detail = detail
  }
  get message() {
    return `${this.address} cannot be used: ${this.detail}`
  }
}

/** The operating system forbids it (a port below 1024, a socket file of somebody else's). @category reasons */
export class PermissionDenied {
  readonly _tag = "PermissionDenied"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety = "NotSent"
  readonly address: string
  constructor(address: string) {
    this.address = address
  }
  get message() {
    return `no permission to use ${this.address}`
  }
}

/** The process or the machine has no file descriptor, port or memory left. @category reasons */
export class ResourceExhausted {
  readonly _tag = "ResourceExhausted"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "NotSent"
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
  get message() {
    return `the system is out of resources (${this.code})`
  }
}

/** A certificate, key or authority of ours is missing, unreadable, or does not fit its key. @category reasons */
export class CertificateInvalid {
  readonly _tag = "CertificateInvalid"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety = "NotSent"
  /** The file, or what was given in its place. */
  readonly source: string
  readonly detail: string
  constructor(source: string, detail: string) {
    this.source = source
    this.detail = detail
  }
  get message() {
    return `the certificate or key in ${this.source} cannot be used: ${this.detail}`
  }
}

/** The transport cannot do what was asked (a TLS upgrade in memory, a second upgrade). @category reasons */
export class Unsupported {
  readonly _tag = "Unsupported"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety = "NotSent"
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/** The host's name has no address, or the resolver did not answer. @category reasons */
export class NameNotResolved {
  readonly _tag = "NameNotResolved"
  readonly fault: Fault = "transport"
  readonly retry: RetrySafety = "NotSent"
  readonly host: string
  readonly code: string
  constructor(host: string, code: string) {
    this.host = host
    this.code = code
  }
  get message() {
    return `no address for ${this.host} (${this.code})`
  }
}

/** Nobody listens there. @category reasons */
export class ConnectionRefused {
  readonly _tag = "ConnectionRefused"
  readonly fault: Fault = "transport"
  readonly retry: RetrySafety = "NotSent"
  readonly address: string
  constructor(address: string) {
    this.address = address
  }
  get message() {
    return `${this.address} refused the connection`
  }
}

/** There is no way to the address. @category reasons */
export class Unreachable {
  readonly _tag = "Unreachable"
  readonly fault: Fault = "transport"
  readonly retry: RetrySafety = "NotSent"
  readonly address: string
  readonly code: string
  constructor(address: string, code: string) {
    this.address = address
    this.code = code
  }
  get message() {
    return `${this.address} cannot be reached (${this.code})`
  }
}

/** The connection was not established within the dialer's `connectTimeout`. @category reasons */
export class ConnectTimeout {
  readonly _tag = "ConnectTimeout"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "NotSent"
  readonly address: string
  readonly limitMillis: number
  constructor(address: string, limitMillis: number) {
    this.address = address
    this.limitMillis = limitMillis
  }
  get message() {
    return `${this.address} did not answer within ${this.limitMillis} ms`
  }
}

/** The TLS handshake failed: no TLS at all, no common version or protocol, or a certificate was refused. @category reasons */
export class TlsHandshakeFailed {
  readonly _tag = "TlsHandshakeFailed"
  readonly fault: Fault = "peer"
  readonly retry: RetrySafety = "NotSent"
  readonly code: string
  readonly detail: string
  constructor(code: string, detail: string) {
    this.code = code
    this.detail = detail
  }
  get message() {
    return `TLS handshake failed (${this.code}): ${this.detail}`
  }
}

/** The TLS handshake did not end within its `handshakeTimeout`. @category reasons */
export class TlsHandshakeTimeout {
  readonly _tag = "TlsHandshakeTimeout"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "NotSent"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `TLS handshake did not end within ${this.limitMillis} ms`
  }
}

/** A trusted proxy sent no PROXY header, or a malformed one. @category reasons */
export class ProxyHeaderInvalid {
  readonly _tag = "ProxyHeaderInvalid"
  readonly fault: Fault = "peer"
  readonly retry: RetrySafety = "NotSent"
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
  get message() {
    return `invalid PROXY header: ${this.detail}`
  }
}

/** All places were taken (`total`, `opening`), the wait for one was too long (`waiting`), the peer's address had its share, or the server drains and takes none (`draining`). @category reasons */
export class TooManyConnections {
  readonly _tag = "TooManyConnections"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "RefusedByServer"
  readonly limit: "total" | "per address" | "waiting" | "opening" | "draining"
  readonly limitCount: number
  constructor(limit: "total" | "per address" | "waiting" | "opening" | "draining", limitCount: number) {
    this.limit = limit
    this.limitCount = limitCount
  }
  get message() {
    return `too many connections (${this.limit} limit of ${this.limitCount})`
  }
}

/** The connection broke off: reset by the peer, aborted, or its network is gone. @category reasons */
export class ConnectionLost {
  readonly _tag = "ConnectionLost"
  readonly fault: Fault = "transport"
  readonly retry: RetrySafety = "MaybeProcessed"
  /** The platform's word for it, such as `ECONNRESET`. */
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
  get message() {
    return `connection lost (${this.code})`
  }
}

/** No byte came or went for `idleTimeout`. @category reasons */
export class IdleTimeout {
  readonly _tag = "IdleTimeout"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `connection idle for ${this.limitMillis} ms`
  }
}

/** The peer began a frame and sent nothing more for `readTimeout`. @category reasons */
export class ReadStalled {
  readonly _tag = "ReadStalled"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the peer left a frame unfinished for ${this.limitMillis} ms`
  }
}

/** The peer took nothing of what waits for it for `writeTimeout`. @category reasons */
export class WriteStalled {
  readonly _tag = "WriteStalled"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the peer read nothing for ${this.limitMillis} ms`
  }
}

/** The peer did not finish closing within `closeTimeout`. @category reasons */
export class CloseTimeout {
  readonly _tag = "CloseTimeout"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the connection did not close within ${this.limitMillis} ms`
  }
}

/** This side closed the connection, and then wanted to use it. @category reasons */
export class Closed {
  readonly _tag = "Closed"
  readonly fault: Fault = "caller"
  readonly retry: RetrySafety = "NotSent"
  get message() {
    return "the connection was closed on this side"
  }
}

/** @category reasons */
export type Reason =
  | AddressInUse
  | AddressUnavailable
  | PermissionDenied
  | ResourceExhausted
  | CertificateInvalid
  | Unsupported
  | NameNotResolved
  | ConnectionRefused
  | Unreachable
  | ConnectTimeout
  | TlsHandshakeFailed
  | TlsHandshakeTimeout
  | ProxyHeaderInvalid
  | TooManyConnections
  | ConnectionLost
  | IdleTimeout
  | ReadStalled
  | WriteStalled
  | CloseTimeout
  | Closed

/**
 * A transport could not be opened or was lost; `reason` says why.
 *
 * ```ts
 * Effect.catchReason("TransportError", "AddressInUse", (reason) => …)
 * ```
 *
 * @category errors
 */
export class TransportError extends Data.TaggedError("TransportError")<{
  readonly reason: Reason
}> {
  override get message(): string {
    return this.reason.message
  }
}

/** @category constructors */
export const make = (reason: Reason): TransportError => new TransportError({ reason })
