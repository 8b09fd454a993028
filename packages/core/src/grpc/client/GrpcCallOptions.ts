/**
 * What a single call is told beside its request.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { GrpcMetadata } from "../../protocol/grpc/GrpcMetadata.ts"

/** @category options */
export interface GrpcCallOptions {
  /** Sent with the call. Default: none. */
  readonly metadata?: GrpcMetadata | undefined
  /**
   * How long the call may take, with all its attempts. Above 0. Never longer
   * than what is left of the call that it is made for (`GrpcDeadline`), nor
   * than the channel's `serviceConfig` says of the method. Default: the
   * channel's. Above: `DeadlineExceeded`, and the server is told.
   */
  readonly timeout?: Duration.Input | "unbounded" | undefined
  /** Wait for a server while none can be reached, in place of `Unavailable` at once. Default: the channel's, `false`. */
  readonly waitForReady?: boolean | undefined
  /** By its name, as `gzip`; `identity` for none. One that the channel has not is a defect. Default: the channel's. */
  readonly compression?: string | undefined
  /** Hears the metadata in front of the reply, once. */
  readonly onMetadata?: ((metadata: GrpcMetadata) => void) | undefined
  /** Hears the metadata behind the reply, once, where there is a reply; that of a failure is in its error. */
  readonly onTrailers?: ((metadata: GrpcMetadata) => void) | undefined
}
