/**
 * `HttpServerRequest.upgrade`: the connection of a request as Effect's
 * `Socket`, for a WebSocket or any other protocol that the client asked for.
 *
 * The answer is sent when the socket's reader is acquired, and the reader's
 * scope is the connection's lifetime. Until then the request can be answered
 * as any other.
 *
 * @internal
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Headers from "effect/http/Headers"
import { HttpServerError, InternalError, RequestParseError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as HttpField from "../protocol/http/HttpField.ts"
import * as Connection from "../session/Connection.ts"
import * as ConnectionOptions from "../session/ConnectionOptions.ts"
import * as CurrentTimers from "../session/CurrentTimers.ts"
import type { HttpBody } from "../session/HttpBody.ts"
import type { HttpExchange } from "../session/HttpExchange.ts"
import * as OpeningSocket from "../session/OpeningSocket.ts"
import type * as Timers from "../session/Timers.ts"
import * as WebSocketSocket from "../session/WebSocketSocket.ts"
import { Deflate } from "../transport/Deflate.ts"
import * as WebSocketServer from "./WebSocketServer.ts"
import * as WebSocketServerOptions from "./WebSocketServerOptions.ts"
import * as WebSocketUpgrade from "./WebSocketUpgrade.ts"
import { WebSocketUpgradeError } from "./WebSocketUpgradeError.ts"

/**
 * Fails with 400 for a request that asks for no other protocol, or for a
 * WebSocket that it cannot have.
 *
 * @category upgrading
 */
export const toSocket = (
  request: HttpServerRequest,
  exchange: HttpExchange,
  headers: Headers.Headers
): Effect.Effect<Socket.Socket, HttpServerError> => {
  const protocol = exchange.upgradeProtocol
  if (protocol === undefined) return Effect.fail(parseError(request, "the request asks for no other protocol"))
  const names = Object.keys(headers)
  // Of several that the client offers, a WebSocket is what it gets.
  if (!HttpField.hasToken(protocol, "websocket")) {
    // RFC 9110 §7.8: a list in the answer would say that the protocols lie one upon the other.
    if (protocol.includes(",")) return Effect.fail(parseError(request, `of ${protocol}, none is known here`))
    const reserved = names.find((name) => reservedNames.has(name))
    return reserved === undefined
      ? Effect.succeed(OpeningSocket.make(openRaw(exchange, protocol, headers), "once"))
      : Effect.fail(misuse(request, `the ${reserved} field of an upgrade is the server's`))
  }
  return names.length === 0
    ? openWebSocket(request, exchange)
    : Effect.fail(misuse(request, "the answer to a WebSocket takes no further fields"))
}

const openWebSocket = (
  request: HttpServerRequest,
  exchange: HttpExchange
): Effect.Effect<Socket.Socket, HttpServerError> =>
  Effect.contextWith((context: Context.Context<never>) => {
    const settings = WebSocketServerOptions.resolve(Context.get(context, WebSocketServer.SocketOptions))
    const codec = Context.getOrUndefined(context, Deflate)
    const checked = WebSocketUpgrade.check(exchange, settings, codec)
    if (checked._tag !== "Opened") {
      return Effect.fail(parseError(request, checked.message, new WebSocketUpgradeError({ reason: checked })))
    }
    const open = Effect.flatMap(CurrentTimers.getOrMake, (timers) => {
      const opened = WebSocketUpgrade.openUnsafe(exchange, settings, timers, codec)
      return "_tag" in opened
        ? Effect.fail(openError(new WebSocketUpgradeError({ reason: opened })))
        : Effect.succeed(WebSocketSocket.make(opened))
    })
    return Effect.succeed(OpeningSocket.make(open, "once"))
  })

/** Bytes as they are, in the protocol that the client asked for. */
const openRaw = (
  exchange: HttpExchange,
  protocol: string,
  headers: Headers.Headers
): Effect.Effect<OpeningSocket.Opened, Socket.SocketError, Scope.Scope> =>
  Effect.gen(function* () {
    const timers = yield* CurrentTimers.getOrMake
    if (exchange.body !== undefined) yield* discard(exchange.body)
    const owned = yield* takeOver(exchange, protocol, headers, timers)
    const { connection } = owned
    return {
      reader: Effect.andThen(
        Effect.addFinalizer((exit) =>
          Effect.suspend(() => {
            if (Exit.isSuccess(exit)) owned.close()
            else owned.destroy()
            return connection.closed
          })
        ),
        connection.reader
      ),
      writer: yield* connection.writer,
      end: connection.end
    }
  })

const takeOver = (
  exchange: HttpExchange,
  protocol: string,
  headers: Headers.Headers,
  timers: Timers.Timers
): Effect.Effect<Connection.Owned, Socket.SocketError> =>
  Effect.suspend(() => {
    let owned: Connection.Owned | undefined
    // RFC 8441 §5: what was asked for is not said again.
    const parts =
      exchange.version === "2" ? { status: 200, headers } : { status: 101, headers: { ...headers, upgrade: protocol } }
    const refusal = exchange.upgrade(parts, (transport, rest) => {
      const taken = Connection.makeUnsafe("server", transport, timers, ConnectionOptions.resolve(), rest)
      owned = taken
      return { drain: () => taken.drain(), cut: () => taken.destroy() }
    })
    return owned === undefined
      ? Effect.fail(openError(new Error(refusal?.message ?? "the stream was not handed over")))
      : Effect.succeed(owned)
  })

/** The stream is behind the request's body, which somebody may have read in part. */
const discard = (body: HttpBody): Effect.Effect<void, Socket.SocketError> =>
  Effect.suspend(() => {
    let discardedBytes = 0
    const pull = Effect.flatMap(body.pull, (chunks) => {
      for (const chunk of chunks) discardedBytes += chunk.length
      return discardedBytes <= mostDiscardedBytes ? Effect.void : Effect.fail("TooLarge")
    })
    return Effect.forever(pull).pipe(
      Pull.catchDone(() => Effect.void),
      Effect.mapError((failure) => openError(new Error(`the request's body was not received: ${String(failure)}`)))
    )
  })

/** What of a request's body is read for nothing. */
const mostDiscardedBytes = 2 ** 18

const reservedNames = new Set(["connection", "upgrade", "content-length", "transfer-encoding"])

const openError = (cause: unknown): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause }) })

const parseError = (request: HttpServerRequest, description: string, cause?: unknown): HttpServerError =>
  new HttpServerError({ reason: new RequestParseError({ request, description, cause }) })

const misuse = (request: HttpServerRequest, description: string): HttpServerError =>
  new HttpServerError({ reason: new InternalError({ request, description }) })
