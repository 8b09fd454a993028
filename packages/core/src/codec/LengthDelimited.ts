/**
 * Frames behind a length of a fixed width: what most binary protocols do.
 *
 * ```text
 *  |<------------------- skip ------------------>|<-- length + adjustment -->|
 *  |<---- offset ---->|<----- width ----->|      |                           |
 *  +------------------+-------------------+------+---------------------------+
 *  | any bytes        | length            | any  | the frame                 |
 *  +------------------+-------------------+------+---------------------------+
 * ```
 *
 * The frame is the `length + adjustment` bytes that follow the first `skip`
 * ones. With `skip` below `offset + width`, the end of the head is part of it.
 * The knobs mean what they mean in tokio's `LengthDelimitedCodec`:
 *
 * ```text
 *  wire                    options                                frame
 *  0003 616263             width 2                                616263
 *  0005 616263             width 2, adjustment -2                 616263     the length counts itself
 *  0003 616263             width 2, adjustment 2, skip 0          0003616263 the head is kept
 *  CA 0003 616263          width 2, offset 1                      616263
 *  0003 CAFE 616263        width 2, skip 4                        616263     more head behind the length
 *  0003 CAFE 616263        width 2, adjustment 2                  CAFE616263 the same, handed out
 * ```
 *
 * Two rules are stricter than tokio's. The limit is the size of the frame that
 * is handed out, not the number in the head, so that both ends of a connection
 * agree on it. A length that ends a frame within its own head is refused: it
 * would consume nothing.
 *
 * The encoder is the inverse. It sends skipped bytes as zeros, but for the
 * length; a length within the frame is written over what stands there.
 *
 * Hot path: `bench/` rows "frames".
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import { allocate } from "../bytes/Allocation.ts"
import type { ByteQueue } from "../bytes/ByteQueue.ts"
import type { Codec, Decoder, Encoder, FrameOutput } from "./Codec.ts"
import { type CodecReason, FrameTooLarge, InvalidLength, TruncatedFrame } from "./CodecError.ts"
import * as FrameLimit from "./FrameLimit.ts"

/** @category options */
export interface Options {
  /** Bytes of the length, 1 to 8. Default 4. */
  readonly width?: number | undefined
  /** The order of its bytes: `big` sends the highest first. Default `big`. */
  readonly endianness?: "big" | "little" | undefined
  /** Bytes before the length, 0 to 65,535. Default 0. */
  readonly offset?: number | undefined
  /**
   * What is added to the length to get the bytes after the skipped ones:
   * negative where the length counts more than these, from -2^31 to 2^31.
   * Default 0.
   */
  readonly adjustment?: number | undefined
  /** Bytes dropped from the front before the frame begins, 0 to 65,535. Default `offset + width`: the head. */
  readonly skip?: number | undefined
  /**
   * The largest frame, in bytes as it is handed out; up to so much, and what
   * is skipped, is buffered for each decoder. At least 1 byte; lowered to
   * what the length can express. Default 8 MiB.
   */
  readonly maxFrameSize?: ByteSize.Input | undefined
}

/**
 * Decoding fails as soon as the head is known: with `FrameTooLarge`, or with
 * `InvalidLength` where the length is above 2^53 - 1, or negative after its
 * adjustment, or ends within the head. A stream that ends inside a frame is a
 * `TruncatedFrame`. Sending fails with `FrameTooLarge`, or with `InvalidLength`
 * where the frame is too short for what is to be written into it; both with
 * fault `caller`. Options out of range are a `RangeError`.
 *
 * @category constructors
 */
export const make = (options?: Options): Codec<Uint8Array> => {
  const layout = makeLayout(options)
  return { decoder: () => new LengthDelimitedDecoder(layout), encoder: () => new LengthDelimitedEncoder(layout) }
}

interface Layout {
  readonly width: number
  readonly bigEndian: boolean
  readonly offset: number
  readonly adjustment: number
  readonly skip: number
  /** `offset + width`: the length is known from here on. */
  readonly headBytes: number
  readonly limitBytes: number
}

/** Frames up to this size are joined with their head: a second write costs more than the copy. */
const joinedBytes = 4096

// A function declaration, as `codec` below is made while the module loads.
function makeLayout(options: Options | undefined): Layout {
  const width = inRange("width", options?.width ?? 4, 1, 8)
  const offset = inRange("offset", options?.offset ?? 0, 0, 0xffff)
  const adjustment = inRange("adjustment", options?.adjustment ?? 0, -(2 ** 31), 2 ** 31)
  const skip = inRange("skip", options?.skip ?? offset + width, 0, 0xffff + 8)
  const largestLength = width < 7 ? 2 ** (8 * width) - 1 : Number.MAX_SAFE_INTEGER
  const limitBytes = Math.min(
    FrameLimit.fromInput("maxFrameSize", options?.maxFrameSize, FrameLimit.defaultFrameBytes),
    largestLength + adjustment
  )
  if (limitBytes < 1)
    throw new RangeError(`with an adjustment of ${adjustment} no length of ${width} bytes has a frame`)
  return {
    width,
    bigEndian: inEndianness(options?.endianness ?? "big"),
    offset,
    adjustment,
    skip,
    headBytes: offset + width,
    limitBytes
  }
}

