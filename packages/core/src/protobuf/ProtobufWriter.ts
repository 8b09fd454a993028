/**
 * What compiled encoders share: memory, and the writing of all that is longer
 * than a few bytes.
 *
 * Messages are written behind each other into a slab of 8 KiB, and handed out
 * as views of it: whoever keeps a small one keeps the slab, as with
 * `Buffer.from`. A message that is expected to be large gets memory of its own;
 * one that does not fit moves to such, at the same offset, so that positions stay valid.
 *
 * Methods take the position and return the next one: encoders hold it in a
 * variable.
 *
 * Hot path: `bench/` rows "protobuf".
 *
 * @internal
 * @since 0.1.0
 */
import type { UnknownField } from "@bufbuild/protobuf"
import * as Utf8 from "../bytes/Utf8.ts"
import * as Scratch from "./ProtobufScratch.ts"

/** Thrown where a value is not of its field's type: protobuf-es then says what is wrong, or converts it. */
export const notPlain = Symbol("notPlain")

const slabBytes = 8192
/** Up to so many characters are written here; the host's call costs more. */
const shortText = 16
/** Longer text is measured first, instead of making room for three bytes a character. */
const measuredText = 1024
/** Up to so many bytes are copied here. */
const shortBytes = 32

export class ProtobufWriter {
  bytes = new Uint8Array(slabBytes)
  view = new DataView(this.bytes.buffer)
  /** Where a message within another one begins, and then where it has ended. */
  position = 0
  /** A getter of a message may encode another message. */
  isOpen = false
  private slab = this.bytes
  private slabView = this.view
  /** What is before it belongs to messages that were handed out. */
  private slabPosition = 0
  private start = 0

  /**
   * Begins a message of about `expectedBytes`; `reserveBytes` before it are
   * left for whoever gets it.
   */
  open(reserveBytes: number, expectedBytes: number): void {
    const byteCount = reserveBytes + expectedBytes
    this.isOpen = true
    if (byteCount > slabBytes / 2) this.own(byteCount)
    else {
      if (slabBytes - this.slabPosition < byteCount) this.renew()
      this.start = this.slabPosition
    }
    this.position = this.start + reserveBytes
  }

  /** What was written since `open`. */
  close(): Uint8Array {
    const { bytes, position, start } = this
    if (bytes === this.slab) {
      this.isOpen = false
      this.slabPosition = position
      return new Uint8Array(bytes.buffer, start, position - start)
    }
    this.abandon()
    // Whoever keeps it keeps less than twice its length.
    return bytes.length > (position - start) * 2 ? bytes.slice(start, position) : bytes.subarray(start, position)
  }

  /** Forgets what was written since `open`. */
  abandon(): void {
    this.bytes = this.slab
    this.view = this.slabView
    this.isOpen = false
  }

  private renew(): void {
    this.slab = this.bytes = new Uint8Array(slabBytes)
    this.slabView = this.view = new DataView(this.bytes.buffer)
    this.slabPosition = 0
  }

  private own(byteCount: number): void {
    this.bytes = new Uint8Array(byteCount + (byteCount >> 3))
    this.view = new DataView(this.bytes.buffer)
    this.start = 0
  }

  /** Makes room for `byteCount` bytes from `at` on; `bytes` may be others then. */
  reserve(at: number, byteCount: number): void {
    if (at + byteCount > this.bytes.length) this.grow(at, byteCount)
  }

