/**
 * Feeds the HTTP/2 engine, in both roles, with random frames, for as long as
 * you like:
 *
 * ```sh
 * npm run fuzz:http2 -- [seconds, default 60] [seed]
 * ```
 *
 * Frames that keep to the rules more or less, the same in disorder, and with
 * damaged bytes: nothing may throw; each cut must give what the whole gives;
 * what is sent keeps to the rules whatever came; each stream ends once; windows
 * are given back; while something is awaited there is a deadline; and behind
 * the end there is nothing. Then both roles talk with each other, over a
 * network that is slow, cut and lost. A failure prints the seed of its round.
 */
import * as Assert from "node:assert/strict"
import * as Chunkings from "../harness/Chunkings.ts"
import * as Wire from "../harness/Http2Wire.ts"
import * as FuzzRun from "./FuzzRun.ts"
import { converse } from "./Http2Pair.ts"
import * as Subject from "./Http2Subject.ts"
import { damage, disorder, framesOf, Random } from "./Http2Traffic.ts"

const cutAtRandom = (random: Random, bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([2, 20, 200]), () => random.below(Math.max(1, bytes.length))))
  return Chunkings.cut(
    bytes,
    [...positions].sort((left, right) => left - right)
  )
}

const round = (random: Random): void => {
  const role = random.pick(["server", "client"] as const)
  const frames = framesOf(random, role === "server" ? "client" : "server", Subject.requests.length)
  const kind = random.below(3)
  const wire =
    kind === 0 ? Wire.wire(...frames) : kind === 1 ? Wire.wire(...disorder(random, frames)) : damage(random, frames)
  const whole = Subject.hear(role, [wire])
  for (let turn = 0; turn < 3; turn++) {
    const chunks =
      turn === 0 && wire.length < 2_000 ? Array.from(wire, (byte) => Uint8Array.of(byte)) : cutAtRandom(random, wire)
    Assert.deepEqual(Subject.hear(role, chunks), whole)
  }
  const ending = random.pick(["end", "close", "drain", "time"] as const)
  const whim = (most: number): number => random.below(most)
  Subject.watched(role, wire, whim, ending)
  Subject.blocked(role, cutAtRandom(random, wire), whim, ending)
}

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => {
  for (let turn = 0; turn < 10; turn++) round(new Random(seed * 10 + turn))
  converse(new Random(seed))
})
