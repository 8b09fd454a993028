import { type Connection, type Dialer, ProxyHeader, TcpClient, TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer, Pull } from "effect"

/** Sends on what comes, as fast as the slower side, and then the end of the stream. */
const copy = (from: Connection.Connection, to: Connection.Connection) =>
  from.receive.pipe(
    Effect.flatMap(to.send),
    Effect.forever,
    Pull.catchDone(() => to.end)
  )

/** Forwards every connection to `target`, which is told the client's address by a PROXY header. */
export const forward = (target: Dialer.Target) =>
  TcpServer.serve((client) =>
    Effect.gen(function* () {
      const upstream = yield* TcpClient.connect(target)
      yield* upstream.send(ProxyHeader.encodeV1(client.peer, client.local))
      yield* Effect.all([copy(client, upstream), copy(upstream, client)], { concurrency: 2 }).pipe(
        Effect.onError(() => client.abort)
      )
    })
  )

const Main = Layer.merge(forward({ host: "127.0.0.1", port: 7000 }), TcpServer.layerLogAddress).pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7001 })),
  Layer.provide(NodeTransport.layerDialer())
)

if (import.meta.main) NodeMain.run(Main)
