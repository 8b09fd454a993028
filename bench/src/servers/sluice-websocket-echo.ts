/**
 * WebSocket echo with Sluice's server.
 */
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as HttpAnnouncementLayer from "./HttpAnnouncementLayer.ts"

const route = HttpRouter.add(
  "GET",
  "/",
  WebSocketServer.handle((socket) => socket.runForEach((message) => socket.send(message)))
)

const served = HttpRouter.serve(route, { disableLogger: true, disableListenLog: true })

HttpAnnouncementLayer.layer.pipe(
  Layer.provide(served),
  Layer.provide(NodeWebServer.layer({ port: 0, host: "127.0.0.1" })),
  NodeMain.run
)
