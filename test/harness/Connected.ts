/** A connection in memory, and the transport of its peer, driven by hand. */
import * as Connection from "@sluice/core/session/Connection"
import * as ConnectionOptions from "@sluice/core/session/ConnectionOptions"
import * as Timers from "@sluice/core/session/Timers"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Recorder } from "./TransportContract.ts"

export interface Connected {
  readonly owned: Connection.Owned
  readonly connection: Connection.Connection
  readonly timers: Timers.Timers
  /** The connection's own transport. */
  readonly transport: Transport
  readonly peer: Transport
  /** What came to the peer. */
  readonly heard: Recorder
}

export interface Options extends ConnectionOptions.Options {
  readonly role?: Connection.Role | undefined
  /** What the network and each transport hold. Default 65,536. */
  readonly bufferBytes?: number | undefined
  /** Whether the peer reads. Default `at once`. */
  readonly peerReads?: "at once" | "never" | undefined
}

/** Both transports are destroyed with the scope. */
export const make = (options: Options = {}): Effect.Effect<Connected, never, Scope.Scope> =>
  Effect.gen(function* () {
    const timers = yield* Timers.make
    const [transport, peer] = MemoryTransport.pair({ bufferBytes: options.bufferBytes })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        transport.destroy()
        peer.destroy()
      })
    )
    const heard = new Recorder()
    peer.attach(heard)
    peer.resume()
    if (options.peerReads === "never") peer.pause()
    const limits = ConnectionOptions.resolve(options)
    const owned = Connection.makeUnsafe(options.role ?? "server", transport, timers, limits)
    return { owned, connection: owned.connection, timers, transport, peer, heard }
  })
