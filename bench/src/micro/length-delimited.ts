/**
 * Cutting a chunk of 64 frames of 64 bytes, each behind its length in four
 * bytes, big endian.
 */
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import type { Cases } from "./Case.ts"

const prefixBytes = 4
const frameBytes = 64
const framesPerChunk = 64

const frame = Buffer.alloc(prefixBytes + frameBytes, "f")
frame.writeUInt32BE(frameBytes)
const chunk = Buffer.concat(Array.from({ length: framesPerChunk }, () => frame))

const queue = new ByteQueue()
const decoder = LengthDelimited.codec.decoder()

const withCodec = (): number => {
  let sum = 0
  queue.push(chunk)
  for (let next = decoder.decode(queue); next !== undefined; next = decoder.decode(queue)) sum += next.length
  return sum
}

/** The queue alone: what the codec stands on. */
const withQueue = (): number => {
  let sum = 0
  queue.push(chunk)
  while (queue.byteLength >= prefixBytes) {
    const length = (queue.at(0) << 24) | (queue.at(1) << 16) | (queue.at(2) << 8) | queue.at(3)
    queue.skip(prefixBytes)
    sum += queue.take(length).length
  }
  return sum
}

/** The floor: one chunk, no limit, and no frame that is cut in two. */
const byHand = (): number => {
  let sum = 0
  for (let at = 0; at + prefixBytes <= chunk.length; ) {
    const length = chunk.readUInt32BE(at)
    sum += chunk.subarray(at + prefixBytes, at + prefixBytes + length).length
    at += prefixBytes + length
  }
  return sum
}

export const cases: Cases = {
  LengthDelimited: { operationsPerRun: framesPerChunk, run: withCodec },
  ByteQueue: { operationsPerRun: framesPerChunk, run: withQueue },
  "by hand": { operationsPerRun: framesPerChunk, run: byHand }
}
