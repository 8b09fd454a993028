/**
 * Serves byte-stream connections over any `Listener`: TCP, TLS, Unix sockets,
 * or a network in memory.
 *
 * Each connection is a fiber with a scope of its own. Limits, timeouts,
 * statistics and drain are there without being asked for.
 *
 * ```ts
 * const Echo = TcpServer.serve((connection) =>
 *   Effect.gen(function* () {
 *     while (true) yield* connection.send(yield* connection.receive)
 *   })
 * )
 *
 * const Main = Echo.pipe(
 *   Layer.provide(TcpServer.layer()),
 *   Layer.provide(NodeTransport.layerListener({ port: 4000 }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as SocketServer from "effect/socket/SocketServer"
import type { Connection } from "../session/Connection.ts"
import * as ConnectionOptions from "../session/ConnectionOptions.ts"
import * as Timers from "../session/Timers.ts"
import { Listener } from "../transport/Listener.ts"
import type { Receiver, Transport } from "../transport/Transport.ts"
import * as AcceptLoop from "./AcceptLoop.ts"
import * as ConnectionStats from "./ConnectionStats.ts"
import * as Drain from "./Drain.ts"
import * as FlatContext from "./FlatContext.ts"
import * as HandlerSession from "./HandlerSession.ts"
import * as TcpSocketServer from "./TcpSocketServer.ts"
import * as TransportSession from "./TransportSession.ts"

/** @category services */
export class TcpServer extends Context.Service<
  TcpServer,
  {
    readonly address: NetAddress.SocketAddress
    /**
     * Serves every connection by a fiber that runs `handler`, with a `Scope`
     * that ends with the connection. The connection closes when the handler
     * ends; `Cause.Done`, the end of the stream, is a normal way to end.
     *
     * Runs until it is interrupted, and drains then. A server is run once.
     */
    readonly run: <R, E, _>(
      handler: (connection: Connection) => Effect.Effect<_, E, R>,
      options?: RunOptions<R>
    ) => Effect.Effect<never, never, Exclude<R, Scope.Scope | Connection>>
    /**
     * Serves every connection by callbacks, without a fiber: for proxies,
     * protocols of one's own, and the last tenth of speed. `open` names the
     * receiver of a new transport. What a receiver throws is the host's
     * uncaught exception: there is no fiber to take it. While draining, the
     * server half-closes these connections at once.
     */
    readonly runTransports: (open: (transport: Transport) => Receiver) => Effect.Effect<never>
    /** Stops accepting and drains, as the end of `run` does. Completes when all connections are gone. */
    readonly drain: Effect.Effect<Drain.Report>
    readonly isDraining: Effect.Effect<boolean>
    readonly stats: Effect.Effect<ConnectionStats.Stats>
  }
>()("@sluice/core/server/TcpServer") {}

/** @category options */
export interface Options extends AcceptLoop.Options, ConnectionOptions.Options, Drain.Options {}

/** @category options */
export interface RunOptions<R> {
  /**
   * Runs after a handler that ended because the server drains, while the peer
   * can still be told: "the server is going down". Default: nothing.
   */
  readonly farewell?: ((connection: Connection) => Effect.Effect<unknown, unknown, R>) | undefined
}

