/**
 * Wrong calls to a server of gRPC, frame by frame: each ends with the status
 * that gRPC's documents say (`PROTOCOL-HTTP2`, `statuscodes`, `compression`),
 * its handler ends too, and the connection serves the next call.
 */
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Peer from "../harness/GrpcPeer.ts"
import * as World from "../harness/GrpcServerWorld.ts"
import type { Http2Peer } from "../harness/Http2Peer.ts"
import * as Wire from "../harness/Http2Wire.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"

const service = (method: string) => `/grpc.testing.TestService/${method}`
const unary = service("UnaryCall")
const inputs = service("StreamingInputCall")
const outputs = service("StreamingOutputCall")
const duplex = service("FullDuplexCall")

/** Ends when its requests do. */
const Service = GrpcServer.layer(TestService, {
  emptyCall: () => Effect.succeed({}),
  unaryCall: () => Effect.succeed({}),
  streamingInputCall: (requests) =>
    Effect.map(Stream.runCount(requests), (aggregatedPayloadSize) => ({ aggregatedPayloadSize })),
  streamingOutputCall: () => Stream.make({}, {}),
  fullDuplexCall: (requests) => Stream.map(requests, () => ({}))
})

const limitBytes = 1_000

const serving = Effect.provide(
  World.make(Service, { maxReceiveMessageSize: limitBytes, compression: ["gzip"] }),
  NodeGrpcCompression.layer()
)

const empty = Peer.message("")
const gzip = (bytes: Uint8Array | string) => new Uint8Array(Zlib.gzipSync(bytes))

interface Row {
  readonly what: string
  readonly path: string
  readonly fields?: Readonly<Record<string, string>>
  readonly body: ReadonlyArray<Uint8Array>
  /** Whether the client ends its side. Default `ended`. */
  readonly rest?: "ended" | "open"
  /** The status of gRPC, or of HTTP alone. */
  readonly grpc?: number
  readonly http?: number
  /** A field of the answer. */
  readonly field?: string
}

const messages: ReadonlyArray<Row> = [
  { what: "a message that ends early", path: unary, body: [Peer.message("0a02", 0, 10)], grpc: 13 },
  { what: "a prefix that ends early", path: unary, body: [Uint8Array.of(0, 0, 0)], grpc: 13 },
  { what: "a message that ends early, in a stream", path: inputs, body: [empty, Peer.message("", 0, 1)], grpc: 13 },
  {
    what: "one above the limit, by its prefix",
    path: unary,
    body: [Peer.message("", 0, 1_001)],
    rest: "open",
    grpc: 8
  },
  { what: "one of 4 GiB in a stream", path: duplex, body: [Peer.message("", 0, 2 ** 32 - 1)], rest: "open", grpc: 8 },
  { what: "the flag 2", path: unary, body: [Peer.message("", 2)], grpc: 13 },
  { what: "the flag 255 in a stream", path: inputs, body: [empty, Peer.message("", 255)], rest: "open", grpc: 13 },
  { what: "a field of wire type 7", path: unary, body: [Peer.message("0f")], grpc: 13 },
  { what: "a field that is cut", path: unary, body: [Peer.message("1a05 61")], grpc: 13 },
  { what: "garbage in a stream", path: duplex, body: [empty, Peer.message("ffffff")], rest: "open", grpc: 13 },
  // gRPC statuscodes: "Request cardinality violation".
  { what: "two messages to a unary method", path: unary, body: [empty, empty], grpc: 12 },
  { what: "two messages, and no end", path: unary, body: [empty, empty], rest: "open", grpc: 12 },
  { what: "no message to a unary method", path: unary, body: [], grpc: 12 },
  { what: "no message to a method that streams replies", path: outputs, body: [], grpc: 12 },
  { what: "two messages to a method that streams replies", path: outputs, body: [empty, empty], grpc: 12 }
]

