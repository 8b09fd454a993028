/**
 * The fields that calls begin with (gRPC over HTTP/2, "Requests").
 *
 * Hot path: `bench/` rows "grpc". Calls that say the same get the same record,
 * which the writer of heads knows again.
 *
 * @internal
 * @since 0.1.0
 */
import { identity } from "../../protocol/grpc/GrpcEncoding.ts"
import type { GrpcMetadata } from "../../protocol/grpc/GrpcMetadata.ts"
import * as GrpcTimeout from "../../protocol/grpc/GrpcTimeout.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"

/** Those of all calls that are compressed alike. @category models */
export class GrpcClientCallHead {
  private readonly bare: FieldsInput
  /** The last of each kind: most calls of a program say the same again. */
  private metadata: GrpcMetadata | undefined = undefined
  private withMetadata: FieldsInput
  private timed: FieldsInput | undefined = undefined
  private timeoutText = ""
  private withTimeout: FieldsInput

  /** `acceptText`: of `GrpcEncodings`. `encoding`: how the requests are compressed. */
  constructor(userAgent: string, acceptText: string, encoding: string | undefined) {
    this.bare = Object.freeze({
      te: "trailers",
      "content-type": "application/grpc",
      "user-agent": userAgent,
      ...(encoding !== undefined && { "grpc-encoding": encoding }),
      ...(acceptText !== identity && { "grpc-accept-encoding": acceptText })
    })
    this.withMetadata = this.bare
    this.withTimeout = this.bare
  }

  /** `timeoutMillis`: what is left of the call's time, above 0; `Infinity` for no limit. */
  of(metadata: GrpcMetadata | undefined, timeoutMillis: number, previousAttempts: number): FieldsInput {
    let fields = metadata === undefined ? this.bare : this.joined(metadata)
    if (timeoutMillis !== Number.POSITIVE_INFINITY) fields = this.limited(fields, GrpcTimeout.format(timeoutMillis)!)
    return previousAttempts === 0 ? fields : { ...fields, "grpc-previous-rpc-attempts": String(previousAttempts) }
  }

  private joined(metadata: GrpcMetadata): FieldsInput {
    if (metadata !== this.metadata) {
      this.metadata = metadata
      // Its names are never gRPC's own; a `user-agent` of the call replaces the channel's.
      this.withMetadata = metadata.isEmpty ? this.bare : Object.freeze({ ...this.bare, ...metadata.toFields() })
    }
    return this.withMetadata
  }

  private limited(fields: FieldsInput, timeoutText: string): FieldsInput {
    if (fields !== this.timed || timeoutText !== this.timeoutText) {
      this.timed = fields
      this.timeoutText = timeoutText
      this.withTimeout = Object.freeze({ ...fields, "grpc-timeout": timeoutText })
    }
    return this.withTimeout
  }
}
