/** The page's end of the web door, by the `WebSocket` of Node. */
import type * as WebMessage from "@sluice/examples/chat/web-message"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

/** Of all pages of a test: by it they may take each other's place. */
export const key = "0123456789abcdef"

export interface Options {
  /** Default: none is sent, as by programs that are no browsers. */
  readonly origin?: string | undefined
}

/** Opens a WebSocket, or finds it refused; then it is closed. */
export const open = Effect.fnUntraced(function* (where: string, options?: Options) {
  const replies = yield* Queue.unbounded<WebMessage.Reply>()
  const opened = yield* Deferred.make<void>()
  const closed = yield* Deferred.make<CloseEvent>()
  const headers = options?.origin === undefined ? {} : { origin: options.origin }
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => new WebSocket(`ws://${where}/ws`, { headers })),
    (socket) => Effect.sync(() => socket.close())
  )
  socket.onopen = () => Deferred.doneUnsafe(opened, Effect.void)
  socket.onmessage = ({ data }) => Queue.offerUnsafe(replies, JSON.parse(data))
  socket.onclose = (event) => {
    Deferred.doneUnsafe(closed, Effect.succeed(event))
    Deferred.doneUnsafe(opened, Effect.void)
  }
  yield* Deferred.await(opened)
  return {
    say: (request: WebMessage.Request) => Effect.sync(() => socket.send(JSON.stringify(request))),
    /** The next reply of that kind; what comes before it is passed over. */
    hear: (tag: WebMessage.Reply["_tag"]) => Effect.repeat(Queue.take(replies), { until: ({ _tag }) => _tag === tag }),
    closed: Deferred.await(closed)
  }
})

/** Comes into the lobby. */
export const enter = Effect.fnUntraced(function* (where: string, name: string, options?: Options) {
  const page = yield* open(where, options)
  yield* page.say({ _tag: "Hello", name, room: "lobby", key })
  yield* page.hear("Entered")
  return page
})
