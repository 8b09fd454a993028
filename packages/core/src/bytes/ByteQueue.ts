/**
 * Bytes that were received and not yet used: a queue of chunks that reads like
 * one array. Decoders look at its front and take whole frames off.
 *
 * Hot path (`bench/` rows "frames"): a frame within one chunk is handed out as
 * a view, without a copy; only frames that straddle chunks are joined, once.
 *
 * Invariant: `0 <= head < chunks[0].length` whenever there is a chunk.
 *
 * @since 0.1.0
 */

/** @category models */
export class ByteQueue {
  private chunks: Array<Uint8Array> = []
  /** Bytes of the first chunk that were taken already. */
  private head = 0
  private length = 0

  /** Bytes in the queue. */
  get byteLength(): number {
    return this.length
  }

  /** Adds a chunk at the end; the queue owns it from now on. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.chunks.push(chunk)
    this.length += chunk.length
  }

  /** The byte at `index`, counted from the front; `0 <= index < byteLength`. */
  at(index: number): number {
    let offset = this.head + index
    for (const chunk of this.chunks) {
      if (offset < chunk.length) return chunk[offset]!
      offset -= chunk.length
    }
    throw new RangeError(`ByteQueue.at(${index}) of ${this.length}`)
  }

  /** Where `byte` first stands at or after `from`, counted from the front; -1 when it does not. */
  indexOf(byte: number, from = 0): number {
    let base = -this.head
    for (const chunk of this.chunks) {
      const start = from - base
      if (start < chunk.length) {
        const found = chunk.indexOf(byte, start < 0 ? 0 : start)
        if (found >= 0) return base + found
      }
      base += chunk.length
    }
    return -1
  }

  /** The first `count` bytes as one array, left in the queue; `count <= byteLength`. */
  peek(count: number): Uint8Array {
    const first = this.chunks[0]
    if (first !== undefined && this.head + count <= first.length) return first.subarray(this.head, this.head + count)
    return this.join(count)
  }

  /** Takes the first `count` bytes off; `count <= byteLength`. */
  take(count: number): Uint8Array {
    const first = this.chunks[0]
    if (count === this.length && this.chunks.length === 1) {
      const all = this.head === 0 ? first! : first!.subarray(this.head)
      this.clear()
      return all
    }
    const bytes = this.peek(count)
    this.skip(count)
    return bytes
  }

  /** Takes all bytes off. */
  takeAll(): Uint8Array {
    return this.take(this.length)
  }

  /** Takes the first chunk off as it came, without a copy. `undefined` when the queue is empty. */
  takeChunk(): Uint8Array | undefined {
    const first = this.chunks[0]
    return first === undefined ? undefined : this.take(first.length - this.head)
  }

  /** Drops the first `count` bytes; `count <= byteLength`. */
  skip(count: number): void {
    if (count > this.length) throw new RangeError(`ByteQueue.skip(${count}) of ${this.length}`)
    this.length -= count
    let head = this.head + count
    let whole = 0
    while (whole < this.chunks.length && head >= this.chunks[whole]!.length) head -= this.chunks[whole++]!.length
    if (whole === 1) this.chunks.shift()
    else if (whole > 1) this.chunks.splice(0, whole)
    this.head = head
  }

  clear(): void {
    this.chunks = []
    this.head = 0
    this.length = 0
  }

  private join(count: number): Uint8Array {
    if (count > this.length) throw new RangeError(`ByteQueue.take(${count}) of ${this.length}`)
    const joined = new Uint8Array(count)
    let written = 0
    let from = this.head
    for (const chunk of this.chunks) {
      const part = Math.min(chunk.length - from, count - written)
      joined.set(part === chunk.length ? chunk : chunk.subarray(from, from + part), written)
      written += part
      from = 0
      if (written === count) break
    }
    return joined
  }
}
