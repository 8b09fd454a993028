/**
 * Effect's `Socket.Socket` for a connection that is dialed when its reader is
 * acquired: the one file of the client that knows that interface.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type { Connection } from "../session/Connection.ts"
import * as ConnectionSocket from "../session/ConnectionSocket.ts"
import type { TransportError } from "../transport/TransportError.ts"

/** Opens a connection in the scope. @category models */
export type Connect = Effect.Effect<Connection, TransportError, Scope.Scope>

/**
 * A socket whose reader opens a connection, and closes it with its scope. A
 * writer is bound to no connection: what is written while there is none waits
 * for the next one, as Effect's `Socket` wants it.
 *
 * @category constructors
 */
export const make = (connect: Connect): Socket.Socket => {
  const connected = Latch.makeUnsafe(false)
  let current: Connection | undefined

  const reader: Socket.Socket["reader"] = Effect.gen(function* () {
    const connection = yield* Effect.mapError(connect, ConnectionSocket.openError)
    current = connection
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (current !== connection) return
        current = undefined
        connected.closeUnsafe()
      })
    )
    connected.openUnsafe()
    return yield* connection.reader
  })

  const write = (
    use: (connection: Connection) => Effect.Effect<void, Socket.SocketError>
  ): Effect.Effect<void, Socket.SocketError> =>
    Effect.suspend(() => (current === undefined ? Effect.andThen(connected.await, write(use)) : use(current)))

  const writer: Socket.Socket["writer"] = Effect.acquireRelease(
    Effect.sync(
      (): Socket.Writer => ({
        write: (chunk) => write((connection) => ConnectionSocket.write(connection, chunk)),
        writeAll: (chunks) => write((connection) => ConnectionSocket.writeAll(connection, chunks))
      })
    ),
    () => Effect.suspend(() => current?.end ?? Effect.void)
  )

  return Socket.make({ reader, writer })
}
