import { TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer } from "effect"
import { SocketServer } from "effect/socket"

/** A program for Effect's own `SocketServer`: nothing in it is Sluice's. */
export const Echo = Layer.effectDiscard(
  Effect.gen(function* () {
    const server = yield* SocketServer.SocketServer
    const serve = server.run((socket) =>
      Effect.gen(function* () {
        const reader = yield* socket.reader
        const writer = yield* socket.writer
        while (true) yield* writer.writeAll(yield* reader.pull)
      }).pipe(Effect.scoped)
    )
    yield* Effect.forkScoped(serve)
  })
)

const Main = Echo.pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
