/**
 * Fields that were encoded once, for any connection: without the dynamic
 * table, so that the same bytes are right for every peer. A field that is in
 * the static table, as `:status: 200`, is a byte.
 *
 * @since 0.1.0
 */
import { HpackBlock } from "./HpackBlock.ts"
import * as HpackField from "./HpackField.ts"
import * as HpackPolicy from "./HpackPolicy.ts"
import * as HpackStaticTable from "./HpackStaticTable.ts"

/** @category models */
export interface HpackPrepared {
  readonly bytes: Uint8Array
}

/** Encodes the fields in their order, with the policies of `HpackPolicy.of`; names are in lower case. @category constructors */
export const make = (fields: Iterable<readonly [name: string, value: string]>): HpackPrepared => {
  const block = new HpackBlock()
  for (const [name, value] of fields) {
    const known = HpackStaticTable.find(name)
    const never = HpackPolicy.of(name, value) === "never"
    const index = never ? undefined : known?.byValue.get(value)
    if (index !== undefined) HpackField.indexed(block, index)
    else HpackField.literal(block, never ? "never" : "plain", known?.index ?? 0, name, value)
  }
  return { bytes: block.copy(0) }
}
