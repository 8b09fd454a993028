/**
 * Opens byte-stream connections over any `Dialer`.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const connection = yield* TcpClient.connect({ host: "127.0.0.1", port: 4000 })
 *   const lines = connection.framed(Lines.make())
 *   yield* lines.send("HELLO")
 *   return yield* lines.receive
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Connection from "../session/Connection.ts"
import * as ConnectionOptions from "../session/ConnectionOptions.ts"
import * as Timers from "../session/Timers.ts"
import * as Dialer from "../transport/Dialer.ts"
import type { TransportError } from "../transport/TransportError.ts"
import * as DialedSocket from "./DialedSocket.ts"

/** @category options */
export interface Options extends Dialer.DialOptions, ConnectionOptions.Options {}

/**
 * Opens one connection for the lifetime of a scope.
 *
 * Closing the scope closes the connection in good order: what was sent is
 * delivered, and the peer's end is awaited for `closeTimeout`. When the scope
 * closes by a failure or an interruption, the connection is destroyed at once.
 *
 * A client's `idleTimeout` is unbounded unless it is given.
 *
 * @category constructors
 */
export const connect = (
  target: Dialer.Target,
  options?: Options
): Effect.Effect<Connection.Connection, TransportError, Dialer.Dialer | Scope.Scope> =>
  Effect.map(acquire(target, options), (owned) => owned.connection)

/**
 * The same, with what only an owner may do to a connection.
 *
 * @category constructors
 */
export const acquire = (
  target: Dialer.Target,
  options?: Options
): Effect.Effect<Connection.Owned, TransportError, Dialer.Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const dialer = yield* Dialer.Dialer
    const limits = ConnectionOptions.resolve({ ...options, idleTimeout: options?.idleTimeout ?? "unbounded" })
    // Timers and transport must outlive the closing of the connection, so their finalizers come first.
    const timers = yield* Timers.make
    const transport = yield* dialer.dial(target, options)
    const owned = Connection.makeUnsafe("client", transport, timers, limits)
    yield* Effect.addFinalizer((exit) => release(owned, exit))
    return owned
  })

/**
 * Effect's `Socket.Socket` over the current dialer: its reader dials, so
 * reconnecting is a retry around the reader's scope.
 *
 * @category layers
 */
export const layerSocket = (
  target: Dialer.Target,
  options?: Options
): Layer.Layer<Socket.Socket, never, Dialer.Dialer> =>
  Layer.effect(
    Socket.Socket,
    Effect.map(Effect.service(Dialer.Dialer), (dialer) =>
      // The scope is each reader's own, not the layer's.
      DialedSocket.make(Effect.provideService(connect(target, options), Dialer.Dialer, dialer))
    )
  )

const release = (owned: Connection.Owned, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (Exit.isSuccess(exit)) owned.close()
    else owned.destroy()
    return owned.connection.closed
  })
