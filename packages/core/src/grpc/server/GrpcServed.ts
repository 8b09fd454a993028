/**
 * What a server knows of each of its methods, and the limits of all of them.
 *
 * @internal
 * @since 0.1.0
 */
import type { Message } from "@bufbuild/protobuf"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { GrpcEncodings } from "../../protocol/grpc/GrpcEncoding.ts"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"
import type { GrpcServerCall } from "./GrpcServerCall.ts"
import type { GrpcServerInterceptor } from "./GrpcServerInterceptor.ts"

/** A handler without its types, as `GrpcMethod.kind` says which it is. @category models */
export type AnyHandler = (
  request: Message | Stream.Stream<Message, GrpcError>,
  call: GrpcServerCall
) => Effect.Effect<object, GrpcError> | Stream.Stream<object, GrpcError>

/** @category models */
export interface ServedMethod {
  readonly method: GrpcMethod
  readonly handler: AnyHandler
  /** What handlers find, in one flat map. */
  readonly context: Context.Context<never>
  /** All of them in one; the first is the outermost. */
  readonly interceptor: GrpcServerInterceptor | undefined
}

/** Resolved options. @category models */
export interface ServerLimits {
  readonly maxReceiveBytes: number
  readonly maxSendBytes: number
  /** The longest time of a call; `Infinity` for none. */
  readonly callMillis: number
  readonly callCount: number
  readonly encodings: GrpcEncodings
  /** What replies are compressed with, where the client takes it; the first is the most wanted. */
  readonly compression: ReadonlyArray<string>
}
