/**
 * Who is told of every call of a server or a channel: metrics, a log.
 *
 * Without observers nothing is spent on them.
 *
 * @since 0.1.0
 */
import type * as GrpcStatus from "../protocol/grpc/GrpcStatus.ts"
import type { GrpcMethod } from "./GrpcMethod.ts"

/** A call that has begun. @category models */
export interface GrpcCallStart {
  /** `/package.Service/Method`, as it was asked for: a server may have no such method. */
  readonly path: string
  /** `undefined`: the server has no such method. */
  readonly method: GrpcMethod | undefined
}

/** A call that is over. @category models */
export interface GrpcCallRecord extends GrpcCallStart {
  readonly code: GrpcStatus.Code
  /** From its head, or from when it was made, to its status. */
  readonly durationMillis: number
  readonly requestCount: number
  readonly replyCount: number
}

/** Both are called synchronously, and must not throw. @category models */
export interface GrpcObserver {
  readonly onStart: (call: GrpcCallStart) => void
  readonly onEnd: (record: GrpcCallRecord) => void
}