const compressed: ReadonlyArray<Row> = [
  // gRPC compression, test case 6.
  { what: "the flag without an encoding", path: unary, body: [Peer.message(gzip(""), 1)], grpc: 13 },
  {
    what: "the flag with identity",
    path: unary,
    fields: { "grpc-encoding": "identity" },
    body: [Peer.message("", 1)],
    grpc: 13
  },
  // "the server will fail with UNIMPLEMENTED", and says what it takes.
  {
    what: "an encoding that the server has not",
    path: unary,
    fields: { "grpc-encoding": "snappy" },
    body: [empty],
    grpc: 12,
    field: "grpc-accept-encoding=identity,gzip,deflate,zstd"
  },
  {
    what: "what is no gzip",
    path: unary,
    fields: { "grpc-encoding": "gzip" },
    body: [Peer.message("61626364", 1)],
    grpc: 13
  },
  {
    what: "a gzip that is cut",
    path: unary,
    fields: { "grpc-encoding": "gzip" },
    body: [Peer.message(gzip("abcdefgh").subarray(0, 12), 1)],
    grpc: 13
  },
  {
    what: "one that grows above the limit",
    path: unary,
    fields: { "grpc-encoding": "gzip" },
    body: [Peer.message(gzip(new Uint8Array(100_000)), 1)],
    grpc: 8
  }
]

const heads: ReadonlyArray<Row> = [
  ...["1 S", "S", "10", "1s", "-1S", "1.5S", "123456789S"].map(
    (text): Row => ({
      what: `grpc-timeout ${JSON.stringify(text)}`,
      path: unary,
      fields: { "grpc-timeout": text },
      body: [empty],
      grpc: 13
    })
  ),
  { what: "a time that is over", path: unary, fields: { "grpc-timeout": "0n" }, body: [empty], grpc: 4 },
  { what: "a method that the service has not", path: service("Nothing"), body: [empty], grpc: 12 },
  { what: "one whose handler is left out", path: service("UnimplementedCall"), body: [empty], grpc: 12 },
  { what: "another case", path: service("unaryCall"), body: [empty], grpc: 12 },
  { what: "a service that is not there", path: "/grpc.testing.Nothing/UnaryCall", body: [empty], grpc: 12 },
  { what: "a path without a service", path: "/", body: [empty], grpc: 12 },
  { what: "a method that is not there, and no end", path: service("Nothing"), body: [], rest: "open", grpc: 12 },
  { what: "another content type", path: unary, fields: { "content-type": "text/plain" }, body: [empty], http: 415 },
  { what: "no content type", path: unary, fields: { "content-type": "" }, body: [empty], http: 415 },
  {
    what: "the content type of a wire that is off",
    path: unary,
    fields: { "content-type": "application/grpc-web+proto" },
    body: [empty],
    http: 415
  },
  {
    what: "messages of another format",
    path: unary,
    fields: { "content-type": "application/grpc+json" },
    body: [empty],
    http: 415
  },
  { what: "GET", path: unary, fields: { ":method": "GET" }, body: [], http: 405, field: "allow=POST" },
  { what: "PUT", path: unary, fields: { ":method": "PUT" }, body: [empty], http: 405, field: "allow=POST" }
]

const send = (peer: Http2Peer, streamId: number, { body, fields, path, rest }: Omit<Row, "what">): void => {
  const ends = rest !== "open"
  if (body.length === 0 && ends) peer.send(Wire.headers(streamId, Peer.head(path, fields), "END_STREAM"))
  else peer.send(Wire.headers(streamId, Peer.head(path, fields)))
  body.forEach((part, index) => {
    if (ends && index === body.length - 1) peer.send(Wire.data(streamId, part, "END_STREAM"))
    else peer.send(Wire.data(streamId, part))
  })
}

const whole = [
  `HEADERS 3 :status=200 content-type=application/grpc`,
  "DATA 3 00 00 00 00 00",
  "HEADERS 3 grpc-status=0 END_STREAM"
]

