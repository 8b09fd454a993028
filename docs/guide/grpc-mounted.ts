import { Connect, GrpcServer, GrpcWeb } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { GreeterLive } from "./grpc-server.ts"

/** Pages of this origin may call, beside those of the server's own. */
const cors = { origins: ["https://app.example"] }

export const Routes = Layer.merge(
  HttpRouter.add("GET", "/", HttpServerResponse.text("the application")),
  GrpcServer.mount(GreeterLive, { wires: [GrpcWeb.make({ cors }), Connect.make({ cors })] })
)

const Main = HttpRouter.serve(Routes).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })))

if (import.meta.main) NodeMain.run(Main)
