/**
 * How the answer to a call is put on the wire: gRPC's own way, or one of those
 * that browsers can read.
 *
 * @internal
 * @since 0.1.0
 */
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import type { Refusal } from "../../protocol/http/HttpReason.ts"

/** Commands do nothing and say why, when the exchange is over. @category models */
export interface GrpcReply {
  /** The head: `fields` are gRPC's own and the metadata, without the content type, which this adds. */
  begin(fields: FieldsInput): Refusal | undefined
  /** A message with its prefix, which is taken over. */
  message(bytes: Uint8Array): Refusal | undefined
  /** The end of an answer that has begun: `grpc-status` and the rest. */
  end(trailers: FieldsInput): Refusal | undefined
  /** All of an answer without a message: head and trailers in one. */
  endOnly(fields: FieldsInput): Refusal | undefined
}
