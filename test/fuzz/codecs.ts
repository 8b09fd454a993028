/**
 * Feeds every codec with random traffic, damaged and cut at random, for as
 * long as you like:
 *
 * ```sh
 * node --conditions=@sluice/source test/fuzz/codecs.ts [seconds, default 60] [seed]
 * ```
 *
 * Nothing may throw; each cut must give what the whole gives; each frame must
 * consume bytes; what is buffered must stay below the codec's maximum and
 * head; traffic without damage must come back as it was sent. A failure prints
 * the seed of its round, with which it can be run again.
 */

import * as Assert from "node:assert/strict"
import type { Codec } from "@sluice/core/codec/Codec"
import * as Delimited from "@sluice/core/codec/Delimited"
import * as FixedLength from "@sluice/core/codec/FixedLength"
import * as JsonLines from "@sluice/core/codec/JsonLines"
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import * as Lines from "@sluice/core/codec/Lines"
import * as VarintDelimited from "@sluice/core/codec/VarintDelimited"
import * as Chunkings from "../harness/Chunkings.ts"
import { receive, send } from "../harness/Decoding.ts"
import * as Hex from "../harness/Hex.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"

/** A codec with random options, what it can carry, and how much it may buffer. */
interface Subject {
  readonly name: string
  readonly run: (random: Random) => void
}

/** Random numbers that a seed determines, with what this traffic is made of. */
class Random extends SeededRandom {
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }
  bytes(most: number): Uint8Array {
    // Few different bytes, so that delimiters, endings and beginnings of them are common.
    const alphabet = this.pick([256, 4])
    return Uint8Array.from(
      this.list(most, () => (alphabet === 256 ? this.below(256) : this.pick([0x0a, 0x0d, 0x61, 0])))
    )
  }
}

const cutAtRandom = (random: Random, bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([2, 10, 200]), () => random.below(Math.max(1, bytes.length))))
  return Chunkings.cut(
    bytes,
    [...positions].filter((at) => at > 0).sort((left, right) => left - right)
  )
}

const damage = (random: Random, bytes: Uint8Array): Uint8Array => {
  const damaged = Array.from(bytes)
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const kind = random.below(4)
    if (kind === 0) damaged[at] = random.pick([0, 0xff, 0x80, 0x0a, 0x0d, random.below(256)])
    else if (kind === 1) damaged.splice(at, random.between(1, 5))
    else if (kind === 2) damaged.splice(at, 0, ...random.bytes(12))
    else damaged.length = Math.min(damaged.length, at)
  }
  return Uint8Array.from(damaged)
}

/** Sends what can be sent, damages it, and receives it whole and in pieces. */
/** Whether a frame can be sent, and is not too large to be received. */
const isReceived = <A>(codec: Codec<A>, frame: A): boolean => {
  const sent = send(codec, [frame])
  return "bytes" in sent && receive(codec, [sent.bytes]).events.every(([event]) => event === "frame")
}

const exchange = <A>(random: Random, codec: Codec<A>, frames: ReadonlyArray<A>, mostBufferedBytes: number): void => {
  const sendable = frames.filter((frame) => isReceived(codec, frame))
  const sent = send(codec, sendable)
  if (!("bytes" in sent)) throw new Error(sent.message)
  const clean = receive(codec, [sent.bytes]).events
  const shown = sendable.map((frame) => ["frame", frame instanceof Uint8Array ? Hex.show(frame) : frame])
  Assert.deepEqual(clean, shown)
  for (const wire of [sent.bytes, damage(random, sent.bytes), random.bytes(100)]) {
    const last = random.pick(["ended", "open"] as const)
    const whole = receive(codec, [wire], last)
    for (let turn = 0; turn < 4; turn++) {
      const chunks = turn === 0 ? Array.from(wire, (byte) => Uint8Array.of(byte)) : cutAtRandom(random, wire)
      const pieces = receive(codec, chunks, last)
      Assert.deepEqual(pieces.events, whole.events, Chunkings.show(chunks))
      Assert.deepEqual(pieces.reasons, whole.reasons, Chunkings.show(chunks))
      Assert.ok(pieces.mostBufferedBytes <= mostBufferedBytes, `${pieces.mostBufferedBytes} bytes buffered`)
    }
  }
}

