/**
 * A server on a network in memory, with peers that speak by hand, and a law
 * that holds for all of it: nothing is left when its scope has closed.
 */
import { assert } from "@effect/vitest"
import * as TcpClient from "@sluice/core/client/TcpClient"
import * as TcpServer from "@sluice/core/server/TcpServer"
import type { Connection } from "@sluice/core/session/Connection"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import type { Transport } from "@sluice/core/transport/Transport"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as CountingClock from "./CountingClock.ts"
import { Recorder } from "./TransportContract.ts"

export const target = { host: "server.test", port: 7 } as const

/** A transport that a test drives by hand, reading at once. */
export interface RawPeer {
  readonly transport: Transport
  readonly heard: Recorder
  readonly write: (text: string) => boolean
}

export interface World {
  readonly server: TcpServer.TcpServer["Service"]
  readonly network: MemoryNetwork.MemoryNetwork["Service"]
  /** A peer by hand. `read: false` leaves it paused, so that it reads nothing. */
  readonly peer: (options?: { readonly read?: boolean }) => Effect.Effect<RawPeer, TransportError, Scope.Scope>
  readonly connect: (options?: TcpClient.Options) => Effect.Effect<Connection, TransportError, Scope.Scope>
  readonly dialer: Layer.Layer<Dialer.Dialer>
  /** Closes the server's scope: it drains. */
  readonly stop: Effect.Effect<void>
}

type Run<R> = (server: TcpServer.TcpServer["Service"]) => Effect.Effect<unknown, unknown, R>

/** Builds a server and runs `run` on it, both for the lifetime of the scope or until `stop`. */
export const make = (
  run: Run<never>,
  options?: TcpServer.Options & MemoryNetwork.Options
): Effect.Effect<World, TransportError, Scope.Scope> =>
  Effect.gen(function* () {
    const network = MemoryNetwork.make(options)
    const inNetwork = Layer.succeed(MemoryNetwork.MemoryNetwork, network)
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
    const context = yield* Layer.buildWithScope(
      TcpServer.layer(options).pipe(
        Layer.provide(MemoryNetwork.layerListener(target)),
        Layer.provideMerge(MemoryNetwork.layerDialer),
        Layer.provide(inNetwork)
      ),
      scope
    )
    const server = Context.get(context, TcpServer.TcpServer)
    const dialer = Layer.succeed(Dialer.Dialer, Context.get(context, Dialer.Dialer))
    yield* Effect.forkIn(run(server), scope)
    yield* Effect.yieldNow
    return {
      server,
      network,
      dialer,
      peer: (peerOptions) =>
        Effect.map(network.dial(target), (transport) => rawPeer(transport, peerOptions?.read ?? true)),
      connect: (clientOptions) => Effect.provide(TcpClient.connect(target, clientOptions), dialer),
      stop: Scope.close(scope, Exit.void)
    }
  })

/** A server that serves each connection by a handler. */
export const serving = (
  handler: (connection: Connection) => Effect.Effect<unknown, unknown, Scope.Scope>,
  options?: TcpServer.Options & MemoryNetwork.Options & TcpServer.RunOptions<never>
): Effect.Effect<World, TransportError, Scope.Scope> => make((server) => server.run(handler, options), options)

/** Drives `transport` by hand. `read: false` leaves it paused. */
export const rawPeer = (transport: Transport, read: boolean): RawPeer => {
  const heard = new Recorder()
  transport.attach(heard)
  transport.resume()
  if (!read) transport.pause()
  return { transport, heard, write: (text) => transport.write(Buffer.from(text)) }
}

/**
 * Runs `self` in a scope of its own, and checks that afterwards no transport
 * of its networks is open, no fiber runs, and nobody sleeps.
 */
export const leavesNothing = <A, E, R>(
  self: (track: (world: Pick<World, "network">) => void) => Effect.Effect<A, E, R | Scope.Scope>
): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    const worlds: Array<Pick<World, "network">> = []
    const clock = CountingClock.make(yield* Clock.clockWith(Effect.succeed))
    const registry = new Map<string, Metric.Metric.Metadata<unknown, unknown>>()
    const result = yield* Effect.scoped(Effect.suspend(() => self((world) => worlds.push(world)))).pipe(
      Effect.provideService(Clock.Clock, clock),
      Metric.enableRuntimeMetrics,
      Effect.provideService(Metric.MetricRegistry, registry as never)
    )
    yield* Effect.yieldNow
    for (const world of worlds) assert.strictEqual(world.network.openCount(), 0, "open transports")
    assert.strictEqual(clock.sleepers(), 0, "sleeping timers")
    assert.strictEqual(activeFibers(registry), 0, "running fibers")
    return result
  }) as Effect.Effect<A, E, Exclude<R, Scope.Scope>>

const activeFibers = (registry: ReadonlyMap<string, Metric.Metric.Metadata<unknown, unknown>>): number => {
  for (const metadata of registry.values()) {
    if (metadata.id !== "child_fibers_active") continue
    return Number((metadata.hooks.get(Context.empty()) as { readonly value: number | bigint }).value)
  }
  return 0
}
