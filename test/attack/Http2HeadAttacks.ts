/** Attacks on HTTP/2 by header blocks: their length, their time, and what they make of a few bytes. */
import * as Effect from "effect/Effect"
import * as Wire from "../harness/Http2Wire.ts"
import type { Attack, Scene } from "./Attack.ts"
import { calm, kib, mib, short } from "./Http2Moves.ts"
import * as Peer from "./Http2Peer.ts"

const get = Peer.block("GET", "/")

const begun = Wire.headers(1, get, "MORE")

const repeated = (bytes: Uint8Array, count: number): Uint8Array => Wire.wire(...Array<Uint8Array>(count).fill(bytes))

/** Says `opening`, then `part` again and again, and is thrown out. */
const exceeding = (opening: Uint8Array, part: Uint8Array, mostBytes = 256 * kib) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale)
    for (const peer of peers) {
      peer.say(opening)
      if (part.length > 0) peer.flood(part, mostBytes)
    }
    yield* scene.height
    yield* Peer.allEnded(peers)
    return Peer.farewells(peers)
  })

/** Opens streams with the same block until it is thrown out; `end` says what it was told of them before. */
const opening = (count: number, make: () => Uint8Array, end: (peers: ReadonlyArray<Peer.Http2Peer>) => string) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const block = make()
    const streams = Peer.each(count, (id) => Wire.headers(id, block, "END_STREAM"))
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale)
    for (const peer of peers) peer.say(streams)
    yield* scene.height
    yield* Peer.allEnded(peers)
    return end(peers)
  })

const answersAndFarewells = (peers: ReadonlyArray<Peer.Http2Peer>): string =>
  `${Peer.answers(peers)}; ${Peer.farewells(peers)}`

const nothing = new Uint8Array(0)

/** A length or an index, as HPACK writes it behind a first byte (RFC 7541 §5.1). */
const integer = (first: number, prefixBits: number, value: number): Uint8Array => {
  const most = 2 ** prefixBits - 1
  if (value < most) return Uint8Array.of(first | value)
  const bytes = [first | most]
  let rest = value - most
  for (; rest >= 128; rest >>= 7) bytes.push(128 | (rest & 127))
  return Uint8Array.of(...bytes, rest)
}

/** A field for the table: its value is `byteCount` bytes of `x`, which the other side keeps. */
const indexed = (byteCount: number): Uint8Array =>
  Wire.wire(Uint8Array.of(0x40, 1, 0x62), integer(0, 7, byteCount), new Uint8Array(byteCount).fill(0x78))

/** The newest field of the table. */
const newest = Uint8Array.of(0x80 | 62)

/** A value of Huffman code, five bits a byte: it is longer than what is on the wire. */
const huffman = (byteCount: number): Uint8Array => {
  // "a" is 00011: eight of them are five bytes.
  const eight = Uint8Array.of(0x18, 0xc6, 0x31, 0x8c, 0x63)
  const coded = repeated(eight, byteCount / 8)
  return Wire.wire(Uint8Array.of(0, 1, 0x62), integer(0x80, 7, coded.length), coded)
}