const subjects: ReadonlyArray<Subject> = [
  {
    name: "LengthDelimited",
    run: (random) => {
      const width = random.between(1, 8)
      const offset = random.below(4)
      const adjustment = random.between(-10, 10)
      const skip = random.pick([undefined, random.below(20)])
      const maxFrameSize = random.between(1, 300)
      const endianness = random.pick(["big", "little"] as const)
      const codec = LengthDelimited.make({ width, offset, adjustment, skip, maxFrameSize, endianness })
      // Kept and skipped bytes of a head come back otherwise than they were sent; each layout has rows in the tests.
      const headBytes = Math.max(offset + width, skip ?? 0)
      const frames = random.list(6, () => random.bytes(random.pick([5, 300])))
      const settled = frames.map((frame) => roundTrip(codec, frame)).filter((frame) => frame !== undefined)
      exchange(random, codec, settled, maxFrameSize + headBytes)
    }
  },
  {
    name: "VarintDelimited",
    run: (random) => {
      const maxFrameSize = random.pick([1, 127, 128, 300])
      const frames = random.list(6, () => random.bytes(random.pick([5, 300])))
      exchange(random, VarintDelimited.make({ maxFrameSize }), frames, maxFrameSize + 10)
    }
  },
  {
    name: "FixedLength",
    run: (random) => {
      const size = random.between(1, 20)
      const frames = random.list(6, () => new Uint8Array(size).fill(random.below(256)))
      exchange(random, FixedLength.make(size), frames, size - 1)
    }
  },
  {
    name: "Delimited",
    run: (random) => {
      const delimiter = random.pick([
        Uint8Array.of(0x0a),
        Hex.hex("0d0a"),
        Hex.hex("61610a"),
        Hex.hex("610a610a"),
        random.bytes(4)
      ])
      if (delimiter.length === 0) return
      const ending = random.pick(["drop", "keep"] as const)
      const maxFrameSize = random.between(1, 40)
      const frames = random
        .list(6, () => random.bytes(20))
        .map((frame) => (ending === "keep" ? Hex.concat([frame, delimiter]) : frame))
      exchange(random, Delimited.make({ delimiter, ending, maxFrameSize }), frames, maxFrameSize + delimiter.length - 1)
    }
  },
  {
    name: "Lines",
    run: (random) => {
      const maxLineSize = random.between(1, 30)
      const tooLong = random.pick(["fail", "discard"] as const)
      const ending = random.pick(["\n", "\r\n"] as const)
      exchange(
        random,
        Lines.make({ maxLineSize, tooLong, ending }),
        random.list(8, () => textOf(random)),
        maxLineSize + 1
      )
    }
  },
  {
    name: "JsonLines",
    run: (random) => {
      const maxLineSize = random.between(1, 60)
      const tooLong = random.pick(["fail", "discard"] as const)
      const value = (): unknown =>
        random.pick<() => unknown>([
          () => textOf(random),
          () => random.below(1e6),
          () => null,
          () => ({ [textOf(random)]: [true] })
        ])()
      exchange(random, JsonLines.make({ maxLineSize, tooLong }), random.list(6, value), maxLineSize + 1)
    }
  }
]

/** `frame` as the peer receives it; `undefined` where it cannot be sent. */
const roundTrip = (codec: Codec<Uint8Array>, frame: Uint8Array): Uint8Array | undefined => {
  const sent = send(codec, [frame])
  const event = "bytes" in sent ? receive(codec, [sent.bytes]).events[0] : undefined
  return event?.[0] === "frame" ? Hex.hex(String(event[1])) : undefined
}

const textOf = (random: Random): string =>
  random
    .list(12, () => random.pick(["a", "é", "€", "😀", "\r", "\n", "\uFFFD", "\uFEFF", "\ud800", '"', "\0"]))
    .join("")

const [seconds = "60", seed] = process.argv.slice(2)
const endMillis = Date.now() + Number(seconds) * 1000
let round = seed === undefined ? Date.now() % 2 ** 31 : Number(seed)
const first = round
do {
  for (const subject of subjects) {
    try {
      subject.run(new Random(round))
    } catch (cause) {
      console.error(`${subject.name} failed with seed ${round}`)
      throw cause
    }
  }
  round++
} while (Date.now() < endMillis)
console.log(`${round - first} rounds of ${subjects.length} codecs, seeds ${first} to ${round - 1}`)
