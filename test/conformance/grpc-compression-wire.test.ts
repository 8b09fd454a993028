/**
 * What the interop cases of compression ask for, and no client of another
 * implementation shows: the flag in front of each message.
 */
import * as Zlib from "node:zlib"
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import {
  SimpleRequestSchema,
  StreamingInputCallRequestSchema,
  StreamingOutputCallRequestSchema
} from "@sluice/examples/generated/grpc/testing/messages_pb"
import * as GrpcInterop from "@sluice/examples/grpc-interop"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Peer from "../harness/GrpcPeer.ts"
import * as World from "../harness/GrpcServerWorld.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"

const serving = Effect.provide(World.make(GrpcInterop.service, { compression: ["gzip"] }), NodeGrpcCompression.layer())

const service = (method: string) => `/grpc.testing.TestService/${method}`
const payload = (sizeBytes: number) => ({ body: new Uint8Array(sizeBytes) })

const simple = (request: MessageInitShape<typeof SimpleRequestSchema>) =>
  Peer.message(toBinary(SimpleRequestSchema, create(SimpleRequestSchema, request)))

const output = (request: MessageInitShape<typeof StreamingOutputCallRequestSchema>) =>
  Peer.message(toBinary(StreamingOutputCallRequestSchema, create(StreamingOutputCallRequestSchema, request)))

const input = (sizeBytes: number, compressed: boolean) => {
  const request = create(StreamingInputCallRequestSchema, {
    payload: payload(sizeBytes),
    expectCompressed: { value: compressed }
  })
  const bytes = toBinary(StreamingInputCallRequestSchema, request)
  return compressed ? Peer.message(new Uint8Array(Zlib.gzipSync(bytes)), 1) : Peer.message(bytes)
}

/** The flag and the size of each message, as decompressed. */
const messagesOf = (body: Uint8Array): ReadonlyArray<readonly [flag: number, sizeBytes: number]> => {
  const found: Array<readonly [number, number]> = []
  for (let at = 0; at < body.length; ) {
    const length = Buffer.from(body).readUInt32BE(at + 1)
    const bytes = body.subarray(at + 5, at + 5 + length)
    found.push([body[at]!, body[at] === 1 ? Zlib.gunzipSync(bytes).length : length])
    at += 5 + length
  }
  return found
}

const flagsOf = (body: Uint8Array) => messagesOf(body).map(([flag]) => flag)

describe("compression on the wire", () => {
  const accepting = { "grpc-accept-encoding": "identity,deflate,gzip" }
  const rows: ReadonlyArray<
    readonly [what: string, asked: boolean, headers: Readonly<Record<string, string>>, flag: number, encoding?: string]
  > = [
    ["asked for, and taken", true, accepting, 1, "gzip"],
    ["not asked for", false, accepting, 0, "gzip"],
    ["asked for by a client that takes none", true, {}, 0],
    ["asked for by a client that takes another", true, { "grpc-accept-encoding": "identity,snappy" }, 0]
  ]
  for (const [what, value, headers, flag, encoding] of rows) {
    it.effect(`a reply, ${what}: flag ${flag}`, () =>
      Effect.gen(function* () {
        const world = yield* serving
        const request = simple({ responseSize: 314_159, responseCompressed: { value } })
        const answer = yield* World.call(world, service("UnaryCall"), request, headers)
        assert.deepStrictEqual([answer.code, answer.headers["grpc-encoding"]], ["0", encoding])
        // The payload's own tags and lengths are eight bytes.
        assert.deepStrictEqual(messagesOf(answer.body), [[flag, 314_167]])
      })
    )
  }

  it.effect("server_compressed_streaming: one with the flag, one without", () =>
    Effect.gen(function* () {
      const world = yield* serving
      const responseParameters = [
        { size: 31_415, compressed: { value: true } },
        { size: 92_653, compressed: { value: false } }
      ]
      for (const [method, body] of [
        ["StreamingOutputCall", output({ responseParameters })],
        ["FullDuplexCall", output({ responseParameters })],
        ["HalfDuplexCall", output({ responseParameters })]
      ] as const) {
        const answer = yield* World.call(world, service(method), body, accepting)
        assert.deepStrictEqual([answer.code, flagsOf(answer.body)], ["0", [1, 0]], method)
      }
    })
  )

  const encoded = { "grpc-encoding": "gzip" }
  const both = World.join(input(27_182, true), input(45_904, false))
  const cuts: ReadonlyArray<readonly [what: string, body: Uint8Array | Stream.Stream<Uint8Array>]> = [
    ["in one piece", both],
    ["one after the other", Stream.rechunk(Stream.make(input(27_182, true), input(45_904, false)), 1)],
    ["in pieces of a KiB", Stream.rechunk(Stream.fromIterable(pieces(both, 1024)), 1)]
  ]
  for (const [what, body] of cuts) {
    it.effect(`client_compressed_streaming: one with the flag, one without, ${what}`, () =>
      MemoryWorld.leavesNothing((track) =>
        Effect.gen(function* () {
          const world = yield* serving
          track(world)
          const answer = yield* World.call(world, service("StreamingInputCall"), body, encoded)
          // Field 1 is 73,086.
          assert.deepStrictEqual([answer.code, [...answer.body.subarray(5)]], ["0", [8, 0xfe, 0xba, 4]], answer.message)
        })
      )
    )
  }
})

function pieces(bytes: Uint8Array, sizeBytes: number): ReadonlyArray<Uint8Array> {
  return Array.from({ length: Math.ceil(bytes.length / sizeBytes) }, (_, index) =>
    bytes.subarray(index * sizeBytes, (index + 1) * sizeBytes)
  )
}
