/**
 * Bytes that were received and not yet used: a queue of chunks that reads like
 * one array. Decoders look at its front and take whole frames off.
 *
 * Hot path (`bench/` rows "frames"): a frame within one chunk is handed out as
 * a view, without a copy; only frames that straddle chunks are joined, once.
 * A view keeps its whole chunk in memory: copy what is kept for long.
 *
 * A peer that sends byte by byte must not cost a chunk a byte. From the fifth
 * waiting chunk on, small ones are collected in blocks of the queue's own, and
 * reading at rising positions does not walk from the front again.
 *
 * Invariants: `0 <= head < chunks[first].length` whenever there is a chunk;
 * `seekStart` is where `chunks[seekChunk]` begins, counted from the front.
 *
 * @since 0.1.0
 */

/** Chunks that may wait before small ones are collected. */
const loosePieces = 4
/** The largest chunk that is collected. Below it, a chunk's own cost is like its content's. */
const smallBytes = 512
/** Size of the blocks in which small chunks are collected. */
const blockBytes = 2048
/** Stands in for a chunk that was taken. */
const released = new Uint8Array(0)

/** @category models */
export class ByteQueue {
  private chunks: Array<Uint8Array> = []
  /** The chunk at the front; those before it were taken and are let go. */
  private first = 0
  /** Bytes of the first chunk that were taken already. */
  private head = 0
  private length = 0
  private seekChunk = 0
  private seekStart = 0
  /** What the last chunk is a view of, when it is one of the queue's blocks. */
  private block: Uint8Array | undefined = undefined

  /** Bytes in the queue. */
  get byteLength(): number {
    return this.length
  }

  /** Adds a chunk at the end; the queue owns it from now on. */
  push(chunk: Uint8Array): void {
    const size = chunk.length
    if (size === 0) return
    if (size <= smallBytes && this.chunks.length - this.first >= loosePieces) this.collect(chunk)
    else {
      this.chunks.push(chunk)
      this.block = undefined
    }
    this.length += size
  }

  /** The byte at `index`, counted from the front; `0 <= index < byteLength`, else a `RangeError`. */
  at(index: number): number {
    const first = this.chunks[this.first]
    const offset = this.head + index
    if (first !== undefined && index >= 0 && offset < first.length) return first[offset]!
    if (!(index >= 0 && index < this.length)) throw new RangeError(`ByteQueue.at(${index}) of ${this.length}`)
    const chunk = this.seek(index)
    return chunk[index - this.seekStart]!
  }

  /** Where `byte` first stands at or after `from >= 0`, counted from the front; -1 when it does not. */
  indexOf(byte: number, from = 0): number {
    if (from >= this.length) return -1
    let chunk = this.seek(from)
    let start = from - this.seekStart
    for (;;) {
      const found = chunk.indexOf(byte, start)
      if (found >= 0) return this.seekStart + found
      if (this.seekChunk + 1 === this.chunks.length) return -1
      this.seekStart += chunk.length
      chunk = this.chunks[++this.seekChunk]!
      start = 0
    }
  }

  /** The first `count` bytes as one array, left in the queue; `count <= byteLength`, else a `RangeError`. */
  peek(count: number): Uint8Array {
    const first = this.chunks[this.first]
    const end = this.head + count
    if (first !== undefined && count >= 0 && end <= first.length) return first.subarray(this.head, end)
    return this.join(count)
  }

  /** Takes the first `count` bytes off; `count <= byteLength`, else a `RangeError`. */
  take(count: number): Uint8Array {
    const first = this.chunks[this.first]
    const start = this.head
    const end = start + count
    if (first !== undefined && count >= 0 && end <= first.length) {
      this.skip(count)
      return start === 0 && end === first.length ? first : first.subarray(start, end)
    }
    const bytes = this.join(count)
    this.skip(count)
    return bytes
  }

  /** Takes all bytes off. */
  takeAll(): Uint8Array {
    return this.take(this.length)
  }

  /** Takes what is left of the first chunk off, without a copy. `undefined` when the queue is empty. */
  takeChunk(): Uint8Array | undefined {
    const first = this.chunks[this.first]
    return first === undefined ? undefined : this.take(first.length - this.head)
  }

  /** Drops the first `count` bytes; `count <= byteLength`, else a `RangeError`. */
  skip(count: number): void {
    if (!(count >= 0 && count <= this.length)) throw new RangeError(`ByteQueue.skip(${count}) of ${this.length}`)
    if (count === this.length) {
      if (count > 0) this.clear()
      return
    }
    this.length -= count
    let head = this.head + count
    let chunk = this.chunks[this.first]!
    if (head >= chunk.length) {
      while (head >= chunk.length) {
        head -= chunk.length
        this.chunks[this.first++] = released
        chunk = this.chunks[this.first]!
      }
      // Moved up only when half is free: taking off the front costs the same however many chunks wait behind it.
      if (this.first * 2 >= this.chunks.length) {
        this.chunks = this.chunks.slice(this.first)
        this.first = 0
      }
    }
    this.head = head
    this.seekChunk = this.first
    this.seekStart = -head
  }

  clear(): void {
    this.chunks = []
    this.first = 0
    this.head = 0
    this.length = 0
    this.seekChunk = 0
    this.seekStart = 0
    this.block = undefined
  }

  /** Moves the seek position to the chunk with the byte at `index`; `index < byteLength`. */
  private seek(index: number): Uint8Array {
    if (index < this.seekStart) {
      this.seekChunk = this.first
      this.seekStart = -this.head
    }
    let chunk = this.chunks[this.seekChunk]!
    while (index - this.seekStart >= chunk.length) {
      this.seekStart += chunk.length
      chunk = this.chunks[++this.seekChunk]!
    }
    return chunk
  }

  /** Copies a small chunk behind the last one, into a block of the queue's own. */
  private collect(chunk: Uint8Array): void {
    const last = this.chunks.length - 1
    const used = this.chunks[last]!.length
    if (this.block !== undefined && used + chunk.length <= this.block.length) {
      this.block.set(chunk, used)
      this.chunks[last] = this.block.subarray(0, used + chunk.length)
      return
    }
    this.block = new Uint8Array(blockBytes)
    this.block.set(chunk)
    this.chunks.push(this.block.subarray(0, chunk.length))
  }

  private join(count: number): Uint8Array {
    if (!(count >= 0 && count <= this.length)) throw new RangeError(`ByteQueue.take(${count}) of ${this.length}`)
    const joined = new Uint8Array(count)
    let written = 0
    let from = this.head
    for (let index = this.first; written < count; index++) {
      const chunk = this.chunks[index]!
      const part = Math.min(chunk.length - from, count - written)
      joined.set(from === 0 && part === chunk.length ? chunk : chunk.subarray(from, from + part), written)
      written += part
      from = 0
    }
    return joined
  }
}
