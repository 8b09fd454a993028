/**
 * TCP echo with Sluice's `TcpServer.serveTransports`: callbacks for each
 * transport, and no fiber. Limits, timeouts, statistics and drain are there.
 */
import * as TcpServer from "@sluice/core/server/TcpServer"
import type { Receiver, Transport } from "@sluice/core/transport/Transport"
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Layer from "effect/Layer"
import * as AnnouncementLayer from "./AnnouncementLayer.ts"

class Echo implements Receiver {
  private readonly transport: Transport

  constructor(transport: Transport) {
    this.transport = transport
  }

  onBytes(chunk: Uint8Array): void {
    if (!this.transport.write(chunk)) this.transport.pause()
  }

  onDrain(): void {
    this.transport.resume()
  }

  onEnd(): void {
    this.transport.end()
  }

  onClose(): void {}
}

TcpServer.serveTransports((transport) => new Echo(transport)).pipe(
  Layer.merge(AnnouncementLayer.layer),
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 0 })),
  NodeMain.run
)
