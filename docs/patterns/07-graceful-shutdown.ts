import { Lines, TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer } from "effect"

/** Each line is a job of two seconds; one that was begun is finished. */
export const Worker = TcpServer.serve(
  (connection) =>
    Effect.gen(function* () {
      const lines = connection.framed(Lines.codec)
      while (true) {
        const job = yield* lines.receive
        yield* Effect.sleep("2 seconds")
        yield* lines.send(`done: ${job}`)
      }
    }),
  { farewell: (connection) => connection.send("closing: the server goes down\n") }
)

export const options: TcpServer.Options = { drainTimeout: "10 seconds" }

const Main = Layer.merge(Worker, TcpServer.layerLogAddress).pipe(
  Layer.provide(TcpServer.layer(options)),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
