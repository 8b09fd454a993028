/**
 * Finds the end of a head or trailer section, and checks each byte of it on
 * the way: request line, status line, field lines (RFC 9112 §3 to §5).
 *
 * A byte is looked at once, wherever the stream is cut, and what is wrong is
 * told at the byte that makes it wrong. A section within one chunk is not
 * copied; one in pieces is collected up to its limits.
 *
 * RFC 9112 §2.2 (stricter): a bare LF does not end a line. RFC 9112 §5.2: a
 * folded line is refused; in a response too (stricter: a client is to join it),
 * since who does not fold would read another field. RFC 9112 §4 (more lenient):
 * a status line may end right after its code, since some servers send none of
 * the phrase.
 *
 * Hot path: `bench/` rows "http1".
 *
 * @internal
 * @since 0.1.0
 */
import { isWord } from "../../bytes/Ascii.ts"
import * as Latin1 from "../../bytes/Latin1.ts"
import { tokenBytes, valueBytes } from "../http/HttpField.ts"
import { targetBytes } from "../http/HttpTarget.ts"
import {
  FieldSectionTooLarge,
  MalformedHead,
  StartLineTooLong,
  TrailerSectionTooLarge,
  type Violation
} from "./Http1Error.ts"
import type { Resolved } from "./Http1Options.ts"

/** What is parsed. Trailers have no start line. @category models */
export type Section = "request" | "response" | "trailers"

/**
 * How often a field came, and where its value is in the text of the section:
 * that of the last one.
 *
 * @category models
 */
export interface Span {
  count: number
  start: number
  end: number
}

/** @category models */
export class Http1HeadParser {
  /** The whole section, once it is complete; it ends with an empty line. */
  text = ""
  /** Offsets in `text`: the request line is `method SP target SP version`, the status line `version SP status`. */
  lineStart = 0
  methodEnd = 0
  targetEnd = 0
  fieldsStart = 0
  minorVersion = 1
  majorVersion = 1
  status = 0
  /** The fields that matter for framing and routing. */
  readonly host: Span = { count: 0, start: 0, end: 0 }
  readonly contentLength: Span = { count: 0, start: 0, end: 0 }
  readonly transferEncoding: Span = { count: 0, start: 0, end: 0 }
  readonly connection: Span = { count: 0, start: 0, end: 0 }
  readonly expect: Span = { count: 0, start: 0, end: 0 }
  readonly upgrade: Span = { count: 0, start: 0, end: 0 }
  fieldCount = 0
  /** Why the section is refused. */
  violation: Violation | undefined = undefined
  /** Whether all of the section has come. */
  complete = false

  private readonly limits: Resolved
  private section: Section = "request"
  private sectionBytes = 0
  private phase: number = methodPhase
  /** How many bytes were looked at; the next one is at this offset. */
  private at = 0
  private nameStart = 0
  private nameEnd = 0
  private valueStart = 0
  private valueEnd = 0
  private carry = empty
  private carriedBytes = 0

  constructor(limits: Resolved) {
    this.limits = limits
  }

  /** Makes ready for a section. */
  begin(section: Section): void {
    this.section = section
    this.phase = section === "request" ? leadingPhase : section === "response" ? statusPhase : fieldPhase
    this.sectionBytes = section === "trailers" ? this.limits.trailerBytes : this.limits.headerBytes
    this.text = ""
    this.violation = undefined
    this.complete = false
    this.lineStart = 0
    this.fieldsStart = 0
    this.fieldCount = 0
    this.at = 0
    clear(this.host)
    clear(this.contentLength)
    clear(this.transferEncoding)
    clear(this.connection)
    clear(this.expect)
    clear(this.upgrade)
  }

  /**
   * Takes bytes from `offset` of `chunk` on; returns where the first byte is
   * that it did not take. After it, the section is `complete`, or there is a
   * `violation`, or the chunk is used up.
   */
  receive(chunk: Uint8Array, offset: number): number {
    if (this.carriedBytes === 0) {
      this.scan(chunk, offset, chunk.length)
      if (!this.complete && this.violation === undefined) this.keep(chunk.subarray(offset))
      return offset + this.at
    }
    const before = this.carriedBytes
    this.keep(
      chunk.length - offset > this.mostBytes() - before
        ? chunk.subarray(offset, offset + this.mostBytes() - before)
        : chunk.subarray(offset)
    )
    this.scan(this.carry, 0, this.carriedBytes)
    const used = this.at - before
    if (this.complete || this.violation !== undefined) this.release()
    return offset + used
  }

  /** Lets go of what was collected. */
  release(): void {
    this.carry = empty
    this.carriedBytes = 0
  }

  /** A section that has so many bytes is complete, or refused. */
  private mostBytes(): number {
    return this.limits.startLineBytes + this.sectionBytes + 4
  }

