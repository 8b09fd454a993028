/**
 * What compiled decoders share: the bytes of one message, and the reading of
 * all that is longer than one byte.
 *
 * It is as lenient as protobuf-es: a field of a message within another one may
 * reach behind that message's end, as long as there are bytes.
 *
 * Throws a {@link Fault}, which `ProtobufCodec.decode` catches.
 *
 * Hot path: `bench/` rows "protobuf".
 *
 * @internal
 * @since 0.1.0
 */
import type { UnknownField } from "@bufbuild/protobuf"
import * as Utf8 from "../bytes/Utf8.ts"
import * as Scratch from "./ProtobufScratch.ts"
import type { Reason } from "./ProtobufViolation.ts"

/** Thrown, but no `Error`: a stack trace would cost more than the message. */
export class Fault {
  readonly reason: Reason
  constructor(reason: Reason) {
    this.reason = reason
  }
}

/** Messages and groups within each other, the outermost one too; as in protobuf-es. */
export const mostDepth = 100

/** Up to so many characters are put together here; the host's call costs more. */
const shortText = 12
const codesOfLength = Array.from({ length: shortText + 1 }, (_, length) => new Array<number>(length).fill(0))
const noBytes = new Uint8Array(0)
const lenient = new TextDecoder("utf-8", { ignoreBOM: true })

export class ProtobufReader {
  bytes: Uint8Array = noBytes
  length = 0
  /** Where the next byte is read; decoders hold it in a variable, and put it back around calls. */
  position = 0

  begin(bytes: Uint8Array): void {
    this.bytes = bytes
    this.length = bytes.length
    this.position = 0
  }

  /** Holds on to no message. */
  end(): void {
    this.bytes = noBytes
    this.length = 0
  }

  fail(reason: Reason): never {
    throw new Fault(reason)
  }

  /** A tag of field 1 or above and wire type 5 or below. */
  tag(): number {
    const start = this.position
    const tag = this.uint32()
    const count = this.position - start
    if (count > 5 || (count === 5 && this.bytes[this.position - 1]! > 0x0f)) this.fail("InvalidTag")
    if (tag >>> 3 === 0 || (tag & 7) > 5) this.fail("InvalidTag")
    return tag
  }

  /** A varint of up to 10 bytes, of which the lower 32 bits count. */
  uint32(): number {
    const { bytes, length } = this
    let value = 0
    for (let at = this.position, shift = 0; shift < 70; shift += 7) {
      if (at >= length) this.fail("Truncated")
      const byte = bytes[at++]!
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return value >>> 0
      }
    }
    return this.fail("VarintTooLong")
  }

  /** A varint of up to 10 bytes, into the words of the scratch. */
  private varint64(): void {
    const { bytes, length } = this
    let low = 0
    let high = 0
    for (let at = this.position, shift = 0; shift < 70; shift += 7) {
      if (at >= length) this.fail("Truncated")
      const byte = bytes[at++]!
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) {
        this.position = at
        Scratch.words[0] = low
        Scratch.words[1] = high
        return
      }
    }
    this.fail("VarintTooLong")
  }

  int64(): bigint {
    this.varint64()
    return Scratch.signed[0]!
  }

  uint64(): bigint {
    this.varint64()
    return Scratch.unsigned[0]!
  }

  sint64(): bigint {
    this.varint64()
    const low = Scratch.words[0]!
    const high = Scratch.words[1]!
    const sign = -(low & 1)
    Scratch.words[0] = ((low >>> 1) | ((high & 1) << 31)) ^ sign
    Scratch.words[1] = (high >>> 1) ^ sign
    return Scratch.signed[0]!
  }

  bool(): boolean {
    this.varint64()
    return Scratch.words[0] !== 0 || Scratch.words[1] !== 0
  }

  /** Four bytes, least first. */
  sfixed32(): number {
    const at = this.position
    if (at + 4 > this.length) this.fail("Truncated")
    this.position = at + 4
    const { bytes } = this
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  }

  fixed32(): number {
    return this.sfixed32() >>> 0
  }

  float(): number {
    Scratch.words[0] = this.sfixed32()
    return Scratch.floats[0]!
  }

  double(): number {
    this.fixed()
    return Scratch.doubles[0]!
  }

  sfixed64(): bigint {
    this.fixed()
    return Scratch.signed[0]!
  }

  fixed64(): bigint {
    this.fixed()
    return Scratch.unsigned[0]!
  }

  private fixed(): void {
    Scratch.words[0] = this.sfixed32()
    Scratch.words[1] = this.sfixed32()
  }

  /** Text that must be UTF-8. */
  strictText(start: number, end: number): string {
    const short = end - start <= shortText ? this.shortText(start, end) : undefined
    if (short !== undefined) return short
    const text = Utf8.decodeRange(this.bytes, start, end)
    return text ?? this.fail("InvalidUtf8")
  }

  /** Text in which U+FFFD stands for what is not UTF-8. */
  text(start: number, end: number): string {
    const short = end - start <= shortText ? this.shortText(start, end) : undefined
    if (short !== undefined) return short
    const text = Utf8.decodeRange(this.bytes, start, end)
    return text ?? lenient.decode(this.bytes.subarray(start, end))
  }

  private shortText(start: number, end: number): string | undefined {
    const { bytes } = this
    const codes = codesOfLength[end - start]!
    for (let at = start, index = 0; at < end; at++, index++) {
      const byte = bytes[at]!
      if (byte > 0x7f) return undefined
      codes[index] = byte
    }
    return String.fromCharCode.apply(undefined, codes)
  }

  /** The bytes of a field whose tag was read, as a view of the message's; `mostGroups` within each other. */
  skip(tag: number, mostGroups: number): Uint8Array {
    const start = this.position
    this.pass(tag, mostGroups)
    return this.bytes.subarray(start, this.position)
  }

  private pass(tag: number, mostGroups: number): void {
    const wireType = tag & 7
    if (wireType === 0) {
      while (this.byte() >= 0x80) {}
    } else if (wireType === 1) this.advance(8)
    else if (wireType === 2) this.advance(this.uint32())
    else if (wireType === 5) this.advance(4)
    else if (wireType === 3) {
      if (mostGroups <= 0) this.fail("TooDeep")
      for (let inner = this.tag(); (inner & 7) !== 4 || this.isOther(inner, tag); inner = this.tag()) {
        this.pass(inner, mostGroups - 1)
      }
    } else this.fail("InvalidTag")
  }

  /** The end of a group has its field's number, or is wrong. */
  private isOther(end: number, tag: number): false {
    return end >>> 3 === tag >>> 3 ? false : this.fail("InvalidGroup")
  }

  private byte(): number {
    if (this.position >= this.length) this.fail("Truncated")
    return this.bytes[this.position++]!
  }

  private advance(byteCount: number): void {
    this.position += byteCount
    if (this.position > this.length) this.fail("Truncated")
  }
}

/** A value that a closed enum does not have, as protobuf-es keeps it: among the unknown fields. */
export const keepUnknownEnum = (message: { $unknown?: Array<UnknownField> }, tag: number, value: number): void => {
  const data: Array<number> = []
  let high = value >> 31
  let low = value >>> 0
  while (low > 0x7f || high !== 0) {
    data.push((low & 0x7f) | 0x80)
    low = ((low >>> 7) | (high << 25)) >>> 0
    high >>>= 7
  }
  data.push(low)
  const unknown = message.$unknown ?? []
  unknown.push({ no: tag >>> 3, wireType: tag & 7, data: Uint8Array.from(data) })
  message.$unknown = unknown
}
