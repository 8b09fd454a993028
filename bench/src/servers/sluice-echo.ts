/**
 * TCP echo with Sluice's `TcpServer`: a fiber a connection.
 */
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AnnouncementLayer from "./AnnouncementLayer.ts"

const echo = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })
)

echo.pipe(
  Layer.merge(AnnouncementLayer.layer),
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 0 })),
  NodeMain.run
)
