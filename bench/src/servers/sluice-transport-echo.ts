/**
 * TCP echo on Sluice's seam to the platform: a handler for each transport, and
 * no fiber. What is left above `node:net` is the transport itself.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Listener from "@sluice/core/transport/Listener"
import type { Receiver, Transport } from "@sluice/core/transport/Transport"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Announcement from "./Announcement.ts"

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

const main = Effect.gen(function* () {
  const listener = yield* Listener.Listener
  yield* listener.accept({
    onTransport: (transport) => {
      transport.attach(new Echo(transport))
      transport.resume()
    },
    onRefused: () => {}
  })
  Announcement.listeningOn(listener.address)
  return yield* Effect.never
})

main.pipe(Effect.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 0 })), NodeRuntime.runMain)
