/**
 * The chunked transfer coding (RFC 9112 §7.1), received and sent.
 *
 * ```text
 *  chunk       hex size [extensions] CR LF  data  CR LF
 *  last        1*"0"    [extensions] CR LF  trailers  CR LF
 *  extension   BWS ; BWS name [BWS = BWS (token or "quoted")]
 * ```
 *
 * Extensions are checked and dropped. Their bytes are counted over the whole
 * body: CVE-2024-22019 is a body that is nothing else.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import { hexDigits, hexValue } from "../../bytes/Ascii.ts"
import * as Latin1 from "../../bytes/Latin1.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import type { Output } from "../Engine.ts"
import { tokenBytes, valueBytes } from "../http/HttpField.ts"
import { ChunkExtensionsTooLarge, InvalidFraming, MalformedChunk, type Violation } from "./Http1Error.ts"
import { Http1Fields } from "./Http1Fields.ts"
import type { Http1HeadParser } from "./Http1HeadParser.ts"
import type { Resolved } from "./Http1Options.ts"

/**
 * Takes the data out of chunks. It looks at each byte of the framing once,
 * however the stream is cut, and copies no data.
 *
 * @category models
 */
export class ChunkedDecoder {
  /** The data that the last `receive` came to: a view; `undefined` where it came to none. */
  data: Uint8Array | undefined = undefined
  /** Whether the last chunk and the trailers have come. */
  complete = false
  violation: Violation | undefined = undefined
  /** The trailers, once complete; `undefined` where there were none. */
  trailers: Http1Fields | undefined = undefined
  private readonly limits: Resolved
  private readonly parser: Http1HeadParser
  private phase: number = sizePhase
  private sizeDigits = 0
  /** The size that is being read; then what is left of the chunk's data. */
  private leftBytes = 0
  private extensionBytes = 0

  /** `parser` reads the trailers: heads and trailers never come at the same time. */
  constructor(limits: Resolved, parser: Http1HeadParser) {
    this.limits = limits
    this.parser = parser
  }

  /** Makes ready for a body. */
  begin(): void {
    this.data = undefined
    this.complete = false
    this.violation = undefined
    this.trailers = undefined
    this.phase = sizePhase
    this.sizeDigits = 0
    this.leftBytes = 0
    this.extensionBytes = 0
  }

  /**
   * Takes bytes from `offset` of `chunk` on, up to the end of the data that it
   * comes to; returns where the first byte is that it did not take.
   */
  receive(chunk: Uint8Array, offset: number): number {
    this.data = undefined
    let at = offset
    while (at < chunk.length && !this.complete && this.violation === undefined) {
      if (this.phase === dataPhase) {
        const end = Math.min(chunk.length, at + this.leftBytes)
        this.data = chunk.subarray(at, end)
        this.leftBytes -= end - at
        if (this.leftBytes === 0) this.phase = dataCrPhase
        return end
      }
      if (this.phase === trailerPhase) return this.receiveTrailers(chunk, at)
      this.phase = this.frame(chunk[at++]!)
    }
    return at
  }

  private receiveTrailers(chunk: Uint8Array, offset: number): number {
    const parser = this.parser
    const at = parser.receive(chunk, offset)
    this.violation = parser.violation
    if (!parser.complete) return at
    if (parser.transferEncoding.count + parser.contentLength.count + parser.host.count > 0) {
      // RFC 9110 §6.5.1: none of these may come so late; someone downstream might merge them into the head.
      this.violation = new InvalidFraming("framing or routing in a trailer")
      return at
    }
    this.complete = true
    if (parser.fieldCount > 0) this.trailers = new Http1Fields(parser.text, 0)
    return at
  }

  /** Takes one byte of a chunk's first line, or of the line end behind its data; returns the phase after it. */
  private frame(byte: number): number {
    switch (this.phase) {
      case sizePhase:
        return this.size(byte)
      case sizeLfPhase:
        return this.endSize(byte)
      case dataCrPhase:
        return byte === cr ? dataLfPhase : this.refuse("chunk data longer than its size")
      case dataLfPhase:
        this.sizeDigits = 0
        return byte === lf ? sizePhase : this.refuse("a bare CR behind chunk data")
      default:
        return this.extend(byte)
    }
  }

  private size(byte: number): number {
    if (hexDigits[byte] === 1) {
      this.leftBytes = this.leftBytes * 16 + hexValue(byte)
      // RFC 9112 §7.1: "recipients MUST anticipate potentially large hexadecimal numerals".
      const fits = ++this.sizeDigits <= mostSizeDigits && this.leftBytes <= Number.MAX_SAFE_INTEGER
      return fits ? sizePhase : this.refuse("a chunk size above 2^53 - 1")
    }
    if (this.sizeDigits === 0) return this.refuse("a chunk size without digits")
    if (byte === cr) return sizeLfPhase
    this.phase = beforeSemicolonPhase
    return this.extend(byte)
  }

