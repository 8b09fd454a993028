/**
 * Decodes the header blocks of one direction of a connection, in pieces as
 * they come: nothing is joined but a field that is cut.
 *
 * A list above `maxListBytes` is decoded to its end, so that the tables stay
 * in step, and is not handed out any more: it costs its stream. One above
 * `maxBlockBytes` costs the connection, before its strings are waited for.
 *
 * Memory: the table, one field in pieces and one that is being decoded, each
 * of `maxBlockBytes` or what it has of it.
 *
 * Hot path: `bench/` rows "hpack-decode".
 *
 * @since 0.1.0
 */
import * as Latin1 from "../../bytes/Latin1.ts"
import { HpackDynamicTable, initialBytes, sizeOf } from "./HpackDynamicTable.ts"
import * as HpackError from "./HpackError.ts"
import * as HpackField from "./HpackField.ts"
import * as HpackHuffman from "./HpackHuffman.ts"
import * as HpackInteger from "./HpackInteger.ts"
import * as HpackStaticTable from "./HpackStaticTable.ts"

/** @category models */
export interface Handler {
  /**
   * A field, in the order of the list. Its characters are octets (Latin-1),
   * unchecked: HTTP/2 has rules for them, the compression has none.
   * `neverIndexed`: whoever forwards it encodes it as `never`.
   */
  onField(name: string, value: string, neverIndexed: boolean): void
}

/** @category options */
export interface Options {
  /**
   * The most of one list that is handed out, counted as RFC 7541 §4.1 does
   * (32 bytes a field): SETTINGS_MAX_HEADER_LIST_SIZE. At least 0. Default
   * 16,384.
   */
  readonly maxListBytes?: number | undefined
  /**
   * The most of one list that is decoded at all, counted in the same way, and
   * of its block as it is sent. At least `maxListBytes`. Default: four times
   * that, or 65,536 if that is more.
   */
  readonly maxBlockBytes?: number | undefined
}

/** @category models */
export class HpackDecoder {
  /** The count of the current list, or of the last one, as RFC 7541 §4.1 has it. */
  listBytes = 0
  /** Why nothing more can be decoded. */
  violation: HpackError.Violation | undefined = undefined

  private readonly table = new HpackDynamicTable()
  private readonly maxListBytes: number
  private readonly maxBlockBytes: number
  private maxTableBytes = initialBytes
  /** The lowest setting that the peer has not answered with a table size. */
  private awaitedBytes = Number.POSITIVE_INFINITY
  private block: "ended" | "open" = "ended"
  /** Of the current block, as it is sent. */
  private blockBytes = 0
  /** How many table sizes may still come, or `sizesOver`. */
  private sizesLeft = sizesOver

  private readonly cursor: HpackInteger.Cursor = { at: 0 }
  /** Where the field that is read begins, and, when it is cut, how many bytes it has at least. */
  private fieldStart = 0
  private neededBytes = 0
  /** The beginning of a field that is cut: `heldBytes` of `held`, `heldBytes < neededBytes` between two pieces. */
  private held: Uint8Array = nothing
  private heldBytes = 0

  constructor(options?: Options) {
    this.maxListBytes = options?.maxListBytes ?? 16_384
    this.maxBlockBytes = Math.max(this.maxListBytes, options?.maxBlockBytes ?? Math.max(65_536, this.maxListBytes * 4))
  }

  /** The size of the table, as RFC 7541 §4.1 counts it. */
  get tableBytes(): number {
    return this.table.byteLength
  }

  /** How many bytes of a field wait for its end. */
  get waitingBytes(): number {
    return this.heldBytes
  }

  /**
   * SETTINGS_HEADER_TABLE_SIZE has been acknowledged, which was 4,096 before.
   * Where it is below the size of the table, the next block must begin with a
   * table size (RFC 7541 §4.2).
   */
  setMaxTableBytes(maxBytes: number): void {
    this.maxTableBytes = maxBytes
    if (maxBytes < this.table.maxBytes) this.awaitedBytes = Math.min(this.awaitedBytes, maxBytes)
  }

  /** A block that has come whole. */
  decode(block: Uint8Array, handler: Handler): HpackError.Violation | HpackError.HeaderListTooLarge | undefined {
    return this.receive(block, handler) ?? this.end()
  }

