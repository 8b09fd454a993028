import { MemoryNetwork, TcpClient, TcpServer } from "@sluice/core"
import { NodeMain } from "@sluice/node"
import { Console, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"

/** A server that says nothing and waits for its client. */
const Silent = TcpServer.serve((connection) => Effect.forever(connection.receive))

const Network = Silent.pipe(
  Layer.provideMerge(TcpServer.layer({ idleTimeout: "1 minute" })),
  Layer.provide(MemoryNetwork.layerListener({ host: "silent.test", port: 7 })),
  Layer.provideMerge(MemoryNetwork.layerDialer),
  Layer.provide(MemoryNetwork.layer()),
  Layer.provideMerge(TestClock.layer())
)

/** What became of a client that says nothing either, two minutes later. */
export const idleClient = Effect.gen(function* () {
  const server = yield* TcpServer.TcpServer
  const connection = yield* TcpClient.connect({ host: "silent.test", port: 7 })
  yield* TestClock.adjust("2 minutes")
  const received = yield* Effect.flip(connection.receive)
  return { received, closed: (yield* server.stats).closed }
}).pipe(Effect.scoped, Effect.provide(Network))

if (import.meta.main) NodeMain.run(Effect.flatMap(idleClient, Console.log))
