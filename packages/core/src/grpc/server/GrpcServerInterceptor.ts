/**
 * What stands around every call of a server: who may call, limits, logs, spans.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { GrpcServerCall } from "./GrpcServerCall.ts"

/**
 * Wraps the handling of a call of whatever kind, from its first request to its
 * last reply. It may fail in place of the handler, and provide what that needs.
 * It may not succeed in its place: a method of one reply ends with INTERNAL when
 * `handled` was not run, or again behind its reply.
 *
 * @category models
 */
export type GrpcServerInterceptor = <R>(
  call: GrpcServerCall,
  handled: Effect.Effect<void, GrpcError, R>
) => Effect.Effect<void, GrpcError, R>
