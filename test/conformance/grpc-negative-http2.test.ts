/**
 * gRPC's negative interop cases: a client, and servers that are wrong in their
 * HTTP/2. By their names in `negative-http2-interop-test-descriptions`.
 */
import { create, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import { SimpleResponseSchema } from "@sluice/examples/generated/grpc/testing/messages_pb"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { message } from "../harness/GrpcPeer.ts"
import * as Script from "../harness/GrpcScript.ts"
import * as Wire from "../harness/Http2Wire.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"

const request = { responseSize: 314_159, payload: { body: new Uint8Array(271_828) } }

/** The official server answers with 1,024 bytes, whatever is asked for. */
const reply = message(
  toBinary(SimpleResponseSchema, create(SimpleResponseSchema, { payload: { body: new Uint8Array(1024) } }))
)

const answer = ({ send }: Script.Connection, streamId: number): void =>
  send(Script.head(streamId), Wire.data(streamId, reply), Script.ok(streamId))

const call = Effect.gen(function* () {
  const client = yield* GrpcClient.make(TestService)
  const { payload } = yield* client.unaryCall(request)
  return payload?.body.length
})

/** Runs `calls` by a client of servers that follow a script. */
const against = <A, E>(
  script: Script.Script,
  calls: (world: Script.World) => Effect.Effect<A, E, GrpcChannel.GrpcChannel>
) =>
  MemoryWorld.leavesNothing((track) =>
    Effect.gen(function* () {
      const world = yield* Script.make(script)
      track(world as never)
      const channel = GrpcChannel.layer({ host: "server.test", port: 7 }).pipe(Layer.provide(world.dialer))
      return yield* Effect.scoped(Effect.provide(calls(world), channel))
    })
  )

/** The status that the call fails with. */
const failure = Effect.map(Effect.flip(call), ({ reason }) => GrpcStatus.nameOf(reason.code))

describe("negative HTTP/2", () => {
  it.effect("goaway: the next call goes to another connection", () =>
    against(
      {
        onCall: (connection, streamId) => {
          if (connection.index === 1) connection.send(Wire.goAway(streamId))
          answer(connection, streamId)
        }
      },
      (world) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* call, 1024)
          assert.strictEqual(yield* call, 1024)
          assert.strictEqual(world.connections.length, 2)
        })
    )
  )

  it.effect("goaway in front of a call on its way: the call is made again where it was not looked at", () =>
    against(
      {
        onHead: ({ index, send }) => {
          if (index === 1) send(Wire.goAway(0))
        },
        onCall: (connection, streamId) => {
          if (connection.index > 1) answer(connection, streamId)
        }
      },
      (world) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* call, 1024)
          assert.strictEqual(world.connections.length, 2)
        })
    )
  )

  const half = Math.floor(reply.length / 2)
  const resets: ReadonlyArray<readonly [name: string, frames: (streamId: number) => ReadonlyArray<Uint8Array>]> = [
    ["rst_after_header", (streamId) => [Script.head(streamId)]],
    ["rst_during_data", (streamId) => [Script.head(streamId), Wire.data(streamId, reply.subarray(0, half))]],
    ["rst_after_data", (streamId) => [Script.head(streamId), Wire.data(streamId, reply)]]
  ]
  for (const [name, frames] of resets) {
    // "An explicit GRPC status of OK should have been sent", which NO_ERROR does not stand for.
    it.effect(`${name}: the call fails with INTERNAL, and the connection goes on`, () =>
      against(
        {
          onCall: (connection, streamId) => {
            if (streamId > 1) answer(connection, streamId)
            else connection.send(...frames(streamId), Wire.rstStream(streamId, "NO_ERROR"))
          }
        },
        (world) =>
          Effect.gen(function* () {
            assert.strictEqual(yield* failure, "INTERNAL")
            assert.strictEqual(yield* call, 1024)
            assert.strictEqual(world.connections.length, 1)
          })
      )
    )
  }

  it.effect("ping: every one is answered", () =>
    against(
      {
        onCall: ({ send }, streamId) =>
          send(
            Wire.ping("1-before"),
            Script.head(streamId),
            Wire.ping("2-behind"),
            Wire.ping("3-before"),
            Wire.data(streamId, reply),
            Wire.ping("4-behind"),
            Script.ok(streamId)
          )
      },
      ({ connections }) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* call, 1024)
          yield* connections[0]!.saw("PING '4-behind' ACK")
          const acks = connections[0]!.lines.filter((line) => line.startsWith("PING") && line.endsWith("ACK"))
          assert.deepStrictEqual(acks, [
            "PING '1-before' ACK",
            "PING '2-behind' ACK",
            "PING '3-before' ACK",
            "PING '4-behind' ACK"
          ])
        })
    )
  )

  it.effect("max_streams: ten calls at a time, one after the other on the wire", () => {
    const open = new Set<number>()
    let most = 0
    return against(
      {
        settings: { MAX_CONCURRENT_STREAMS: 1 },
        onHead: (_connection, streamId) => {
          open.add(streamId)
          most = Math.max(most, open.size)
        },
        onCall: (connection, streamId) => {
          open.delete(streamId)
          answer(connection, streamId)
        }
      },
      ({ connections }) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* call, 1024)
          const sizes = yield* Effect.all(
            Array.from({ length: 10 }, () => call),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(sizes, Array(10).fill(1024))
          assert.deepStrictEqual([most, connections.length], [1, 1])
        })
    )
  })
})
