/**
 * Feeds the decoder of header blocks with random and damaged blocks, for as
 * long as you like:
 *
 * ```sh
 * npm run fuzz:hpack -- [seconds, default 60] [seed]
 * ```
 *
 * Nothing may throw; each cut must give what the whole gives; the table, what
 * is held of a field and what is handed out stay below their limits; blocks
 * that the encoder made come back as they were, with both tables in step. A
 * failure prints the seed of its round, with which it can be run again.
 */

import * as Assert from "node:assert/strict"
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import * as HpackPolicy from "@sluice/core/protocol/hpack/HpackPolicy"
import { decode, encode, entriesOf, type Field } from "../core/protocol/hpack/HpackWire.ts"
import * as Chunkings from "../harness/Chunkings.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"
import * as FuzzRun from "./FuzzRun.ts"

const names = [":status", ":path", "cookie", "authorization", "content-type", "x-a", "x-b", ""]
const tableSizes = [0, 31, 100, 500, 4096, 10_000]

const textOf = (random: SeededRandom, most: number): string =>
  random.list(most, () => String.fromCharCode(random.below(256))).join("")

const listOf = (random: SeededRandom): ReadonlyArray<Field> =>
  random.list(random.pick([3, 30]), (): Field => {
    const name = random.below(5) === 0 ? textOf(random, 20) : random.pick(names)
    const value = random.pick(["200", "/", textOf(random, 3), textOf(random, random.pick([30, 400]))])
    return [name, value, random.pick([undefined, undefined, "never"] as const)]
  })

const cutAtRandom = (random: SeededRandom, bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([2, 10, 100]), () => random.below(Math.max(1, bytes.length))))
  return Chunkings.cut(
    bytes,
    [...positions].sort((left, right) => left - right)
  )
}

const randomBlock = (random: SeededRandom): Uint8Array =>
  Uint8Array.from(
    random.list(80, () => random.pick([random.below(256), 0x82, 0xbe, 0x40, 0x00, 0x01, 0x81, 0x7f, 0xff]))
  )

const damage = (random: SeededRandom, bytes: Uint8Array): Uint8Array => {
  const damaged = Array.from(bytes)
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const kind = random.below(3)
    if (kind === 0) damaged[at] = random.pick([0, 0xff, 0x80, random.below(256)])
    else if (kind === 1) damaged.splice(at, 1 + random.below(4))
    else damaged.splice(at, 0, ...random.list(6, () => random.below(256)))
  }
  return Uint8Array.from(damaged, (byte) => byte ?? 0)
}

/** A connection on which anything comes: two decoders hear the same, cut in different ways. */
const hostile = (random: SeededRandom): void => {
  const maxListBytes = random.pick([0, 100, 1_000, 16_384])
  const maxBlockBytes = maxListBytes * 4 + random.pick([0, 2_000])
  const [whole, cut] = [0, 1].map(() => new HpackDecoder({ maxListBytes, maxBlockBytes })) as [
    HpackDecoder,
    HpackDecoder
  ]
  const encoder = new HpackEncoder()
  let maxTableBytes = 4096
  for (let turn = random.below(12); turn >= 0; turn--) {
    if (random.below(3) === 0) {
      const next = random.pick(tableSizes)
      for (const decoder of [whole, cut]) decoder.setMaxTableBytes(next)
      encoder.setPeerMaxTableBytes(next)
      maxTableBytes = Math.max(maxTableBytes, next)
    }
    const clean = encode(encoder, listOf(random))
    const wire = random.pick([clean, damage(random, clean), randomBlock(random)])
    const heard = decode(whole, [wire])
    Assert.deepEqual(decode(cut, cutAtRandom(random, wire)), heard)
    Assert.deepEqual(entriesOf(cut), entriesOf(whole))
    Assert.ok(whole.tableBytes <= maxTableBytes, `a table of ${whole.tableBytes}`)
    const handedOut = heard.fields.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
    Assert.ok(handedOut <= maxListBytes, `${handedOut} bytes handed out`)
    // A field in pieces, whatever it announces.
    for (const piece of cutAtRandom(random, wire)) {
      cut.receive(piece, { onField() {} })
      Assert.ok(cut.waitingBytes <= maxBlockBytes, `${cut.waitingBytes} bytes held`)
    }
    Assert.deepEqual(cut.end(), whole.decode(wire, { onField() {} }))
  }
}

/** Two that keep to the rules: what one says the other hears. */
const friendly = (random: SeededRandom): void => {
  const encoder = new HpackEncoder({ maxTableBytes: random.pick(tableSizes) })
  const decoder = new HpackDecoder({ maxListBytes: 1_000_000 })
  for (let turn = random.below(30); turn >= 0; turn--) {
    for (let changes = random.pick([0, 0, 1, 3]); changes > 0; changes--) {
      const next = random.pick(tableSizes)
      encoder.setPeerMaxTableBytes(next)
      decoder.setMaxTableBytes(next)
    }
    const list = listOf(random)
    const expected = list.map(([name, value, policy]) =>
      (policy ?? HpackPolicy.of(name, value)) === "never" ? [name, value, "never"] : [name, value]
    )
    const heard = decode(decoder, cutAtRandom(random, encode(encoder, list)))
    Assert.deepEqual(heard, { fields: expected, outcome: undefined })
    Assert.deepEqual(entriesOf(decoder), entriesOf(encoder))
    Assert.ok(encoder.tableBytes <= encoder.maxTableBytes)
  }
}

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => {
  for (const subject of [hostile, friendly]) subject(new SeededRandom(seed))
})
