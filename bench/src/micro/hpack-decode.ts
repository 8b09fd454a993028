/**
 * Decoding header blocks: what a browser sends again and again on a
 * connection, a first request of literals, and a response; against a decoder
 * as one writes it first, with arrays, strings and a tree for the code.
 */
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import * as HpackHuffman from "@sluice/core/protocol/hpack/HpackHuffman"
import * as HpackStaticTable from "@sluice/core/protocol/hpack/HpackStaticTable"
import type { Case, Cases } from "./Case.ts"
import { lists } from "./HpackLists.ts"

type Fields = ReadonlyArray<readonly [name: string, value: string]>

/** The first block of a connection, and the second one of the same fields. */
const blocksOf = (list: Fields): readonly [Uint8Array, Uint8Array] => {
  const encoder = new HpackEncoder()
  const [first, second] = [0, 1].map(() => {
    const block = new HpackBlock()
    encoder.begin(block)
    for (const [name, value] of list) encoder.encode(block, name, value)
    return block.copy(0)
  })
  return [first!, second!]
}

/** Each run is a request on a connection that had one like it, or the first of a connection. */
const decoding = (list: Fields, which: "first" | "again"): Case => {
  const [first, second] = blocksOf(list)
  let sum = 0
  const handler = {
    onField: (name: string, value: string) => {
      sum += name.length + value.length
    }
  }
  const warm = new HpackDecoder()
  warm.decode(first, handler)
  return {
    operationsPerRun: list.length,
    run: () => {
      sum = 0
      if (which === "first") new HpackDecoder().decode(first, handler)
      else warm.decode(second, handler)
      return sum
    }
  }
}

const byHand = (list: Fields, which: "first" | "again"): Case => {
  const [first, second] = blocksOf(list)
  const warm = new SimpleDecoder()
  warm.decode(first)
  return {
    operationsPerRun: list.length,
    run: () => {
      const fields = which === "first" ? new SimpleDecoder().decode(first) : warm.decode(second)
      let sum = 0
      for (const [name, value] of fields) sum += name.length + value.length
      return sum
    }
  }
}

type Node = [Node | string | undefined, Node | string | undefined]

/** The tree of the code, from what the encoder makes of each character: the rest of its last octet is padding. */
const root: Node = (() => {
  const made: Node = [undefined, undefined]
  const target = new Uint8Array(16)
  for (let octet = 0; octet < 256; octet++) {
    const character = String.fromCharCode(octet)
    // Eight of them have as many octets as one has bits.
    const bitCount = HpackHuffman.encodedBytes(character.repeat(8))
    HpackHuffman.encode(character, target, 0)
    let node = made
    for (let bit = 0; bit < bitCount; bit++) {
      const side = (target[bit >>> 3]! >>> (7 - (bit & 7))) & 1
      if (bit === bitCount - 1) node[side] = character
      else {
        node[side] ??= [undefined, undefined]
        node = node[side] as Node
      }
    }
  }
  return made
})()

/** Without limits and errors: the code as a map from bits to characters, the table as a list, a Map for each block. */
class SimpleDecoder {
  private readonly table: Array<readonly [string, string]> = []
  private tableBytes = 0
  private at = 0

  decode(block: Uint8Array): Map<string, string> {
    const fields = new Map<string, string>()
    this.at = 0
    while (this.at < block.length) {
      const first = block[this.at]!
      if (first >= 0x80) {
        const [name, value] = this.entry(this.integer(block, 7))
        fields.set(name, value)
        continue
      }
      const isAdded = first >= 0x40
      const index = this.integer(block, isAdded ? 6 : 4)
      const name = index === 0 ? this.string(block) : this.entry(index)[0]
      const value = this.string(block)
      fields.set(name, value)
      if (isAdded) this.add(name, value)
    }
    return fields
  }

  private entry(index: number): readonly [string, string] {
    return index <= HpackStaticTable.entryCount
      ? [HpackStaticTable.names[index]!, HpackStaticTable.values[index]!]
      : this.table[index - HpackStaticTable.entryCount - 1]!
  }

  private add(name: string, value: string): void {
    this.table.unshift([name, value])
    this.tableBytes += name.length + value.length + 32
    while (this.tableBytes > 4096) {
      const [oldName, oldValue] = this.table.pop()!
      this.tableBytes -= oldName.length + oldValue.length + 32
    }
  }

  private integer(block: Uint8Array, bits: number): number {
    const most = (1 << bits) - 1
    let value = block[this.at++]! & most
    if (value < most) return value
    for (let shift = 0; ; shift += 7) {
      const byte = block[this.at++]!
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  private string(block: Uint8Array): string {
    const isCoded = block[this.at]! >= 0x80
    const length = this.integer(block, 7)
    const bytes = block.subarray(this.at, this.at + length)
    this.at += length
    if (!isCoded) return String.fromCharCode(...bytes)
    let text = ""
    let node: Node | string = root
    for (const byte of bytes) {
      for (let bit = 7; bit >= 0; bit--) {
        node = (node as Node)[(byte >>> bit) & 1]!
        if (typeof node !== "string") continue
        text += node
        node = root
      }
    }
    return text
  }
}

export const cases: Cases = {
  "browser, again": decoding(lists.browser, "again"),
  "browser, again, by hand": byHand(lists.browser, "again"),
  "browser, first": decoding(lists.browser, "first"),
  "browser, first, by hand": byHand(lists.browser, "first"),
  "response, again": decoding(lists.response, "again"),
  "response, again, by hand": byHand(lists.response, "again")
}
