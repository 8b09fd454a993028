import { NodeMain, NodeWebServer } from "@sluice/node"
import { Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"

export const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello world"))

const Main = HttpRouter.serve(Routes).pipe(
  // Was: NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 3000 })
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 }))
)

if (import.meta.main) NodeMain.run(Main)
