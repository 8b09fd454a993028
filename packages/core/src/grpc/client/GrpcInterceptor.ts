/**
 * What stands around every call of a client: metadata that is added, calls that
 * are logged, limited, tried again or refused.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"
import type { GrpcCallOptions } from "./GrpcCallOptions.ts"

/** A call that is about to be made. @category models */
export interface OutgoingCall {
  readonly method: GrpcMethod
  readonly options: GrpcCallOptions
}

/**
 * Wraps a call. `next` makes it, with the options that it is given. Of a method
 * with one reply, the effect is all of the call; of one with many, it ends when
 * the first of them, or the metadata before it, has come.
 *
 * @category models
 */
export type GrpcInterceptor = <A, R>(
  call: OutgoingCall,
  next: (options: GrpcCallOptions) => Effect.Effect<A, GrpcError, R>
) => Effect.Effect<A, GrpcError, R>
