/**
 * Serves Effect's HTTP applications over any `Listener`: TCP, TLS, a Unix
 * socket, or a network in memory. It is an `HttpServer` of Effect's, so that
 * whatever is made for that runs on it: `HttpRouter`, `HttpApi`,
 * `HttpStaticServer`, `RpcServer`, WebSockets.
 *
 * ```ts
 * const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello world"))
 *
 * const Main = HttpRouter.serve(Routes).pipe(
 *   Layer.provide(WebServer.layer()),
 *   Layer.provide(NodeTransport.layerListener({ port: 3000 }))
 * )
 * ```
 *
 * On Node, `NodeWebServer.layer({ port: 3000 })` is both of these layers, and
 * the services beside them.
 *
 * HTTP/1.1 and HTTP/2 are served on the same port, and handlers see no
 * difference: with TLS by ALPN, where the listener offers `h2`; in cleartext to
 * clients that begin with it (RFC 9113 §3.3). WebSockets come by both.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Multipart from "effect/http/Multipart"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import * as Http1Options from "../protocol/http1/Http1Options.ts"
import * as Http2Options from "../protocol/http2/Http2Options.ts"
import * as Limit from "../protocol/Limit.ts"
import { CurrentTimers } from "../session/CurrentTimers.ts"
import type { Environment } from "../session/HttpEnvironment.ts"
import * as HttpSession from "../session/HttpSession.ts"
import * as Timers from "../session/Timers.ts"
import { Listener } from "../transport/Listener.ts"
import * as AcceptLoop from "./AcceptLoop.ts"
import * as ConnectionAge from "./ConnectionAge.ts"
import * as ConnectionStats from "./ConnectionStats.ts"
import * as Drain from "./Drain.ts"
import { Draining } from "./Draining.ts"
import * as HttpHandler from "./HttpHandler.ts"
import type { HttpMount, MountHost } from "./HttpMount.ts"
import { HttpMounts } from "./HttpMounts.ts"
import type { HttpObserver } from "./HttpObserver.ts"
import * as HttpStats from "./HttpStats.ts"

/**
 * What a server knows of itself beside Effect's `HttpServer`.
 *
 * @category services
 */
export class WebServer extends Context.Service<
  WebServer,
  {
    readonly address: NetAddress.SocketAddress
    /** Stops accepting and drains, as the end of whoever serves does. Completes when all connections are gone. */
    readonly drain: Effect.Effect<Report>
    readonly isDraining: Effect.Effect<boolean>
    readonly stats: Effect.Effect<Stats>
    /**
     * Has requests taken by another protocol before the application gets them,
     * as gRPC does by their content type; for the lifetime of a scope. Mounts
     * are asked in the order in which they came.
     */
    readonly mount: (make: (host: MountHost) => HttpMount) => Effect.Effect<void, never, Scope.Scope>
  }
>()("@sluice/core/server/WebServer") {}

/** @category options */
export interface Options
  extends AcceptLoop.Options,
    Drain.Options,
    ConnectionAge.Options,
    Omit<Http1Options.Options, "epochOffsetMillis" | "maxInterimResponses" | "responseTimeout"> {
  /**
   * The largest body that a request hands out whole (`json`, `text`,
   * `urlParamsBody`, `arrayBuffer`). At least 1 byte. Default 2 MiB. Above:
   * 413. `HttpIncomingMessage.MaxBodySize` overrides it for a part of the
   * program. No effect on `stream` and `multipart`, which hold little of a
   * body at a time: `maxBodySize` limits those.
   */
  readonly maxBufferedBody?: ByteSize.Input | "unbounded" | undefined
  /**
   * The limits of forms with files, where no others are set by `Multipart`'s
   * own references. Default: 100 parts, 1 MiB a field, 1 GiB a file, and no
   * total but `maxBodySize`. Above: 413.
   */
  readonly multipart?: Multipart.withLimits.Options | undefined
  /**
   * The limits of HTTP/2 connections. What both versions have by the same name
   * (`maxBodySize`, `maxHeaderSize`, `maxFieldCount`, `headTimeout`,
   * `bodyTimeout`, `idleTimeout`, `sendTimeout`, `closeTimeout`) is that of the
   * server, unless it is said here; its `maxHeaderSize` counts as at least 1 KiB
   * and at most 16 MiB. `"off"`: only HTTP/1.1 is spoken; a client
   * of HTTP/2 in cleartext gets 505. Default: HTTP/2 with its defaults.
   */
  readonly http2?: Omit<Http2Options.Options, "epochOffsetMillis"> | "off" | undefined
  /** Who is told of each request: `AccessLog.make()`, `HttpMetrics.make`, or one's own. Default: nobody. */
  readonly observers?: ReadonlyArray<Effect.Effect<HttpObserver>> | undefined
  /**
   * What it means that a client ends its sending side before it has its
   * answer. `"abort"`, the default: it is gone, and its handler is
   * interrupted; most clients that close look so. `"answer"`: it still reads,
   * as `nc` does. No effect on HTTP/2, whose requests end by themselves: there
   * it is gone.
   */
  readonly halfClose?: "abort" | "answer" | undefined
}

