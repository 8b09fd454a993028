/**
 * Where calls come in: finds the method of a request and its wire, and turns
 * away what cannot be served.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import * as GrpcEncoding from "../../protocol/grpc/GrpcEncoding.ts"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { HttpMount, MountHost, Serving } from "../../server/HttpMount.ts"
import type { HttpExchange } from "../../session/HttpExchange.ts"
import { GrpcInbound } from "../GrpcInbound.ts"
import * as GrpcMethod from "../GrpcMethod.ts"
import type { GrpcObserver } from "../GrpcObserver.ts"
import { GrpcRequests } from "./GrpcRequests.ts"
import type { ServedMethod, ServerLimits } from "./GrpcServed.ts"
import { GrpcServedCall } from "./GrpcServedCall.ts"
import * as GrpcServedFailure from "./GrpcServedFailure.ts"
import type { GrpcWire, GrpcWireCall } from "./GrpcWire.ts"

/** @category options */
export interface Options {
  readonly host: MountHost
  readonly wires: ReadonlyArray<GrpcWire>
  readonly limits: ServerLimits
  readonly observers: ReadonlyArray<GrpcObserver>
  readonly find: (path: string) => ServedMethod | undefined
  /** Whether a service of the name is there, whose method was not found. */
  readonly hasService: (name: string) => boolean
}

/** @category models */
export class GrpcDoor implements HttpMount {
  private readonly options: Options
  /** Made once: it is said most when there is least time for it. */
  private readonly tooMany: GrpcError.GrpcError
  private callCount = 0

  constructor(options: Options) {
    this.options = options
    this.tooMany = tooMany(options.limits.callCount)
  }

  serve(exchange: HttpExchange): Serving | undefined | "pass" {
    const { find, limits, wires } = this.options
    const path = pathOf(exchange.target)
    const served = find(path)
    for (const wire of wires) {
      const call = wire.open(exchange, served?.method, limits)
      if (call === "answered") return undefined
      if (call !== undefined) return this.open(exchange, path, served, call)
    }
    return "pass"
  }

  private open(
    exchange: HttpExchange,
    path: string,
    served: ServedMethod | undefined,
    call: GrpcWireCall
  ): Serving | undefined {
    const { host, limits } = this.options
    if (served === undefined) return this.refuse(call, undefined, path, this.unimplemented(path))
    const { method } = served
    const asked = call.timeoutMillis
    if (asked instanceof GrpcError.GrpcError) return this.refuse(call, method, path, asked)
    const timeoutMillis = Math.min(asked ?? Number.POSITIVE_INFINITY, limits.callMillis)
    if (timeoutMillis <= 0) return this.refuse(call, method, path, GrpcServedFailure.overdue)
    const { encoding } = call
    const decompressor = encoding === undefined ? undefined : limits.encodings.forReceiving("server", encoding)
    if (GrpcEncoding.isUnsupported(decompressor)) {
      return this.refuse(call, method, path, GrpcError.fromViolation(decompressor), decompressor.acceptText)
    }
    if (this.callCount >= limits.callCount) return this.refuse(call, method, path, this.tooMany)
    this.callCount++
    // A stream of requests may be quiet for long; a single one that stops in its middle would hold its call for ever.
    exchange.relaxBody(GrpcMethod.takesMany(method) ? "any" : "limited")
    const codec = call.codecs?.request ?? method.request
    return new GrpcServedCall({
      served,
      exchange,
      reply: call.reply,
      requests: new GrpcRequests(
        call.body,
        new GrpcInbound(codec, decompressor, limits.maxReceiveBytes, call.malformed)
      ),
      codec: call.codecs?.response ?? method.response,
      timers: host.timers,
      limits,
      compressor:
        limits.compression.length === 0
          ? undefined
          : limits.encodings.forSending(limits.compression, call.acceptEncoding),
      untilMillis:
        timeoutMillis === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : host.timers.now() + timeoutMillis,
      onOver: this.watched(method)
    }).start()
  }

  /** Tells observers of a call, and has them hear of its end. */
  private watched(method: GrpcMethod.GrpcMethod): (call: GrpcServedCall) => void {
    const { host, observers } = this.options
    if (observers.length === 0) return this.onOver
    const { path } = method
    const startedMillis = host.timers.now()
    for (const observer of observers) observer.onStart({ path, method })
    return (call) => {
      this.onOver()
      const { code, repliedCount, requestCount } = call
      const durationMillis = host.timers.now() - startedMillis
      for (const observer of observers) {
        observer.onEnd({ path, method, code, durationMillis, requestCount, replyCount: repliedCount })
      }
    }
  }

  private readonly onOver = (): void => {
    this.callCount--
  }

  /** A call that is not served is told of, too. */
  private refuse(
    call: GrpcWireCall,
    method: GrpcMethod.GrpcMethod | undefined,
    path: string,
    error: GrpcError.GrpcError,
    acceptText?: string
  ): undefined {
    const { observers } = this.options
    for (const observer of observers) {
      observer.onStart({ path, method })
      observer.onEnd({ path, method, code: error.reason.code, durationMillis: 0, requestCount: 0, replyCount: 0 })
    }
    const trailers = GrpcError.toTrailers(error)
    const { reply } = call
    const refusal = reply.endOnly(
      acceptText === undefined ? trailers : { ...trailers, "grpc-accept-encoding": acceptText }
    )
    // More than the client takes, as a path of thousands of characters is: it must hear how the call has ended, if not why.
    if (refusal?.fault === "caller") reply.endOnly(GrpcStatus.trailers(error.reason.code, ""))
  }

  private unimplemented(path: string): GrpcError.GrpcError {
    const service = path.slice(1, Math.max(1, path.lastIndexOf("/")))
    const what = this.options.hasService(service) ? "method" : "service"
    return GrpcError.unimplemented(`the server has no ${what} for ${JSON.stringify(path)}`)
  }
}

/** Without a query, and of the absolute form of HTTP/1.1 what is behind the authority (RFC 9112 §3.2.2). */
const pathOf = (target: string): string => {
  const query = target.indexOf("?")
  const path = query < 0 ? target : target.slice(0, query)
  if (path.startsWith("/")) return path
  const start = path.indexOf("/", path.indexOf("//") + 2)
  return start < 0 ? "/" : path.slice(start)
}

const tooMany = (count: number): GrpcError.GrpcError =>
  GrpcError.resourceExhausted(`the server serves ${count} calls already`, { fault: "limit", retry: "RefusedByServer" })
