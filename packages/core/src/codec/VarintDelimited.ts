/**
 * Frames behind a variable-length length: an unsigned LEB128 integer, as
 * Protocol Buffers writes between the messages of a stream.
 *
 * ```text
 *   1 to 10 bytes, 7 bits of the length each, the lowest first;
 *   the top bit says that another byte follows
 *  +----------------------------------+---------------------+
 *  | AC 02                   (is 300) | 300 bytes: a frame  |
 *  +----------------------------------+---------------------+
 * ```
 *
 * As in Protocol Buffers a length may be longer than it must be (`80 00` is
 * 0); it is sent in the shortest form.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import { allocate } from "../bytes/Allocation.ts"
import type { ByteQueue } from "../bytes/ByteQueue.ts"
import type { Codec, Decoder, Encoder } from "./Codec.ts"
import { type CodecReason, FrameTooLarge, InvalidLength, TruncatedFrame } from "./CodecError.ts"
import * as FrameLimit from "./FrameLimit.ts"

/** @category options */
export interface Options {
  /**
   * The largest frame, in bytes without its length; up to so much is buffered
   * for each decoder. At least 1 byte. Default 8 MiB.
   */
  readonly maxFrameSize?: ByteSize.Input | undefined
}

/**
 * Decoding fails with `FrameTooLarge` as soon as the length is known, with
 * `InvalidLength` above 2^53 - 1 or after ten bytes without an end, and with
 * `TruncatedFrame`. Sending fails with `FrameTooLarge`, fault `caller`. An
 * option out of range is a `RangeError`.
 *
 * @category constructors
 */
export const make = (options?: Options): Codec<Uint8Array> => {
  const limitBytes = FrameLimit.fromInput("maxFrameSize", options?.maxFrameSize, FrameLimit.defaultFrameBytes)
  return { decoder: () => new VarintDelimitedDecoder(limitBytes), encoder: () => makeEncoder(limitBytes) }
}

/** With the default options. @category codecs */
export const codec: Codec<Uint8Array> = /*#__PURE__*/ make()

/** What 64 bits need, 7 bits a byte. */
const maxLengthBytes = 10
/** Frames up to this size are joined with their length: a second write costs more than the copy. */
const joinedBytes = 4096

class VarintDelimitedDecoder implements Decoder<Uint8Array> {
  violation: CodecReason | undefined = undefined
  private readonly limitBytes: number
  /** Bytes of the length at the front; 0 while it is not known. */
  private lengthBytes = 0
  private frameBytes = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  takeViolation(): CodecReason | undefined {
    const violation = this.violation
    this.violation = undefined
    return violation
  }

  decode(input: ByteQueue): Uint8Array | undefined {
    if (this.lengthBytes === 0 && !this.readLength(input)) return undefined
    if (input.byteLength < this.lengthBytes + this.frameBytes) return undefined
    input.skip(this.lengthBytes)
    this.lengthBytes = 0
    return input.take(this.frameBytes)
  }

  decodeEnd(input: ByteQueue): Uint8Array | undefined {
    const frame = this.decode(input)
    if (frame === undefined && this.violation === undefined && input.byteLength > 0) {
      this.violation = new TruncatedFrame(input.byteLength)
    }
    return frame
  }

  private readLength(input: ByteQueue): boolean {
    const available = Math.min(input.byteLength, maxLengthBytes)
    let length = 0
    let unit = 1
    for (let index = 0; index < available; index++) {
      const byte = input.at(index)
      length += (byte & 0x7f) * unit
      unit *= 128
      if (byte < 0x80) return this.setLength(index + 1, length)
    }
    if (available === maxLengthBytes) this.violation = new InvalidLength("the length does not end within 10 bytes")
    return false
  }

  private setLength(lengthBytes: number, frameBytes: number): boolean {
    if (frameBytes > Number.MAX_SAFE_INTEGER) this.violation = new InvalidLength("the length is above 2^53 - 1")
    else if (frameBytes > this.limitBytes) {
      this.violation = new FrameTooLarge({ receivedBytes: frameBytes, limitBytes: this.limitBytes })
    } else {
      this.lengthBytes = lengthBytes
      this.frameBytes = frameBytes
      return true
    }
    return false
  }
}

const makeEncoder = (limitBytes: number): Encoder<Uint8Array> => ({
  encode: (frame, output) => {
    const frameBytes = frame.length
    if (frameBytes > limitBytes) {
      return new FrameTooLarge({ receivedBytes: frameBytes, limitBytes, fault: "caller" })
    }
    const lengthBytes = sizeOfLength(frameBytes)
    const joined = frameBytes <= joinedBytes
    const bytes = allocate(joined ? lengthBytes + frameBytes : lengthBytes)
    writeLength(bytes, frameBytes)
    if (joined) bytes.set(frame, lengthBytes)
    output.write(bytes)
    if (!joined) output.write(frame)
    return undefined
  }
})

const sizeOfLength = (length: number): number => {
  let size = 1
  for (let rest = length; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

const writeLength = (bytes: Uint8Array, length: number): void => {
  let index = 0
  let rest = length
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[index++] = (rest % 128) | 0x80
  bytes[index] = rest
}
