import { WebSocketServer } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Layer } from "effect"
import { HttpRouter } from "effect/http"

export const Routes = HttpRouter.add(
  "GET",
  "/echo",
  WebSocketServer.handle((socket) => socket.runForEach(socket.send))
)

const Main = HttpRouter.serve(Routes).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })))

if (import.meta.main) NodeMain.run(Main)
