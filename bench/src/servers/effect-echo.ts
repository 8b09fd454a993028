/**
 * TCP echo with Effect's own `NodeSocketServer`: a fiber a connection that
 * pulls a batch and writes it back.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import * as Effect from "effect/Effect"
import type * as Socket from "effect/socket/Socket"
import * as SocketServer from "effect/socket/SocketServer"
import * as Announcement from "./Announcement.ts"

const echo = Effect.fnUntraced(function* (socket: Socket.Socket) {
  const { pull } = yield* socket.reader
  const { write } = yield* socket.writer
  while (true) {
    for (const chunk of yield* pull) yield* write(chunk)
  }
}, Effect.scoped)

const isCleanClose = (error: Socket.SocketError): boolean => error.reason._tag === "SocketCloseError"

const main = Effect.gen(function* () {
  const server = yield* SocketServer.SocketServer
  Announcement.listeningOn(server.address)
  return yield* server.run((socket) => Effect.catchIf(echo(socket), isCleanClose, () => Effect.void))
})

main.pipe(Effect.provide(NodeSocketServer.layer({ host: "127.0.0.1", port: 0, noDelay: true })), NodeRuntime.runMain)
