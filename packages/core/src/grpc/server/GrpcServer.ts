/**
 * Serves gRPC on an HTTP server, for services that `protoc-gen-es` has
 * generated: a handler for each method, as an Effect or a Stream.
 *
 * ```ts
 * const GreeterLive = GrpcServer.layer(Greeter, {
 *   sayHello: (request) => Effect.succeed({ message: `Hello ${request.name}` })
 * })
 *
 * const Main = GrpcServer.serve(GreeterLive).pipe(Layer.provide(NodeWebServer.layer({ port: 50051 })))
 * ```
 *
 * Beside an HTTP application on the same port it is mounted:
 * `HttpRouter.serve(Layer.mergeAll(Routes, GrpcServer.mount(GreeterLive)))`.
 * Calls are told by their content type, and never reach the application.
 *
 * A handler runs on a fiber of its own. It is interrupted when its client
 * cancels or is gone, when its deadline is over, and when the server's drain
 * takes too long. What it fails with is the status of the call; a defect is
 * UNKNOWN for the client, and logged.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { GrpcEncodings } from "../../protocol/grpc/GrpcEncoding.ts"
import * as Limit from "../../protocol/Limit.ts"
import { Draining, type DrainState } from "../../server/Draining.ts"
import * as FlatContext from "../../server/FlatContext.ts"
import { WebServer } from "../../server/WebServer.ts"
import { GrpcCompression } from "../GrpcCompression.ts"
import * as GrpcMethod from "../GrpcMethod.ts"
import type { GrpcObserver } from "../GrpcObserver.ts"
import { GrpcDoor } from "./GrpcDoor.ts"
import type { GrpcHandlers, OnlyKnown, Requirements } from "./GrpcHandlers.ts"
import * as GrpcNativeWire from "./GrpcNativeWire.ts"
import type { AnyHandler, ServedMethod, ServerLimits } from "./GrpcServed.ts"
import type { GrpcServerInterceptor } from "./GrpcServerInterceptor.ts"
import type { GrpcWire } from "./GrpcWire.ts"

/** The services that a server has. @category services */
export class GrpcServer extends Context.Service<
  GrpcServer,
  {
    /** Adds a service for the lifetime of a scope. Another one of its name is a defect. */
    readonly add: <S extends GrpcMethod.Service, H extends GrpcHandlers<S, unknown>>(
      service: S,
      handlers: H & OnlyKnown<S, H>,
      options?: ServiceOptions
    ) => Effect.Effect<void, never, Requirements<H> | Scope.Scope>
    /** Those that were added so far, in their order. */
    readonly services: Effect.Effect<ReadonlyArray<GrpcMethod.Service>>
    /** Whether the server drains. */
    readonly draining: DrainState
  }
>()("@sluice/core/grpc/server/GrpcServer") {}

/** @category options */
export interface ServiceOptions {
  /** Stand around the calls of this service, within those of the server; the first is the outermost. Default none. */
  readonly interceptors?: ReadonlyArray<GrpcServerInterceptor> | undefined
}

/** @category options */
export interface Options {
  /** The largest request message, also decompressed, from 1 byte. Default 4 MiB. Above: RESOURCE_EXHAUSTED. */
  readonly maxReceiveMessageSize?: ByteSize.Input | "unbounded" | undefined
  /** The largest reply message, before compression, from 1 byte. Default `"unbounded"`. Above: RESOURCE_EXHAUSTED. */
  readonly maxSendMessageSize?: ByteSize.Input | "unbounded" | undefined
  /** Calls that are served at a time, of all connections, from 1. Default 10,000. Above: RESOURCE_EXHAUSTED at once. */
  readonly maxConcurrentCalls?: number | "unbounded" | undefined
  /** The longest time of a call, whatever its client allows. Above 0. Default `"unbounded"`. Above: DEADLINE_EXCEEDED. */
  readonly callTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * What replies are compressed with, the most wanted first; the first that a
   * client takes. Names of compressors that are there (`GrpcCompression`),
   * others are a defect. Default none: replies are sent as they are, and
   * compressed requests are read all the same.
   */
  readonly compression?: ReadonlyArray<string> | undefined
  /** Stand around each call; the first is the outermost. Default none. */
  readonly interceptors?: ReadonlyArray<GrpcServerInterceptor> | undefined
  /** Who is told of each call: `GrpcMetrics.server`, or one's own. Default nobody. */
  readonly observers?: ReadonlyArray<Effect.Effect<GrpcObserver>> | undefined
  /** Other ways in which calls come, beside gRPC's own: `GrpcWeb.make()`, `Connect.make()`. Default none. */
  readonly wires?: ReadonlyArray<GrpcWire> | undefined
}

/**
 * A service of a server, by its descriptor. A method without a handler is
 * answered with UNIMPLEMENTED. What handlers need is needed here.
 *
 * @category layers
 */
export const layer = <S extends GrpcMethod.Service, H extends GrpcHandlers<S, unknown>>(
  service: S,
  handlers: H & OnlyKnown<S, H>,
  options?: ServiceOptions
): Layer.Layer<never, never, GrpcServer | Exclude<Requirements<H>, Scope.Scope>> =>
  // Two servers of one program have it both: layers are shared otherwise, whatever they are provided with.
  Layer.fresh(Layer.effectDiscard(Effect.flatMap(GrpcServer, (server) => server.add(service, handlers, options))))

