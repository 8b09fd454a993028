import { create, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import { StreamingOutputCallRequestSchema } from "@sluice/examples/generated/grpc/testing/messages_pb"
import * as GrpcInterop from "@sluice/examples/grpc-interop"
import { cases } from "@sluice/examples/grpc-interop-cases"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Peer from "../harness/GrpcPeer.ts"
import * as World from "../harness/GrpcServerWorld.ts"
import * as Wire from "../harness/Http2Wire.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import * as Program from "./support/Program.ts"

leaveNoHandles()

describe("grpc-interop", () => {
  it.effect("waits between replies as long as it is asked to", () =>
    Effect.gen(function* () {
      const world = yield* World.make(GrpcInterop.service)
      const peer = yield* Peer.connect(world)
      const request = create(StreamingOutputCallRequestSchema, {
        responseParameters: [{ size: 1 }, { size: 2, intervalUs: 20_000 }, { size: 3, intervalUs: 500 }]
      })
      const body = Peer.message(toBinary(StreamingOutputCallRequestSchema, request))
      const path = "/grpc.testing.TestService/StreamingOutputCall"
      peer.send(Wire.headers(1, Peer.head(path)), Wire.data(1, body, "END_STREAM"))
      const replied = (count: number) =>
        Effect.map(
          peer.heard.until(() => replies() >= count),
          () => assert.strictEqual(replies(), count)
        )
      const replies = () => peer.lines().filter((line) => line.startsWith("DATA 1")).length
      yield* replied(1)
      yield* TestClock.adjust(19)
      assert.strictEqual(replies(), 1)
      yield* TestClock.adjust(1)
      yield* replied(2)
      yield* TestClock.adjust(1)
      yield* replied(3)
      assert.strictEqual((yield* Peer.ended(peer, 1)).grpc, "0")
    })
  )
})

describe("grpc-interop as a process", () => {
  it.live("passes all cases of its client, and ends with 0 on SIGTERM", () =>
    Effect.gen(function* () {
      const server = yield* Program.serve("grpc-interop", ["grpc-interop", "--port", "0"])
      const client = yield* Program.start(["grpc-interop-client", "--to", server.where])
      const { code, stderr, stdout } = yield* client.ended
      assert.deepStrictEqual([code, stderr], [0, []])
      assert.deepStrictEqual(
        stdout,
        Object.keys(cases).map((name) => `${name}: passed`)
      )
      yield* server.signal("SIGTERM")
      const ended = yield* server.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    })
  )

  it.live("a case of its client that fails says what it found", () =>
    Effect.gen(function* () {
      // Nobody is there.
      const client = yield* Program.start(["grpc-interop-client", "--case", "empty_unary", "--to", "127.0.0.1:1"])
      const { code, stdout } = yield* client.ended
      assert.deepStrictEqual([code, stdout], [1, []])
    })
  )
})
