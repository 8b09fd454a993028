/**
 * One HTTP/2 connection to a server, which carries many requests at a time.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const session = yield* Http2Session.connect({ host: "example.com", port: 443 }, { tls: {} })
 *   const response = yield* session.request({ path: "/updates" })
 *   return yield* response.text()
 * }).pipe(Effect.scoped)
 * ```
 *
 * Requests above what the server takes at a time wait here, in their order. A
 * session is one connection: it does not come back by itself.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as NetAddress from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import * as Http2Options from "../protocol/http2/Http2Options.ts"
import * as Limit from "../protocol/Limit.ts"
import * as Http2ClientError from "../session/Http2ClientError.ts"
import { Http2ClientSession, type Owner, type Stats } from "../session/Http2ClientSession.ts"
import * as Timers from "../session/Timers.ts"
import * as Dialer from "../transport/Dialer.ts"
import type { TlsInfo } from "../transport/Tls.ts"
import type { TransportError } from "../transport/TransportError.ts"
import * as Http2Request from "./Http2Request.ts"
import type { Http2Response } from "./Http2Response.ts"

export type { Owner, Stats } from "../session/Http2ClientSession.ts"

/** @category options */
export interface Options extends Http2Options.Options, Dialer.DialOptions {
  /** `:authority` of requests. Default: the target, without the scheme's own port; `localhost` for a Unix socket. */
  readonly authority?: string | undefined
  /**
   * Requests that may wait for the server, beside those on their way. At least
   * 0. Default 1,024. Above: `TooManyWaiting`.
   */
  readonly maxWaiting?: number | undefined
  /** How long a request may wait to be sent. Above 0. Default 30 seconds. Above: `WaitTimeout`. */
  readonly waitTimeout?: Duration.Input | "unbounded" | undefined
  /** `responseTimeout` of requests that have none of their own. Above 0. Default 5 minutes. */
  readonly responseTimeout?: Duration.Input | "unbounded" | undefined
  /** How long requests on their way may take when the session's scope closes. Above 0. Default 5 seconds. */
  readonly drainTimeout?: Duration.Input | undefined
}

/** @category models */
export interface Http2Session {
  readonly local: NetAddress.SocketAddress
  readonly peer: NetAddress.SocketAddress
  /** `undefined` for cleartext. */
  readonly tls: TlsInfo | undefined
  /**
   * Sends a request, and succeeds with the head of its response, whatever its
   * status. Closing the scope gives up what of both is not over.
   */
  readonly request: (
    options?: Http2Request.Options
  ) => Effect.Effect<Http2Response, Http2ClientError.Http2ClientError, Scope.Scope>
  /** Asks whether the server is there: how long the answer took. */
  readonly ping: Effect.Effect<Duration.Duration, Http2ClientError.Http2ClientError>
  /** How it ended, once the connection is gone. */
  readonly closed: Effect.Effect<Http2ClientError.Ended>
  /** Whether new requests are taken: neither side drains or is gone. */
  readonly isAvailable: boolean
  /** How many requests would be sent at once. */
  readonly capacity: number
  readonly stats: Stats
}

/**
 * Connects for the lifetime of a scope: with TLS and ALPN where `tls` is
 * given, else in cleartext, by prior knowledge (RFC 9113 §3.3). It does not
 * wait for the server's SETTINGS.
 *
 * Closing the scope drains: no new requests, those that wait fail, those on
 * their way have `drainTimeout`.
 *
 * @category constructors
 */
export const connect = (
  target: Dialer.Target,
  options?: Options
): Effect.Effect<Http2Session, TransportError | Http2ClientError.Http2ClientError, Dialer.Dialer | Scope.Scope> =>
  Effect.map(acquire(target, options), ({ session }) => session)

/** A session with what only an owner, such as a pool, has. @category models */
export interface Owned {
  readonly session: Http2Session
  readonly calls: Http2ClientSession
}

/** The same, with what only an owner may do. @category constructors */
export const acquire = (
  target: Dialer.Target,
  options?: Options & { readonly owner?: Owner | undefined }
): Effect.Effect<Owned, TransportError | Http2ClientError.Http2ClientError, Dialer.Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const dialer = yield* Dialer.Dialer
    const limits = Http2Options.resolve("client", options)
    const waiting = {
      waitingCount: Limit.count("maxWaiting", options?.maxWaiting ?? 1024, 0),
      waitingMillis: Limit.millisOrUnbounded("waitTimeout", options?.waitTimeout ?? "30 seconds")
    }
    const responseMillis = Limit.millisOrUnbounded("responseTimeout", options?.responseTimeout ?? "5 minutes")
    const drainMillis = Limit.millis("drainTimeout", options?.drainTimeout ?? "5 seconds")
    const tls = options?.tls && { ...options.tls, alpnProtocols: ["h2"] }
    const scheme = tls === undefined ? "http" : "https"
    // Timers and transport must outlive the drain, so their finalizers come first.
    const timers = yield* Timers.make
    const transport = yield* dialer.dial(target, { connectTimeout: options?.connectTimeout, tls })
    if (tls !== undefined && transport.tls?.alpnProtocol !== "h2") {
      transport.destroy()
      return yield* Http2ClientError.make(new Http2ClientError.Http2NotAgreed(transport.tls?.alpnProtocol))
    }
    const calls = new Http2ClientSession({ transport, timers, limits, waiting, owner: options?.owner })
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        calls.closeUnsafe(drainMillis)
        return calls.closed
      })
    )
    return {
      calls,
      session: new Session(calls, {
        scheme,
        authority: options?.authority ?? authorityOf(target, scheme),
        responseMillis
      })
    }
  })

class Session implements Http2Session {
  private readonly calls: Http2ClientSession
  private readonly defaults: Http2Request.Defaults

  constructor(calls: Http2ClientSession, defaults: Http2Request.Defaults) {
    this.calls = calls
    this.defaults = defaults
  }

  get local(): NetAddress.SocketAddress {
    return this.calls.transport.local
  }

  get peer(): NetAddress.SocketAddress {
    return this.calls.transport.peer
  }

  get tls(): TlsInfo | undefined {
    return this.calls.transport.tls
  }

  readonly request: Http2Session["request"] = (options) =>
    Http2Request.send(this.calls, this.defaults, options ?? noOptions)

  get ping(): Http2Session["ping"] {
    return Effect.callback((resume) => {
      const forget = this.calls.pingUnsafe((roundTripMillis) =>
        resume(
          roundTripMillis === undefined
            ? Exit.fail(Http2ClientError.make(this.calls.ended ?? lost))
            : Exit.succeed(Duration.millis(roundTripMillis))
        )
      )
      return Effect.sync(forget)
    })
  }

  get closed(): Http2Session["closed"] {
    return this.calls.closed
  }

  get isAvailable(): boolean {
    return this.calls.isAvailable
  }

  get capacity(): number {
    return this.calls.capacity
  }

  get stats(): Stats {
    return this.calls.stats
  }
}

const lost = new Http2ClientError.ConnectionLost("MaybeProcessed", undefined)

const noOptions: Http2Request.Options = {}

/** The `:authority` of a target, where nothing else is said. @internal */
export const authorityOf = (target: Dialer.Target, scheme: "http" | "https"): string => {
  if ("path" in target) return "localhost"
  if (NetAddress.isSocketAddress(target)) {
    return NetAddress.isInetAddress(target) ? NetAddress.formatSocketAddress(target) : "localhost"
  }
  const host = NetAddress.formatUrlHostString(target.host)
  return target.port === defaultPorts[scheme] ? host : `${host}:${target.port}`
}

const defaultPorts = { http: 80, https: 443 }
