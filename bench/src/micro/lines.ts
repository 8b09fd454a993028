/**
 * Cutting a chunk of 64 lines of 63 characters.
 */
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as Lines from "@sluice/core/codec/Lines"
import type { Cases } from "./Case.ts"

const linesPerChunk = 64
const lineFeed = 0x0a
const chunk = Buffer.from(`${"l".repeat(63)}\n`.repeat(linesPerChunk))

const queue = new ByteQueue()
const decoder = Lines.codec.decoder()

const withCodec = (): number => {
  let sum = 0
  queue.push(chunk)
  for (let line = decoder.decode(queue); line !== undefined; line = decoder.decode(queue)) sum += line.length
  return sum
}

/** The floor: one chunk, no limit, no CR, and bytes that are no UTF-8 pass. */
const byHand = (): number => {
  let sum = 0
  let from = 0
  for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
    sum += chunk.toString("utf8", from, end).length
    from = end + 1
  }
  return sum
}

export const cases: Cases = {
  Lines: { operationsPerRun: linesPerChunk, run: withCodec },
  "by hand": { operationsPerRun: linesPerChunk, run: byHand }
}