for (const [name, rows] of Object.entries({ messages, compressed, heads })) {
  describe(`a server, and wrong calls: ${name}`, () => {
    for (const row of rows) {
      it.effect(row.what, () =>
        MemoryWorld.leavesNothing((track) =>
          Effect.gen(function* () {
            const world = yield* serving
            track(world)
            const peer = yield* Peer.connect(world)
            send(peer, 1, row)
            const { grpc, http, lines } = yield* Peer.ended(peer, 1)
            assert.deepStrictEqual([http, grpc], [String(row.http ?? 200), row.grpc?.toString()], lines.join("\n"))
            if (row.field !== undefined) assert.include(lines.join("\n"), row.field)
            send(peer, 3, { path: unary, body: [empty] })
            assert.deepStrictEqual((yield* Peer.ended(peer, 3)).lines.map(lengthOnly), whole)
          })
        )
      )
    }
  })
}

/** An empty message, however it is shown. */
const lengthOnly = (line: string) => (line.startsWith("DATA 3") ? whole[1]! : line)

describe("a server, and what it lets pass", () => {
  const rows: ReadonlyArray<Row> = [
    // The field asks for it "to detect incompatible proxies"; most servers serve without it.
    { what: "no te", path: unary, fields: { te: "" }, body: [empty] },
    {
      what: "application/grpc+proto",
      path: unary,
      fields: { "content-type": "application/grpc+proto" },
      body: [empty]
    },
    {
      what: "a parameter of the content type",
      path: unary,
      fields: { "content-type": "application/grpc; charset=utf-8" },
      body: [empty]
    },
    {
      what: "an encoding, and a message that is not compressed",
      path: unary,
      fields: { "grpc-encoding": "gzip" },
      body: [empty]
    },
    { what: "the encoding identity", path: unary, fields: { "grpc-encoding": "identity" }, body: [empty] },
    {
      what: "a message of gzip",
      path: unary,
      fields: { "grpc-encoding": "gzip" },
      body: [Peer.message(gzip(""), 1)]
    },
    { what: "a field of protobuf that nobody knows", path: unary, body: [Peer.message("f80701")] },
    { what: "a message at the limit", path: unary, body: [Peer.message(filled(limitBytes))] },
    { what: "no message in a stream", path: inputs, body: [] },
    { what: "an empty DATA behind the message", path: unary, body: [empty, new Uint8Array(0)] }
  ]
  for (const row of rows) {
    it.effect(row.what, () =>
      MemoryWorld.leavesNothing((track) =>
        Effect.gen(function* () {
          const world = yield* serving
          track(world)
          const peer = yield* Peer.connect(world)
          send(peer, 1, row)
          const { grpc, http, lines } = yield* Peer.ended(peer, 1)
          assert.deepStrictEqual([http, grpc], ["200", "0"], lines.join("\n"))
        })
      )
    )
  }

  it.effect("requests that end with trailers", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* serving
        track(world)
        const peer = yield* Peer.connect(world)
        peer.send(Wire.headers(1, Peer.head(inputs)), Wire.data(1, empty), Wire.headers(1, [["a", "b"]], "END_STREAM"))
        assert.strictEqual((yield* Peer.ended(peer, 1)).grpc, "0")
      })
    )
  )
})

/** A `SimpleRequest` of so many bytes: a payload whose body fills it. */
function filled(byteCount: number): Uint8Array {
  const varint = (value: number) => [(value & 127) | 128, value >> 7]
  const bytes = new Uint8Array(byteCount)
  bytes.set([0x1a, ...varint(byteCount - 3), 0x12, ...varint(byteCount - 6)])
  return bytes
}