/** A snapshot. @category models */
export interface Stats extends ConnectionStats.Stats {
  readonly requests: HttpStats.RequestStats
}

/** How a drain ended: connections, and the requests that were in flight. @category models */
export interface Report extends Drain.Report {
  readonly requests: HttpStats.RequestStats
}

/** Both services of one server. @category models */
export interface Servers {
  readonly webServer: WebServer["Service"]
  readonly httpServer: HttpServer.HttpServer["Service"]
}

/** Options that make no sense are defects. @category constructors */
export const make = (options?: Options): Effect.Effect<Servers, never, Listener | Scope.Scope> =>
  Effect.gen(function* () {
    const listener = yield* Listener
    const timers = yield* Timers.make
    const connections = new ConnectionStats.ConnectionStats()
    const requests = new HttpStats.HttpStats()
    const drain = Drain.makeUnsafe(options)
    const loop = AcceptLoop.makeUnsafe(listener, drain, timers, connections, options)
    yield* ConnectionStats.publish(connections, NetAddress.formatSocketAddress(listener.address))
    const stop = stopOnce(drain, loop, requests)
    yield* Effect.addFinalizer(() => stop)
    const environmentOf = yield* makeEnvironments(options, timers, requests)
    const maxBodyBytes = Limit.bytesOrUnbounded("maxBufferedBody", options?.maxBufferedBody, 2 * 1024 * 1024)
    const draining = { isDraining: drain.isDraining, begun: drain.begun }
    const services = Context.make(CurrentTimers, timers).pipe(Context.add(Draining, draining))
    const mounts = new HttpMounts({ timers, draining })
    const defaults = Multipart.limitsServices({ ...multipartLimits, ...options?.multipart })
    const bounded = yield* ConnectionAge.bounding(options, timers)
    let started = false
    return {
      webServer: WebServer.of({
        address: listener.address,
        drain: stop,
        isDraining: Effect.sync(drain.isDraining),
        mount: (make) => mounts.add(make),
        stats: Effect.sync(() => ({ ...connections.snapshot(), requests: requests.snapshot() }))
      }),
      httpServer: HttpServer.make({
        address: listener.address,
        serve: (app, middleware) =>
          Effect.gen(function* () {
            if (started) return yield* Effect.die(new Error("this server serves already, or has served"))
            started = true
            const serve = yield* HttpHandler.make(app, { middleware, maxBodyBytes, defaults, services })
            const environment = environmentOf(mounts.before(serve))
            // Before the services that handlers use are released.
            yield* Effect.addFinalizer(() => stop)
            yield* loop.start(
              bounded((transport, finished) => HttpSession.startUnsafe(environment(), transport, finished))
            )
          })
      })
    }
  })

/**
 * Provides a server on the current `Listener`, as Effect's `HttpServer` and as
 * `WebServer`. It serves from when an application is given to it (by
 * `HttpRouter.serve` or `HttpServer.serve`), once, and drains when that ends.
 *
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<WebServer | HttpServer.HttpServer, never, Listener> =>
  Layer.effectContext(
    Effect.map(make(options), ({ httpServer, webServer }) =>
      Context.make(WebServer, webServer).pipe(Context.add(HttpServer.HttpServer, httpServer))
    )
  )

/** Fields are held in memory, files are written to the disk. */
const multipartLimits: Multipart.withLimits.Options = { maxParts: 100, maxFieldSize: "1 MiB", maxFileSize: "1 GiB" }

