/** A WebSocket by the client that is built into Node. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

export type Message = string | Uint8Array

export interface WebSocketTalk {
  /** What was agreed on, such as `permessage-deflate`. */
  readonly extensions: string
  readonly send: (message: string | Uint8Array<ArrayBuffer>) => void
  readonly receive: Effect.Effect<Message>
  readonly close: Effect.Effect<void>
  /** How it ended. */
  readonly closed: Effect.Effect<{ readonly code: number; readonly clean: boolean }>
}

/** Opens one, and closes it with the scope. */
export const open = Effect.fnUntraced(function* (url: string) {
  const messages = yield* Queue.unbounded<Message>()
  const opened = yield* Deferred.make<void>()
  const closed = yield* Deferred.make<{ readonly code: number; readonly clean: boolean }>()
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => new WebSocket(url)),
    (socket) => Effect.sync(() => socket.close())
  )
  socket.binaryType = "arraybuffer"
  socket.addEventListener("open", () => Deferred.doneUnsafe(opened, Effect.void))
  socket.addEventListener("message", ({ data }) =>
    Queue.offerUnsafe(messages, typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer))
  )
  socket.addEventListener("close", ({ code, wasClean }) => {
    Deferred.doneUnsafe(opened, Effect.die(new Error(`not opened: ${code}`)))
    Deferred.doneUnsafe(closed, Effect.succeed({ code, clean: wasClean }))
  })
  yield* Deferred.await(opened)
  const talk: WebSocketTalk = {
    extensions: socket.extensions,
    send: (message) => socket.send(message),
    receive: Queue.take(messages),
    close: Effect.suspend(() => {
      socket.close(1000)
      return Effect.asVoid(Deferred.await(closed))
    }),
    closed: Deferred.await(closed)
  }
  return talk
})
