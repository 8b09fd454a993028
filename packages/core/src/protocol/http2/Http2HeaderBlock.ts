/**
 * Header blocks, from HEADERS and CONTINUATION to a head or a trailer section
 * (RFC 9113 §4.3, §6.10).
 *
 * Every block goes through the compression, also one of a stream that is gone,
 * or of a message that was found malformed: the tables of both sides stay in
 * step, or the connection ends.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import { HpackDecoder } from "../hpack/HpackDecoder.ts"
import { type Violation as HpackViolation, InvalidHeaderBlock } from "../hpack/HpackError.ts"
import { BudgetSpent, ConnectionViolation, FieldSectionTooLarge, MalformedMessage } from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"
import { Http2Fields } from "./Http2Fields.ts"
import { Http2RequestHead, Http2ResponseHead } from "./Http2Head.ts"
import { Http2MessageRules } from "./Http2MessageRules.ts"

/** What a block is. `discarded`: of a stream that is gone. @category models */
export type Kind = "request" | "response" | "trailers" | "discarded"

/** @category options */
export interface Options {
  /** The most of one list, counted as RFC 7541 §4.1 does: SETTINGS_MAX_HEADER_LIST_SIZE. Above: `FieldSectionTooLarge`. */
  readonly maxListBytes: number
  /** The most of one list that is decoded at all, and of its block. Default: that of `HpackDecoder`. Above: the connection ends. */
  readonly maxBlockBytes?: number | undefined
  /** The most fields of one section, pseudo-header fields not counted. Above: `FieldSectionTooLarge`. */
  readonly fieldCount: number
  /** The most CONTINUATION frames of one block. Above: the connection ends. */
  readonly continuationCount: number
  /** RFC 8441 §3: whether this side has announced SETTINGS_ENABLE_CONNECT_PROTOCOL. */
  readonly connectProtocol: boolean
}

/** What ends the connection. @category models */
export type Violation = ConnectionViolation | BudgetSpent

/** What a block is once it is whole; `undefined`: it was discarded. @category models */
export type Section = Http2RequestHead | Http2ResponseHead | Http2Fields | undefined

/** @category models */
export class Http2HeaderBlock {
  /** Whether a block has begun and not ended: no other frame may come between (RFC 9113 §6.10). */
  isOpen = false

  private readonly options: Options
  private readonly decoder: HpackDecoder
  private readonly rules: Http2MessageRules
  private section: Section = undefined
  private failure: MalformedMessage | FieldSectionTooLarge | undefined = undefined
  private continuationCount = 0

  constructor(options: Options) {
    this.options = options
    this.decoder = new HpackDecoder({ maxListBytes: options.maxListBytes, maxBlockBytes: options.maxBlockBytes })
    this.rules = new Http2MessageRules(options.connectProtocol)
  }

  /** How many bytes wait for the rest of a field. */
  get waitingBytes(): number {
    return this.decoder.waitingBytes
  }

  /** What the current list counts for, or the last one. */
  get listBytes(): number {
    return this.decoder.listBytes
  }

  /** Our SETTINGS_HEADER_TABLE_SIZE was acknowledged. */
  setMaxTableBytes(maxBytes: number): void {
    this.decoder.setMaxTableBytes(maxBytes)
  }

  /** A HEADERS frame has come; `receive` has its fragment. */
  begin(kind: Kind): void {
    this.isOpen = true
    this.failure = undefined
    this.continuationCount = 0
    this.rules.begin()
    this.section =
      kind === "request"
        ? new Http2RequestHead()
        : kind === "response"
          ? new Http2ResponseHead()
          : kind === "trailers"
            ? new Http2Fields()
            : undefined
  }

  /** The fragment of a frame: the bytes from `start` up to `end`. They are not kept. */
  receive(bytes: Uint8Array, start: number, end: number, isContinuation: boolean): Violation | undefined {
    if (isContinuation && ++this.continuationCount > this.options.continuationCount) {
      return new BudgetSpent("continuation")
    }
    const violation = this.decoder.receive(bytes.subarray(start, end), this)
    return violation === undefined ? undefined : violationOf(violation)
  }

  /** The frame with END_HEADERS was received. What is returned is not kept. */
  end(): Section | MalformedMessage | FieldSectionTooLarge | Violation {
    const { section } = this
    this.isOpen = false
    this.section = undefined
    const result = this.decoder.end()
    if (result !== undefined && result._tag !== "HeaderListTooLarge") return violationOf(result)
    if (section === undefined) return undefined
    if (this.failure !== undefined) return this.failure
    if (result !== undefined) return new FieldSectionTooLarge(result.limitBytes, "bytes")
    const detail = this.rules.end(section)
    return detail === undefined ? section : new MalformedMessage(detail)
  }

  /** For the decoder: a field of the list. */
  onField(name: string, value: string): void {
    const { section } = this
    if (section === undefined || this.failure !== undefined) return
    const detail = this.rules.add(section, name, value)
    if (detail !== undefined) this.failure = new MalformedMessage(detail)
    else if (section.list.length > this.options.fieldCount * 2) {
      this.failure = new FieldSectionTooLarge(this.options.fieldCount, "fields")
    }
  }
}

const violationOf = (violation: HpackViolation): Violation =>
  violation instanceof InvalidHeaderBlock
    ? new ConnectionViolation(Code.CompressionError, violation.message)
    : new BudgetSpent("headerBlock")
