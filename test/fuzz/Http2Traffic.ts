/**
 * Random frames of one end of an HTTP/2 connection, which a seed determines:
 * those of a peer that keeps to the rules more or less, with some that nobody
 * may send, frames in another order, and blind damage.
 *
 * @since 0.1.0
 */
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import { encode } from "../core/protocol/hpack/HpackWire.ts"
import type { Role } from "../harness/Http2Recorded.ts"
import * as Wire from "../harness/Http2Wire.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"

/** Random numbers that a seed determines, with what this traffic is made of. */
export class Random extends SeededRandom {
  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0
  }
  bytes(most: number): Uint8Array {
    return new Uint8Array(this.below(most + 1)).fill(0x61 + this.below(26))
  }
}

const paths = [
  "/",
  "/",
  "/early",
  "/stream",
  "/reset",
  "/interim",
  "/big",
  "/wait",
  "/hold",
  "/half",
  "/cut",
  "/leave",
  "/abandon",
  "/retain",
  "/text"
]

/** Frames of `sender`, its preface in front. A server answers the streams 1, 3 … of a client. */
export const framesOf = (random: Random, sender: Role, requestCount: number): Array<Uint8Array> => {
  const peer = new Peer(random, sender, requestCount)
  const frames = sender === "client" ? [Wire.preface] : []
  frames.push(Wire.settings(random.pick([{}, settingsOf(random)])))
  const ackAt = random.below(4)
  const count = random.pick([5, 30, 100])
  for (let step = 0; step < count; step++) {
    if (step === ackAt) frames.push(Wire.settingsAck)
    frames.push(...peer.next())
  }
  return frames
}

/** Some frames lost, doubled, or in another order. */
export const disorder = (random: Random, frames: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const other = [...frames]
  for (let count = 1 + random.below(3); count > 0 && other.length > 1; count--) {
    const at = random.below(other.length)
    const kind = random.below(3)
    if (kind === 0) other.splice(at, 1)
    else if (kind === 1) other.splice(at, 0, other[random.below(other.length)]!)
    else other.push(...other.splice(at, 1))
  }
  return other
}

/** Some bytes lost, added or other ones; those of frame heads more often. */
export const damage = (random: Random, frames: ReadonlyArray<Uint8Array>): Uint8Array => {
  const damaged = frames.map((frame) => frame.slice())
  for (let count = 1 + random.below(3); count > 0; count--) {
    const index = random.below(damaged.length)
    const bytes = Array.from(damaged[index]!)
    const at = random.below(random.chance(2) ? Math.min(9, bytes.length) : bytes.length)
    const kind = random.below(4)
    if (kind <= 1)
      bytes[at] = random.pick([0, 1, 0xff, 0x80, random.below(256), (bytes[at] ?? 0) ^ (1 << random.below(8))])
    else if (kind === 2) bytes.splice(at, 1 + random.below(4))
    else bytes.splice(at, 0, ...random.bytes(6))
    damaged[index] = Uint8Array.from(bytes)
  }
  return Wire.wire(...damaged)
}

const settingsOf = (random: Random): Wire.Settings => {
  const settings: { -readonly [Name in keyof Wire.Settings]: number } = {}
  if (random.chance(2)) settings.INITIAL_WINDOW_SIZE = random.pick([0, 10, 1_000, 65_535, 1_000_000])
  if (random.chance(3)) settings.MAX_FRAME_SIZE = random.pick([16_384, 16_385, 100_000])
  if (random.chance(3)) settings.HEADER_TABLE_SIZE = random.pick([0, 50, 4_096, 100_000])
  if (random.chance(3)) settings.MAX_CONCURRENT_STREAMS = random.pick([0, 1, 5, 100])
  if (random.chance(5)) settings.MAX_HEADER_LIST_SIZE = random.pick([0, 100, 16_384])
  if (random.chance(5)) settings.ENABLE_CONNECT_PROTOCOL = 1
  return settings
}

class Peer {
  private readonly random: Random
  private readonly sender: Role
  private readonly encoder = new HpackEncoder()
  /** Streams on which this end may send; the heads of responses that have been sent. */
  private readonly open = new Set<number>()
  private readonly begun = new Set<number>()
  private readonly over: Array<number> = []
  private nextId = 1

  constructor(random: Random, sender: Role, requestCount: number) {
    this.random = random
    this.sender = sender
    if (sender === "server") for (let index = 0; index < requestCount; index++) this.open.add(2 * index + 1)
  }

  next(): ReadonlyArray<Uint8Array> {
    const { random } = this
    const kind = random.below(26)
    if (kind < 7 && this.sender === "client") return this.request()
    const id = this.open.size === 0 ? undefined : random.pick([...this.open])
    if (kind < 18 && id !== undefined) return this.onOpen(id)
    switch (kind) {
      case 19:
        return [Wire.ping("pingping", ...(random.chance(3) ? (["ACK"] as const) : []))]
      case 20:
        return [Wire.settings(settingsOf(random))]
      case 21:
        return [Wire.windowUpdate(0, random.pick([1, 100, 65_535, 1_000_000]))]
      case 22:
        return [Wire.priority(this.anyId(), this.anyId())]
      case 23:
        return [Wire.frame(random.pick([0x0a, 0x10, 0xff]), random.below(256), this.anyId(), random.bytes(20))]
      case 24:
        return random.chance(6) ? [Wire.goAway(this.anyId(), random.pick([0, 0, 11]), "bye")] : []
      case 25:
        return random.chance(15) ? [this.wrong()] : []
      default:
        return [Wire.windowUpdate(id ?? 0, random.pick([1, 1_000, 100_000]))]
    }
  }

