/**
 * A program as a user would write it: `pack-test.ts` type-checks and runs it
 * in a project of its own, against the packed packages.
 */
import * as Assert from "node:assert"
import * as Net from "node:net"
import { Listener as ListenerModule, type Transport } from "@sluice/core"
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as Listener from "@sluice/core/transport/Listener"
import type { Transport as TransportPort } from "@sluice/core/transport/Transport"
import { NodeTransport } from "@sluice/node"
import * as NodeTransportModule from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const Echo = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })
)

const Main = Echo.pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provideMerge(NodeTransport.layerListener({ host: "127.0.0.1", port: 0 }))
)

/** Sends `text` to a port, and waits for as many characters. */
const exchange = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect(port, "127.0.0.1", () => socket.write(text))
    let received = ""
    socket.setEncoding("utf8")
    socket.on("error", reject)
    socket.on("data", (chunk) => {
      received += chunk
      if (received.length >= text.length) socket.end(() => resolve(received))
    })
  })

const program = Effect.gen(function* () {
  const { address } = yield* Listener.Listener
  Assert.ok(address._tag !== "UnixPathAddress")
  return yield* Effect.promise(() => exchange(address.port, "through the tarball"))
})

Assert.strictEqual(await Effect.runPromise(Effect.provide(program, Main)), "through the tarball")

// The package and the path to a module lead to the same module: services are one and the same.
Assert.strictEqual(ListenerModule.Listener, Listener.Listener)
Assert.strictEqual(NodeTransport.layerListener, NodeTransportModule.layerListener)
for (const name of ["@sluice/core", "@sluice/core/server/TcpServer", "@sluice/node"]) {
  Assert.match(import.meta.resolve(name), /\/dist\/.*\.js$/)
}

/** The types of a port reach the consumer. */
export const isOpen = (transport: TransportPort & Transport.Transport): boolean => transport.state === "open"
