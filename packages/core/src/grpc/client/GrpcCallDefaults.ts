/**
 * What the calls of a channel have where they say nothing else, and what they
 * cannot say.
 *
 * @internal
 * @since 0.1.0
 */
import type { GrpcObserver } from "../GrpcObserver.ts"
import type { GrpcAttempts } from "./GrpcAttempts.ts"
import type { GrpcInterceptor } from "./GrpcInterceptor.ts"
import type { GrpcServiceConfig } from "./GrpcServiceConfig.ts"

/** @category models */
export interface CallDefaults {
  /** In reading order: the first is the outermost. */
  readonly interceptors: ReadonlyArray<GrpcInterceptor>
  /** How often a call is tried. */
  readonly attempts: GrpcAttempts
  /** How long a call may take, with all its attempts; `Infinity` for no limit. */
  readonly timeoutMillis: number
  /** Whether calls wait for a server while none can be reached. */
  readonly waitForReady: boolean
  /** How requests are compressed, by its name; `undefined` for not at all. */
  readonly compression: string | undefined
  /** The largest reply, decompressed; `Infinity` for no limit. */
  readonly maxReceiveBytes: number
  /** The largest request, before its compression; `Infinity` for no limit. */
  readonly maxSendBytes: number
  readonly userAgent: string
  /** Who is told of each call. */
  readonly observers: ReadonlyArray<GrpcObserver>
  /** What holds for single methods, in place of the times above and at most the sizes. Default: nothing. */
  readonly methods?: Pick<GrpcServiceConfig, "methodOf"> | undefined
}