/** The end of whoever serves, the scope's end and `drain` all wait for one drain, which is told once. */
const stopOnce = (
  drain: Drain.Drain,
  loop: AcceptLoop.AcceptLoop,
  requests: HttpStats.HttpStats
): Effect.Effect<Report> =>
  Effect.suspend(() => {
    const first = !drain.isDraining()
    const before = requests.snapshot()
    return Effect.map(drain.run(loop.stop), (connections): Report => {
      const after = requests.snapshot()
      const during = {
        completed: after.completed - before.completed,
        aborted: after.aborted - before.aborted,
        cut: after.cut - before.cut,
        upgraded: after.upgraded - before.upgraded
      }
      return { ...connections, requests: during }
    }).pipe(Effect.tap((report) => (first ? logReport(report) : Effect.void)))
  }).pipe(Effect.uninterruptible)

const logReport = (report: Report): Effect.Effect<void> =>
  report.interrupted + report.cut === 0
    ? Effect.logDebug("Server drained", report)
    : Effect.logWarning("Server drained with connections left at the deadline", report)

/** How far the wall clock may have moved against the monotonic one before `Date` follows it. */
const clockCheckMillis = 60_000

/**
 * What connections share. `Date` is told by the wall clock, which may be set,
 * while all else is timed by the monotonic one: so their difference is looked
 * at again for new connections.
 */
const makeEnvironments = (
  options: Options | undefined,
  timers: Timers.Timers,
  requests: HttpStats.HttpStats
): Effect.Effect<(serve: Environment["serve"]) => () => Environment> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const observers = yield* Effect.all(options?.observers ?? [])
    const limits = Http1Options.resolve(options)
    const http2 = resolveHttp2(options?.http2, limits)
    const onEnd = observing(requests, timers, observers)
    return (serve) => {
      let checkedMillis = Number.NEGATIVE_INFINITY
      let environment: Environment | undefined
      return () => {
        const nowMillis = timers.now()
        if (environment === undefined || nowMillis - checkedMillis >= clockCheckMillis) {
          checkedMillis = nowMillis
          const epochOffsetMillis = clock.currentTimeMillisUnsafe() - nowMillis
          environment = {
            timers,
            limits: { ...limits, epochOffsetMillis },
            http2: http2 === "off" ? http2 : { ...http2, epochOffsetMillis },
            halfClose: options?.halfClose ?? "abort",
            serve,
            onRequest: announcing(observers),
            onEnd
          }
        }
        return environment
      }
    }
  })

/** What both versions have: the option, and the limit that it becomes. */
const sharedLimits = [
  ["maxBodySize", "bodyBytes"],
  ["maxHeaderSize", "headerBytes"],
  ["maxFieldCount", "fieldCount"],
  ["headTimeout", "headMillis"],
  ["bodyTimeout", "bodyMillis"],
  ["idleTimeout", "idleMillis"],
  ["sendTimeout", "sendMillis"],
  ["closeTimeout", "closeMillis"]
] as const

/** What is said for HTTP/2 counts before what is said for both versions. */
const resolveHttp2 = (own: Options["http2"], limits: Http1Options.Resolved): Http2Options.Resolved | "off" => {
  if (own === "off") return own
  // HTTP/1.1 takes less, and more, than HTTP/2 can announce.
  const shared = { ...limits, headerBytes: Math.min(Math.max(limits.headerBytes, 1024), 2 ** 24) }
  const resolved: { -readonly [K in keyof Http2Options.Resolved]: Http2Options.Resolved[K] } = Http2Options.resolve(
    "server",
    own
  )
  for (const [option, limit] of sharedLimits) if (own?.[option] === undefined) resolved[limit] = shared[limit]
  return resolved
}

const announcing = (observers: ReadonlyArray<HttpObserver>): Environment["onRequest"] => {
  if (observers.length === 0) return undefined
  return (exchange) => {
    for (const observer of observers) observer.onRequest(exchange)
  }
}

const observing = (
  requests: HttpStats.HttpStats,
  timers: Timers.Timers,
  observers: ReadonlyArray<HttpObserver>
): Environment["onEnd"] => {
  if (observers.length === 0) return (_, outcome) => requests.count(outcome)
  return (exchange, outcome) => {
    requests.count(outcome)
    const { sentBodyBytes, startedMillis, status } = exchange
    const record = { exchange, status, outcome, sentBodyBytes, durationMillis: timers.now() - startedMillis }
    for (const observer of observers) observer.onEnd(record)
  }
}
