/**
 * Encodes the header blocks of one direction of a connection: a field that is
 * in a table is sent as its index, another in full, and added to the table
 * where its policy has it so.
 *
 * ```text
 *  encoder.begin(block)                      the table sizes that are due
 *  encoder.prepared(block, prepared)         fields encoded before, for any connection
 *  encoder.encode(block, name, value)        the others
 * ```
 *
 * Blocks must reach the peer in the order in which they were encoded, each of
 * them whole: both sides change their tables with them.
 *
 * Hot path: `bench/` rows "hpack-encode".
 *
 * @since 0.1.0
 */
import type { HpackBlock } from "./HpackBlock.ts"
import { HpackDynamicTable, initialBytes, sizeOf } from "./HpackDynamicTable.ts"
import * as HpackField from "./HpackField.ts"
import { HpackFieldIndex } from "./HpackFieldIndex.ts"
import * as HpackPolicy from "./HpackPolicy.ts"
import type { HpackPrepared } from "./HpackPrepared.ts"
import * as HpackStaticTable from "./HpackStaticTable.ts"

/** @category options */
export interface Options {
  /**
   * The most that this side's table takes, in bytes as RFC 7541 §4.1 counts
   * them, whatever the peer allows; it is the memory that a peer can claim.
   * At least 0, which switches the table off. Default 4,096.
   */
  readonly maxTableBytes?: number | undefined
}

/** @category models */
export class HpackEncoder {
  private readonly index = new HpackFieldIndex()
  private readonly table = new HpackDynamicTable(this.index)
  private readonly ownMaxBytes: number
  /** The lowest size since the last block, which the peer must be told before the current one. */
  private lowestBytes = initialBytes
  /** The size that the peer's table has after the last block. */
  private announcedBytes = initialBytes

  constructor(options?: Options) {
    this.ownMaxBytes = options?.maxTableBytes ?? initialBytes
    this.setPeerMaxTableBytes(initialBytes)
  }

  /** The size of the table, as RFC 7541 §4.1 counts it, and its limit. */
  get tableBytes(): number {
    return this.table.byteLength
  }
  get maxTableBytes(): number {
    return this.table.maxBytes
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE: its decoder keeps no more. */
  setPeerMaxTableBytes(maxBytes: number): void {
    const next = Math.min(maxBytes, this.ownMaxBytes)
    this.lowestBytes = Math.min(this.lowestBytes, next)
    this.table.resize(next)
  }

  /**
   * Begins a list, with the table sizes that are due. RFC 7541 §4.2: "the
   * smallest maximum table size that occurs in that interval MUST be signaled",
   * then "the final maximum size".
   */
  begin(block: HpackBlock): void {
    const { maxBytes } = this.table
    if (this.lowestBytes < this.announcedBytes && this.lowestBytes < maxBytes) {
      HpackField.tableSize(block, this.lowestBytes)
      HpackField.tableSize(block, maxBytes)
    } else if (maxBytes !== this.announcedBytes) HpackField.tableSize(block, maxBytes)
    this.announcedBytes = maxBytes
    this.lowestBytes = maxBytes
  }

  /**
   * Adds a field to the block. `name` is in lower case, and both are Latin-1:
   * of other characters only the low byte is sent. Whoever takes them from
   * outside checks them before.
   */
  encode(block: HpackBlock, name: string, value: string, policy = HpackPolicy.of(name, value)): void {
    const inStatic = HpackStaticTable.find(name)
    if (policy === "never") {
      HpackField.literal(block, policy, this.nameIndex(inStatic, name), name, value)
      return
    }
    const staticIndex = inStatic?.byValue.get(value)
    if (staticIndex !== undefined) {
      HpackField.indexed(block, staticIndex)
      return
    }
    const inTable = this.index.find(name)
    const id = inTable?.byValue.get(value)
    if (id !== undefined) {
      HpackField.indexed(block, this.indexOf(id))
      return
    }
    const nameIndex = inStatic?.index ?? (inTable === undefined ? 0 : this.indexOf(inTable.newestId))
    // What needs most of the table would push out all that repeats.
    if (policy === "plain" || sizeOf(name, value) > this.table.maxBytes * mostOfTable) {
      HpackField.literal(block, "plain", nameIndex, name, value)
      return
    }
    HpackField.literal(block, "index", nameIndex, name, value)
    this.table.add(name, value)
  }

  /** Adds fields that were encoded before. */
  prepared(block: HpackBlock, prepared: HpackPrepared): void {
    block.append(prepared.bytes)
  }

  private nameIndex(inStatic: HpackStaticTable.StaticName | undefined, name: string): number {
    if (inStatic !== undefined) return inStatic.index
    const inTable = this.index.find(name)
    return inTable === undefined ? 0 : this.indexOf(inTable.newestId)
  }

  /** RFC 7541 §2.3.3: the newest entry is right behind the static ones. */
  private indexOf(id: number): number {
    return HpackStaticTable.entryCount + this.table.addedCount - id
  }
}

const mostOfTable = 0.75
