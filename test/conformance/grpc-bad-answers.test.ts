/**
 * A client of gRPC, and servers that answer wrong: which status each call ends
 * with, that the stream is given up, and that nothing of it is left.
 */
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { message } from "../harness/GrpcPeer.ts"
import * as Script from "../harness/GrpcScript.ts"
import * as Wire from "../harness/Http2Wire.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"

type Status = ReturnType<typeof GrpcStatus.nameOf>

/** `stream`: also what a call with many replies fails with, where that differs. */
interface Row {
  readonly what: string
  readonly answer: (connection: Script.Connection, streamId: number) => void
  readonly unary: Status
  readonly stream?: Status
  /** Whether the client has to end the stream itself. */
  readonly givenUp?: boolean
}

const empty = message("")
const gzip = (bytes: Uint8Array) => new Uint8Array(Zlib.gzipSync(bytes))

/** An answer of these frames. */
const says =
  (frames: (streamId: number) => ReadonlyArray<Uint8Array>): Row["answer"] =>
  ({ send }, streamId) =>
    send(...frames(streamId))

/** All of a reply, with this in place of its message. */
const body = (...parts: ReadonlyArray<Uint8Array>) =>
  says((id) => [Script.head(id), ...parts.map((part) => Wire.data(id, part)), Script.ok(id)])

/** One that the server does not end. */
const open = (encoding: string | undefined, ...parts: ReadonlyArray<Uint8Array>) =>
  says((id) => [
    Script.head(id, ...(encoding === undefined ? [] : [["grpc-encoding", encoding] as const])),
    ...parts.map((part) => Wire.data(id, part))
  ])

/** Nothing but a head. */
const only = (status: number, ...fields: Wire.Fields) =>
  says((id) => [Wire.headers(id, Wire.status(status, ...fields), "END_STREAM")])

const page: Wire.Fields = [["content-type", "text/html"]]

const statuses: ReadonlyArray<Row> = [
  { what: "200 alone", answer: only(200), unary: "UNKNOWN" },
  { what: "400", answer: only(400), unary: "INTERNAL" },
  { what: "401", answer: only(401), unary: "UNAUTHENTICATED" },
  { what: "403", answer: only(403), unary: "PERMISSION_DENIED" },
  { what: "404", answer: only(404, ...page), unary: "UNIMPLEMENTED" },
  { what: "429", answer: only(429), unary: "UNAVAILABLE" },
  { what: "500", answer: only(500), unary: "UNKNOWN" },
  { what: "503", answer: only(503, ...page), unary: "UNAVAILABLE" },
  { what: "302", answer: only(302, ["location", "/"]), unary: "UNKNOWN" },
  {
    what: "502 with a page of HTML",
    answer: says((id) => [Wire.headers(id, Wire.status(502, ...page)), Wire.data(id, "<html>", "END_STREAM")]),
    unary: "UNAVAILABLE"
  },
  {
    what: "200 with a page of HTML",
    answer: says((id) => [Wire.headers(id, Wire.status(200, ...page)), Wire.data(id, "<html>", "END_STREAM")]),
    unary: "UNKNOWN"
  },
  {
    what: "a page of HTML that never ends",
    answer: says((id) => [Wire.headers(id, Wire.status(503, ...page)), Wire.data(id, "<html>")]),
    unary: "UNAVAILABLE",
    givenUp: true
  },
  // "If grpc-status was provided, it must be used".
  { what: "503 with a grpc-status", answer: only(503, ["grpc-status", "5"]), unary: "NOT_FOUND" },
  { what: "grpc-status 17", answer: only(200, ...Script.grpc("17")), unary: "UNKNOWN" },
  { what: "grpc-status abc", answer: only(200, ...Script.grpc("abc")), unary: "UNKNOWN" },
  { what: "grpc-status -1", answer: only(200, ...Script.grpc("-1")), unary: "UNKNOWN" },
  {
    what: "no trailers",
    answer: says((id) => [Script.head(id), Wire.data(id, empty, "END_STREAM")]),
    unary: "UNKNOWN"
  },
  {
    what: "trailers without a status",
    answer: says((id) => [Script.head(id), Wire.data(id, empty), Script.trailers(id, ["a", "b"])]),
    unary: "UNKNOWN"
  }
]

