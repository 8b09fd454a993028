/** Encoding header blocks on a connection that had one like it, and a prepared head. */
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import * as HpackPrepared from "@sluice/core/protocol/hpack/HpackPrepared"
import type { Case, Cases } from "./Case.ts"
import { lists } from "./HpackLists.ts"

type Fields = ReadonlyArray<readonly [name: string, value: string]>

const encoding = (list: Fields): Case => {
  const encoder = new HpackEncoder()
  const block = new HpackBlock()
  return {
    operationsPerRun: list.length,
    run: () => {
      block.begin(9)
      encoder.begin(block)
      for (const [name, value] of list) encoder.encode(block, name, value)
      return block.length
    }
  }
}

const prepared = (list: Fields): Case => {
  const encoder = new HpackEncoder()
  const block = new HpackBlock()
  const fields = HpackPrepared.make(list)
  return {
    operationsPerRun: list.length,
    run: () => {
      block.begin(9)
      encoder.begin(block)
      encoder.prepared(block, fields)
      return block.length
    }
  }
}

export const cases: Cases = {
  browser: encoding(lists.browser),
  response: encoding(lists.response),
  "response, prepared": prepared(lists.response)
}
