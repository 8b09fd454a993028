/**
 * Bytes that came and were not read yet: those of a body that is paused, and
 * of requests behind one that is not answered. They wait as bytes; parsing
 * them ahead would only make objects of them sooner.
 *
 * Hot path: a chunk that is read at once is not queued.
 *
 * @internal
 * @since 0.1.0
 */
import { ByteQueue } from "../../bytes/ByteQueue.ts"

/** @category models */
export class Http1Inbox {
  /** The chunk that is being read, and where; `at < chunk.length` when there are bytes. */
  chunk: Uint8Array = empty
  at = 0
  private readonly later = new ByteQueue()

  /** Bytes that wait. */
  get byteLength(): number {
    return this.chunk.length - this.at + this.later.byteLength
  }

  get isEmpty(): boolean {
    return this.at === this.chunk.length
  }

  push(bytes: Uint8Array): void {
    if (this.isEmpty) {
      this.chunk = bytes
      this.at = 0
    } else this.later.push(bytes)
  }

  /** The chunk was read up to `at`. */
  readTo(at: number): void {
    this.at = at
    if (at < this.chunk.length) return
    this.chunk = this.later.byteLength === 0 ? empty : this.later.takeChunk()!
    this.at = 0
  }

  /** Takes all that waits, as one array. */
  takeAll(): Uint8Array {
    const front = this.at === 0 ? this.chunk : this.chunk.subarray(this.at)
    const rest = this.later.byteLength
    this.chunk = empty
    this.at = 0
    if (rest === 0) return front
    const all = new Uint8Array(front.length + rest)
    all.set(front)
    all.set(this.later.takeAll(), front.length)
    return all
  }

  clear(): void {
    this.chunk = empty
    this.at = 0
    this.later.clear()
  }
}

const empty = new Uint8Array(0)
