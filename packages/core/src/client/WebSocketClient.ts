/**
 * Opens WebSockets over any `Dialer`.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const socket = yield* WebSocketClient.connect("wss://example.com/updates")
 *   yield* socket.send("hello")
 *   return yield* socket.receive
 * }).pipe(Effect.scoped)
 * ```
 *
 * Masks and keys are drawn from Effect's `WebCrypto` reference, which is the
 * platform's own unless a program sets another.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import { WebCrypto } from "effect/crypto/WebCrypto"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Http1Options from "../protocol/http1/Http1Options.ts"
import * as Limit from "../protocol/Limit.ts"
import { Closed, WebSocketError } from "../protocol/websocket/WebSocketError.ts"
import * as ConnectionSocket from "../session/ConnectionSocket.ts"
import * as OpeningSocket from "../session/OpeningSocket.ts"
import * as Timers from "../session/Timers.ts"
import * as WebSocket from "../session/WebSocket.ts"
import type { Owned } from "../session/WebSocketSession.ts"
import * as WebSocketSessionOptions from "../session/WebSocketSessionOptions.ts"
import * as WebSocketSocket from "../session/WebSocketSocket.ts"
import { Deflate } from "../transport/Deflate.ts"
import * as Dialer from "../transport/Dialer.ts"
import type { TlsClientOptions } from "../transport/Tls.ts"
import * as TransportError from "../transport/TransportError.ts"
import * as ReconnectingClient from "./ReconnectingClient.ts"
import * as WebSocketEndpoint from "./WebSocketEndpoint.ts"
import * as WebSocketMasks from "./WebSocketMasks.ts"
import * as WebSocketOpening from "./WebSocketOpening.ts"

/** `ws://`, `wss://`, or an address with a path. @category models */
export type Endpoint = string | URL | WebSocketEndpoint.Endpoint

/** Why there is no WebSocket. @category errors */
export type ConnectError = WebSocketError | TransportError.TransportError

/** @category options */
export interface Options extends WebSocketSessionOptions.Options {
  /** Subprotocols, the preferred first: different tokens. Default: none is asked for. */
  readonly protocols?: ReadonlyArray<string> | undefined
  /** Further fields of the request, such as `authorization` or `origin`. Those of the handshake are the client's. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How `wss` is spoken. No effect on `ws`. */
  readonly tls?: TlsClientOptions | undefined
  /**
   * Longest time for all of resolution, connecting, TLS and the handshake;
   * then it is `ConnectTimeout`. Above 0. Default 10 seconds.
   */
  readonly connectTimeout?: Duration.Input | undefined
}

/**
 * Opens a WebSocket for the lifetime of a scope. Closing the scope closes it:
 * with 1000, with 1001 after an interruption, with 1011 after a failure, and
 * waits for the peer no longer than `closeTimeout`.
 *
 * A server that answers otherwise is `HandshakeRefused`. A URL or an option
 * that makes no sense is a defect.
 *
 * @category constructors
 */
export const connect = (
  endpoint: Endpoint,
  options?: Options
): Effect.Effect<WebSocket.WebSocket, ConnectError, Dialer.Dialer | Scope.Scope> => acquire(endpoint, options)

/** @category options */
export interface ReconnectingOptions extends Options {
  /**
   * When to try again; its input is the error. It begins anew after each
   * WebSocket that came about. Default: 100 ms, doubled up to 30 seconds, with
   * jitter, for ever.
   */
  readonly schedule?: Schedule.Schedule<unknown, ConnectError> | undefined
}

/**
 * Runs `handler` on a WebSocket, and again on a new one whenever the last was
 * lost, or closed by the peer with another code than 1000.
 *
 * It succeeds when the handler ends while its WebSocket is open or because it
 * has closed it, or when the peer has closed it with 1000. It fails with the
 * handler's own errors, and with the last error when the schedule has ended.
 *
 * @category constructors
 */
export const reconnecting = <E, R>(
  endpoint: Endpoint,
  handler: (socket: WebSocket.WebSocket) => Effect.Effect<unknown, E, R>,
  options?: ReconnectingOptions
): Effect.Effect<
  void,
  Pull.ExcludeDone<E> | ConnectError,
  Dialer.Dialer | Exclude<R, WebSocket.WebSocket | Scope.Scope>
> => {
  const run = Effect.gen(function* () {
    const start = Schedule.toStepWithSleep(options?.schedule ?? ReconnectingClient.defaultSchedule)
    let step = yield* start
    while (true) {
      const { error, opened } = yield* attempt(endpoint, handler, options)
      if (error === undefined) return
      if (opened) step = yield* start
      const again = yield* Pull.catchDone(Effect.as(step(error), true), () => Effect.succeed(false))
      if (!again) return yield* Effect.fail(error)
    }
  })
  return run as Effect.Effect<
    void,
    Pull.ExcludeDone<E> | ConnectError,
    Dialer.Dialer | Exclude<R, WebSocket.WebSocket | Scope.Scope>
  >
}

