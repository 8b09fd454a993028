/**
 * The messages that this side sends: made, encoded, compressed where that is
 * on, and behind their prefix.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import type { Message } from "@bufbuild/protobuf"
import type { ProtobufCodec } from "../protobuf/ProtobufCodec.ts"
import type { Compressor } from "../protocol/grpc/GrpcEncoding.ts"
import * as GrpcError from "../protocol/grpc/GrpcError.ts"
import * as GrpcMessageWriter from "../protocol/grpc/GrpcMessageWriter.ts"
import { MessageTooLarge } from "../protocol/grpc/GrpcViolation.ts"

/**
 * The bytes of a message with its prefix: `value` is a message of the codec's
 * type, or what one is made of. A failure, with the fault `caller`, where it is
 * none, or above `maxBytes`.
 *
 * @category encoding
 */
export const encode = (
  codec: ProtobufCodec,
  value: object,
  compressor: Compressor | undefined,
  maxBytes: number
): Uint8Array | GrpcError.GrpcError => {
  let bytes: Uint8Array
  try {
    bytes = codec.encodeInit(value as Message, GrpcMessageWriter.prefixBytes)
  } catch (cause) {
    return GrpcError.internal("the message cannot be encoded", { fault: "caller", cause })
  }
  const messageBytes = bytes.length - GrpcMessageWriter.prefixBytes
  if (messageBytes > maxBytes) return GrpcError.fromViolation(new MessageTooLarge(messageBytes, maxBytes, "caller"))
  if (compressor !== undefined) {
    try {
      return GrpcMessageWriter.join(compressor.compress(bytes.subarray(GrpcMessageWriter.prefixBytes)), "compressed")
    } catch (cause) {
      return GrpcError.internal("the message cannot be compressed", { fault: "caller", cause })
    }
  }
  GrpcMessageWriter.writePrefix(bytes, 0, messageBytes, "plain")
  return bytes
}
