/**
 * Calls and answers whose messages are damaged by chance: each ends with a
 * status that stands for it, and the connection goes on.
 */
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Peer from "../harness/GrpcPeer.ts"
import * as Script from "../harness/GrpcScript.ts"
import * as World from "../harness/GrpcServerWorld.ts"
import * as Wire from "../harness/Http2Wire.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"

const roundCount = 300

/** A payload of three bytes, as requests and replies of all streams have it; it is a request of a unary call, too. */
const payload = Uint8Array.of(0x1a, 0x05, 0x12, 0x03, 1, 2, 3)

/** Up to four messages, some of them compressed, with bytes that are changed, lost, or too many. */
const damaged = (random: SeededRandom): Uint8Array => {
  const messages = random.list(4, () =>
    random.below(2) === 0 ? Peer.message(payload) : Peer.message(new Uint8Array(Zlib.gzipSync(payload)), 1)
  )
  const bytes = Wire.wire(...messages)
  for (let count = random.below(3); count > 0 && bytes.length > 0; count--) {
    bytes[random.below(bytes.length)] = random.below(256)
  }
  return random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
}

/** As DATA frames of any sizes. */
const framesOf = (random: SeededRandom, streamId: number, bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const frames: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(40))
    frames.push(Wire.data(streamId, bytes.subarray(at, end)))
    at = end
  }
  return frames
}

const Service = GrpcServer.layer(TestService, {
  unaryCall: () => Effect.succeed({}),
  streamingInputCall: (requests) =>
    Effect.map(Stream.runCount(requests), (aggregatedPayloadSize) => ({ aggregatedPayloadSize })),
  streamingOutputCall: () => Stream.make({}, {}),
  fullDuplexCall: (requests) => Stream.map(requests, () => ({}))
})

const methods = ["UnaryCall", "StreamingInputCall", "StreamingOutputCall", "FullDuplexCall"]

describe("damaged messages", () => {
  it.effect(`${roundCount} calls to a server`, () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* Effect.provide(World.make(Service), NodeGrpcCompression.layer())
        track(world)
        const peer = yield* Peer.connect(world)
        const seen = new Set<string>()
        for (let round = 0; round < roundCount; round++) {
          const random = new SeededRandom(round)
          const streamId = round * 2 + 1
          const path = `/grpc.testing.TestService/${methods[round % methods.length]}`
          peer.send(
            Wire.headers(streamId, Peer.head(path, { "grpc-encoding": "gzip" })),
            ...framesOf(random, streamId, damaged(random)),
            Wire.data(streamId, "", "END_STREAM")
          )
          const { grpc, lines } = yield* Peer.ended(peer, streamId)
          assert.include(["0", "8", "12", "13"], grpc, `round ${round}: ${lines.join("\n")}`)
          seen.add(grpc!)
        }
        assert.deepStrictEqual([...seen].sort(), ["0", "12", "13", "8"])
      })
    )
  )

  it.effect(`${roundCount} answers to a client`, () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        let random = new SeededRandom(0)
        const servers = yield* Script.make({
          onCall: ({ send }, streamId) =>
            send(
              Script.head(streamId, ["grpc-encoding", "gzip"]),
              ...framesOf(random, streamId, damaged(random)),
              Script.ok(streamId)
            )
        })
        track(servers as never)
        const channel = GrpcChannel.layer({ host: "server.test", port: 7 }).pipe(
          Layer.provide(servers.dialer),
          Layer.provide(NodeGrpcCompression.layer())
        )
        yield* Effect.gen(function* () {
          const { streamingOutputCall, unaryCall } = yield* GrpcClient.make(TestService)
          const seen = new Set<string>()
          for (let round = 0; round < roundCount; round++) {
            random = new SeededRandom(round)
            const call = round % 2 === 0 ? unaryCall({}) : Stream.runDrain(streamingOutputCall({}))
            const outcome = yield* Effect.match(call, {
              onSuccess: () => "OK",
              onFailure: ({ reason }) => reason._tag as string
            })
            assert.include(["OK", "Internal", "ResourceExhausted", "Unimplemented"], outcome, `round ${round}`)
            seen.add(outcome)
          }
          assert.strictEqual(seen.size, 4)
          assert.strictEqual(servers.connections.length, 1)
        }).pipe(Effect.provide(channel), Effect.scoped)
      })
    )
  )
})
