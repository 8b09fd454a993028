/**
 * Lines of UTF-8 text, ended by LF or CR LF.
 *
 * ```text
 *  wire               lines
 *  a LF b CR LF       "a"  "b"
 *  a CR CR LF         "a\r"        one CR is stripped, no more
 *  a CR b LF          "a\rb"       a bare CR is content
 *  a LF LF            "a"  ""
 *  a LF b <end>       "a"  "b"     the last line needs no ending
 * ```
 *
 * A byte order mark is content (U+FEFF), as in every other place of a stream.
 *
 * Hot path: `bench/` rows "frames".
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type { ByteQueue } from "../bytes/ByteQueue.ts"
import * as Utf8 from "../bytes/Utf8.ts"
import type { Codec, Decoder, Encoder } from "./Codec.ts"
import { type CodecReason, FrameTooLarge, InvalidContent, InvalidUtf8, TruncatedFrame } from "./CodecError.ts"
import * as FrameLimit from "./FrameLimit.ts"

/** @category options */
export interface Options {
  /**
   * The longest line that is received, in bytes without its ending; up to so
   * much, and an ending, is buffered for each decoder. At least 1 byte. Default
   * 64 KiB. Lines that are sent may be longer: what is said about a line of a
   * peer must not fail because of its length.
   */
  readonly maxLineSize?: ByteSize.Input | undefined
  /**
   * What a received line above the maximum does. `fail`: nothing more can be
   * received. `discard`: it is reported once, its bytes are dropped as they
   * come, and the next line is received. Default `fail`.
   */
  readonly tooLong?: "fail" | "discard" | undefined
  /**
   * What bytes without an ending are at the end of the stream. `line`: the
   * last line. `truncated`: a violation, `TruncatedFrame`; choose it where half
   * a line must not pass for a whole one. Over TLS an attacker can end the
   * stream early, and Node does not tell that from a clean end. Default `line`.
   */
  readonly unfinished?: "line" | "truncated" | undefined
  /** What is sent after each line; both are received. Default `"\n"`. */
  readonly ending?: "\n" | "\r\n" | undefined
}

/**
 * Decoding fails with `FrameTooLarge`, recoverable with `tooLong: "discard"`,
 * and with a recoverable `InvalidUtf8`: that line is consumed.
 *
 * Sending fails, with fault `caller`, with
 * `InvalidContent` for a line that would be received as another: one with an
 * LF in it, with a CR at its end where the ending is `"\n"`, or with a lone
 * surrogate. Options out of range are a `RangeError`.
 *
 * @category constructors
 */
export const make = (options?: Options): Codec<string> => {
  const limitBytes = FrameLimit.fromInput("maxLineSize", options?.maxLineSize, 64 * 1024)
  const tooLong = options?.tooLong ?? "fail"
  const ending = options?.ending ?? "\n"
  const unfinished = options?.unfinished ?? "line"
  if (tooLong !== "fail" && tooLong !== "discard") {
    throw new RangeError(`tooLong must be "fail" or "discard", but is ${tooLong}`)
  }
  if (unfinished !== "line" && unfinished !== "truncated") {
    throw new RangeError(`unfinished must be "line" or "truncated", but is ${unfinished}`)
  }
  if (ending !== "\n" && ending !== "\r\n") throw new RangeError('ending must be "\\n" or "\\r\\n"')
  return {
    decoder: () => new LinesDecoder(limitBytes, tooLong === "discard", unfinished === "truncated"),
    encoder: () => makeEncoder(ending)
  }
}

/** Up to 64 KiB a line, sent with LF; a longer one fails. @category codecs */
export const codec: Codec<string> = /*#__PURE__*/ make()

const lf = 0x0a
const cr = 0x0d

class LinesDecoder implements Decoder<string> {
  violation: CodecReason | undefined = undefined
  private readonly limitBytes: number
  private readonly discardsTooLong: boolean
  private readonly wantsEnding: boolean
  /** `AwaitingLine`: of the bytes at the front, `scanned` have no LF. `Discarding`: up to the next LF. */
  private state: "AwaitingLine" | "Discarding" = "AwaitingLine"
  private scanned = 0

  constructor(limitBytes: number, discardsTooLong: boolean, wantsEnding: boolean) {
    this.limitBytes = limitBytes
    this.wantsEnding = wantsEnding
    this.discardsTooLong = discardsTooLong
  }

  takeViolation(): CodecReason | undefined {
    const violation = this.violation
    this.violation = undefined
    return violation
  }

  decode(input: ByteQueue): string | undefined {
    if (this.state === "Discarding" && !this.discard(input)) return undefined
    const end = input.indexOf(lf, this.scanned)
    const contentBytes = this.contentBytes(input, end < 0 ? input.byteLength : end)
    if (contentBytes > this.limitBytes) {
      this.refuse(input)
      return undefined
    }
    if (end < 0) {
      this.scanned = input.byteLength
      return undefined
    }
    return this.takeLine(input, contentBytes, end + 1)
  }

  decodeEnd(input: ByteQueue): string | undefined {
    const line = this.decode(input)
    if (line !== undefined || this.violation !== undefined || input.byteLength === 0) return line
    if (this.wantsEnding) {
      this.violation = new TruncatedFrame(input.byteLength)
      return undefined
    }
    return this.takeLine(input, this.contentBytes(input, input.byteLength), input.byteLength)
  }

  /** What is left of the first `lineBytes` without a CR at their end: an ending that came, or has begun. */
  private contentBytes(input: ByteQueue, lineBytes: number): number {
    return lineBytes > 0 && input.at(lineBytes - 1) === cr ? lineBytes - 1 : lineBytes
  }

  private takeLine(input: ByteQueue, contentBytes: number, lineBytes: number): string | undefined {
    const line = Utf8.decode(input.peek(contentBytes))
    input.skip(lineBytes)
    this.scanned = 0
    if (line === undefined) this.violation = new InvalidUtf8({ recoverable: true })
    return line
  }

  private refuse(input: ByteQueue): void {
    const { discardsTooLong, limitBytes } = this
    this.violation = new FrameTooLarge({ receivedBytes: limitBytes + 1, limitBytes, recoverable: discardsTooLong })
    this.scanned = 0
    if (!discardsTooLong) return
    this.state = "Discarding"
    this.discard(input)
  }

  /** Drops the rest of a line as far as it has come; whether that was all. */
  private discard(input: ByteQueue): boolean {
    const end = input.indexOf(lf)
    input.skip(end < 0 ? input.byteLength : end + 1)
    if (end < 0) return false
    this.state = "AwaitingLine"
    return true
  }
}

const makeEncoder = (ending: "\n" | "\r\n"): Encoder<string> => ({
  encode: (line, output) => {
    if (line.includes("\n")) return new InvalidContent("a line has no LF in it", "caller")
    if (ending === "\n" && line.endsWith("\r")) return new InvalidContent("a line has no CR at its end", "caller")
    if (!line.isWellFormed()) return new InvalidContent("a line has no lone surrogates", "caller")
    output.write(Utf8.encode(line + ending))
    return undefined
  }
})
