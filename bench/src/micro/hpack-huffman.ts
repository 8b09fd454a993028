/** The Huffman code alone, of 64 characters as they are in fields. */
import * as HpackHuffman from "@sluice/core/protocol/hpack/HpackHuffman"
import type { Cases } from "./Case.ts"

const text = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like)"
const coded = new Uint8Array(HpackHuffman.encodedBytes(text))
HpackHuffman.encode(text, coded, 0)
const target = new Uint8Array(256)

export const cases: Cases = {
  decode: { operationsPerRun: 1, run: () => HpackHuffman.decode(coded, 0, coded.length, target) },
  encode: { operationsPerRun: 1, run: () => HpackHuffman.encode(text, target, 0) },
  measure: { operationsPerRun: 1, run: () => HpackHuffman.encodedBytes(text) }
}
