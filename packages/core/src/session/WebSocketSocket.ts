/**
 * A WebSocket as Effect's `Socket.Socket`: the one file that knows that
 * interface and WebSockets.
 *
 * Effect's sockets end with an error also when they end cleanly
 * (`SocketCloseError`), because their readers reconnect by retrying. Its code
 * is the one of the peer's Close frame, 1001 while the server drains, and what
 * the peer was told where it broke a rule or a limit; 1006 for a lost
 * connection.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as WebSocketCloseCode from "../protocol/websocket/WebSocketCloseCode.ts"
import type { WebSocketError } from "../protocol/websocket/WebSocketError.ts"
import type { Opened } from "./OpeningSocket.ts"
import type { Message } from "./WebSocket.ts"
import type { WebSocketInbox } from "./WebSocketInbox.ts"
import type { Owned } from "./WebSocketSession.ts"

/** @category adapters */
export const make = (owned: Owned): Opened => ({
  reader: reader(owned),
  writer: {
    write: (chunk) => write(owned, chunk),
    writeAll: (chunks) => Effect.mapError(Effect.forEach(chunks, owned.send, discard), writeError)
  },
  // There is no half-close: the scope of the reader closes the WebSocket.
  end: Effect.void
})

/** Closing its scope closes the WebSocket, and waits for that no longer than `closeTimeout`. @category adapters */
export const reader = (owned: Owned): Effect.Effect<Socket.Reader, never, Scope.Scope> =>
  Effect.suspend(() => {
    let released = false
    const pull = owned.inbox.read<readonly [Message, ...ReadonlyArray<Message>], Socket.SocketError>((inbox) => {
      if (released) return Exit.fail(closeError(WebSocketCloseCode.abnormal))
      if (!inbox.isEmpty) return Exit.succeed(inbox.takeAll())
      return inbox.end() === undefined ? undefined : Exit.fail(endOf(inbox, owned))
    })
    return Effect.as(
      Effect.addFinalizer((exit) => {
        released = true
        owned.inbox.wake()
        return owned.release(exit)
      }),
      { pull, upgrade: () => Effect.fail(noUpgrade) }
    )
  })

/** A close event begins the closing handshake, and does not wait for its end. */
const write = (
  owned: Owned,
  chunk: Uint8Array | string | Socket.CloseEvent
): Effect.Effect<void, Socket.SocketError> =>
  Socket.isCloseEvent(chunk)
    ? Effect.try({ try: () => owned.closeUnsafe(chunk.code, chunk.reason ?? ""), catch: writeError })
    : Effect.mapError(owned.send(chunk), writeError)

const endOf = ({ ending }: WebSocketInbox, owned: Owned): Socket.SocketError => {
  if (ending === "open") return closeError(WebSocketCloseCode.goingAway)
  if (ending === "ended") return closeError(owned.result!.code, owned.result!.reason)
  const { closeCode, message } = ending.reason as WebSocketError["reason"] & { readonly closeCode: number }
  return closeError(closeCode, message)
}

const discard = { discard: true } as const

const closeError = (code: number, closeReason?: string): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketCloseError({ code, closeReason }) })

const writeError = (cause: unknown): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause }) })

const noUpgrade = new Socket.SocketError({
  reason: new Socket.SocketUpgradeError({ cause: new Error("a WebSocket cannot change to TLS") })
})
