import { Hub, WebSocketServer } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Context, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"

class Everyone extends Context.Service<Everyone, Hub.Hub<undefined>>()("Everyone") {}

/** Every message of a WebSocket goes to all of them, the sender too. */
export const Broadcast = WebSocketServer.serve((socket) =>
  Effect.gen(function* () {
    const everyone = yield* Everyone
    yield* everyone.join("everyone", socket, { presence: undefined })
    yield* socket.runForEach((message) => everyone.broadcast("everyone", message))
  })
).pipe(Layer.provide(Hub.layer(Everyone, { slowConsumer: { policy: "close", maxQueuedMessages: 256 } })))

const Main = HttpServer.withLogAddress(Broadcast).pipe(
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 }))
)

if (import.meta.main) NodeMain.run(Main)
