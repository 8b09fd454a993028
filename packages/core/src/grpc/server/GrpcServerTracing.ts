/**
 * A span for each call of a server, whose parent is the client's: an
 * interceptor.
 *
 * ```ts
 * const Main = GrpcServer.serve(Services, { interceptors: [GrpcServerTracing.make()] })
 * ```
 *
 * Spans go to Effect's `Tracer`, and have the names of OpenTelemetry's semantic
 * conventions for gRPC: `package.Service/Method`, `rpc.system.name`,
 * `rpc.method`, `rpc.response.status_code`, `server.address`, `client.address`,
 * and `error.type` where the code says that the server has failed. A span of
 * another code, as NOT_FOUND, is no failure.
 *
 * The client's span is in its metadata: `traceparent` (W3C Trace Context), or
 * `b3` and `x-b3-…` (Zipkin). The first interceptor is the outermost: give it
 * first, and spans of the others are within the call's.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { GrpcMetadata } from "../../protocol/grpc/GrpcMetadata.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import * as GrpcSpan from "../GrpcSpan.ts"
import type { GrpcServerCall } from "./GrpcServerCall.ts"
import type { GrpcServerInterceptor } from "./GrpcServerInterceptor.ts"

/** @category options */
export interface Options {
  /** Which calls have a span; health checks may do without. Default all. */
  readonly isTraced?: ((call: GrpcServerCall) => boolean) | undefined
  /** Whether a span is the child of the one that the client names. Default `"on"`; `"off"` where anyone may call. */
  readonly propagation?: "on" | "off" | undefined
}

/** @category constructors */
export const make =
  (options?: Options): GrpcServerInterceptor =>
  (call, handled) => {
    if (options?.isTraced !== undefined && !options.isTraced(call)) return handled
    return GrpcSpan.around(
      {
        role: "server",
        method: call.method,
        parent: options?.propagation === "off" ? undefined : parentOf(call.metadata),
        attributes: attributesOf(call),
        interruption: Effect.map(call.remaining, interruptionOf)
      },
      () => handled
    )
  }

/** The deadline interrupts a handler, and so does a client that goes. */
const interruptionOf = (remaining: Duration.Duration | undefined): GrpcStatus.FailureCode =>
  remaining !== undefined && Duration.isZero(remaining) ? GrpcStatus.DeadlineExceeded : GrpcStatus.Cancelled

const parentOf = (metadata: GrpcMetadata): Tracer.AnySpan | undefined => {
  const found: Record<string, string> = {}
  for (const name of propagated) {
    const value = metadata.get(name)
    if (value !== undefined) found[name] = value
  }
  return Option.getOrUndefined(HttpTraceContext.fromHeaders(Headers.fromRecordUnsafe(found)))
}

const propagated = ["traceparent", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"]

const attributesOf = ({ authority, peer }: GrpcServerCall): Record<string, unknown> => {
  const attributes: Record<string, unknown> = serverOf(authority)
  if (NetAddress.isInetAddress(peer)) {
    attributes["client.address"] = NetAddress.formatIp(peer.address)
    attributes["client.port"] = peer.port
  }
  return attributes
}

/** `host`, `host:port` or `[::1]:port`, as the client has it. */
const serverOf = (authority: string): Record<string, unknown> => {
  const [, host, port] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(authority) ?? [authority, authority]
  return {
    "server.address": host!.startsWith("[") && host!.endsWith("]") ? host!.slice(1, -1) : host,
    ...(port === undefined ? {} : { "server.port": Number(port) })
  }
}