  /** The next piece of a block. It is not kept; behind a violation nothing is read. */
  receive(piece: Uint8Array, handler: Handler): HpackError.Violation | undefined {
    if (this.violation !== undefined) return this.violation
    if (this.block === "ended") this.begin()
    // What is above the limit is not looked at, but what is before it is, however the block is cut.
    const end = Math.min(piece.length, this.maxBlockBytes - this.blockBytes)
    this.blockBytes += end
    let at = this.heldBytes === 0 ? 0 : this.complete(piece, end, handler)
    while (at < end && this.violation === undefined) {
      const next = this.field(piece, at, end, handler)
      if (next !== cut) at = next
      else if (this.violation === undefined) {
        this.hold(piece, at, end)
        break
      }
    }
    if (end < piece.length && this.violation === undefined) return this.tooLarge()
    return this.violation
  }

  /** The block has ended. */
  end(): HpackError.Violation | HpackError.HeaderListTooLarge | undefined {
    if (this.violation !== undefined) return this.violation
    if (this.block === "ended") this.begin()
    if (this.heldBytes > 0) return this.invalid("block cut off")
    this.block = "ended"
    if (this.listBytes <= this.maxListBytes) return undefined
    return new HpackError.HeaderListTooLarge(this.listBytes, this.maxListBytes)
  }

  private begin(): void {
    this.block = "open"
    this.listBytes = 0
    this.blockBytes = 0
    this.sizesLeft = mostSizes
  }

  /** Goes on with the field that was cut, up to its end and not a byte further; returns the offset behind it. */
  private complete(piece: Uint8Array, end: number, handler: Handler): number {
    let at = 0
    while (true) {
      const next = Math.min(end, at + this.neededBytes - this.heldBytes)
      this.hold(piece, at, next)
      at = next
      if (this.heldBytes < this.neededBytes) return at
      if (this.field(this.held, 0, this.heldBytes, handler) === cut && this.violation === undefined) continue
      this.heldBytes = 0
      if (this.held.length > keptBytes) this.held = nothing
      return at
    }
  }

  /** Keeps the bytes of a field that is cut. What a peer announces takes no memory before it comes. */
  private hold(piece: Uint8Array, start: number, end: number): void {
    const byteCount = this.heldBytes + end - start
    if (byteCount > this.held.length) {
      const grown = new Uint8Array(Math.max(256, byteCount * 2))
      grown.set(this.held.subarray(0, this.heldBytes))
      this.held = grown
    }
    this.held.set(start === 0 && end === piece.length ? piece : piece.subarray(start, end), this.heldBytes)
    this.heldBytes = byteCount
  }

  /**
   * Reads a field from the bytes up to `end`. Returns the offset behind it; `cut`
   * where it is not whole, or breaks a rule.
   */
  private field(bytes: Uint8Array, at: number, end: number, handler: Handler): number {
    this.fieldStart = at
    this.cursor.at = at
    const first = bytes[at]!
    if (first >= HpackField.indexedPattern) return this.indexed(bytes, end, handler)
    if ((first & 0xe0) === HpackField.tableSizePattern) return this.tableSize(bytes, end)
    return this.literal(bytes, end, handler)
  }

  private indexed(bytes: Uint8Array, end: number, handler: Handler): number {
    const index = HpackInteger.read(this.cursor, bytes, end, HpackField.indexedBits)
    if (index < 0) return this.unread(index, end)
    if (this.sizesLeft !== sizesOver && !this.beginFields()) return cut
    const position = index - HpackStaticTable.entryCount
    if (index === 0 || position > this.table.entryCount) this.invalid("unknown index")
    else if (position <= 0) this.add(HpackStaticTable.names[index]!, HpackStaticTable.values[index]!, false, handler)
    else this.add(this.table.nameAt(position), this.table.valueAt(position), false, handler)
    return this.cursor.at
  }

  private literal(bytes: Uint8Array, end: number, handler: Handler): number {
    const first = bytes[this.cursor.at]!
    const isAdded = first >= HpackField.addedPattern
    const bits = isAdded ? HpackField.addedBits : HpackField.literalBits
    const index = HpackInteger.read(this.cursor, bytes, end, bits)
    if (index < 0) return this.unread(index, end)
    if (this.sizesLeft !== sizesOver && !this.beginFields()) return cut
    const name = index === 0 ? this.string(bytes, end) : this.nameOf(index)
    if (name === undefined) return cut
    const value = this.string(bytes, end)
    if (value === undefined) return cut
    if (isAdded) this.table.add(name, value)
    this.add(name, value, !isAdded && first >= HpackField.neverPattern, handler)
    return this.cursor.at
  }