const messages: ReadonlyArray<Row> = [
  { what: "no protobuf", answer: body(message("0f")), unary: "INTERNAL" },
  { what: "no protobuf, without an end", answer: open(undefined, message("0f")), unary: "INTERNAL", givenUp: true },
  { what: "the flag 2", answer: open(undefined, message("", 2)), unary: "INTERNAL", givenUp: true },
  { what: "a message that ends early", answer: body(message("0a", 0, 2)), unary: "INTERNAL" },
  { what: "a prefix that ends early", answer: body(Uint8Array.of(0, 0)), unary: "INTERNAL" },
  {
    what: "a message above the limit",
    answer: open(undefined, message("", 0, 4 * 1024 * 1024 + 1)),
    unary: "RESOURCE_EXHAUSTED",
    givenUp: true
  },
  {
    what: "the flag of compression, without an encoding",
    answer: open(undefined, message(gzip(new Uint8Array(0)), 1)),
    unary: "INTERNAL",
    givenUp: true
  },
  {
    what: "an encoding that the client has not",
    answer: open("snappy", message("00", 1)),
    unary: "INTERNAL",
    givenUp: true
  },
  { what: "what is no gzip", answer: open("gzip", message("abcd", 1)), unary: "INTERNAL", givenUp: true },
  {
    what: "a gzip that grows above the limit",
    answer: open("gzip", message(gzip(new Uint8Array(5_000_000)), 1)),
    unary: "RESOURCE_EXHAUSTED",
    givenUp: true
  }
]

/** gRPC statuscodes, "Response cardinality violation"; of a call with many replies none is wrong. */
const counts: ReadonlyArray<Omit<Row, "stream">> = [
  { what: "no message", answer: says((id) => [Script.head(id), Script.ok(id)]), unary: "UNIMPLEMENTED" },
  { what: "a head alone, with OK", answer: only(200, ...Script.grpc("0")), unary: "UNIMPLEMENTED" },
  { what: "two messages", answer: body(empty, empty), unary: "UNIMPLEMENTED" },
  { what: "two messages in one frame", answer: body(Wire.wire(empty, empty)), unary: "UNIMPLEMENTED" },
  { what: "two messages, without an end", answer: open(undefined, empty, empty), unary: "UNIMPLEMENTED", givenUp: true }
]

const reset = (what: string, code: Wire.Code, unary: Status): Row => ({
  what: `RST_STREAM ${what}`,
  answer: says((id) => [Script.head(id), Wire.rstStream(id, code)]),
  unary
})

