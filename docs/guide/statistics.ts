import { TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer, Schedule } from "effect"
import { NetAddress } from "effect/net"

const Echo = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })
)

/** Logs where the server listens, then every ten seconds what it has done. */
export const Report = Layer.effectDiscard(
  Effect.gen(function* () {
    const server = yield* TcpServer.TcpServer
    yield* Effect.logInfo(`listening on ${NetAddress.formatSocketAddress(server.address)}`)
    const report = Effect.flatMap(server.stats, (stats) => Effect.logInfo("connections", stats))
    yield* Effect.forkScoped(Effect.repeat(report, Schedule.spaced("10 seconds")))
  })
)

const Main = Layer.merge(Echo, Report).pipe(
  Layer.provide(TcpServer.layer({ maxConnections: 1000, maxConnectionsPerAddress: 10 })),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