  private tableSize(bytes: Uint8Array, end: number): number {
    const size = HpackInteger.read(this.cursor, bytes, end, HpackField.tableSizeBits)
    if (size < 0) return this.unread(size, end)
    // RFC 7541 §4.2: "This dynamic table size update MUST occur at the beginning of the first header block".
    if (this.sizesLeft === sizesOver) this.invalid("table size late")
    else if (this.sizesLeft === 0) this.invalid("table size repeated")
    else if (size > this.maxTableBytes) this.invalid("table size above the setting")
    // RFC 7541 §4.2: "the smallest maximum table size that occurs in that interval MUST be signaled".
    else if (size > this.awaitedBytes) this.invalid("table size missing")
    else {
      this.sizesLeft -= 1
      this.awaitedBytes = Number.POSITIVE_INFINITY
      this.table.resize(size)
    }
    return this.cursor.at
  }

  /** The first field has come: no table size may follow, and one that is due is missing. */
  private beginFields(): boolean {
    this.sizesLeft = sizesOver
    if (this.awaitedBytes === Number.POSITIVE_INFINITY) return true
    this.invalid("table size missing")
    return false
  }

  private nameOf(index: number): string | undefined {
    if (index <= HpackStaticTable.entryCount) return HpackStaticTable.names[index]
    const position = index - HpackStaticTable.entryCount
    if (position <= this.table.entryCount) return this.table.nameAt(position)
    this.invalid("unknown index")
    return undefined
  }

  /** `undefined`: the string is cut, or breaks a rule. */
  private string(bytes: Uint8Array, end: number): string | undefined {
    const { cursor } = this
    if (cursor.at >= end) {
      this.unread(HpackInteger.incomplete, end)
      return undefined
    }
    const isHuffman = bytes[cursor.at]! >= 0x80
    const byteCount = HpackInteger.read(cursor, bytes, end, 7)
    if (byteCount < 0) {
      this.unread(byteCount, end)
      return undefined
    }
    // Before it is waited for.
    if (this.listBytes + byteCount > this.maxBlockBytes) {
      this.tooLarge()
      return undefined
    }
    const start = cursor.at
    const stop = start + byteCount
    if (stop > end) {
      this.neededBytes = stop - this.fieldStart
      return undefined
    }
    cursor.at = stop
    return isHuffman ? this.huffman(bytes, start, stop) : Latin1.decode(bytes, start, stop)
  }

  private huffman(bytes: Uint8Array, start: number, end: number): string | undefined {
    const room = HpackHuffman.roomFor(end - start)
    const target = room <= scratch.length ? scratch : new Uint8Array(room)
    const length = HpackHuffman.decode(bytes, start, end, target)
    if (length >= 0) return Latin1.decode(target, 0, length)
    this.invalid("invalid Huffman code")
    return undefined
  }

  private add(name: string, value: string, neverIndexed: boolean, handler: Handler): void {
    this.listBytes += sizeOf(name, value)
    if (this.listBytes <= this.maxListBytes) handler.onField(name, value, neverIndexed)
    else if (this.listBytes > this.maxBlockBytes) this.tooLarge()
  }

  /** An integer that could not be read. */
  private unread(result: number, end: number): number {
    if (result === HpackInteger.tooLarge) this.invalid("integer too large")
    else this.neededBytes = end - this.fieldStart + 1
    return cut
  }

  private invalid(rule: HpackError.Rule): HpackError.Violation {
    return this.stop(new HpackError.InvalidHeaderBlock(rule))
  }

  private tooLarge(): HpackError.Violation {
    return this.stop(new HpackError.HeaderBlockTooLarge(this.maxBlockBytes))
  }

  /** Nothing more is decoded: what is kept can go. */
  private stop(violation: HpackError.Violation): HpackError.Violation {
    this.violation = violation
    this.held = nothing
    this.heldBytes = 0
    this.table.resize(0)
    return violation
  }
}

const nothing = new Uint8Array(0)
/** Instead of an offset: the field is not whole, or breaks a rule. */
const cut = -1
/** RFC 7541 §4.2: "at most two dynamic table size updates". */
const mostSizes = 2
/** Instead of how many table sizes may come: a field has come. */
const sizesOver = -1
/** A larger buffer is not kept for the next field that is cut. */
const keptBytes = 4096
/** Where all decoders put what they decode until it is text; a longer string has a buffer of its own. */
const scratch = new Uint8Array(4096)
