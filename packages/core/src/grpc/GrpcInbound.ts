/**
 * The messages that the other side sends: cut out of its bytes, decompressed
 * and decoded.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import type { Message } from "@bufbuild/protobuf"
import type { ProtobufCodec } from "../protobuf/ProtobufCodec.ts"
import { ProtobufViolation } from "../protobuf/ProtobufViolation.ts"
import * as GrpcEncoding from "../protocol/grpc/GrpcEncoding.ts"
import * as GrpcError from "../protocol/grpc/GrpcError.ts"
import { GrpcMessageReader } from "../protocol/grpc/GrpcMessageReader.ts"
import { prefixBytes } from "../protocol/grpc/GrpcMessageWriter.ts"
import type { FailureCode } from "../protocol/grpc/GrpcStatus.ts"
import * as GrpcStatus from "../protocol/grpc/GrpcStatus.ts"

/** @category models */
export class GrpcInbound {
  /** Why there are no more messages, whatever comes. */
  failure: GrpcError.GrpcError | undefined = undefined
  /** Whether the last message came compressed. */
  form: "plain" | "compressed" = "plain"
  /** How many messages came. */
  count = 0
  /** The size of the last one, decompressed. */
  messageBytes = 0
  private readonly codec: ProtobufCodec
  /** Made for the first bytes that are anything but one message as it is, which most are. */
  private reader: GrpcMessageReader | undefined = undefined
  private sole: Uint8Array | undefined = undefined
  private readonly compressor: GrpcEncoding.Compressor | undefined
  private readonly maxBytes: number
  private readonly malformed: FailureCode

  /**
   * `compressor`: by the peer's `grpc-encoding`. `maxBytes`: of a message, also
   * decompressed. `malformed`: how a call ends whose bytes are no message (gRPC
   * statuscodes: "Error parsing request proto", "Error parsing response proto").
   */
  constructor(
    codec: ProtobufCodec,
    compressor: GrpcEncoding.Compressor | undefined,
    maxBytes: number,
    malformed: FailureCode = GrpcStatus.Internal
  ) {
    this.codec = codec
    this.malformed = malformed
    this.compressor = compressor
    this.maxBytes = maxBytes
  }

  /** Takes the next bytes; of those before, {@link next} has taken all. */
  push(bytes: Uint8Array): void {
    // What comes behind a failure is nobody's.
    if (this.failure !== undefined) return
    if (this.reader === undefined) {
      if (isSole(bytes, this.maxBytes)) {
        this.sole = bytes
        return
      }
      this.reader = new GrpcMessageReader({
        maxReceiveBytes: this.maxBytes,
        compression: this.compressor === undefined ? "none" : "negotiated"
      })
    }
    this.reader.push(bytes)
  }

  /** The next message; `undefined`: more bytes are needed, or {@link failure} says why there are no more. */
  next(): Message | undefined {
    if (this.failure !== undefined) return undefined
    const { reader, sole } = this
    if (sole !== undefined) {
      this.sole = undefined
      this.form = "plain"
      this.count++
      return this.decode(sole.subarray(prefixBytes))
    }
    if (reader === undefined) return undefined
    const bytes = reader.next()
    if (bytes === undefined) {
      if (reader.violation !== undefined) this.failure = GrpcError.fromViolation(reader.violation)
      return undefined
    }
    this.form = reader.form
    this.count++
    try {
      return reader.form === "plain" ? this.decode(bytes) : this.decompress(bytes)
    } catch (cause) {
      // A compressor of somebody's that breaks its rules ends the call, and not the program.
      this.fail(GrpcError.internal("the message cannot be read", { cause }))
      return undefined
    }
  }

  /** The other side has ended: what is wrong with that. */
  end(): GrpcError.GrpcError | undefined {
    if (this.failure !== undefined) return this.failure
    const violation = this.reader?.end()
    if (violation !== undefined) this.failure = GrpcError.fromViolation(violation)
    return this.failure
  }

  /** Lets go of what it holds. */
  release(): void {
    this.reader?.release()
    this.sole = undefined
  }

  private decompress(bytes: Uint8Array): Message | undefined {
    const plain = GrpcEncoding.decompress(this.compressor!, bytes, this.maxBytes)
    if (plain instanceof Uint8Array) return this.decode(plain)
    this.fail(GrpcError.fromViolation(plain))
    return undefined
  }

  private decode(bytes: Uint8Array): Message | undefined {
    this.messageBytes = bytes.length
    const message = this.codec.decode(bytes)
    if (!(message instanceof ProtobufViolation)) return message
    this.fail(GrpcError.make(this.malformed, message.message, { fault: "peer" }))
    return undefined
  }

  private fail(failure: GrpcError.GrpcError): void {
    this.failure = failure
    this.release()
  }
}

/** Whether bytes are one message that is not compressed, and nothing else. */
const isSole = (bytes: Uint8Array, maxBytes: number): boolean => {
  const messageBytes = bytes.length - prefixBytes
  if (messageBytes < 0 || messageBytes > maxBytes || bytes[0] !== 0) return false
  return ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0 === messageBytes
}
