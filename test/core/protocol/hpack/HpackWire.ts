/** Lists of fields as tests write them, and what a decoder makes of a block. */
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import type { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import type { HpackDynamicTable } from "@sluice/core/protocol/hpack/HpackDynamicTable"
import type { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import type { HpackPolicy } from "@sluice/core/protocol/hpack/HpackPolicy"

export type Field = readonly [name: string, value: string, policy?: "never" | undefined]

/** What the decoder handed out of one block, and what it made of its end. */
export interface Heard {
  readonly fields: ReadonlyArray<Field>
  readonly outcome: string | undefined
}

export const decode = (decoder: HpackDecoder, chunks: ReadonlyArray<Uint8Array>): Heard => {
  const fields: Array<Field> = []
  const handler = {
    onField: (name: string, value: string, neverIndexed: boolean) =>
      void fields.push(neverIndexed ? [name, value, "never"] : [name, value])
  }
  let outcome: ReturnType<HpackDecoder["end"]>
  for (const chunk of chunks) outcome = decoder.receive(chunk, handler)
  outcome = decoder.end()
  return { fields, outcome: outcome === undefined ? undefined : "rule" in outcome ? outcome.rule : outcome._tag }
}

export const encode = (
  encoder: HpackEncoder,
  fields: Iterable<readonly [name: string, value: string, policy?: HpackPolicy | undefined]>
): Uint8Array => {
  const block = new HpackBlock()
  encoder.begin(block)
  for (const [name, value, policy] of fields) encoder.encode(block, name, value, policy)
  return block.copy(0)
}

/** The entries of a table, the newest first. */
export const entriesOf = (owner: HpackDecoder | HpackEncoder): ReadonlyArray<Field> => {
  const table = Reflect.get(owner, "table") as HpackDynamicTable
  return Array.from({ length: table.entryCount }, (_, index) => [table.nameAt(index + 1), table.valueAt(index + 1)])
}
