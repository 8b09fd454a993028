/**
 * The body that is being received, whatever delimits it.
 *
 * @internal
 * @since 0.1.0
 */
import type { Delimiter } from "./Http1BodyLength.ts"
import { ChunkedDecoder } from "./Http1Chunked.ts"
import { BodyTooLarge, Truncated, type Violation } from "./Http1Error.ts"
import type { Http1Fields } from "./Http1Fields.ts"
import type { Http1HeadParser } from "./Http1HeadParser.ts"
import type { Resolved } from "./Http1Options.ts"

/** @category models */
export class Http1BodyReader {
  /** The data that the last `receive` came to: a view; `undefined` where it came to none. Told before a violation. */
  data: Uint8Array | undefined = undefined
  complete = true
  violation: Violation | undefined = undefined
  /** Bytes of data that have come. */
  receivedBytes = 0
  private readonly chunked: ChunkedDecoder
  private readonly limits: Resolved
  private delimiter: Delimiter = "Empty"
  private lengthBytes = 0

  constructor(limits: Resolved, parser: Http1HeadParser) {
    this.limits = limits
    this.chunked = new ChunkedDecoder(limits, parser)
  }

  /** The trailers of a complete body; `undefined` where there were none. */
  get trailers(): Http1Fields | undefined {
    return this.delimiter === "Chunked" ? this.chunked.trailers : undefined
  }

  /** What is known to come; `Infinity` where that is not known. */
  get leftBytes(): number {
    if (this.complete) return 0
    return this.delimiter === "Length" ? this.lengthBytes - this.receivedBytes : Number.POSITIVE_INFINITY
  }

  /** Makes ready for a body; one that is too large by what it announces is a violation at once. */
  begin(delimiter: Delimiter, lengthBytes: number | undefined): void {
    this.delimiter = delimiter
    this.lengthBytes = lengthBytes ?? 0
    this.data = undefined
    this.violation = undefined
    this.receivedBytes = 0
    this.complete = delimiter === "Empty"
    if (delimiter === "Chunked") this.chunked.begin()
    else if (delimiter === "Length" && this.lengthBytes > this.limits.bodyBytes) this.refuse()
  }

  /** Takes bytes from `offset` of `chunk` on; returns where the first byte is that it did not take. */
  receive(chunk: Uint8Array, offset: number): number {
    let at: number
    if (this.delimiter === "Chunked") {
      at = this.chunked.receive(chunk, offset)
      this.data = this.chunked.data
      this.complete = this.chunked.complete
      this.violation = this.chunked.violation
    } else {
      at = Math.min(chunk.length, offset + this.leftBytes)
      this.data = offset === 0 && at === chunk.length ? chunk : chunk.subarray(offset, at)
    }
    if (this.data !== undefined) {
      const mostBytes = this.limits.bodyBytes - this.receivedBytes
      this.receivedBytes += this.data.length
      if (this.delimiter === "Length") this.complete = this.receivedBytes === this.lengthBytes
      // What is within the limit is handed over all the same: where it ends must not depend on the network's cuts.
      // Nor must what was taken: up to the first byte that is too many.
      if (this.data.length > mostBytes) {
        at -= this.data.length - mostBytes - 1
        this.data = mostBytes === 0 ? undefined : this.data.subarray(0, mostBytes)
        this.refuse()
      }
    }
    return at
  }

  /** The stream has ended: the end of a body `UntilClose`, too early for any other. */
  receiveEnd(): void {
    this.data = undefined
    if (this.delimiter === "UntilClose") this.complete = true
    // RFC 9112 §8: a message without its last chunk, or below its Content-Length, is incomplete.
    else if (!this.complete) this.violation = new Truncated("part of the body")
  }

  private refuse(): void {
    this.violation = new BodyTooLarge(this.limits.bodyBytes)
  }
}