  private grow(at: number, byteCount: number): void {
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, at + byteCount + 64))
    bytes.set(this.bytes.subarray(this.start, at), this.start)
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }

  /** A varint; there is room for its 5 bytes. */
  uint32(at: number, value: number): number {
    const { bytes } = this
    let rest = value
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    return at
  }

  /** A varint of 64 bits with the sign of the 32; there is room for its 10 bytes. */
  int32(at: number, value: number): number {
    return value < 0 ? this.words(at, value, -1) : this.uint32(at, value)
  }

  /** A varint; there is room for its 10 bytes. */
  int64(at: number, value: bigint): number {
    Scratch.signed[0] = value
    if (Scratch.signed[0] !== value) throw notPlain
    return this.words(at, Scratch.words[0]!, Scratch.words[1]!)
  }

  uint64(at: number, value: bigint): number {
    Scratch.unsigned[0] = value
    if (Scratch.unsigned[0] !== value) throw notPlain
    return this.words(at, Scratch.words[0]!, Scratch.words[1]!)
  }

  sint64(at: number, value: bigint): number {
    Scratch.signed[0] = value
    if (Scratch.signed[0] !== value) throw notPlain
    const low = Scratch.words[0]!
    const high = Scratch.words[1]!
    const sign = high >> 31
    return this.words(at, (low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign)
  }

  private words(at: number, low: number, high: number): number {
    const { bytes } = this
    let rest = low >>> 0
    let above = high >>> 0
    while (above !== 0) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest = ((rest >>> 7) | (above << 25)) >>> 0
      above >>>= 7
    }
    return this.uint32(at, rest)
  }

  /** Eight bytes, least first; there is room for them. */
  sfixed64(at: number, value: bigint): number {
    Scratch.signed[0] = value
    if (Scratch.signed[0] !== value) throw notPlain
    this.view.setBigInt64(at, value, true)
    return at + 8
  }

  fixed64(at: number, value: bigint): number {
    Scratch.unsigned[0] = value
    if (Scratch.unsigned[0] !== value) throw notPlain
    this.view.setBigUint64(at, value, true)
    return at + 8
  }

  float(at: number, value: number): number {
    if (typeof value !== "number" || (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))) throw notPlain
    this.view.setFloat32(at, value, true)
    return at + 4
  }

  double(at: number, value: number): number {
    if (typeof value !== "number") throw notPlain
    this.view.setFloat64(at, value, true)
    return at + 8
  }

  /** Length and UTF-8; makes its own room. */
  text(at: number, value: string): number {
    const count = value.length
    if (count <= shortText) {
      this.reserve(at, count + 1)
      const { bytes } = this
      let index = 0
      for (; index < count; index++) {
        const code = value.charCodeAt(index)
        if (code > 0x7f) break
        bytes[at + 1 + index] = code
      }
      if (index === count) {
        bytes[at] = count
        return at + 1 + count
      }
    }
    return this.longText(at, value)
  }

  private longText(at: number, value: string): number {
    const guess = value.length > measuredText ? Utf8.byteLength(value) : value.length
    const most = value.length > measuredText ? guess : guess * 3
    this.reserve(at, most + 5)
    const prefix = sizeOf(guess)
    const written = Utf8.write(value, this.bytes, at + prefix)
    const needed = sizeOf(written)
    if (needed !== prefix) this.bytes.copyWithin(at + needed, at + prefix, at + prefix + written)
    return this.uint32(at, written) + written
  }

  /** Length and bytes; makes its own room. */
  blob(at: number, value: Uint8Array): number {
    this.reserve(at, value.length + 5)
    return this.copy(this.uint32(at, value.length), value)
  }

  private copy(at: number, value: Uint8Array): number {
    const { bytes } = this
    const count = value.length
    if (count > shortBytes) bytes.set(value, at)
    else for (let index = 0; index < count; index++) bytes[at + index] = value[index]!
    return at + count
  }

  /** Writes the length of what lies from behind the byte at `start` up to `end`; moves it where one byte is too few. */
  join(start: number, end: number): number {
    const count = end - start - 1
    if (count < 0x80) {
      this.bytes[start] = count
      return end
    }
    const prefix = sizeOf(count)
    this.reserve(end, prefix - 1)
    this.bytes.copyWithin(start + prefix, start + 1, end)
    return this.uint32(start, count) + count
  }

  /** Unknown fields, as they came. */
  unknown(at: number, fields: ReadonlyArray<UnknownField>): number {
    for (const { no, wireType, data } of fields) {
      this.reserve(at, data.length + 5)
      at = this.copy(this.uint32(at, ((no << 3) | wireType) >>> 0), data)
    }
    return at
  }
}

/** Of a varint of up to 32 bits. */
const sizeOf = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5