  private endSize(byte: number): number {
    if (byte !== lf) return this.refuse("a bare CR behind a chunk size")
    if (this.leftBytes > 0) return dataPhase
    this.parser.begin("trailers")
    return trailerPhase
  }

  private extend(byte: number): number {
    const { chunkExtensionBytes } = this.limits
    if (byte !== cr && ++this.extensionBytes > chunkExtensionBytes) {
      this.violation = new ChunkExtensionsTooLarge(chunkExtensionBytes)
      return this.phase
    }
    return this.extension(byte)
  }

  /** RFC 9112 §7.1.1. White space "MUST" be parsed where it is bad, but only there. */
  private extension(byte: number): number {
    const isBlank = byte === sp || byte === tab
    switch (this.phase) {
      case beforeSemicolonPhase:
        if (isBlank) return beforeSemicolonPhase
        return byte === semicolon ? beforeNamePhase : this.refuse("a chunk size with something behind it")
      case beforeNamePhase:
        if (isBlank) return beforeNamePhase
        return tokenBytes[byte] === 1 ? namePhase : this.refuse("a chunk extension without a name")
      case namePhase:
        if (tokenBytes[byte] === 1) return namePhase
        if (byte === equals) return beforeValuePhase
        return isBlank ? behindNamePhase : this.endExtension(byte)
      case behindNamePhase:
        if (isBlank) return behindNamePhase
        if (byte === equals) return beforeValuePhase
        return byte === semicolon ? beforeNamePhase : this.refuse("a chunk extension is malformed")
      case beforeValuePhase:
        if (isBlank) return beforeValuePhase
        if (byte === quote) return quotedPhase
        return tokenBytes[byte] === 1 ? valuePhase : this.refuse("a chunk extension without its value")
      case valuePhase:
        if (tokenBytes[byte] === 1) return valuePhase
        return isBlank ? beforeSemicolonPhase : this.endExtension(byte)
      case quotedPhase:
        if (byte === quote) return behindQuotePhase
        if (byte === backslash) return escapePhase
        return valueBytes[byte] === 1 ? quotedPhase : this.refuse("a control character in a chunk extension")
      case escapePhase:
        return valueBytes[byte] === 1 ? quotedPhase : this.refuse("a control character in a chunk extension")
      default:
        return isBlank ? beforeSemicolonPhase : this.endExtension(byte)
    }
  }

  private endExtension(byte: number): number {
    if (byte === semicolon) return beforeNamePhase
    return byte === cr ? sizeLfPhase : this.refuse("a chunk extension is malformed")
  }

  private refuse(detail: string): number {
    this.violation = new MalformedChunk(detail)
    return this.phase
  }
}

/** Sends one chunk; nothing for no data, which would be the last chunk. @category sending */
export const writeChunk = (output: Output, data: Uint8Array | string): void => {
  const dataBytes = typeof data === "string" ? Utf8.byteLength(data) : data.length
  if (dataBytes === 0) return
  const size = `${dataBytes.toString(16)}\r\n`
  if (typeof data !== "string" && dataBytes > joinBelowBytes) {
    output.write(latin1(size))
    output.write(data)
    output.write(lineEnd)
    return
  }
  const chunk = allocate(size.length + dataBytes + 2)
  Latin1.write(size, chunk, 0)
  if (typeof data === "string") Utf8.write(data, chunk, size.length)
  else chunk.set(data, size.length)
  chunk[chunk.length - 2] = cr
  chunk[chunk.length - 1] = lf
  output.write(chunk)
}

/** Sends the last chunk and `trailerLines`, each of which ends with CR LF. @category sending */
export const writeLastChunk = (output: Output, trailerLines: string): void => {
  output.write(trailerLines === "" ? lastChunk : latin1(`0\r\n${trailerLines}\r\n`))
}

const latin1 = (text: string): Uint8Array => {
  const bytes = allocate(text.length)
  Latin1.write(text, bytes, 0)
  return bytes
}

const tab = 0x09
const lf = 0x0a
const cr = 0x0d
const sp = 0x20
const quote = 0x22
const semicolon = 0x3b
const equals = 0x3d
const backslash = 0x5c
const lineEnd = /*#__PURE__*/ Uint8Array.of(cr, lf)
const lastChunk = /*#__PURE__*/ Uint8Array.of(0x30, cr, lf, cr, lf)

/** 2^53 - 1 has 14 digits; zeros in front of it are digits too. */
const mostSizeDigits = 16
/** Larger data is sent as it is, without a copy. */
const joinBelowBytes = 16_384

/** What the next byte belongs to. */
const sizePhase = 0
const sizeLfPhase = 1
const dataPhase = 2
const dataCrPhase = 3
const dataLfPhase = 4
const trailerPhase = 5
const beforeSemicolonPhase = 6
const beforeNamePhase = 7
const namePhase = 8
const behindNamePhase = 9
const beforeValuePhase = 10
const valuePhase = 11
const quotedPhase = 12
const escapePhase = 13
const behindQuotePhase = 14
