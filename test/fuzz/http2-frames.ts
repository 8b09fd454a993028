/**
 * Feeds the reader of HTTP/2 frames with random and damaged frames, and writes
 * frames on several connections at a time, for as long as you like:
 *
 * ```sh
 * npm run fuzz:http2-frames -- [seconds, default 60] [seed]
 * ```
 *
 * Nothing may throw; each cut must give what a plain reading of the whole
 * gives; what is held of a cut frame stays below its limit; what several
 * outputs write into their shared page comes out as it was written, and stays
 * so. A failure prints the seed of its round, with which it can be run again.
 */

import * as Assert from "node:assert/strict"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { Http2FrameDecoder } from "@sluice/core/protocol/http2/Http2FrameDecoder"
import * as Encoder from "@sluice/core/protocol/http2/Http2FrameEncoder"
import { Http2Output } from "@sluice/core/protocol/http2/Http2Output"
import * as Chunkings from "../harness/Chunkings.ts"
import * as Hex from "../harness/Hex.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"
import * as FuzzRun from "./FuzzRun.ts"

const preface = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
const payloadSizes = [0, 1, 4, 5, 6, 8, 12, 30, 200, 1030, 9_000]
const texts = ["", "ok", "Hello, World!", "é€😀", "\ud800", "x".repeat(2_000), "é".repeat(9_000)]

/** Of a frame, what a handler hears. */
interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Uint8Array
}

const bytesOf = (random: SeededRandom, byteCount: number): Uint8Array =>
  Uint8Array.from({ length: byteCount }, () => random.below(256))

const frameOf = (type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array => {
  const head = new DataView(new ArrayBuffer(9))
  head.setUint32(0, payload.length * 256 + type)
  head.setUint8(4, flags)
  head.setUint32(5, streamId)
  return Hex.concat([new Uint8Array(head.buffer), payload])
}

/** Mostly what its type allows. */
const randomFrame = (random: SeededRandom): Uint8Array => {
  const type = random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, random.below(256)])
  const size = [undefined, undefined, 5, 4, 6 * random.below(4), undefined, 8, 8, 4][type] ?? random.pick(payloadSizes)
  const streamId = type === 4 || type === 6 || type === 7 ? 0 : random.pick([1, 2, 3, 2 ** 31 - 1, 2 ** 31 + 1])
  const strange = random.below(40) === 0
  const flags = random.pick([0, 1, 4, 5, random.below(256)])
  if (strange) return frameOf(type, flags, random.below(4), bytesOf(random, random.pick(payloadSizes)))
  return frameOf(type, type === 4 && size > 0 ? flags & ~1 : flags, streamId, bytesOf(random, size))
}

const damage = (random: SeededRandom, bytes: Uint8Array): Uint8Array => {
  const damaged = Array.from(bytes)
  for (let count = random.below(3); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const kind = random.below(3)
    if (kind === 0) damaged[at] = random.pick([0, 0xff, 0x80, random.below(256)])
    else if (kind === 1) damaged.splice(at, 1 + random.below(4))
    else damaged.splice(at, 0, ...random.list(6, () => random.below(256)))
  }
  return Uint8Array.from(damaged, (byte) => byte ?? 0)
}

const cutAtRandom = (random: SeededRandom, bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([2, 10, 100]), () => random.below(Math.max(1, bytes.length))))
  return Chunkings.cut(
    bytes,
    [...positions].sort((left, right) => left - right)
  )
}

const shown = ({ flags, payload, streamId, type }: Frame): string =>
  `${type} ${flags} ${streamId} ${Buffer.from(payload).toString("base64")}`

interface Reading {
  readonly maxFrameBytes: number
  readonly expectsPreface: boolean
  /** How many frames are read before the reader is stopped. */
  readonly stopAt: number
}

/** RFC 9113 §4.1 read plainly, all at once. */
const readPlainly = (wire: Uint8Array, reading: Reading): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const view = new DataView(wire.buffer, wire.byteOffset, wire.length)
  let at = 0
  if (reading.expectsPreface) {
    const begun = wire.subarray(0, preface.length)
    if (begun.some((byte, index) => byte !== preface[index])) return ["connection 1 on 0"]
    at = preface.length
  }
  for (let count = 0; at + 9 <= wire.length && count < reading.stopAt; ) {
    const length = view.getUint32(at) >>> 8
    const type = view.getUint8(at + 3)
    const flags = view.getUint8(at + 4)
    const streamId = view.getUint32(at + 5) & 0x7fffffff
    const broken = brokenRule(type, flags, length, streamId, reading.maxFrameBytes)
    if (broken !== undefined) {
      lines.push(`${broken} on ${streamId}`)
      if (broken.startsWith("connection")) break
    } else {
      if (at + 9 + length > wire.length) break
      lines.push(shown({ type, flags, streamId, payload: wire.subarray(at + 9, at + 9 + length) }))
      count++
    }
    at += 9 + length
  }
  return lines
}

/** RFC 9113 §6, said once more. */
const brokenRule = (
  type: number,
  flags: number,
  length: number,
  streamId: number,
  most: number
): string | undefined => {
  if (length > most) return "connection 6"
  if (type > 9 || type < 0) return undefined
  const ofConnection = [4, 6, 7].includes(type)
  if (type !== 8 && ofConnection !== (streamId === 0)) return "connection 1"
  const padding = [0, 1, 5].includes(type) && (flags & 8) !== 0 ? 1 : 0
  const priority = type === 1 && (flags & 32) !== 0 ? 5 : 0
  const good = [
    length >= padding,
    length >= padding + priority,
    length === 5,
    length === 4,
    (flags & 1) !== 0 ? length === 0 : length % 6 === 0,
    length >= padding + 4,
    length === 8,
    length >= 8,
    length === 4,
    true
  ][type]
  if (good) return undefined
  return type === 2 ? "stream 6" : "connection 6"
}

