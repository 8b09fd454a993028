/**
 * What a hub adds to sending one message of 64 B to 1,000 members: rooms,
 * members, policies. The WebSockets only count, so that their writing is left
 * out; the other case is the loop that one would write without a hub.
 */
import * as Hub from "@sluice/core/hub/Hub"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import type { Message, WebSocket } from "@sluice/core/session/WebSocket"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Case, Cases } from "./Case.ts"

const memberCount = 1000
const message = "hello websocket ".repeat(4)

class CountingWebSocket {
  readonly isOpen = true
  sent = 0

  offerUnsafe(_message: Message | WebSocketPrepared.PreparedMessage): "sent" {
    this.sent++
    return "sent"
  }

  observeClose(): () => void {
    return () => {}
  }
}

const sockets = (): ReadonlyArray<WebSocket> =>
  Array.from({ length: memberCount }, () => new CountingWebSocket() as unknown as WebSocket)

const hub = Effect.gen(function* () {
  const rooms = yield* Hub.make<undefined>()
  for (const socket of sockets()) yield* rooms.join("lobby", socket, { presence: undefined })
  return rooms
}).pipe(Scope.provide(Scope.makeUnsafe()), Effect.runSync)

const broadcast: Case = {
  operationsPerRun: memberCount,
  run: () => Effect.runSync(hub.broadcast("lobby", message)).sent
}

const inLoop = (all: ReadonlyArray<WebSocket>): Case => ({
  operationsPerRun: memberCount,
  run: () => {
    const prepared = WebSocketPrepared.make(message)
    let sent = 0
    for (const socket of all) if (socket.offerUnsafe(prepared) === "sent") sent++
    return sent
  }
})

export const cases: Cases = { hub: broadcast, loop: inLoop(sockets()) }
