/**
 * One JSON value a line (NDJSON, JSON Lines), in UTF-8.
 *
 * Lines are those of `Lines`; an empty one is skipped. What a value may be is
 * for a schema to say: received ones are `unknown`.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type { ByteQueue } from "../bytes/ByteQueue.ts"
import type { Codec, Decoder, Encoder } from "./Codec.ts"
import { type CodecReason, InvalidContent } from "./CodecError.ts"
import * as FrameLimit from "./FrameLimit.ts"
import * as Lines from "./Lines.ts"

/** @category options */
export interface Options {
  /**
   * The longest line that is received, in bytes without its ending; up to so
   * much is buffered for each decoder. At least 1 byte. Default 8 MiB.
   */
  readonly maxLineSize?: ByteSize.Input | undefined
  /**
   * What a received line above the maximum does. `fail`: nothing more can be
   * received. `discard`: it is reported once, its bytes are dropped as they
   * come, and the next line is received. Default `fail`.
   */
  readonly tooLong?: "fail" | "discard" | undefined
}

/**
 * Decoding fails as that of `Lines` does, and with `InvalidContent` for a line
 * that is no JSON; the next one can be received. Sending fails, with fault
 * `caller`, with `InvalidContent` for what JSON cannot express (`undefined`, a
 * function, a `bigint`, a cycle).
 *
 * @category constructors
 */
export const make = (options?: Options): Codec<unknown> => {
  const maxLineSize = FrameLimit.fromInput("maxLineSize", options?.maxLineSize, FrameLimit.defaultFrameBytes)
  const lines = Lines.make({ maxLineSize, tooLong: options?.tooLong })
  return { decoder: () => new JsonLinesDecoder(lines.decoder()), encoder: () => makeEncoder(lines.encoder()) }
}

/** Up to 8 MiB a line; a longer one fails. @category codecs */
export const codec: Codec<unknown> = /*#__PURE__*/ make()

class JsonLinesDecoder implements Decoder<unknown> {
  violation: CodecReason | undefined = undefined
  private readonly lines: Decoder<string>

  constructor(lines: Decoder<string>) {
    this.lines = lines
  }

  takeViolation(): CodecReason | undefined {
    const violation = this.violation
    this.violation = undefined
    return violation
  }

  decode(input: ByteQueue): unknown {
    let line = this.lines.decode(input)
    while (line === "") line = this.lines.decode(input)
    return this.parse(line)
  }

  decodeEnd(input: ByteQueue): unknown {
    let line = this.lines.decodeEnd(input)
    while (line === "") line = this.lines.decodeEnd(input)
    return this.parse(line)
  }

  private parse(line: string | undefined): unknown {
    if (line === undefined) {
      this.violation = this.lines.takeViolation()
      return undefined
    }
    try {
      return JSON.parse(line)
    } catch (cause) {
      this.violation = new InvalidContent(`the line is no JSON: ${messageOf(cause)}`)
      return undefined
    }
  }
}

const makeEncoder = (lines: Encoder<string>): Encoder<unknown> => ({
  encode: (value, output) => {
    let line: string | undefined
    try {
      line = JSON.stringify(value)
    } catch (cause) {
      return new InvalidContent(`the value is not expressible in JSON: ${messageOf(cause)}`, "caller")
    }
    if (line === undefined) return new InvalidContent("the value is not expressible in JSON", "caller")
    return lines.encode(line, output)
  }
})

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