  private keep(bytes: Uint8Array): void {
    const needed = this.carriedBytes + bytes.length
    if (needed > this.carry.length) {
      const larger = new Uint8Array(
        Math.max(leastCarryBytes, needed, Math.min(2 * this.carry.length, this.mostBytes()))
      )
      larger.set(this.carry.subarray(0, this.carriedBytes))
      this.carry = larger
    }
    this.carry.set(bytes, this.carriedBytes)
    this.carriedBytes = needed
  }

  /** Goes on from `this.at`, which counts from `base`, up to `end`. */
  private scan(bytes: Uint8Array, base: number, end: number): void {
    if (this.phase < fieldPhase) {
      if (this.section === "response") this.scanStatusLine(bytes, base, end)
      else this.scanRequestLine(bytes, base, end)
      if (this.phase < fieldPhase || this.violation !== undefined) return
    }
    this.scanFields(bytes, base, end)
    if (this.complete) this.text = Latin1.decode(bytes, base, base + this.at)
  }

  private scanRequestLine(bytes: Uint8Array, base: number, end: number): void {
    let at = base + this.at
    if (this.phase <= leadingLfPhase) {
      at = this.skipEmptyLine(bytes, at, end)
      if (this.phase <= leadingLfPhase || this.violation !== undefined) {
        this.at = at - base
        return
      }
      this.lineStart = at - base
    }
    const most = Math.min(end, base + this.lineStart + this.limits.startLineBytes + 2)
    if (this.phase === methodPhase) {
      while (at < most && tokenBytes[bytes[at]!] === 1) at++
      if (at < most) {
        this.methodEnd = at - base
        if (bytes[at] !== sp || this.methodEnd === this.lineStart) this.refuse("the method is no token")
        else this.phase = targetPhase
        at++
      }
    }
    if (this.phase === targetPhase && this.violation === undefined) {
      while (at < most && targetBytes[bytes[at]!] === 1) at++
      if (at < most) {
        this.targetEnd = at - base
        if (bytes[at] !== sp || this.targetEnd === this.methodEnd + 1) this.refuse("the request target is malformed")
        else this.phase = versionPhase
        at++
      }
    }
    if (this.phase === versionPhase && this.violation === undefined) {
      at = this.scanVersion(bytes, at, most, base + this.targetEnd + 1)
      if (at - base === this.targetEnd + 11 && this.violation === undefined) this.endLine(at - base)
    }
    this.endLineScan(at - base)
  }

  /** RFC 9112 §2.2: "SHOULD ignore at least one empty line (CRLF) received prior to the request-line": we ignore one. */
  private skipEmptyLine(bytes: Uint8Array, from: number, end: number): number {
    let at = from
    if (this.phase === leadingPhase) {
      if (bytes[at] !== cr) {
        this.phase = methodPhase
        return at
      }
      this.phase = leadingLfPhase
      at++
    }
    if (at === end) return at
    if (bytes[at] !== lf) this.refuse("a bare CR")
    else this.phase = methodPhase
    return at + 1
  }

  /** `HTTP/1.1 CR LF` from `start` on; without the line's end for a status line. */
  private scanVersion(bytes: Uint8Array, from: number, most: number, start: number): number {
    let at = from
    while (at < most && at - start < 10) {
      const index = at - start
      const byte = bytes[at++]!
      if (index === 5 || index === 7) {
        if (byte < 0x30 || byte > 0x39) return this.refuseAt(at, "the version is malformed")
        if (index === 5) this.majorVersion = byte - 0x30
        else this.minorVersion = byte - 0x30
      } else if (byte !== versionBytes.charCodeAt(index)) return this.refuseAt(at, "the version is malformed")
      if (index === 7 && this.section === "response") break
    }
    return at
  }

  private scanStatusLine(bytes: Uint8Array, base: number, end: number): void {
    const most = Math.min(end, base + this.limits.startLineBytes + 2)
    let at = base + this.at
    if (at - base < 8) at = this.scanVersion(bytes, at, most, base)
    while (at < most && at - base < 12 && this.violation === undefined) {
      const byte = bytes[at]!
      const index = at++ - base
      if (index === 8 ? byte !== sp : byte < 0x30 || byte > 0x39) this.refuse("the status is no number of three digits")
      else if (index === 9) this.status = byte - 0x30
      else if (index > 9) this.status = this.status * 10 + byte - 0x30
    }
    if (at < most && at - base === 12 && this.violation === undefined) {
      if (bytes[at] !== sp && bytes[at] !== cr) this.refuse("the status is no number of three digits")
      else if (this.status < 100) this.refuse("the status is below 100")
      else this.phase = bytes[at] === cr ? statusLfPhase : phrasePhase
      at++
    }
    if (this.phase === phrasePhase && this.violation === undefined) {
      while (at < most && valueBytes[bytes[at]!] === 1) at++
      if (at < most) {
        if (bytes[at++] === cr) this.phase = statusLfPhase
        else this.refuse("a control character in the reason phrase")
      }
    }
    if (this.phase === statusLfPhase && this.violation === undefined && at < most) {
      if (bytes[at++] === lf) this.endLine(at - base)
      else this.refuse("a bare CR")
    }
    this.endLineScan(at - base)
  }

