/**
 * A span for each call of a client, which the server is told of: an
 * interceptor.
 *
 * ```ts
 * const Channel = GrpcChannel.layer({ host, port }, { interceptors: [GrpcClientTracing.make()] })
 * ```
 *
 * Spans go to Effect's `Tracer`, and have the names of OpenTelemetry's semantic
 * conventions for gRPC: `package.Service/Method`, `rpc.system.name`,
 * `rpc.method`, `rpc.response.status_code`, and `error.type` for every code but
 * OK. A span has all attempts of its call. Of a method with many replies it
 * ends when the first has come.
 *
 * The span is sent as `traceparent` (W3C Trace Context) and `b3` (Zipkin), in
 * place of such metadata of the call. Where tracing is off, neither is sent.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as Tracer from "effect/Tracer"
import * as GrpcMetadata from "../../protocol/grpc/GrpcMetadata.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import * as GrpcSpan from "../GrpcSpan.ts"
import type { GrpcCallOptions } from "./GrpcCallOptions.ts"
import type { GrpcInterceptor, OutgoingCall } from "./GrpcInterceptor.ts"

/** @category options */
export interface Options {
  /** Which calls have a span. Default all. */
  readonly isTraced?: ((call: OutgoingCall) => boolean) | undefined
  /** Of each span, as `{ "server.address": "greeter.internal" }`: a call does not know its server. Default none. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** Whether the server is told of the span. Default `"on"`; `"off"` where it is somebody else's. */
  readonly propagation?: "on" | "off" | undefined
}

/** @category constructors */
export const make =
  (options?: Options): GrpcInterceptor =>
  (call, next) => {
    if (options?.isTraced !== undefined && !options.isTraced(call)) return next(call.options)
    return GrpcSpan.around(
      {
        role: "client",
        method: call.method,
        parent: undefined,
        attributes: options?.attributes ?? {},
        interruption: cancelled
      },
      (span) => next(options?.propagation === "off" ? call.options : told(call.options, span))
    )
  }

const cancelled = Effect.succeed<GrpcStatus.FailureCode>(GrpcStatus.Cancelled)

const told = (options: GrpcCallOptions, span: Tracer.Span): GrpcCallOptions => {
  if (Context.get(span.annotations, Tracer.DisablePropagation)) return options
  let metadata = options.metadata ?? GrpcMetadata.empty
  const headers = HttpTraceContext.toHeaders(span)
  for (const name of Object.keys(headers)) metadata = metadata.set(name, headers[name]!)
  return { ...options, metadata }
}
