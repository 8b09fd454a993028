/**
 * Random WebSocket frames, which a seed determines: good, nearly good, and not
 * good at all.
 *
 * @since 0.1.0
 */
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Chunkings from "../harness/Chunkings.ts"
import * as Hex from "../harness/Hex.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"
import * as Wire from "../harness/WebSocketWire.ts"

/** Random numbers that a seed determines, with what this traffic is made of. */
export class Random extends SeededRandom {
  bytes(most: number): Uint8Array {
    return Uint8Array.from(this.list(most, () => this.below(256)))
  }
}

const codec = NodeDeflate.make()

export const textOf = (random: Random, most: number): string =>
  random.list(most, () => random.pick(["a", "bc ", "é", "€", "😀", "\0", "\uFEFF", "\uFFFD"])).join("")

/** Payloads that are good, nearly good, and not good at all. */
const payloadOf = (random: Random): Uint8Array => {
  const text = Buffer.from(textOf(random, random.pick([3, 40, 300])))
  const kind = random.below(6)
  if (kind === 0) return random.bytes(random.pick([5, 130, 400]))
  if (kind === 1) return text.subarray(0, random.below(text.length + 1))
  if (kind === 2) return codec.deflate(text, { bits: 15, dictionary: undefined }).subarray(0, -4)
  if (kind === 3)
    return codec
      .deflate(new Uint8Array(random.pick([10, 1_000, 1_001, 100_000])), { bits: 9, dictionary: undefined })
      .subarray(0, -4)
  return text
}

const firsts = [0x81, 0x81, 0x82, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x89, 0x8a, 0xc1, 0xc2, 0x41, 0x88]

/** One frame of `peer`. */
export const frameOf = (random: Random, peer: Role): Uint8Array => {
  const first = random.pick([...firsts, random.below(256)])
  const payload =
    first === 0x88
      ? Hex.concat([Hex.hex(random.pick(["", "03", "03e8", "03ed", "0fa0"])), random.bytes(3)])
      : payloadOf(random)
  const isControl = first >= 0x88 && first < 0xc0
  return Wire.frame(peer, first, isControl && random.below(4) > 0 ? payload.subarray(0, 125) : payload)
}

/** Messages as they should be: whole or in fragments, compressed or not, with control frames between. */
export const messageOf = (random: Random, peer: Role, compressed: boolean): Uint8Array => {
  const isText = random.below(2) === 0
  const content = isText ? Buffer.from(textOf(random, random.pick([3, 40, 300]))) : random.bytes(random.pick([5, 400]))
  const compresses = compressed && random.below(2) === 0
  const payload = compresses ? codec.deflate(content, { bits: 9, dictionary: undefined }).subarray(0, -4) : content
  const positions = random.list(random.pick([0, 3]), () => random.below(payload.length + 1)).toSorted((a, b) => a - b)
  const pieces = Chunkings.cut(payload, positions)
  return Hex.concat(
    pieces.flatMap((piece, index) => {
      const opcode = index > 0 ? 0 : isText ? 1 : 2
      const first = (index === pieces.length - 1 ? 0x80 : 0) | (index === 0 && compresses ? 0x40 : 0) | opcode
      const control = random.below(4) === 0 ? [Wire.frame(peer, random.pick([0x89, 0x8a]), random.bytes(10))] : []
      return [Wire.frame(peer, first, piece), ...control]
    })
  )
}

export const damage = (random: Random, bytes: Uint8Array): Uint8Array => {
  const damaged = Array.from(bytes)
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const kind = random.below(4)
    if (kind === 0) damaged[at] = random.pick([0, 0xff, 0x80, 0x7e, 0x7f, 0xfe, random.below(256)])
    else if (kind === 1) damaged.splice(at, 1 + random.below(5))
    else if (kind === 2) damaged.splice(at, 0, ...random.bytes(12))
    else damaged.length = Math.min(damaged.length, at)
  }
  return Uint8Array.from(damaged)
}

export const cutAtRandom = (random: Random, bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([2, 10, 200]), () => random.below(Math.max(1, bytes.length))))
  return Chunkings.cut(
    bytes,
    [...positions].filter((at) => at > 0).sort((left, right) => left - right)
  )
}
