import { Lines, TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer } from "effect"

export const LineServer = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    const lines = connection.framed(Lines.codec)
    while (true) {
      const line = yield* lines.receive
      if (line === "QUIT") return yield* lines.send("BYE")
      yield* lines.send(line === "HELLO" ? "WORLD" : `ECHO: ${line}`)
    }
  })
)

const Main = Layer.merge(LineServer, TcpServer.layerLogAddress).pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
