/**
 * Frames that all have the same length.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type { ByteQueue } from "../bytes/ByteQueue.ts"
import type { Codec, Decoder, Encoder } from "./Codec.ts"
import { type CodecReason, InvalidLength, TruncatedFrame } from "./CodecError.ts"
import * as FrameLimit from "./FrameLimit.ts"

/**
 * Cuts the stream into frames of `frameSize`, at least 1 byte. An unfinished
 * frame is buffered.
 *
 * Decoding fails with `TruncatedFrame` only; sending a frame of another length
 * with `InvalidLength`, fault `caller`. A size out of range is a `RangeError`.
 *
 * @category constructors
 */
export const make = (frameSize: ByteSize.Input): Codec<Uint8Array> => {
  const frameBytes = FrameLimit.fromInput("frameSize", frameSize, 0)
  return { decoder: () => new FixedLengthDecoder(frameBytes), encoder: () => makeEncoder(frameBytes) }
}

class FixedLengthDecoder implements Decoder<Uint8Array> {
  violation: CodecReason | undefined = undefined
  private readonly frameBytes: number

  constructor(frameBytes: number) {
    this.frameBytes = frameBytes
  }

  takeViolation(): CodecReason | undefined {
    const violation = this.violation
    this.violation = undefined
    return violation
  }

  decode(input: ByteQueue): Uint8Array | undefined {
    return input.byteLength < this.frameBytes ? undefined : input.take(this.frameBytes)
  }

  decodeEnd(input: ByteQueue): Uint8Array | undefined {
    const frame = this.decode(input)
    if (frame === undefined && input.byteLength > 0) this.violation = new TruncatedFrame(input.byteLength)
    return frame
  }
}

const makeEncoder = (frameBytes: number): Encoder<Uint8Array> => ({
  encode: (frame, output) => {
    if (frame.length !== frameBytes) {
      return new InvalidLength(`a frame has ${frameBytes} bytes, but this one has ${frame.length}`, "caller")
    }
    output.write(frame)
    return undefined
  }
})