const transports: ReadonlyArray<Row> = [
  reset("NO_ERROR", "NO_ERROR", "INTERNAL"),
  reset("INTERNAL_ERROR", "INTERNAL_ERROR", "INTERNAL"),
  reset("REFUSED_STREAM", "REFUSED_STREAM", "UNAVAILABLE"),
  reset("CANCEL", "CANCEL", "CANCELLED"),
  reset("ENHANCE_YOUR_CALM", "ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED"),
  reset("INADEQUATE_SECURITY", "INADEQUATE_SECURITY", "PERMISSION_DENIED"),
  reset("of a code that nobody knows", 0xff, "UNKNOWN"),
  {
    what: "REFUSED_STREAM each time, before the head",
    answer: says((id) => [Wire.rstStream(id, "REFUSED_STREAM")]),
    unary: "UNAVAILABLE"
  },
  {
    what: "the end of the connection, before the head",
    answer: (one) => one.transport.destroy(),
    unary: "UNAVAILABLE"
  },
  {
    what: "the end of the connection, behind the head",
    answer: (one, id) => {
      one.send(Script.head(id), Wire.data(id, empty))
      one.transport.destroy()
    },
    unary: "UNAVAILABLE"
  },
  {
    what: "a half-close in the middle of a message",
    answer: (one, id) => {
      one.send(Script.head(id), Wire.data(id, empty.subarray(0, 3)))
      one.transport.end()
    },
    unary: "UNAVAILABLE"
  },
  {
    what: "bytes that are no frame",
    answer: says((id) => [Script.head(id), new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")]),
    unary: "UNAVAILABLE"
  },
  { what: "a message in front of the head", answer: says((id) => [Wire.data(id, empty)]), unary: "INTERNAL" },
  { what: "a head that HTTP/2 forbids", answer: says((id) => [Wire.headers(id, [["A", "b"]])]), unary: "INTERNAL" }
]

const world = (answer: Row["answer"]) => Script.make({ onCall: answer })

const channelOf = ({ dialer }: Script.World) =>
  GrpcChannel.layer({ host: "server.test", port: 7 }).pipe(
    Layer.provide(dialer),
    Layer.provide(NodeGrpcCompression.layer())
  )

const failing = (
  { answer, givenUp }: Row,
  call: Effect.Effect<unknown, { readonly reason: { readonly code: GrpcStatus.Code } }, GrpcChannel.GrpcChannel>,
  expected: Status
) =>
  MemoryWorld.leavesNothing((track) =>
    Effect.gen(function* () {
      const servers = yield* world(answer)
      track(servers as never)
      yield* Effect.gen(function* () {
        const { reason } = yield* Effect.flip(call)
        assert.strictEqual(GrpcStatus.nameOf(reason.code), expected, JSON.stringify(reason))
        if (givenUp === true) yield* servers.connections[0]!.saw("RST_STREAM 1")
      }).pipe(Effect.provide(channelOf(servers)), Effect.scoped)
    })
  )

const unary = Effect.flatMap(GrpcClient.make(TestService), ({ unaryCall }) => unaryCall({}))

const stream = Effect.flatMap(GrpcClient.make(TestService), ({ streamingOutputCall }) =>
  Stream.runDrain(streamingOutputCall({}))
)

for (const [name, rows] of Object.entries({ statuses, messages, transports })) {
  describe(`a client, and wrong answers: ${name}`, () => {
    for (const row of rows) {
      it.effect(`${row.what}: ${row.unary}`, () => failing(row, unary, row.unary))
      it.effect(`${row.what}, of a stream: ${row.stream ?? row.unary}`, () =>
        failing(row, stream, row.stream ?? row.unary)
      )
    }
  })
}

describe("a client, and wrong answers: counts", () => {
  for (const row of counts) it.effect(`${row.what}: ${row.unary}`, () => failing(row, unary, row.unary))
})

describe("a client, and what it lets pass", () => {
  const rows: ReadonlyArray<readonly [what: string, answer: Row["answer"]]> = [
    ["a reply", body(empty)],
    [
      "another content type of gRPC",
      says((id) => [
        Wire.headers(id, Wire.status(200, ["content-type", "application/grpc+proto"])),
        Wire.data(id, empty),
        Script.ok(id)
      ])
    ],
    [
      "an interim response",
      says((id) => [
        Wire.headers(id, Wire.status(103, ["link", "</a>"])),
        Script.head(id),
        Wire.data(id, empty),
        Script.ok(id)
      ])
    ],
    [
      "an encoding, and a message that is not compressed",
      says((id) => [Script.head(id, ["grpc-encoding", "gzip"]), Wire.data(id, empty), Script.ok(id)])
    ],
    ["a message in pieces", body(empty.subarray(0, 2), empty.subarray(2), new Uint8Array(0))],
    ["padding", says((id) => [Script.head(id), Wire.data(id, empty, "PADDED 9"), Script.ok(id)])]
  ]
  for (const [what, answer] of rows) {
    it.effect(what, () =>
      MemoryWorld.leavesNothing((track) =>
        Effect.gen(function* () {
          const servers = yield* world(answer)
          track(servers as never)
          yield* Effect.scoped(Effect.provide(unary, channelOf(servers)))
        })
      )
    )
  }
})
