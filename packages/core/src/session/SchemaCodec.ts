/**
 * A Schema on top of a codec: frames that are decoded and checked as they
 * arrive, and encoded before they leave.
 *
 * ```ts
 * const Message = Schema.Struct({ from: Schema.String, text: Schema.String })
 * const messages = connection.framed(SchemaCodec.make(JsonLines.make(), Message))
 * ```
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ByteQueue } from "../bytes/ByteQueue.ts"
import type { Codec, Decoder, FrameOutput } from "../codec/Codec.ts"
import { type CodecReason, InvalidContent } from "../codec/CodecError.ts"

/**
 * A frame that does not fit the schema is `InvalidContent`: it costs that
 * frame alone. The schema must need no services, and decode no frame to
 * `undefined`: such a frame is refused.
 *
 * @category constructors
 */
export const make = <Frame, A, I>(codec: Codec<unknown, Frame>, schema: Schema.Codec<A, I & Frame>): Codec<A> => {
  const decode = Schema.decodeUnknownResult(schema)
  const encode = Schema.encodeResult(schema)
  return {
    decoder: () => new SchemaDecoder(codec.decoder(), decode),
    encoder: () => {
      const encoder = codec.encoder()
      return {
        encode: (value: A, output: FrameOutput): CodecReason | undefined => {
          const encoded = encode(value)
          return Result.isSuccess(encoded)
            ? encoder.encode(encoded.success, output)
            : new InvalidContent(encoded.failure.message, "caller")
        }
      }
    }
  }
}

class SchemaDecoder<A> implements Decoder<A> {
  private readonly frames: Decoder<unknown>
  private readonly decodeFrame: (frame: unknown) => Result.Result<A, Schema.SchemaError>
  private mismatch: InvalidContent | undefined

  constructor(frames: Decoder<unknown>, decodeFrame: (frame: unknown) => Result.Result<A, Schema.SchemaError>) {
    this.frames = frames
    this.decodeFrame = decodeFrame
  }

  get violation(): CodecReason | undefined {
    return this.mismatch ?? this.frames.violation
  }

  takeViolation(): CodecReason | undefined {
    const mismatch = this.mismatch
    this.mismatch = undefined
    return mismatch ?? this.frames.takeViolation()
  }

  decode(input: ByteQueue): A | undefined {
    return this.check(this.frames.decode(input))
  }

  decodeEnd(input: ByteQueue): A | undefined {
    return this.check(this.frames.decodeEnd(input))
  }

  private check(frame: unknown): A | undefined {
    if (frame === undefined) return undefined
    const decoded = this.decodeFrame(frame)
    if (Result.isSuccess(decoded)) {
      // `undefined` would mean that more bytes are needed, and the frames behind it would wait for them.
      if (decoded.success === undefined) this.mismatch = new InvalidContent("a frame cannot be undefined", "caller")
      return decoded.success
    }
    this.mismatch = new InvalidContent(decoded.failure.message)
    return undefined
  }
}
