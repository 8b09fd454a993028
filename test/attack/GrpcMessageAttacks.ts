/** Attacks on gRPC by messages: bombs, lies, floods, and what is no message. */
import * as Zlib from "node:zlib"
import * as Effect from "effect/Effect"
import * as GrpcPeer from "../harness/GrpcPeer.ts"
import * as Wire from "../harness/Http2Wire.ts"
import type { Attack, Scene } from "./Attack.ts"
import * as Grpc from "./GrpcMoves.ts"
import { answered, mib, places, short, streams } from "./Http2Moves.ts"
import * as Peer from "./Http2Peer.ts"

/** Of 64 MiB, in 64 KiB. */
const bomb = GrpcPeer.message(Zlib.gzipSync(new Uint8Array(64 * mib)), 1)

/** A message that says it has 4 MiB, and its first byte. */
const promise = GrpcPeer.message(Uint8Array.of(0x0a), 0, 4 * mib)

/** One stream on which messages of no bytes come, as fast as the server takes them; then their count is right. */
const flood = (mostBytes: number, type?: string) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peer = yield* Peer.connect(scene.port)
    const part = type === undefined ? Grpc.empty(3_200) : Buffer.from("!".repeat(16_000))
    yield* peer.until(() => peer.windowBytes >= mib || peer.isOver)
    peer.say(Wire.headers(1, Grpc.head("CollectHellos", type === undefined ? {} : { "content-type": type })))
    let sentBytes = 0
    peer.pour(() => {
      if (sentBytes >= mostBytes * scale(scene) || peer.answers.size > 0) return undefined
      const roomBytes = Math.min(peer.windowBytes, 262_144 + (peer.givenBytes.get(1) ?? 0) - sentBytes)
      if (roomBytes < part.length) return nothing
      peer.windowBytes -= part.length
      sentBytes += part.length
      return Wire.data(1, part)
    })
    yield* scene.height
    yield* peer.until(() => sentBytes >= mostBytes * scale(scene) || peer.answers.size > 0 || peer.isOver)
    peer.say(Wire.data(1, "", "END_STREAM"))
    yield* peer.until(() => peer.endedCount > 0 || peer.isOver)
    return Peer.answers([peer])
  })

const scale = ({ scale }: Scene): number => scale

const nothing = new Uint8Array(0)

/** On all streams of a connection, with one byte after the other. */
const byteByByte = Effect.fnUntraced(function* (scene: Scene) {
  const peers = yield* Peer.connectMany(scene.port, 2 * scene.scale)
  const heads = streams(places, (id) =>
    Buffer.concat([Wire.headers(id, Grpc.head("SayHello")), Wire.data(id, promise)])
  )
  const more = streams(places, (id) => Wire.data(id, "x"))
  for (const peer of peers) peer.say(heads())
  for (let count = 0; count < 20; count++) {
    for (const peer of peers) peer.say(more())
    yield* scene.neighbour
  }
  yield* scene.height
  yield* Effect.forEach(peers, (peer) => peer.until(() => Grpc.answeredTimes(places)(peer) || peer.isOver))
  return Peer.answers(peers)
})

/** As many empty messages as a handler can be made to find at once, on all streams, of which each takes one. */
const unread = Effect.fnUntraced(function* (scene: Scene) {
  const peers = yield* Peer.connectMany(scene.port, scene.scale)
  const part = Grpc.empty(3_200)
  const ids = Peer.ids(places)
  for (const peer of peers) {
    yield* peer.until(() => peer.windowBytes >= mib || peer.isOver)
    peer.say(Buffer.concat(ids.map((id) => Wire.headers(id, Grpc.head("ChatHellos")))))
    for (let at = 0, waits = 0; at < ids.length && waits < 20; ) {
      if (peer.windowBytes >= part.length) {
        peer.windowBytes -= part.length
        peer.say(Wire.data(ids[at++]!, part))
        waits = 0
      } else {
        waits++
        yield* scene.neighbour
      }
    }
  }
  yield* scene.height
  const held = peers.every((peer) => !peer.isOver) ? "held back" : Peer.farewells(peers)
  for (const peer of peers) peer.socket.destroy()
  yield* scene.release
  return held
})

export const messageAttacks: ReadonlyArray<Attack> = [
  {
    name: "compression bombs of 64 MiB",
    limit: "maxReceiveMessageSize",
    options: {},
    run: Grpc.waves(1, 10, (id) => Grpc.call(id, Grpc.head("SayHello", { "grpc-encoding": "gzip" }), bomb)),
    answer: "200, gRPC 8",
    mostBytes: 8 * mib
  },
  {
    name: "4 MiB announced, byte by byte",
    limit: "callTimeout",
    options: { grpc: { callTimeout: short } },
    run: byteByByte,
    answer: "200, NO_ERROR, gRPC 4",
    mostBytes: 12 * mib
  },
  {
    name: "a length of 4 GiB",
    limit: "maxReceiveMessageSize",
    options: {},
    run: answered(
      streams(places, (id) => Grpc.call(id, Grpc.head("SayHello"), GrpcPeer.message("", 0, 2 ** 32 - 1))),
      Grpc.answeredTimes(places)
    ),
    answer: "200, gRPC 8",
    mostBytes: 4 * mib
  },
  {
    name: "a flood of empty messages that are read",
    limit: "streamWindow",
    options: {},
    run: flood(mib),
    answer: "200, gRPC 0",
    mostBytes: 8 * mib
  },
  {
    name: "empty messages that are not read, on all streams",
    limit: "streamWindow",
    options: {},
    run: unread,
    answer: "held back",
    // Of each stream 512 messages are decoded, and a message of five bytes is an object of more.
    mostBytes: 12 * mib
  },
  {
    name: "garbage in the place of base64 (grpc-web-text)",
    limit: "none: the first byte is refused",
    options: {},
    run: flood(mib, "application/grpc-web-text"),
    answer: "200, NO_ERROR, gRPC 13",
    mostBytes: 4 * mib
  },
  {
    name: "JSON in 100,000 brackets (Connect)",
    limit: "maxReceiveMessageSize",
    options: {},
    run: Grpc.waves(1, 10, (id) =>
      Grpc.call(
        id,
        Grpc.head("SayHello", { "content-type": "application/json" }),
        Buffer.from(`{"name":${"[".repeat(100_000)}`)
      )
    ),
    answer: "400",
    mostBytes: 8 * mib
  }
]
