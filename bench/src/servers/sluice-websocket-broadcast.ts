/**
 * Each message to every client with Sluice's `Hub`.
 */
import * as Hub from "@sluice/core/hub/Hub"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import type { WebSocket } from "@sluice/core/session/WebSocket"
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as HttpAnnouncementLayer from "./HttpAnnouncementLayer.ts"

const room = "everybody"

const serve = Effect.fnUntraced(function* (hub: Hub.Hub<void>, socket: WebSocket) {
  yield* hub.join(room, socket, { presence: undefined })
  yield* socket.runForEach((message) => hub.broadcast(room, message))
}, Effect.scoped)

const route = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const hub = yield* Hub.make<void>()
    yield* router.add(
      "GET",
      "/",
      WebSocketServer.handle((socket) => serve(hub, socket))
    )
  })
)

const served = HttpRouter.serve(route, { disableLogger: true, disableListenLog: true })

HttpAnnouncementLayer.layer.pipe(
  Layer.provide(served),
  Layer.provide(NodeWebServer.layer({ port: 0, host: "127.0.0.1" })),
  NodeMain.run
)
