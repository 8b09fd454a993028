import { TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer } from "effect"

export const Echo = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })
)

const Main = Layer.merge(Echo, TcpServer.layerLogAddress).pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