/**
 * Effect's `Socket.Socket`: its reader opens a WebSocket, so reconnecting is a
 * retry around the reader's scope. `RpcClient.layerProtocolSocket` runs on it.
 *
 * @category constructors
 */
export const toSocket = (endpoint: Endpoint, options?: Options): Effect.Effect<Socket.Socket, never, Dialer.Dialer> =>
  Effect.map(Effect.context<Dialer.Dialer>(), (context) => {
    const open = acquire(endpoint, options).pipe(
      Effect.map(WebSocketSocket.make),
      Effect.mapError(openError),
      // The scope is each reader's own.
      Effect.provideContext(Context.omit(Scope.Scope)(context) as Context.Context<Dialer.Dialer>)
    )
    return OpeningSocket.make(open, "again")
  })

/** The same as a layer. @category layers */
export const layerSocket = (endpoint: Endpoint, options?: Options): Layer.Layer<Socket.Socket, never, Dialer.Dialer> =>
  Layer.effect(Socket.Socket, toSocket(endpoint, options))

const acquire = (
  input: Endpoint,
  options: Options | undefined
): Effect.Effect<Owned, ConnectError, Dialer.Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const endpoint = WebSocketEndpoint.resolve(input)
    const limits = WebSocketSessionOptions.resolve(options)
    const connectMillis = Limit.millis("connectTimeout", options?.connectTimeout ?? "10 seconds")
    const context = yield* Effect.context<Dialer.Dialer>()
    const dialer = Context.get(context, Dialer.Dialer)
    const late = TransportError.make(
      new TransportError.ConnectTimeout(Dialer.formatTarget(endpoint.address), connectMillis)
    )
    // Timers and transport must outlive the closing of the WebSocket, so their finalizers come first.
    const timers = yield* Timers.make
    const opening = Effect.flatMap(
      dialer.dial(endpoint.address, {
        connectTimeout: connectMillis,
        tls: endpoint.security === "tls" ? (options?.tls ?? {}) : undefined
      }),
      (transport) =>
        WebSocketOpening.open({
          transport,
          timers,
          endpoint,
          limits,
          http: http1Limits,
          protocols: options?.protocols,
          headers: options?.headers,
          codec: Context.getOrUndefined(context, Deflate),
          masks: WebSocketMasks.of(Context.get(context, WebCrypto))
        })
    )
    return yield* Effect.acquireRelease(
      Effect.timeoutOrElse(opening, { duration: connectMillis, orElse: () => Effect.fail(late) }),
      (owned, exit) => owned.release(exit),
      { interruptible: true }
    )
  })

/** The total timeout bounds all of the handshake. */
const http1Limits = Http1Options.resolve()

/** One WebSocket with its handler. No error: it has ended for good. */
const attempt = <E, R>(
  endpoint: Endpoint,
  handler: (socket: WebSocket.WebSocket) => Effect.Effect<unknown, E, R>,
  options: Options | undefined
) => {
  let owned: Owned | undefined
  return acquire(endpoint, options).pipe(
    Effect.tap((socket) => {
      owned = socket
      return Effect.provideService(
        Pull.catchDone(handler(socket), () => Effect.void),
        WebSocket.WebSocket,
        socket
      )
    }),
    Effect.map((socket) => endOf(socket)),
    Effect.scoped,
    Effect.catchCause((cause) => {
      const failure = Cause.squash(cause)
      return isTransient(failure) ? Effect.succeed(failure) : Effect.failCause(cause)
    }),
    Effect.map((error) => ({ error, opened: owned !== undefined }))
  )
}

/** Why the WebSocket ended that its handler has left; `undefined` where that was the handler's own wish. */
const endOf = ({ refusal }: Owned): WebSocketError | undefined => {
  if (refusal === undefined || refusal._tag === "SendAfterClose") return undefined
  return refusal instanceof Closed && refusal.closeCode === 1000 ? undefined : new WebSocketError({ reason: refusal })
}

/** What another attempt may mend: everything but the mistakes of our own program. */
const isTransient = (failure: unknown): failure is ConnectError =>
  (failure instanceof WebSocketError || failure instanceof TransportError.TransportError) &&
  failure.reason.fault !== "caller"

const openError = (error: ConnectError): Socket.SocketError =>
  error instanceof TransportError.TransportError
    ? ConnectionSocket.openError(error)
    : new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause: error }) })
