/**
 * What waits for somebody slow, in order: bounded by a count and by bytes.
 *
 * @internal
 * @since 0.1.0
 */

/** @category models */
export class Backlog<A> {
  private readonly maxCount: number
  private readonly maxBytes: number
  private readonly bytesOf: (item: A) => number
  /** Those before `first` have left: `undefined` stands in their place. */
  private items: Array<A | undefined> = []
  private first = 0
  private totalBytes = 0

  constructor(maxCount: number, maxBytes: number, bytesOf: (item: A) => number) {
    this.maxCount = maxCount
    this.maxBytes = maxBytes
    this.bytesOf = bytesOf
  }

  get length(): number {
    return this.items.length - this.first
  }

  get byteLength(): number {
    return this.totalBytes
  }

  /** The oldest, which stays. */
  peek(): A | undefined {
    return this.items[this.first]
  }

  /** Whether `item` could ever wait here. */
  admits(item: A): boolean {
    return this.bytesOf(item) <= this.maxBytes
  }

  /** `false`: it does not fit, and was not taken. */
  push(item: A): boolean {
    const itemBytes = this.bytesOf(item)
    if (this.length >= this.maxCount || this.totalBytes + itemBytes > this.maxBytes) return false
    this.items.push(item)
    this.totalBytes += itemBytes
    return true
  }

  /** Takes the oldest. */
  shift(): A | undefined {
    if (this.length === 0) return undefined
    const item = this.items[this.first] as A
    this.items[this.first++] = undefined
    this.totalBytes -= this.bytesOf(item)
    // Moved rarely, so that each item is moved about once.
    if (this.first === this.items.length) {
      this.items = []
      this.first = 0
    } else if (this.first >= leastMoved && this.first * 2 >= this.items.length) {
      this.items = this.items.slice(this.first)
      this.first = 0
    }
    return item
  }

  clear(): void {
    this.items = []
    this.first = 0
    this.totalBytes = 0
  }
}

const leastMoved = 32