const read = (chunks: ReadonlyArray<Uint8Array>, reading: Reading): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let count = 0
  const decoder = new Http2FrameDecoder(
    {
      onFrame(type, flags, streamId, bytes, start, end) {
        lines.push(shown({ type, flags, streamId, payload: bytes.subarray(start, end) }))
        if (++count >= reading.stopAt) decoder.stop()
      },
      onFrameViolation(streamId, violation) {
        const ended = violation._tag === "ConnectionViolation" ? "connection" : "stream"
        lines.push(`${ended} ${violation.errorCode} on ${streamId}`)
      }
    },
    reading.maxFrameBytes,
    reading.expectsPreface ? "expected" : "none"
  )
  for (const chunk of chunks) {
    decoder.receive(chunk)
    Assert.ok(decoder.waitingBytes < 9 + reading.maxFrameBytes, `${decoder.waitingBytes} bytes held`)
  }
  return lines
}

/** A connection on which anything comes. */
const reads = (random: SeededRandom): void => {
  const reading: Reading = {
    maxFrameBytes: random.pick([100, 1_029, 1_030, 16_384]),
    expectsPreface: random.below(2) === 0,
    stopAt: random.pick([1, 3, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
  }
  const frames = random.list(random.pick([3, 20]), () => randomFrame(random))
  const clean = Hex.concat(reading.expectsPreface ? [preface, ...frames] : frames)
  const wire = random.pick([clean, clean, damage(random, clean), bytesOf(random, random.below(60))])
  const expected = readPlainly(wire, reading)
  Assert.deepEqual(read([wire], reading), expected)
  for (let tries = 0; tries < 3; tries++) Assert.deepEqual(read(cutAtRandom(random, wire), reading), expected)
}

/** One frame, or a block of several, and what of it the other side should read. */
const writeFrame = (random: SeededRandom, output: Http2Output, block: HpackBlock): Uint8Array => {
  const streamId = random.pick([1, 7, 2 ** 31 - 1])
  const [flags, value] = [random.below(2), random.below(2 ** 31)]
  const value32 = Uint8Array.of(value >> 24, value >> 16, value >> 8, value)
  const payload = bytesOf(random, random.pick(payloadSizes))
  const start = random.below(payload.length + 1)
  const text = random.pick(texts)
  switch (random.below(8)) {
    case 0:
      Encoder.data(output, streamId, payload, start, payload.length, flags === 1)
      return frameOf(0, flags, streamId, payload.slice(start))
    case 1: {
      const bytes = new TextEncoder().encode(text)
      Encoder.dataText(output, streamId, text, bytes.length, flags === 1)
      return frameOf(0, flags, streamId, bytes)
    }
    case 2:
      Encoder.settings(output, [[value & 0xffff, value]])
      return frameOf(4, 0, 0, Uint8Array.of(value >> 8, value, ...value32))
    case 3:
      Encoder.ping(output, Hex.concat([payload, value32, value32]), payload.length, flags === 1)
      return frameOf(6, flags, 0, Hex.concat([value32, value32]))
    case 4:
      Encoder.goAway(output, value, value, text.slice(0, 100))
      return frameOf(7, 0, 0, Hex.concat([value32, value32, new TextEncoder().encode(text.slice(0, 100))]))
    case 5:
      Encoder.windowUpdate(output, streamId, value)
      return frameOf(8, 0, streamId, value32)
    case 6:
      Encoder.rstStream(output, streamId, value)
      return frameOf(3, 0, streamId, value32)
    default: {
      const maxFrameBytes = random.pick([50, 1_000, 16_384])
      block.begin(9)
      block.append(payload)
      Encoder.headers(output, streamId, block, maxFrameBytes, flags === 1)
      const count = Math.max(1, Math.ceil(payload.length / maxFrameBytes))
      return Hex.concat(
        Array.from({ length: count }, (_, index) => {
          const part = payload.subarray(index * maxFrameBytes, (index + 1) * maxFrameBytes)
          return frameOf(index === 0 ? 1 : 9, (index === 0 ? flags : 0) + (index === count - 1 ? 4 : 0), streamId, part)
        })
      )
    }
  }
}

/** Connections that write in turn. */
const writes = (random: SeededRandom): void => {
  const writers = Array.from({ length: 3 }, () => ({
    output: new Http2Output(),
    expected: [] as Array<Uint8Array>,
    got: [] as Array<Uint8Array>,
    waitingBytes: 0
  }))
  const block = new HpackBlock()
  for (let step = random.below(120); step >= 0; step--) {
    const writer = random.pick(writers)
    const { expected, got, output } = writer
    if (random.below(6) === 0) {
      got.push(...output.take())
      writer.waitingBytes = 0
    } else if (random.below(300) === 0) output.end()
    else {
      const bytes = writeFrame(random, output, block)
      if (output.closing === "open") {
        expected.push(bytes)
        writer.waitingBytes += bytes.length
      }
    }
    Assert.equal(output.byteLength, writer.waitingBytes)
  }
  // Compared at the end alone: what was handed out early must not have changed.
  for (const { expected, got, output } of writers) {
    got.push(...output.take())
    Assert.ok(got.every((chunk) => chunk.length > 0))
    Assert.ok(Buffer.from(Hex.concat(got)).equals(Hex.concat(expected)), "what was written is not what came out")
  }
}

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => {
  for (const subject of [reads, writes]) subject(new SeededRandom(seed))
})