  private endLine(lineEnd: number): void {
    this.phase = fieldPhase
    this.fieldsStart = lineEnd
  }

  private endLineScan(at: number): void {
    this.at = at
    const { startLineBytes } = this.limits
    if (this.phase < fieldPhase && this.violation === undefined && at - this.lineStart >= startLineBytes + 2) {
      this.violation = new StartLineTooLong(startLineBytes)
    }
  }

  private scanFields(bytes: Uint8Array, base: number, end: number): void {
    const sectionEnd = base + this.fieldsStart + this.sectionBytes
    const most = Math.min(end, sectionEnd)
    let at = base + this.at
    let phase = this.phase
    while (at < most) {
      if (phase === fieldPhase) {
        if (bytes[at] === cr) {
          phase = lastLfPhase
          at++
          continue
        }
        if (++this.fieldCount > this.limits.fieldCount) {
          this.violation = this.tooLarge(this.limits.fieldCount, "fields")
          break
        }
        this.nameStart = at - base
        phase = namePhase
      }
      if (phase === namePhase) {
        while (at < most && tokenBytes[bytes[at]!] === 1) at++
        if (at === most) break
        this.nameEnd = at - base
        // RFC 9112 §5.1: no white space between name and colon; §5.2: a line that begins with it is a folded one.
        if (bytes[at] !== colon || this.nameEnd === this.nameStart) {
          at = this.refuseAt(at + 1, "a field name is no token")
          break
        }
        phase = blankPhase
        at++
      }
      if (phase === blankPhase) {
        while (at < most && (bytes[at] === sp || bytes[at] === tab)) at++
        if (at === most) break
        this.valueStart = at - base
        phase = valuePhase
      }
      if (phase === valuePhase) {
        while (at < most && valueBytes[bytes[at]!] === 1) at++
        if (at === most) break
        if (bytes[at] !== cr) {
          at = this.refuseAt(at + 1, "a control character in a field value")
          break
        }
        this.valueEnd = at - base
        phase = valueLfPhase
        at++
      }
      if (at === most) break
      // Here the phase is that of an LF: behind a field's CR, or behind that of the empty line.
      if (bytes[at++] !== lf) {
        this.refuse("a bare CR")
        break
      }
      if (phase === lastLfPhase) {
        this.complete = true
        break
      }
      this.note(bytes, base)
      phase = fieldPhase
    }
    this.phase = phase
    this.at = at - base
    if (!this.complete && this.violation === undefined && at === sectionEnd) {
      this.violation = this.tooLarge(this.sectionBytes, "bytes")
    }
  }

  /** Keeps where the value is, if the field is one of those that matter. */
  private note(bytes: Uint8Array, base: number): void {
    const span = this.spanOf(bytes, base + this.nameStart, base + this.nameEnd)
    if (span === undefined) return
    let end = this.valueEnd
    while (end > this.valueStart && (bytes[base + end - 1] === sp || bytes[base + end - 1] === tab)) end--
    span.count++
    span.start = this.valueStart
    span.end = end
  }

  private spanOf(bytes: Uint8Array, start: number, end: number): Span | undefined {
    switch (end - start) {
      case 4:
        return isWord(bytes, start, end, "host") ? this.host : undefined
      case 6:
        return isWord(bytes, start, end, "expect") ? this.expect : undefined
      case 7:
        return isWord(bytes, start, end, "upgrade") ? this.upgrade : undefined
      case 10:
        return isWord(bytes, start, end, "connection") ? this.connection : undefined
      case 14:
        return isWord(bytes, start, end, "content-length") ? this.contentLength : undefined
      case 17:
        return isWord(bytes, start, end, "transfer-encoding") ? this.transferEncoding : undefined
      default:
        return undefined
    }
  }

  private refuse(detail: string): void {
    this.violation = new MalformedHead(this.section === "trailers" ? `${detail}, in a trailer` : detail)
  }

  private refuseAt(at: number, detail: string): number {
    this.refuse(detail)
    return at
  }

  private tooLarge(limit: number, unit: "bytes" | "fields"): Violation {
    return this.section === "trailers" ? new TrailerSectionTooLarge(limit, unit) : new FieldSectionTooLarge(limit, unit)
  }
}

const tab = 0x09
const lf = 0x0a
const cr = 0x0d
const sp = 0x20
const colon = 0x3a
const versionBytes = "HTTP/1.1\r\n"
const empty = new Uint8Array(0)
const leastCarryBytes = 256

/** What the next byte belongs to. All below `fieldPhase` are of the first line. */
const leadingPhase = 0
const leadingLfPhase = 1
const methodPhase = 2
const targetPhase = 3
const versionPhase = 4
const statusPhase = 5
const phrasePhase = 6
const statusLfPhase = 7
const fieldPhase = 8
const namePhase = 9
const blankPhase = 10
const valuePhase = 11
const valueLfPhase = 12
const lastLfPhase = 13

const clear = (span: Span): void => {
  span.count = 0
}
