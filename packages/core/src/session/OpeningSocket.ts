/**
 * Effect's `Socket.Socket` for something that is opened when its reader is
 * acquired: an upgrade, a dialed WebSocket.
 *
 * A writer is bound to none of the connections: what is written before there
 * is one waits for it.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"

/** An open connection as its socket uses it. @category models */
export interface Opened {
  /** Its scope is the connection's: closing it closes the connection. */
  readonly reader: Effect.Effect<Socket.Reader, Socket.SocketError, Scope.Scope>
  readonly writer: Socket.Writer
  /** What the release of a writer does. */
  readonly end: Effect.Effect<void>
}

/**
 * `again`: each reader opens a new connection, and writers wait for it.
 * `once`: there is only one, and whoever writes after it fails.
 *
 * @category constructors
 */
export const make = (
  open: Effect.Effect<Opened, Socket.SocketError, Scope.Scope>,
  times: "once" | "again"
): Socket.Socket => {
  const changed = Latch.makeUnsafe(false)
  let current: Opened | "none yet" | "over" = "none yet"

  const finish = (): void => {
    current = times === "once" ? "over" : "none yet"
    if (times === "once") changed.openUnsafe()
    else changed.closeUnsafe()
  }

  const reader: Socket.Socket["reader"] = Effect.suspend(() => {
    if (current === "over") return Effect.fail(over)
    return Effect.gen(function* () {
      let own: typeof current = "none yet"
      // A second reader must not end the connection of the first for those who write to it.
      yield* Effect.addFinalizer(() => Effect.sync(() => (current === own ? finish() : undefined)))
      const opened = yield* open
      own = opened
      current = opened
      changed.openUnsafe()
      return yield* opened.reader
    })
  })

  const write = (
    use: (writer: Socket.Writer) => Effect.Effect<void, Socket.SocketError>
  ): Effect.Effect<void, Socket.SocketError> =>
    Effect.suspend(() => {
      if (current === "over") return Effect.fail(late)
      return current === "none yet" ? Effect.andThen(changed.await, write(use)) : use(current.writer)
    })

  const writer: Socket.Socket["writer"] = Effect.acquireRelease(
    Effect.sync(
      (): Socket.Writer => ({
        write: (chunk) => write((writer) => writer.write(chunk)),
        writeAll: (chunks) => write((writer) => writer.writeAll(chunks))
      })
    ),
    () => Effect.suspend(() => (typeof current === "string" ? Effect.void : current.end))
  )

  return Socket.make({ reader, writer })
}

const closed = new Error("the connection was closed, and there is no other")

const over = new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause: closed }) })

const late = new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause: closed }) })
