/**
 * The fields that the peers of a connection have told each other (RFC 7541
 * §2.3.2): first in, first out, and never above its size.
 *
 * A ring: entry `id` is at `id & mask`. Ids count up from 0; live are those
 * from `addedCount - entryCount` up to `addedCount`. An encoder also has an
 * index, which the table keeps in step.
 *
 * Invariants: `byteLength <= maxBytes`; `entryCount * 32 <= byteLength`.
 *
 * Hot path: `bench/` rows "hpack-decode" and "hpack-encode".
 *
 * @internal
 * @since 0.1.0
 */
import type { HpackFieldIndex } from "./HpackFieldIndex.ts"

/** RFC 9113 §6.5.2: the size of both tables until a setting says another one. @category models */
export const initialBytes = 4096

/** RFC 7541 §4.1: what an entry, and a field in a list, counts beside its octets. @category models */
export const overheadBytes = 32

/** RFC 7541 §4.1: the size of a field whose characters are octets. @category models */
export const sizeOf = (name: string, value: string): number => name.length + value.length + overheadBytes

/** @category models */
export class HpackDynamicTable {
  /** The sum of the sizes of the entries. */
  byteLength = 0
  /** The limit of that sum; changed by `resize`. */
  maxBytes = initialBytes
  entryCount = 0
  /** How many entries were ever added: the id of the next one. */
  addedCount = 0

  private names: Array<string> = []
  private values: Array<string> = []
  /** The capacity of the ring less 1; the capacity is a power of two. */
  private mask = -1
  private readonly index: HpackFieldIndex | undefined

  constructor(index?: HpackFieldIndex) {
    this.index = index
  }

  /** The name of the entry at `position`, which the newest has as 1; `1 <= position <= entryCount`. */
  nameAt(position: number): string {
    return this.names[(this.addedCount - position) & this.mask]!
  }

  /** The value of the entry at `position`, as in `nameAt`. */
  valueAt(position: number): string {
    return this.values[(this.addedCount - position) & this.mask]!
  }

  /** RFC 7541 §4.4: makes room and adds; "an attempt to add an entry larger than the maximum size" empties the table. */
  add(name: string, value: string): void {
    const size = sizeOf(name, value)
    this.evictTo(this.maxBytes - size)
    if (size > this.maxBytes) return
    if (this.entryCount > this.mask) this.grow()
    const id = this.addedCount++
    this.names[id & this.mask] = name
    this.values[id & this.mask] = value
    this.entryCount += 1
    this.byteLength += size
    this.index?.add(name, value, id)
  }

  /** RFC 7541 §4.3: evicts what is above the new size. */
  resize(maxBytes: number): void {
    this.maxBytes = maxBytes
    this.evictTo(maxBytes)
  }

  private evictTo(mostBytes: number): void {
    while (this.entryCount > 0 && this.byteLength > mostBytes) {
      const id = this.addedCount - this.entryCount
      const at = id & this.mask
      const name = this.names[at]!
      const value = this.values[at]!
      this.index?.remove(name, value, id)
      // Or the text would live until the ring comes round.
      this.names[at] = ""
      this.values[at] = ""
      this.byteLength -= sizeOf(name, value)
      this.entryCount -= 1
    }
  }

  private grow(): void {
    const capacity = Math.max(8, (this.mask + 1) * 2)
    const names = new Array<string>(capacity).fill("")
    const values = new Array<string>(capacity).fill("")
    for (let id = this.addedCount - this.entryCount; id < this.addedCount; id++) {
      names[id & (capacity - 1)] = this.names[id & this.mask]!
      values[id & (capacity - 1)] = this.values[id & this.mask]!
    }
    this.names = names
    this.values = values
    this.mask = capacity - 1
  }
}
