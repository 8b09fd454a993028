/**
 * WebSockets on a Sluice HTTP server: on any route, beside everything else.
 *
 * ```ts
 * HttpRouter.add("GET", "/ws", WebSocketServer.handle((socket) => socket.runForEach(socket.send)))
 * ```
 *
 * A server that drains tells each client to go away (1001), as soon as its
 * handler is not in the midst of a message.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import { WebSocketError } from "../protocol/websocket/WebSocketError.ts"
import * as CurrentTimers from "../session/CurrentTimers.ts"
import { isHttpExchange } from "../session/HttpExchange.ts"
import * as Timers from "../session/Timers.ts"
import * as WebSocket from "../session/WebSocket.ts"
import type { Owned } from "../session/WebSocketSession.ts"
import { Deflate } from "../transport/Deflate.ts"
import * as WebSocketServerOptions from "./WebSocketServerOptions.ts"
import * as WebSocketUpgrade from "./WebSocketUpgrade.ts"
import { WebSocketUpgradeError } from "./WebSocketUpgradeError.ts"

/** @category options */
export interface Options extends WebSocketServerOptions.Options {}

/**
 * Makes a WebSocket of the current request. Closing the scope closes it: with
 * 1000, with 1001 after an interruption, with 1011 after a failure.
 *
 * Who cannot have a WebSocket is answered with 400, 403, 405, 426 or 501 by the
 * error. Another HTTP server than Sluice's is a defect.
 *
 * @category opening
 */
export const upgrade = (
  options?: Options
): Effect.Effect<WebSocket.WebSocket, WebSocketUpgradeError, HttpServerRequest.HttpServerRequest | Scope.Scope> =>
  acquire(WebSocketServerOptions.resolve(options))

/**
 * Serves a WebSocket to each request of a route. The handler's end closes it,
 * as the scope of `upgrade` does; its peer's end may be the end of the handler,
 * too: `Cause.Done` from `receive` is no failure.
 *
 * A failure of the handler is logged, since the response was sent long before.
 * One that the peer or the network is to blame for is told at debug level.
 *
 * @category serving
 */