describe("a client that goes away", () => {
  const ways: ReadonlyArray<readonly [what: string, go: (peer: Http2Peer) => void]> = [
    ["resets the stream", (peer) => peer.send(Wire.rstStream(1, "CANCEL"))],
    ["is gone", (peer) => peer.transport.destroy()],
    ["ends the connection", (peer) => peer.transport.end()],
    ["breaks the rules", (peer) => peer.send(Wire.frame("DATA", 0, 0, "00"))]
  ]
  const kinds: ReadonlyArray<readonly [path: string, body: ReadonlyArray<Uint8Array>]> = [
    [unary, [empty]],
    [inputs, [empty]],
    [outputs, [empty]],
    [duplex, [empty]]
  ]
  for (const [what, go] of ways) {
    for (const [path, body] of kinds) {
      it.effect(`${what} in ${path}: the handler is interrupted`, () =>
        MemoryWorld.leavesNothing((track) =>
          Effect.gen(function* () {
            const began = yield* Deferred.make<void>()
            const over = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
            const hang = Deferred.succeed(began, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.onExit((exit) => Deferred.succeed(over, exit))
            )
            const Hanging = GrpcServer.layer(TestService, {
              unaryCall: () => hang,
              streamingInputCall: (requests) => Effect.andThen(Stream.runHead(requests), hang),
              streamingOutputCall: () => Stream.concat(Stream.make({}), Stream.fromEffect(hang)),
              fullDuplexCall: (requests) => Stream.mapEffect(requests, () => hang)
            })
            const world = yield* World.make(Hanging)
            track(world)
            const peer = yield* Peer.connect(world)
            send(peer, 1, { path, body, rest: path === unary || path === outputs ? "ended" : "open" })
            yield* Deferred.await(began)
            go(peer)
            assert.isTrue(Exit.hasInterrupts(yield* Deferred.await(over)))
          })
        )
      )
    }
  }

  for (const path of [inputs, duplex]) {
    it.effect(`leaves a stream of requests to ${path} open, and vanishes: it fails with CANCELLED`, () =>
      MemoryWorld.leavesNothing((track) =>
        Effect.gen(function* () {
          const began = yield* Deferred.make<void>()
          const over = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
          const drain = <A, E>(requests: Stream.Stream<A, E>) =>
            Stream.runForEach(requests, () => Deferred.succeed(began, undefined)).pipe(
              Effect.onExit((exit) => Deferred.succeed(over, exit))
            )
          const Reading = GrpcServer.layer(TestService, {
            streamingInputCall: (requests) => Effect.as(drain(requests), {}),
            fullDuplexCall: (requests) => Stream.drain(Stream.fromEffect(drain(requests)))
          })
          const world = yield* World.make(Reading)
          track(world)
          const peer = yield* Peer.connect(world)
          send(peer, 1, { path, body: [empty], rest: "open" })
          yield* Deferred.await(began)
          peer.transport.destroy()
          assert.isTrue(Exit.isFailure(yield* Deferred.await(over)))
        })
      )
    )
  }
})

describe("a request that stops on its way", () => {
  const rows: ReadonlyArray<readonly [what: string, path: string, body: ReadonlyArray<Uint8Array>]> = [
    ["no message", unary, []],
    ["half of a prefix", unary, [Uint8Array.of(0, 0)]],
    ["half of a message", outputs, [Peer.message("0a", 0, 2)]],
    ["a message, and no end", unary, [empty]]
  ]
  // Neither the handler nor the place of the call is held for longer than a body may take.
  for (const [what, path, body] of rows) {
    it.effect(`${what}: the call is given up`, () =>
      MemoryWorld.leavesNothing((track) =>
        Effect.gen(function* () {
          const world = yield* serving
          track(world)
          const peer = yield* Peer.connect(world)
          peer.send(Wire.settingsAck)
          send(peer, 1, { path, body, rest: "open" })
          yield* peer.saw("SETTINGS ACK")
          const ended = yield* Effect.forkChild(Peer.ended(peer, 1))
          yield* TestClock.adjust("40 seconds")
          const { grpc, lines, reset } = yield* Fiber.join(ended)
          assert.isTrue(grpc !== undefined || reset !== undefined, lines.join("\n"))
          assert.notStrictEqual(grpc, "0")
        })
      )
    )
  }
})
