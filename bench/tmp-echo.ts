import * as TcpServer from "@sluice/core/server/TcpServer"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const Echo = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })
)
const main = Layer.launch(
  Echo.pipe(
    Layer.provide(TcpServer.layer()),
    Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 4555 }))
  )
)
const f = Effect.runFork(main)
process.on("SIGTERM", () => f.interruptUnsafe())