export const handle = <E, R>(
  handler: (socket: WebSocket.WebSocket) => Effect.Effect<unknown, E, R>,
  options?: Options
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  WebSocketUpgradeError,
  HttpServerRequest.HttpServerRequest | Exclude<R, WebSocket.WebSocket | Scope.Scope>
> => {
  const settings = WebSocketServerOptions.resolve(options)
  const serving = Effect.flatMap(CurrentTimers.CurrentTimers, (timers) =>
    timers === undefined
      ? Effect.scoped(Effect.flatMap(Timers.make, (own) => serveOne(settings, own, handler)))
      : serveOne(settings, timers, handler)
  )
  return Effect.matchCauseEffect(serving, {
    onSuccess: () => Effect.succeed(switched),
    onFailure: (cause) => Effect.as(report(cause), switched)
  })
}

/** Serves a WebSocket to each request, on every path. @category layers */
export const serve = <E, R>(
  handler: (socket: WebSocket.WebSocket) => Effect.Effect<unknown, E, R>,
  options?: Options
): Layer.Layer<
  never,
  never,
  | HttpServer.HttpServer
  | Exclude<
      HttpServerRequest.HttpServerRequest | Exclude<R, WebSocket.WebSocket | Scope.Scope>,
      HttpServerRequest.HttpServerRequest | Scope.Scope
    >
> => HttpServer.serve(handle(handler, options))

/**
 * The options of WebSockets that come by Effect's own `HttpServerRequest.upgrade`,
 * as those of `RpcServer.layerProtocolWebsocket` do. Default: the limits'
 * defaults, and `origins: "any"`, since Effect's servers look at no origin: a
 * program that knows its users by a cookie should say `"same-origin"`.
 *
 * @category references
 */
export const SocketOptions: Context.Reference<Options> = Context.Reference<Options>(
  "@sluice/core/server/WebSocketServer/SocketOptions",
  { defaultValue: () => ({ origins: "any" }) }
)

/** What the response of the handler is taken for by middleware: it was sent long before. */
const switched = HttpServerResponse.empty({ status: 101 })

const acquire = (
  settings: WebSocketServerOptions.Resolved
): Effect.Effect<Owned, WebSocketUpgradeError, HttpServerRequest.HttpServerRequest | Scope.Scope> =>
  Effect.flatMap(CurrentTimers.getOrMake, (timers) =>
    Effect.acquireRelease(
      Effect.contextWith((context: Context.Context<HttpServerRequest.HttpServerRequest>) =>
        open(settings, timers, context)
      ),
      (owned, exit) => owned.release(exit)
    )
  )

const open = (
  settings: WebSocketServerOptions.Resolved,
  timers: Timers.Timers,
  context: Context.Context<HttpServerRequest.HttpServerRequest>
): Exit.Exit<Owned, WebSocketUpgradeError> => {
  const { source } = Context.get(context, HttpServerRequest.HttpServerRequest)
  if (!isHttpExchange(source)) return Exit.die(new Error("WebSocketServer needs a request of Sluice's server"))
  const opened = WebSocketUpgrade.openUnsafe(source, settings, timers, Context.getOrUndefined(context, Deflate))
  return "_tag" in opened ? Exit.fail(new WebSocketUpgradeError({ reason: opened })) : Exit.succeed(opened)
}

/**
 * One WebSocket from its handshake to its end. As `acquire` in a scope with the
 * handler, in fewer frames: an idle connection holds all of them.
 */
const serveOne = <E, R>(
  settings: WebSocketServerOptions.Resolved,
  timers: Timers.Timers,
  handler: (socket: WebSocket.WebSocket) => Effect.Effect<unknown, E, R>
): Effect.Effect<
  unknown,
  E | WebSocketUpgradeError,
  HttpServerRequest.HttpServerRequest | Exclude<R, WebSocket.WebSocket | Scope.Scope>
> =>
  Effect.contextWith((context: Context.Context<HttpServerRequest.HttpServerRequest>) => {
    const opened = open(settings, timers, context)
    if (Exit.isFailure(opened)) return opened as Exit.Exit<never, E | WebSocketUpgradeError>
    const socket = opened.value
    const scope = Scope.makeUnsafe()
    const handled = Effect.suspend(() => handler(socket)) as Effect.Effect<
      unknown,
      E,
      WebSocket.WebSocket | Scope.Scope
    >
    // Added, not merged, which would copy all services of the server for each connection.
    const provided = Effect.updateContext(handled, (services: Context.Context<never>) =>
      Context.add(Context.add(services, WebSocket.WebSocket, socket), Scope.Scope, scope)
    )
    return Effect.onExitPrimitive(provided, (exit) => {
      const ended = Exit.isFailure(exit) && isEnd(exit.cause) ? Exit.void : exit
      return Effect.ensuring(Scope.close(scope, ended), socket.release(ended))
    }) as Effect.Effect<unknown, E | WebSocketUpgradeError, Exclude<R, WebSocket.WebSocket | Scope.Scope>>
  })

/** What the handler failed with, once its WebSocket is closed. What came before that is an answer to the request. */
const report = (
  cause: Cause.Cause<unknown>
): Effect.Effect<void, WebSocketUpgradeError, HttpServerRequest.HttpServerRequest> => {
  if (isEnd(cause)) return Effect.void
  if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
  const failures = cause.reasons.flatMap((reason) =>
    reason._tag === "Fail" ? [reason.error] : reason._tag === "Die" ? [reason.defect] : []
  )
  const refused = failures.find((failure) => failure instanceof WebSocketUpgradeError)
  if (refused !== undefined) return Effect.fail(refused)
  const log = failures.every(isOfPeer)
    ? Effect.logDebug("WebSocket ended by its peer's fault", failures[0])
    : Effect.logError("Unhandled error in a WebSocket handler", cause)
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ source }) =>
    isHttpExchange(source)
      ? Effect.annotateLogs(log, "peer", NetAddress.formatSocketAddress(source.transport.peer))
      : Effect.failCause(cause as Cause.Cause<never>)
  )
}

/** Of `receive`: the handler has heard all, and failed with nothing else. */
const isEnd = (cause: Cause.Cause<unknown>): boolean => cause.reasons.every(Pull.isDoneFailure)

const isOfPeer = (failure: unknown): boolean => failure instanceof WebSocketError && failure.reason.fault !== "caller"