  private request(): ReadonlyArray<Uint8Array> {
    const { random } = this
    const id = this.nextId
    this.nextId += random.chance(10) ? 4 : 2
    const method = random.pick(["GET", "POST", "POST", "HEAD", "PUT"])
    const ends = method === "GET" || method === "HEAD" || random.chance(6)
    if (!ends) this.open.add(id)
    const length: Wire.Fields = ends || !random.chance(10) ? [] : [["content-length", String(random.below(30))]]
    return this.head(id, [...Wire.requestOf(method, random.pick(paths)), ...length, ...this.fields()], ends)
  }

  private onOpen(id: number): ReadonlyArray<Uint8Array> {
    const { random } = this
    if (this.sender === "server" && !this.begun.has(id) && !random.chance(20)) {
      if (random.chance(5)) {
        return this.head(id, Wire.status(random.pick([100, 103]), ...this.fields()), random.chance(10))
      }
      this.begun.add(id)
      const ends = random.chance(4)
      if (ends) this.end(id)
      return this.head(id, Wire.status(random.pick([200, 204, 304, 404]), ...this.fields()), ends)
    }
    const kind = random.below(12)
    if (kind < 7) return this.data(id, random.pick([0, 3, 300, 300, 5_000, 16_384]), random.chance(5))
    if (kind === 7) return this.data(id, 0, true)
    if (kind === 8) {
      this.end(id)
      return this.head(id, this.fields(), true)
    }
    if (kind === 9) {
      this.end(id)
      return [Wire.rstStream(id, random.pick([0, 1, 8, 0xffffffff]))]
    }
    return [Wire.windowUpdate(id, random.pick([1, 10, 10_000, 65_535]))]
  }

  private data(id: number, most: number, ends: boolean): ReadonlyArray<Uint8Array> {
    const { random } = this
    if (ends) this.end(id)
    const padding = random.chance(5) ? ([`PADDED ${random.below(256)}`] as const) : []
    const content = random.bytes(Math.min(most, padding.length > 0 ? 16_000 : most))
    return [Wire.data(id, content, ...padding, ...(ends ? (["END_STREAM"] as const) : []))]
  }

  private end(id: number): void {
    this.open.delete(id)
    this.over.push(id)
  }

  /** A block in one frame or more: of literals, or as our encoder has it. */
  private head(id: number, fields: Wire.Fields, ends: boolean): ReadonlyArray<Uint8Array> {
    const { random } = this
    const block = random.chance(2) ? encode(this.encoder, fields) : Wire.block(fields)
    const end = ends ? (["END_STREAM"] as const) : []
    const around = [
      ...(random.chance(6) ? ([`PADDED ${random.below(40)}`] as const) : []),
      ...(random.chance(6) ? (["PRIORITY"] as const) : [])
    ]
    if (!random.chance(4)) return [Wire.headers(id, block, ...around, ...end)]
    const [first, second] = [random.below(block.length + 1), random.below(block.length + 1)].sort((a, b) => a - b)
    return [
      Wire.headers(id, block.subarray(0, first), "MORE", ...around, ...end),
      Wire.continuation(id, block.subarray(first, second), "MORE"),
      Wire.continuation(id, block.subarray(second))
    ]
  }

  private fields(): Wire.Fields {
    const { random } = this
    return random.list(3, (): readonly [string, string] => [
      random.pick(["x-a", "x-b", "cookie", "accept", random.chance(60) ? "Bad" : "x-c"]),
      random.pick(["", "a", "a=b", "x".repeat(200), random.chance(60) ? "\n" : "c"])
    ])
  }

  private anyId(): number {
    const { random } = this
    return random.pick([
      0,
      1,
      2,
      3,
      5,
      this.nextId,
      this.nextId + 10,
      ...this.over.slice(-3),
      ...this.open,
      2 ** 31 - 1
    ])
  }

  /** What nobody may send, or only at another time. */
  private wrong(): Uint8Array {
    const { random } = this
    const id = this.anyId()
    return random.pick([
      () => Wire.frame("PING", 0, 2 ** 31, "'reserved'"),
      () => Wire.frame(random.below(10), random.below(256), id, random.bytes(10)),
      () => Wire.data(id, random.bytes(100)),
      () => Wire.headers(id, Wire.get(), "END_STREAM"),
      () => Wire.rstStream(id, "CANCEL"),
      () => Wire.windowUpdate(id, random.pick([0, 2 ** 31 - 1])),
      () => Wire.continuation(id, []),
      () => Wire.pushPromise(id, 2, Wire.get()),
      () => Wire.settingsAck,
      () => Wire.settings({ INITIAL_WINDOW_SIZE: random.pick([2 ** 31 - 1, 2 ** 31]) }),
      () => Wire.frame("DATA", 0, id, new Uint8Array(16_385))
    ])()
  }
}
