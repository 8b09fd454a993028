import { TcpServer, type Transport } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Layer } from "effect"

/** An echo without a fiber: stops reading while its peer does. */
const open = (transport: Transport.Transport): Transport.Receiver => ({
  onBytes: (chunk) => {
    if (!transport.write(chunk)) transport.pause()
  },
  onDrain: () => transport.resume(),
  onEnd: () => transport.end(),
  onClose: () => {}
})

export const Echo = TcpServer.serveTransports(open)

const Main = Layer.merge(Echo, TcpServer.layerLogAddress).pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