/** @category constructors */
export const make = (options?: Options): Effect.Effect<TcpServer["Service"], never, Listener | Scope.Scope> =>
  Effect.gen(function* () {
    const listener = yield* Listener
    const timers = yield* Timers.make
    const limits = ConnectionOptions.resolve(options)
    const stats = new ConnectionStats.ConnectionStats()
    const drain = Drain.makeUnsafe(options)
    const loop = AcceptLoop.makeUnsafe(listener, drain, timers, stats, options)
    yield* ConnectionStats.publish(stats, NetAddress.formatSocketAddress(listener.address))
    // The end of `run`, the scope's end and `drain` all wait for one drain, which is told once.
    const stop = Effect.suspend(() => {
      const first = !drain.isDraining()
      return Effect.tap(drain.run(loop.stop), (report) => (first ? logReport(report) : Effect.void))
    }).pipe(Effect.uninterruptible)
    yield* Effect.addFinalizer(() => stop)
    let started = false

    /** Serves until interrupted, then drains. */
    const serve = (session: AcceptLoop.Serve): Effect.Effect<never> =>
      Effect.suspend(() => {
        if (started) return Effect.die(new Error("this TcpServer runs already, or has run"))
        started = true
        return Effect.onExit(Effect.andThen(loop.start(session), Effect.never), () => stop)
      })

    return TcpServer.of({
      address: listener.address,
      run: (handler, runOptions) =>
        Effect.flatMap(Effect.context<never>(), (context) => {
          const environment: HandlerSession.Environment = {
            handler: withFarewell(handler, runOptions?.farewell),
            context: FlatContext.make(context),
            timers,
            limits
          }
          return serve((transport, finished) => HandlerSession.startUnsafe(environment, transport, finished))
        }),
      runTransports: (open) =>
        Effect.flatMap(Effect.context<never>(), (context) => {
          const environment: TransportSession.Environment = { open, context, timers, limits }
          return serve((transport, finished) => TransportSession.startUnsafe(environment, transport, finished))
        }),
      drain: stop,
      isDraining: Effect.sync(drain.isDraining),
      stats: Effect.sync(() => stats.snapshot())
    })
  })

/**
 * Provides a server on the current `Listener`, also as Effect's own
 * `SocketServer`. Options that make no sense are defects.
 *
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<TcpServer | SocketServer.SocketServer, never, Listener> =>
  Layer.effectContext(
    Effect.map(make(options), (server) =>
      Context.make(TcpServer, server).pipe(Context.add(SocketServer.SocketServer, TcpSocketServer.make(server)))
    )
  )

/**
 * Serves every connection by `handler`, from the building of the layer to its
 * release.
 *
 * @category layers
 */
export const serve = <R, E, _>(
  handler: (connection: Connection) => Effect.Effect<_, E, R>,
  options?: RunOptions<R>
): Layer.Layer<never, never, TcpServer | Exclude<R, Scope.Scope | Connection>> =>
  Layer.effectDiscard(Effect.flatMap(TcpServer, (server) => launch(server.run(handler, options))))

/**
 * Serves every connection by callbacks, from the building of the layer to its
 * release: `runTransports` as a layer.
 *
 * @category layers
 */
export const serveTransports = (open: (transport: Transport) => Receiver): Layer.Layer<never, never, TcpServer> =>
  Layer.effectDiscard(Effect.flatMap(TcpServer, (server) => launch(server.runTransports(open))))

/**
 * Logs where the server listens, at level INFO, once it does.
 *
 * @category layers
 */
export const layerLogAddress: Layer.Layer<never, never, TcpServer> = Layer.effectDiscard(
  Effect.flatMap(TcpServer, ({ address }) => Effect.logInfo(`Listening on ${NetAddress.formatSocketAddress(address)}`))
)

/** Runs in the background of a layer. What fails at once, a server that has run already, is the layer's own failure. */
const launch = <R>(run: Effect.Effect<never, never, R>): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.flatMap(Effect.forkScoped(run, { startImmediately: true }), (fiber) => fiber.pollUnsafe() ?? Effect.void)

const withFarewell = <R, E, _>(
  handler: (connection: Connection) => Effect.Effect<_, E, R>,
  farewell: RunOptions<R>["farewell"]
): HandlerSession.Environment["handler"] => {
  const served =
    farewell === undefined
      ? handler
      : (connection: Connection) =>
          Effect.andThen(
            Pull.catchDone(handler(connection), () => Effect.void),
            Effect.suspend(() => (connection.isDraining ? farewell(connection) : Effect.void))
          )
  return served as HandlerSession.Environment["handler"]
}

const logReport = (report: Drain.Report): Effect.Effect<void> =>
  report.interrupted + report.cut === 0
    ? Effect.logDebug("Server drained", report)
    : Effect.logWarning("Server drained with connections left at the deadline", report)
