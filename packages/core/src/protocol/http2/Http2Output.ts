/**
 * What one turn of a connection sends: many small frames, and now and then a
 * large payload.
 *
 * Small bytes are written into a page that all connections share, one behind
 * the other, and come out as one segment; large ones are handed over as they
 * are, between two segments. What `take` handed out belongs to the transport
 * and is never written again: the rest of the page goes on serving, for
 * whichever connection writes next. Between turns a connection holds no page.
 *
 * ```text
 *  page   |other's|  segment of this one  |  free        |
 *                 ^start                  ^at = shared.at
 * ```
 *
 * A segment ends where another connection wrote behind it within the turn, and
 * where the page is full. Bytes that wait for a slow peer keep their page, 16
 * KiB at most for each segment.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import { Output } from "../Engine.ts"

/** Up to this many bytes, a copy is cheaper than a chunk of its own. @category limits */
export const copyBytes = 1024

/** @category models */
export class Http2Output extends Output {
  /** Where `reserve` has made room: from `at` on. Only what `commit` took is sent. */
  page: Uint8Array = noBytes
  at = 0
  /** `start <= at`: of the page, what was committed and is not in `segments` yet. */
  private start = 0
  private segments: Array<Uint8Array> | undefined = undefined

  /** Makes room for `byteCount` bytes in `page`, from `at` on. They may be written until the next call of any output. */
  reserve(byteCount: number): void {
    if (this.page === shared.page && this.at === shared.at && this.at + byteCount <= pageBytes) return
    this.endSegment()
    this.beginSegment(byteCount)
  }

  /** Sends what was written into the reserved room, up to `end`; nothing once the output is closing. */
  commit(end: number): void {
    if (this.closing !== "open") {
      this.endSegment()
      this.page = noBytes
      return
    }
    this.byteLength += end - this.at
    this.at = end
    if (this.page === shared.page) shared.at = end
  }

  /** Bytes that do not change any more. Up to `copyBytes` are copied. */
  override write(bytes: Uint8Array): void {
    this.writeRange(bytes, 0, bytes.length)
  }

  /** {@link write} of a part, without a view where it is copied. */
  writeRange(bytes: Uint8Array, start: number, end: number): void {
    if (end - start <= copyBytes) {
      this.copy(bytes, start, end)
      return
    }
    if (this.closing !== "open") return
    this.endSegment()
    this.push(end - start === bytes.length ? bytes : bytes.subarray(start, end))
    this.byteLength += end - start
  }

  /** Copies a part of any length: for bytes that will change. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    const byteCount = end - start
    if (byteCount === 0) return
    this.reserve(byteCount)
    const { at, page } = this
    if (byteCount <= loopBytes) {
      for (let index = 0; index < byteCount; index++) page[at + index] = bytes[start + index]!
    } else if (start === 0 && bytes.length <= wholeBytes && at + bytes.length <= page.length) {
      // Some bytes too many, which are not committed, cost less than a view of the others.
      page.set(bytes, at)
    } else page.set(bytes.subarray(start, end), at)
    this.commit(at + byteCount)
  }

  /** Segments and large chunks, in order. */
  override take(): Array<Uint8Array> {
    this.endSegment()
    const taken = this.segments ?? []
    this.segments = undefined
    this.byteLength = 0
    this.page = noBytes
    this.at = 0
    this.start = 0
    return taken
  }

  private beginSegment(byteCount: number): void {
    if (shared.at + byteCount <= pageBytes) this.page = shared.page
    else if (byteCount > pageBytes / 2) {
      // The rest of the page is worth more to others than half of a new one to this.
      this.page = allocate(byteCount)
      this.at = 0
      this.start = 0
      return
    } else {
      shared.page = allocate(pageBytes)
      shared.at = 0
      this.page = shared.page
    }
    this.at = shared.at
    this.start = shared.at
  }

  private endSegment(): void {
    if (this.start === this.at) return
    this.push(this.page.subarray(this.start, this.at))
    this.start = this.at
  }

  private push(bytes: Uint8Array): void {
    if (this.segments === undefined) this.segments = [bytes]
    else this.segments.push(bytes)
  }
}

const pageBytes = 16_384
/** Up to this many bytes a loop is faster than a call of the host. */
const loopBytes = 24
/** Up to this many bytes, copying all of an array is faster than making a view of its beginning. */
const wholeBytes = 2048
const noBytes: Uint8Array = new Uint8Array(0)

/** `page[at]` and what is behind it was never handed out. */
const shared = { page: noBytes, at: pageBytes }
