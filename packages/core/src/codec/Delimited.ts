/**
 * Frames that end with a delimiter: any byte, or sequence of bytes.
 *
 * Every byte is looked at once, however the stream is cut: the search goes on
 * where it stopped, also within a delimiter that straddles chunks, as in the
 * automaton of Knuth, Morris and Pratt.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import { ByteQueue } from "../bytes/ByteQueue.ts"
import * as Utf8 from "../bytes/Utf8.ts"
import type { Codec, Decoder, Encoder } from "./Codec.ts"
import { type CodecReason, FrameTooLarge, InvalidContent, TruncatedFrame } from "./CodecError.ts"
import * as FrameLimit from "./FrameLimit.ts"

/** @category options */
export interface Options {
  /** What ends a frame: at least one byte; text stands for its UTF-8. */
  readonly delimiter: Uint8Array | string
  /**
   * `drop`: frames come without their delimiter, and it is appended on
   * sending. `keep`: it is the end of each frame, received or sent. Default
   * `drop`.
   */
  readonly ending?: "drop" | "keep" | undefined
  /**
   * The largest frame, in bytes without its delimiter; up to so much, and a
   * delimiter, is buffered for each decoder. At least 1 byte. Default 8 MiB.
   */
  readonly maxFrameSize?: ByteSize.Input | undefined
}

/**
 * Decoding fails with `FrameTooLarge` once more than the maximum came without
 * a delimiter, and with `TruncatedFrame`. Sending fails, with fault `caller`,
 * with `FrameTooLarge`, and with `InvalidContent` where the peer would see the
 * frame end elsewhere. Options out of range are a `RangeError`.
 *
 * @category constructors
 */
export const make = (options: Options): Codec<Uint8Array> => {
  const delimiter = typeof options.delimiter === "string" ? Utf8.encode(options.delimiter) : options.delimiter.slice()
  if (delimiter.length === 0) throw new RangeError("delimiter must have at least one byte")
  const ending = options.ending ?? "drop"
  if (ending !== "drop" && ending !== "keep") throw new RangeError(`ending must be "drop" or "keep", but is ${ending}`)
  const format: Format = {
    delimiter,
    borders: bordersOf(delimiter),
    keptBytes: ending === "keep" ? delimiter.length : 0,
    limitBytes: FrameLimit.fromInput("maxFrameSize", options.maxFrameSize, FrameLimit.defaultFrameBytes)
  }
  return { decoder: () => new DelimitedDecoder(format), encoder: () => makeEncoder(format) }
}

interface Format {
  readonly delimiter: Uint8Array
  /** For each prefix of the delimiter: the length of the longest shorter one that it ends with. */
  readonly borders: ReadonlyArray<number>
  /** Bytes of the delimiter that belong to the frame: all or none. */
  readonly keptBytes: number
  readonly limitBytes: number
}

const bordersOf = (delimiter: Uint8Array): ReadonlyArray<number> => {
  const borders = [0]
  for (let index = 1, length = 0; index < delimiter.length; index++) {
    while (length > 0 && delimiter[index] !== delimiter[length]) length = borders[length - 1]!
    if (delimiter[index] === delimiter[length]) length++
    borders.push(length)
  }
  return borders
}

/** Finds the end of the first delimiter in a queue that grows. Invariant: `0 <= matched <= scanned`. */
class Search {
  private readonly format: Format
  /** Bytes from the front that were looked at. */
  scanned = 0
  /** The longest prefix of the delimiter that these end with. */
  matched = 0

  constructor(format: Format) {
    this.format = format
  }

  /** Whether a delimiter was found; `scanned` is its end. */
  advance(input: ByteQueue): boolean {
    const { borders, delimiter } = this.format
    while (this.matched < delimiter.length) {
      if (this.matched === 0) {
        const start = input.indexOf(delimiter[0]!, this.scanned)
        this.scanned = start < 0 ? input.byteLength : start + 1
        if (start < 0) return false
        this.matched = 1
      } else if (this.scanned === input.byteLength) {
        return false
      } else if (input.at(this.scanned) === delimiter[this.matched]) {
        this.scanned++
        this.matched++
      } else {
        this.matched = borders[this.matched - 1]!
      }
    }
    return true
  }

  reset(): void {
    this.scanned = 0
    this.matched = 0
  }
}

class DelimitedDecoder implements Decoder<Uint8Array> {
  violation: CodecReason | undefined = undefined
  private readonly format: Format
  private readonly search: Search

  constructor(format: Format) {
    this.format = format
    this.search = new Search(format)
  }

  takeViolation(): CodecReason | undefined {
    const violation = this.violation
    this.violation = undefined
    return violation
  }

  decode(input: ByteQueue): Uint8Array | undefined {
    const { delimiter, keptBytes, limitBytes } = this.format
    const found = this.search.advance(input)
    // What is matched may be the delimiter; what stands before it is the frame's in any case.
    const contentBytes = this.search.scanned - this.search.matched
    if (contentBytes > limitBytes) {
      this.violation = new FrameTooLarge({ receivedBytes: limitBytes + 1, limitBytes })
      return undefined
    }
    if (!found) return undefined
    this.search.reset()
    const frame = input.take(contentBytes + keptBytes)
    input.skip(delimiter.length - keptBytes)
    return frame
  }

  decodeEnd(input: ByteQueue): Uint8Array | undefined {
    const frame = this.decode(input)
    if (frame === undefined && this.violation === undefined && input.byteLength > 0) {
      this.violation = new TruncatedFrame(input.byteLength)
    }
    return frame
  }
}

const makeEncoder = (format: Format): Encoder<Uint8Array> => ({
  encode: (frame, output) => {
    const { delimiter, keptBytes, limitBytes } = format
    const contentBytes = frame.length - keptBytes
    if (contentBytes > limitBytes) {
      return new FrameTooLarge({ receivedBytes: contentBytes, limitBytes, fault: "caller" })
    }
    // Also a frame without the delimiter can end early: "xa" before a delimiter of "aa".
    const wire = new ByteQueue()
    wire.push(frame)
    if (keptBytes === 0) wire.push(delimiter)
    const search = new Search(format)
    if (!search.advance(wire) || search.scanned < wire.byteLength) {
      return new InvalidContent("the frame would not end where its delimiter is", "caller")
    }
    output.write(frame)
    if (keptBytes === 0) output.write(delimiter)
    return undefined
  }
})
