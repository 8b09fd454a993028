/**
 * The representations of a field (RFC 7541 §6), told apart by the first bits:
 *
 * ```text
 *  1 index(7)                           a field of the tables
 *  0 1 index(6) [name] value            a literal, which is added to the table
 *  0 0 1 size(5)                        no field: the size of the table
 *  0 0 0 1 index(4) [name] value        a literal that is never added, by nobody
 *  0 0 0 0 index(4) [name] value        a literal that is not added
 * ```
 *
 * @internal
 * @since 0.1.0
 */
import type { HpackBlock } from "./HpackBlock.ts"
import type { HpackPolicy } from "./HpackPolicy.ts"

/** RFC 7541 §6.1: the first octet of an indexed field. @category patterns */
export const indexedPattern = 0x80
/** How many bits of that octet are of the index. @category patterns */
export const indexedBits = 7
/** RFC 7541 §6.2.1: the first octet of a literal that is added to the table. @category patterns */
export const addedPattern = 0x40
/** How many bits of that octet are of the index of the name. @category patterns */
export const addedBits = 6
/** RFC 7541 §6.3: the first octet of a table size. @category patterns */
export const tableSizePattern = 0x20
/** How many bits of that octet are of the size. @category patterns */
export const tableSizeBits = 5
/** RFC 7541 §6.2.3: the first octet of a literal that is never added. @category patterns */
export const neverPattern = 0x10
/** RFC 7541 §6.2.2: the first octet of a literal that is not added. @category patterns */
export const plainPattern = 0x00
/** How many bits of the last two are of the index of the name. @category patterns */
export const literalBits = 4

/** RFC 7541 §6.1. @category writing */
export const indexed = (block: HpackBlock, index: number): void => block.integer(indexedPattern, indexedBits, index)

/** RFC 7541 §6.2: with `nameIndex` 0 the name is written too. @category writing */
export const literal = (
  block: HpackBlock,
  policy: HpackPolicy,
  nameIndex: number,
  name: string,
  value: string
): void => {
  if (policy === "index") block.integer(addedPattern, addedBits, nameIndex)
  else block.integer(policy === "never" ? neverPattern : plainPattern, literalBits, nameIndex)
  if (nameIndex === 0) block.string(name)
  block.string(value)
}

/** RFC 7541 §6.3. @category writing */
export const tableSize = (block: HpackBlock, bytes: number): void =>
  block.integer(tableSizePattern, tableSizeBits, bytes)