export const attacks: ReadonlyArray<Attack> = [
  {
    name: "CONTINUATION without end",
    limit: "CONTINUATION frames of a block",
    options: {},
    run: exceeding(begun, Wire.continuation(1, [["x-more", "x"]], "MORE")),
    ...calm("continuation"),
    mostBytes: mib
  },
  {
    name: "empty CONTINUATION without end",
    limit: "CONTINUATION frames of a block",
    options: {},
    run: exceeding(begun, repeated(Wire.continuation(1, nothing, "MORE"), 100)),
    ...calm("continuation"),
    mostBytes: mib
  },
  {
    name: "large CONTINUATION without end",
    limit: "maxHeaderSize",
    options: {},
    run: exceeding(begun, Wire.continuation(1, [["x-more", "x".repeat(16_000)]], "MORE")),
    ...calm("headerBlock"),
    mostBytes: mib
  },
  {
    name: "CONTINUATION that ends, too late",
    limit: "CONTINUATION frames of a block",
    options: {},
    run: exceeding(
      Wire.wire(
        begun,
        repeated(Wire.continuation(1, [["x-more", "x"]], "MORE"), 10),
        Wire.continuation(1, [["x-more", "x"]])
      ),
      nothing
    ),
    ...calm("continuation"),
    mostBytes: mib
  },
  {
    name: "empty CONTINUATION on many streams",
    limit: "budget emptyFrames",
    options: {},
    run: exceeding(
      Peer.each(100, (id) =>
        Wire.wire(Wire.headers(id, nothing, "MORE"), Wire.continuation(id, nothing, "MORE"), Wire.continuation(id, get))
      ),
      nothing
    ),
    ...calm("emptyFrames"),
    mostBytes: mib
  },
  {
    name: "header block that never ends",
    limit: "headTimeout",
    options: { server: { headTimeout: short } },
    run: Effect.fnUntraced(function* (scene: Scene) {
      const peers = yield* Peer.connectMany(scene.port, 50 * scene.scale)
      for (const peer of peers) peer.say(begun)
      yield* scene.height
      yield* Peer.allEnded(peers)
      return Peer.farewells(peers)
    }),
    answer: "ENHANCE_YOUR_CALM: the preface, or a header block, was not complete within 400 ms",
    counted: "HeadTimeout",
    mostBytes: 4 * mib
  },
  {
    name: "HEADERS that come byte by byte",
    limit: "headTimeout, idleTimeout",
    options: { server: { headTimeout: short, idleTimeout: short } },
    run: Effect.fnUntraced(function* (scene: Scene) {
      const peers = yield* Peer.connectMany(scene.port, 50 * scene.scale)
      const slow = Wire.headers(1, Wire.get("/", ["x-slow", "x".repeat(16_000)]))
      for (let at = 0; peers.some((peer) => !peer.isOver) && at < slow.length; at++) {
        yield* scene.neighbour
        for (const peer of peers) peer.say(slow.subarray(at, at + 1))
      }
      return peers.every((peer) => peer.isOver) ? "thrown out" : "kept"
    }),
    answer: "thrown out",
    mostBytes: 4 * mib
  },
  {
    name: "HPACK bomb",
    limit: "maxHeaderSize",
    options: {},
    // CVE-2016-6581: 16 KiB of references to a field of 4,000 bytes are 48 MB.
    run: exceeding(Wire.headers(1, Wire.wire(get, indexed(4_000), repeated(newest, 12_000))), nothing),
    ...calm("headerBlock"),
    mostBytes: mib
  },
  {
    name: "HPACK bombs below the limit that ends a connection",
    limit: "maxHeaderSize, budget forcedResets",
    options: {},
    run: opening(400, () => Wire.wire(get, indexed(4_000), repeated(newest, 10)), answersAndFarewells),
    answer: "431; ENHANCE_YOUR_CALM: too many forcedResets",
    counted: "BudgetSpent",
    mostBytes: mib
  },
  {
    name: "large header sections of requests that wait",
    limit: "maxHeaderSize, maxConcurrentStreams",
    options: {},
    run: Effect.fnUntraced(function* (scene: Scene) {
      const peers = yield* Peer.connectMany(scene.port, scene.scale)
      const block = Wire.wire(Peer.block("POST", "/hold"), indexed(4_000), repeated(newest, 2))
      for (const peer of peers) peer.say(Peer.each(128, (id) => Wire.headers(id, block)))
      yield* scene.height
      yield* scene.release
      yield* Effect.forEach(peers, (peer) => peer.until(() => peer.countOf("HEADERS") === 128))
      return Peer.answers(peers)
    }),
    answer: "200, NO_ERROR",
    mostBytes: 8 * mib
  },
  {
    name: "fields in Huffman code, above the limit",
    limit: "maxHeaderSize, budget forcedResets",
    options: {},
    run: opening(290, () => Wire.wire(get, huffman(17_000)), answersAndFarewells),
    answer: "431; ENHANCE_YOUR_CALM: too many forcedResets",
    counted: "BudgetSpent",
    mostBytes: mib
  },
  {
    name: "too many fields",
    limit: "maxFieldCount, budget forcedResets",
    options: {},
    run: opening(400, () => Wire.wire(get, repeated(Uint8Array.of(0, 1, 0x62, 0), 101)), answersAndFarewells),
    answer: "431; ENHANCE_YOUR_CALM: too many forcedResets",
    counted: "BudgetSpent",
    mostBytes: mib
  },
  {
    name: "fields without a name",
    limit: "budget forcedResets",
    options: {},
    // CVE-2019-9516.
    run: opening(400, () => Wire.wire(get, repeated(Uint8Array.of(0, 0, 0), 80)), answersAndFarewells),
    answer: "PROTOCOL_ERROR; ENHANCE_YOUR_CALM: too many forcedResets",
    counted: "BudgetSpent",
    mostBytes: mib
  },
  {
    name: "header blocks of a stream that is gone",
    limit: "budget forcedResets",
    options: {},
    run: exceeding(Wire.headers(1, Wire.wire(get, Uint8Array.of(0, 0, 0))), repeated(Wire.headers(1, get), 100)),
    ...calm("unknown"),
    mostBytes: mib
  }
]
