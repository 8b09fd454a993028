/**
 * Bytes of a header block while it is written, with room in front for the
 * head of its frame.
 *
 * One block serves a connection, or all of them: it is begun again for each
 * list, and copied out once its length is known.
 *
 * Hot path: `bench/` rows "hpack-encode".
 *
 * @since 0.1.0
 */
import * as Latin1 from "../../bytes/Latin1.ts"
import * as HpackHuffman from "./HpackHuffman.ts"
import * as HpackInteger from "./HpackInteger.ts"

/** @category models */
export class HpackBlock {
  /** The block's bytes, up to `length`; replaced when it has to grow. */
  bytes: Uint8Array = new Uint8Array(initialBytes)
  length = 0

  /** Forgets what was written, and leaves `headBytes` for the caller to fill. A buffer that grew large is not kept. */
  begin(headBytes: number): void {
    if (this.bytes.length > keptBytes) this.bytes = new Uint8Array(initialBytes)
    this.length = headBytes
  }

  /** An integer beside the bits of `pattern`, as `HpackInteger.write` has it. */
  integer(pattern: number, prefixBits: number, value: number): void {
    this.reserve(HpackInteger.mostWritten)
    this.length = HpackInteger.write(this.bytes, this.length, pattern, prefixBits, value)
  }

  /** A string, in the Huffman code where that is shorter (RFC 7541 §5.2). Of its characters only the low byte counts. */
  string(text: string): void {
    const byteCount = HpackHuffman.encodedBytes(text)
    if (byteCount < text.length) {
      this.reserve(HpackInteger.mostWritten + byteCount)
      const start = HpackInteger.write(this.bytes, this.length, huffmanFlag, 7, byteCount)
      this.length = HpackHuffman.encode(text, this.bytes, start)
      return
    }
    this.reserve(HpackInteger.mostWritten + text.length)
    const start = HpackInteger.write(this.bytes, this.length, 0, 7, text.length)
    if (text.length < shortBytes) Latin1.writePlain(text, this.bytes, start)
    else Latin1.write(text, this.bytes, start)
    this.length = start + text.length
  }

  /** Bytes as they are: the fields of another block. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** A copy of the bytes from `start` on. */
  copy(start: number): Uint8Array {
    return this.bytes.slice(start, this.length)
  }

  private reserve(byteCount: number): void {
    const needed = this.length + byteCount
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
}

const initialBytes = 1024
const keptBytes = 65_536
/** Below this a loop is faster than a call of the host. */
const shortBytes = 24
const huffmanFlag = 0x80
