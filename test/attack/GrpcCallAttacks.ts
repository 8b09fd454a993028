/** Attacks on gRPC by calls: many, short, long, reset, and of the services that every server has. */
import * as Effect from "effect/Effect"
import * as GrpcPeer from "../harness/GrpcPeer.ts"
import * as Wire from "../harness/Http2Wire.ts"
import type { Attack, Scene } from "./Attack.ts"
import * as Grpc from "./GrpcMoves.ts"
import { answered, calm, deaf, exceeding, mib, mostWindow, places, short, streams } from "./Http2Moves.ts"
import * as Peer from "./Http2Peer.ts"

const held = Grpc.named("hold")

/** 15 KiB, in fields that are all metadata. */
const metadata = Object.fromEntries(
  Array.from({ length: 80 }, (_, index) => [`x-${index}-bin`, Buffer.alloc(100, index).toString("base64")])
)

const say = Grpc.head("SayHello")

/** CVE-2023-44487, with handlers that have begun. */
const rapidReset = streams(2_000, (id) => Wire.wire(Grpc.call(id, say, held), Wire.rstStream(id, "CANCEL")))

const watch = Grpc.headOf("/grpc.health.v1.Health/Watch")

/** Calls that never end, in every place; then their connections are gone. */
const staying = (frames: (id: number) => Uint8Array) => {
  const said = streams(places, frames)
  return Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale)
    for (const peer of peers) peer.say(said())
    yield* scene.height
    for (const peer of peers) peer.socket.destroy()
    yield* scene.release
    return Peer.answers(peers)
  })
}

const reflect = Grpc.headOf("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")

/** `file_containing_symbol: "grpc.reflection.v1.ServerReflection"`: a few bytes, for a whole file. */
const symbol = "grpc.reflection.v1.ServerReflection"
const wish = GrpcPeer.message(Buffer.concat([Uint8Array.of(0x22, symbol.length), Buffer.from(symbol)]))
const wishes = Buffer.concat(Array.from({ length: 300 }, () => wish))

export const callAttacks: ReadonlyArray<Attack> = [
  {
    name: "metadata of 15 KiB in every call",
    limit: "maxHeaderSize, maxConcurrentStreams",
    options: {},
    run: staying((id) => Grpc.call(id, Grpc.head("SayHello", metadata), held)),
    answer: "nothing",
    mostBytes: 32 * mib
  },
  {
    name: "calls with a deadline of 1 ms",
    limit: "their own deadlines",
    options: {},
    run: Grpc.waves(100, 10, (id) => Grpc.call(id, Grpc.head("SayHello", { "grpc-timeout": "1m" }), held)),
    answer: "200, gRPC 4",
    mostBytes: 4 * mib
  },
  {
    name: "calls with a deadline of 1 ns",
    limit: "their own deadlines",
    options: {},
    run: Grpc.waves(100, 10, (id) => Grpc.call(id, Grpc.head("SayHello", { "grpc-timeout": "1n" }), held)),
    answer: "200, gRPC 4",
    mostBytes: 4 * mib
  },
  {
    name: "rapid reset of calls",
    limit: "budget resets",
    options: {},
    run: exceeding(rapidReset),
    ...calm("resets"),
    mostBytes: 4 * mib
  },
  {
    name: "bidirectional streams that never end",
    limit: "maxConcurrentStreams",
    options: {},
    run: staying((id) => Wire.wire(Wire.headers(id, Grpc.head("ChatHellos")), Wire.data(id, held))),
    answer: "nothing",
    mostBytes: 16 * mib
  },
  {
    name: "bidirectional streams that never end, above a limit",
    limit: "maxConcurrentCalls",
    options: { grpc: { maxConcurrentCalls: 100 } },
    run: staying((id) => Wire.wire(Wire.headers(id, Grpc.head("ChatHellos")), Wire.data(id, held))),
    answer: "200, NO_ERROR, gRPC 8",
    mostBytes: 8 * mib
  },
  {
    name: "endless replies on all streams, not read",
    limit: "sendTimeout",
    options: { server: { sendTimeout: short } },
    run: deaf(() =>
      Wire.wire(
        Wire.windowUpdate(0, mostWindow - 65_535),
        Peer.each(places, (id) => Grpc.call(id, Grpc.head("StreamHellos"), held))
      )
    ),
    answer: "given up",
    mostBytes: 64 * mib
  },
  {
    name: "health: every place watches",
    limit: "maxConcurrentStreams",
    options: {},
    run: staying((id) => Grpc.call(id, watch, Grpc.named(`service-${id}`))),
    answer: "200",
    mostBytes: 32 * mib
  },
  {
    name: "reflection: files wished for, and not read",
    limit: "sendTimeout",
    options: { server: { sendTimeout: short } },
    run: deaf(() =>
      Wire.wire(
        Wire.windowUpdate(0, mostWindow - 65_535),
        Peer.each(places, (id) => Wire.wire(Wire.headers(id, reflect), Wire.data(id, wishes)))
      )
    ),
    answer: "given up",
    mostBytes: 64 * mib
  },
  {
    name: "reflection: files wished for, and read",
    limit: "none: as any call",
    options: {},
    run: answered(
      () =>
        Wire.wire(
          Wire.windowUpdate(0, mostWindow - 65_535),
          Peer.each(8, (id) => Grpc.call(id, reflect, wishes))
        ),
      Grpc.answeredTimes(8),
      { settings: { INITIAL_WINDOW_SIZE: mostWindow } }
    ),
    answer: "200, gRPC 0",
    mostBytes: 16 * mib
  }
]