/**
 * Has `services` served by the current web server, beside its HTTP application,
 * from when they are there. Begin the application with them, and no call comes
 * too early: `HttpRouter.serve(Layer.mergeAll(Routes, GrpcServer.mount(Services)))`.
 *
 * @category layers
 */
export const mount = <A, E, R>(
  services: Layer.Layer<A, E, R>,
  options?: Options
): Layer.Layer<A, E, WebServer | Exclude<R, GrpcServer>> => Layer.provide(services, layerMounted(options))

/**
 * Serves `services`, and nothing else: other requests get 404, and what is
 * posted with another content type 415.
 *
 * @category layers
 */
export const serve = <A, E, R>(
  services: Layer.Layer<A, E, R>,
  options?: Options
): Layer.Layer<A, E, WebServer | HttpServer.HttpServer | Exclude<R, GrpcServer>> =>
  Layer.provideMerge(HttpServer.serve(nothing), mount(services, options))

/** A server without services, for who adds them later. @category layers */
export const layerMounted = (options?: Options): Layer.Layer<GrpcServer, never, WebServer> =>
  Layer.effect(GrpcServer)(make(options))

/** Options that make no sense are defects. @category constructors */
export const make = (options?: Options): Effect.Effect<GrpcServer["Service"], never, WebServer | Scope.Scope> =>
  Effect.gen(function* () {
    const webServer = yield* WebServer
    const observers = yield* Effect.all(options?.observers ?? [])
    const limits = resolve(options, yield* GrpcCompression)
    const registry = new Registry(options?.interceptors ?? [])
    let draining!: DrainState
    yield* webServer.mount((host) => {
      draining = host.draining
      return new GrpcDoor({
        host,
        wires: [GrpcNativeWire.native, ...(options?.wires ?? [])],
        limits,
        observers,
        find: (path) => registry.methods.get(path),
        hasService: (name) => registry.services.has(name)
      })
    })
    return GrpcServer.of({
      draining,
      services: Effect.sync(() => [...registry.services.values()]),
      add: (service, handlers, serviceOptions) =>
        Effect.contextWith((context) =>
          Effect.acquireRelease(
            Effect.sync(() => registry.add(service, handlers as never, serviceOptions, contextOf(context, draining))),
            () => Effect.sync(() => registry.remove(service))
          )
        )
    })
  })

const contextOf = (context: Context.Context<never>, draining: DrainState): Context.Context<never> =>
  FlatContext.make(Context.add(context, Draining, draining))

class Registry {
  readonly methods = new Map<string, ServedMethod>()
  readonly services = new Map<string, GrpcMethod.Service>()
  private readonly interceptors: ReadonlyArray<GrpcServerInterceptor>

  constructor(interceptors: ReadonlyArray<GrpcServerInterceptor>) {
    this.interceptors = interceptors
  }

  add(
    service: GrpcMethod.Service,
    handlers: Readonly<Record<string, AnyHandler | undefined>>,
    options: ServiceOptions | undefined,
    context: Context.Context<never>
  ): void {
    if (this.services.has(service.typeName)) throw new Error(`the server has a service ${service.typeName} already`)
    this.services.set(service.typeName, service)
    const interceptor = composed([...this.interceptors, ...(options?.interceptors ?? [])])
    for (const method of GrpcMethod.of(service)) {
      const handler = handlers[method.localName]
      if (handler === undefined) continue
      this.methods.set(method.path, { method, handler: handler.bind(handlers), context, interceptor })
    }
  }

  remove(service: GrpcMethod.Service): void {
    this.services.delete(service.typeName)
    for (const { path } of GrpcMethod.of(service)) this.methods.delete(path)
  }
}

/** The first is the outermost. */
const composed = (interceptors: ReadonlyArray<GrpcServerInterceptor>): GrpcServerInterceptor | undefined =>
  interceptors.length === 0
    ? undefined
    : (call, handled) => interceptors.reduceRight((inner, interceptor) => interceptor(call, inner), handled)

const resolve = (options: Options | undefined, encodings: GrpcEncodings): ServerLimits => {
  const compression = options?.compression ?? []
  const unknown = compression.find((name) => encodings.find(name) === undefined)
  if (unknown !== undefined) throw new RangeError(`compression: there is no compressor ${JSON.stringify(unknown)}`)
  return {
    maxReceiveBytes: Limit.bytesOrUnbounded("maxReceiveMessageSize", options?.maxReceiveMessageSize, 4 * 1024 * 1024),
    maxSendBytes: Limit.bytesOrUnbounded("maxSendMessageSize", options?.maxSendMessageSize, Number.POSITIVE_INFINITY),
    callMillis: Limit.millisOrUnbounded("callTimeout", options?.callTimeout ?? "unbounded"),
    callCount: Limit.countOrUnbounded("maxConcurrentCalls", options?.maxConcurrentCalls ?? 10_000),
    encodings,
    compression
  }
}

/**
 * gRPC over HTTP/2, "Requests": a server that gets another content type answers
 * with 415. For the types of Connect there is no method of the path.
 */
const nothing = Effect.map(HttpServerRequest.HttpServerRequest, ({ headers, method }) => {
  const isConnect = /^application\/(?:json|proto)\b/.test(headers["content-type"] ?? "")
  return HttpServerResponse.empty({ status: method === "POST" && !isConnect ? 415 : 404 })
})
