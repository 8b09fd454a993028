/**
 * The ways to compress messages that servers and channels find, where they are
 * not told of others. A platform's package brings them: on Node,
 * `NodeGrpcCompression.layer()`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as GrpcEncoding from "../protocol/grpc/GrpcEncoding.ts"

/** Default: none, so that messages are sent as they are, and compressed ones refused. @category references */
export const GrpcCompression: Context.Reference<GrpcEncoding.GrpcEncodings> =
  Context.Reference<GrpcEncoding.GrpcEncodings>("@sluice/core/grpc/GrpcCompression", {
    defaultValue: () => GrpcEncoding.none
  })
