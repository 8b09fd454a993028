/**
 * The connections to the servers of one service, which a client's calls go to.
 *
 * ```ts
 * GrpcChannel.layer({ host: "greeter.internal", port: 50051 })
 * GrpcChannel.layer(GrpcResolver.dns({ host: "greeter.internal", port: 50051 }), { balancing: "round_robin" })
 * ```
 *
 * Servers are connected to when the first call is made, again when a connection
 * is lost, and after a while (`backoff`) where one could not be reached. A
 * server that goes away (GOAWAY) finishes its calls while new ones go to
 * another server or another connection.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Signal } from "../../session/Signal.ts"
import * as Timers from "../../session/Timers.ts"
import { Dialer, type Target } from "../../transport/Dialer.ts"
import { GrpcCompression } from "../GrpcCompression.ts"
import * as GrpcBackoff from "./GrpcBackoff.ts"
import type { CallDefaults } from "./GrpcCallDefaults.ts"
import { GrpcChannelConnector } from "./GrpcChannelConnector.ts"
import * as GrpcChannelOptions from "./GrpcChannelOptions.ts"
import type * as GrpcConnectivity from "./GrpcConnectivity.ts"
import type { GrpcConnector } from "./GrpcConnector.ts"
import * as GrpcPicker from "./GrpcPicker.ts"
import type * as GrpcResolver from "./GrpcResolver.ts"

export type { CallOptions, Options } from "./GrpcChannelOptions.ts"

/** A snapshot. @category models */
export interface Stats {
  readonly state: GrpcConnectivity.State
  /** Servers that calls may go to. */
  readonly endpointCount: number
  /** Connections whose transport is not gone: those under way and those that drain too. */
  readonly connectionCount: number
  /** Calls on their way. */
  readonly openCount: number
  /** Calls that wait for a connection or for a place on one. */
  readonly waitingCount: number
}

/** @category services */
export class GrpcChannel extends Context.Service<
  GrpcChannel,
  {
    /** What clients make their calls by. @internal */
    readonly connector: GrpcConnector
    /** What calls have that say nothing else. @internal */
    readonly calls: CallDefaults
    readonly state: Effect.Effect<GrpcConnectivity.State>
    /**
     * The state now, then every change of it; who is slow sees the latest.
     * Ends with `Shutdown`.
     */
    readonly changes: Stream.Stream<GrpcConnectivity.State>
    readonly stats: Effect.Effect<Stats>
  }
>()("@sluice/core/grpc/client/GrpcChannel") {}

/** One server, several, or who knows them. @category models */
export type Servers<R = never> = Target | ReadonlyArray<Target> | GrpcResolver.GrpcResolver<R>

/**
 * A channel for the lifetime of a scope. When it closes, calls that wait fail
 * with `Cancelled`, and those on their way have `drainTimeout`.
 *
 * @category constructors
 */
export const make = <R = never>(
  servers: Servers<R>,
  options: GrpcChannelOptions.Options = {}
): Effect.Effect<GrpcChannel["Service"], never, Dialer | Scope.Scope | R> =>
  Effect.gen(function* () {
    const { drainMillis, limits, waiting, ...resolved } = GrpcChannelOptions.resolve(options)
    const calls = yield* GrpcChannelOptions.callDefaults(options)
    const dialer = yield* Dialer
    const encodings = yield* GrpcCompression
    if (calls.compression !== undefined) encodings.findOrThrow(calls.compression)
    const context = yield* Effect.context<never>()
    // It must outlive the connections, so its finalizer comes first.
    const timers = yield* Timers.make
    const observed = new ObservedState()
    const backoff = options.backoff ?? GrpcBackoff.schedule
    const { authority, tls } = options
    const fork = Effect.runForkWith(context)
    const connector = new GrpcChannelConnector({
      settings: { dialer, timers, limits, tls, authority, backoff, fork, ...resolved },
      encodings,
      picker: GrpcPicker.make(options.balancing ?? "pick_first"),
      waiting,
      idleMillis: limits.idleMillis,
      onState: (state) => observed.set(state)
    })
    yield* Effect.addFinalizer(() => close(connector, drainMillis))
    if (isResolver(servers)) {
      yield* Effect.forkScoped(resolving(servers, connector, new GrpcBackoff.GrpcBackoff(backoff)))
    } else connector.setEndpoints(targetsOf(servers).map((target) => ({ target })))
    if (options.connect === "eager") connector.wake()
    return GrpcChannel.of({
      connector,
      calls,
      state: Effect.sync(() => connector.state),
      changes: observed.changes,
      stats: Effect.sync(() => statsOf(connector))
    })
  })

/** @category layers */
export const layer = <R = never>(
  servers: Servers<R>,
  options?: GrpcChannelOptions.Options
): Layer.Layer<GrpcChannel, never, Dialer | R> => Layer.effect(GrpcChannel)(make(servers, options))

const close = (connector: GrpcChannelConnector, drainMillis: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const fibers = [...connector.connections].map((connection) => connection.fiber!)
    connector.closeUnsafe(drainMillis)
    return Fiber.awaitAll(fibers)
  })

/** Hands the lists of a resolver on, and runs one that has failed again. */
const resolving = <R>(
  resolver: GrpcResolver.GrpcResolver<R>,
  connector: GrpcChannelConnector,
  backoff: GrpcBackoff.GrpcBackoff
): Effect.Effect<void, never, R> => {
  const failed = Effect.andThen(
    connector.failed.await,
    Effect.sync(() => connector.failed.closeUnsafe())
  )
  const once = Stream.runForEach(resolver.endpoints({ failed }), (endpoints) =>
    Effect.sync(() => {
      backoff.reset()
      connector.setEndpoints(endpoints)
    })
  )
  const attempt: Effect.Effect<void, never, R> = Effect.andThen(
    connector.wanted.await,
    Effect.catchCause(once, (cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      const error = Cause.squash(cause)
      return Effect.flatMap(backoff.next(error), (delayMillis) => {
        connector.setUnresolved(error instanceof Error ? error : new Error(String(error)))
        return Effect.andThen(Effect.sleep(delayMillis), attempt)
      })
    })
  )
  return attempt
}

const isResolver = <R>(servers: Servers<R>): servers is GrpcResolver.GrpcResolver<R> => "endpoints" in servers

const targetsOf = (servers: Target | ReadonlyArray<Target>): ReadonlyArray<Target> =>
  Array.isArray(servers) ? servers : [servers as Target]

const statsOf = (connector: GrpcChannelConnector): Stats => ({
  state: connector.state,
  endpointCount: connector.endpointCount,
  connectionCount: connector.connections.size,
  openCount: connector.openCount,
  waitingCount: connector.waitingCount
})

/** A state, and those who wait for the next one. */
class ObservedState {
  private state: GrpcConnectivity.State = "Idle"
  private changed = new Signal()

  set(state: GrpcConnectivity.State): void {
    this.state = state
    const { changed } = this
    this.changed = new Signal()
    changed.fire()
  }

  /** The state, once it is not `last`. */
  private after(last: GrpcConnectivity.State | undefined): Effect.Effect<GrpcConnectivity.State> {
    return Effect.suspend(() =>
      this.state === last
        ? Effect.andThen(
            this.changed.await,
            Effect.suspend(() => this.after(last))
          )
        : Effect.succeed(this.state)
    )
  }

  get changes(): Stream.Stream<GrpcConnectivity.State> {
    return Stream.takeUntil(
      Stream.unfold(undefined as GrpcConnectivity.State | undefined, (last) =>
        Effect.map(this.after(last), (state) => [state, state] as const)
      ),
      (state) => state === "Shutdown"
    )
  }
}