function inRange(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`${option} must be a whole number from ${least} to ${most}, but is ${value}`)
}

function inEndianness(value: string): boolean {
  if (value === "big" || value === "little") return value === "big"
  throw new RangeError(`endianness must be "big" or "little", but is ${value}`)
}

/** A length of 4 bytes, big endian, at the front; frames up to 8 MiB. @category codecs */
export const codec: Codec<Uint8Array> = /*#__PURE__*/ make()

class LengthDelimitedDecoder implements Decoder<Uint8Array> {
  violation: CodecReason | undefined = undefined
  private readonly layout: Layout
  private readonly headBytes: number
  private readonly skip: number
  /** The frame at the front; -1 while its head has not come. */
  private frameBytes = -1

  constructor(layout: Layout) {
    this.layout = layout
    this.headBytes = layout.headBytes
    this.skip = layout.skip
  }

  takeViolation(): CodecReason | undefined {
    const violation = this.violation
    this.violation = undefined
    return violation
  }

  decode(input: ByteQueue): Uint8Array | undefined {
    let frameBytes = this.frameBytes
    if (frameBytes < 0) {
      if (input.byteLength < this.headBytes) return undefined
      frameBytes = this.readHead(input)
      if (frameBytes < 0) return undefined
      this.frameBytes = frameBytes
    }
    if (input.byteLength < this.skip + frameBytes) return undefined
    input.skip(this.skip)
    this.frameBytes = -1
    return input.take(frameBytes)
  }

  decodeEnd(input: ByteQueue): Uint8Array | undefined {
    const frame = this.decode(input)
    if (frame === undefined && this.violation === undefined && input.byteLength > 0) {
      this.violation = new TruncatedFrame(input.byteLength)
    }
    return frame
  }

  /** The size of the frame at the front; -1, and a violation, where there cannot be one. */
  private readHead(input: ByteQueue): number {
    const { adjustment, limitBytes } = this.layout
    const length = this.readLength(input)
    const frameBytes = length + adjustment
    if (length > Number.MAX_SAFE_INTEGER) {
      this.violation = new InvalidLength("the length is above 2^53 - 1")
    } else if (frameBytes < 0) {
      this.violation = new InvalidLength(`a length of ${length} is negative after its adjustment of ${adjustment}`)
    } else if (frameBytes > limitBytes) {
      this.violation = new FrameTooLarge({ receivedBytes: frameBytes, limitBytes })
    } else if (this.skip + frameBytes < this.headBytes) {
      this.violation = new InvalidLength(`a length of ${length} ends the frame within its own head`)
    } else {
      return frameBytes
    }
    return -1
  }

  private readLength(input: ByteQueue): number {
    const { bigEndian, offset, width } = this.layout
    let length = 0
    if (bigEndian) {
      for (let index = 0; index < width; index++) length = length * 256 + input.at(offset + index)
    } else {
      for (let index = width - 1; index >= 0; index--) length = length * 256 + input.at(offset + index)
    }
    return length
  }
}

class LengthDelimitedEncoder implements Encoder<Uint8Array> {
  private readonly layout: Layout

  constructor(layout: Layout) {
    this.layout = layout
  }

  encode(frame: Uint8Array, output: FrameOutput): CodecReason | undefined {
    const { adjustment, headBytes, limitBytes, skip } = this.layout
    const frameBytes = frame.length
    if (frameBytes > limitBytes) {
      return new FrameTooLarge({ receivedBytes: frameBytes, limitBytes, fault: "caller" })
    }
    const length = frameBytes - adjustment
    if (length < 0 || skip + frameBytes < headBytes) {
      return new InvalidLength(`a frame of ${frameBytes} bytes is too short for its length`, "caller")
    }
    // A length that reaches into the frame is written into a copy of it.
    const joined = frameBytes <= joinedBytes || skip < headBytes
    const bytes = allocate(joined ? skip + frameBytes : skip)
    if (skip > this.layout.width || this.layout.offset > 0) bytes.fill(0, 0, skip)
    if (joined) bytes.set(frame, skip)
    this.writeLength(bytes, length)
    output.write(bytes)
    if (!joined) output.write(frame)
    return undefined
  }

  private writeLength(bytes: Uint8Array, length: number): void {
    const { bigEndian, headBytes, offset, width } = this.layout
    let rest = length
    for (let index = 0; index < width; index++) {
      bytes[bigEndian ? headBytes - 1 - index : offset + index] = rest % 256
      rest = Math.floor(rest / 256)
    }
  }
}
