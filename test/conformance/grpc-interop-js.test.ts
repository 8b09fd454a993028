/**
 * The official interop cases of gRPC with grpc-js, the implementation on Node:
 * its client against our server, our client against its server, and our client
 * against our server, over real sockets.
 */

import { assert, describe, it } from "@effect/vitest"
import * as GrpcJs from "@grpc/grpc-js"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import type {
  StreamingInputCallResponse,
  StreamingOutputCallResponse
} from "@sluice/examples/generated/grpc/testing/messages_pb"
import { TestService, UnimplementedService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as Effect from "effect/Effect"
import * as GrpcInterop from "../harness/GrpcInterop.ts"
import * as Js from "../harness/GrpcJs.ts"
import * as GrpcJsInterop from "../harness/GrpcJsInterop.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"

leaveNoHandles()

const { method: methods } = TestService
const { OK, CANCELLED, DEADLINE_EXCEEDED, INVALID_ARGUMENT, UNIMPLEMENTED, UNKNOWN } = GrpcJs.status

const payload = (sizeBytes: number) => ({ body: new Uint8Array(sizeBytes) })
const large = { responseSize: 314_159, payload: payload(271_828) }
const requestSizes = [27_182, 8, 1_828, 45_904]
const replySizes = [31_415, 9, 2_653, 58_979]
const duplex = (turn: number) => ({
  responseParameters: [{ size: replySizes[turn]! }],
  payload: payload(requestSizes[turn]!)
})

const sizes = ({ replies }: Js.Outcome) =>
  replies.map((reply) => (reply as StreamingOutputCallResponse).payload?.body.length)

const sum = ({ replies }: Js.Outcome) => (replies[0] as StreamingInputCallResponse | undefined)?.aggregatedPayloadSize

/** Went well, with payloads of these sizes. */
const answers = (outcome: Js.Outcome, ...expected: ReadonlyArray<number>) =>
  assert.deepStrictEqual([outcome.code, ...sizes(outcome)], [OK, ...expected])

const sums = (outcome: Js.Outcome, expected: number) =>
  assert.deepStrictEqual([outcome.code, sum(outcome)], [OK, expected])

const ends = (outcome: Js.Outcome, code: GrpcJs.status, details?: string) => {
  assert.strictEqual(outcome.code, code, outcome.details)
  if (details !== undefined) assert.strictEqual(outcome.details, details)
}

const echo = () => {
  const metadata = new GrpcJs.Metadata()
  metadata.set("x-grpc-test-echo-initial", "test_initial_metadata_value")
  metadata.set("x-grpc-test-echo-trailing-bin", Buffer.of(0xab, 0xab, 0xab))
  return metadata
}

const echoed = ({ initial, trailing }: Js.Outcome) => {
  assert.deepStrictEqual(initial.get("x-grpc-test-echo-initial"), ["test_initial_metadata_value"])
  assert.deepStrictEqual(trailing.get("x-grpc-test-echo-trailing-bin"), [Buffer.of(0xab, 0xab, 0xab)])
}

/** The cases as a client of grpc-js makes them; `gzip` is one that compresses. */
type Case = (clients: { readonly plain: GrpcJs.Client; readonly gzip: GrpcJs.Client }) => Effect.Effect<void>

const cases: Readonly<Record<GrpcInterop.CaseName, Case>> = {
  empty_unary: Effect.fnUntraced(function* ({ plain }) {
    const outcome = yield* Js.call(plain, methods.emptyCall, [{}])
    assert.deepStrictEqual([outcome.code, outcome.replies.length], [OK, 1])
  }),
  // Without a cache between the two, the replies differ.
  cacheable_unary: Effect.fnUntraced(function* ({ plain }) {
    for (let call = 1; call <= 2; call++) {
      const outcome = yield* Js.call(plain, methods.cacheableUnaryCall, [{ payload: payload(8) }])
      ends(outcome, OK)
      assert.deepStrictEqual(outcome.initial.get("cache-control"), ["max-age=60, public"])
    }
  }),
  large_unary: Effect.fnUntraced(function* ({ plain }) {
    answers(yield* Js.call(plain, methods.unaryCall, [large]), 314_159)
  }),
  client_compressed_unary: Effect.fnUntraced(function* ({ gzip, plain }) {
    const compressed = { ...large, expectCompressed: { value: true } }
    ends(yield* Js.call(plain, methods.unaryCall, [compressed]), INVALID_ARGUMENT)
    answers(yield* Js.call(gzip, methods.unaryCall, [compressed]), 314_159)
    answers(yield* Js.call(plain, methods.unaryCall, [{ ...large, expectCompressed: { value: false } }]), 314_159)
  }),
  server_compressed_unary: Effect.fnUntraced(function* ({ plain }) {
    for (const value of [true, false]) {
      const outcome = yield* Js.call(plain, methods.unaryCall, [{ ...large, responseCompressed: { value } }])
      answers(outcome, 314_159)
    }
  }),
  client_streaming: Effect.fnUntraced(function* ({ plain }) {
    const requests = requestSizes.map((size) => ({ payload: payload(size) }))
    sums(yield* Js.call(plain, methods.streamingInputCall, requests), 74_922)
  }),
  client_compressed_streaming: Effect.fnUntraced(function* ({ gzip, plain }) {
    const compressed = { payload: payload(27_182), expectCompressed: { value: true } }
    const uncompressed = { payload: payload(45_904), expectCompressed: { value: false } }
    ends(yield* Js.call(plain, methods.streamingInputCall, [compressed]), INVALID_ARGUMENT)
    const options = { uncompressed: [1] }
    sums(yield* Js.call(gzip, methods.streamingInputCall, [compressed, uncompressed], options), 73_086)
  }),
  server_streaming: Effect.fnUntraced(function* ({ plain }) {
    const request = { responseParameters: replySizes.map((size) => ({ size })) }
    answers(yield* Js.call(plain, methods.streamingOutputCall, [request]), ...replySizes)
  }),
  server_compressed_streaming: Effect.fnUntraced(function* ({ plain }) {
    const responseParameters = [
      { size: 31_415, compressed: { value: true } },
      { size: 92_653, compressed: { value: false } }
    ]
    answers(yield* Js.call(plain, methods.streamingOutputCall, [{ responseParameters }]), 31_415, 92_653)
  }),
  ping_pong: Effect.fnUntraced(function* ({ plain }) {
    const onReply = (count: number) => (count < 4 ? duplex(count) : "end")
    answers(yield* Js.call(plain, methods.fullDuplexCall, [duplex(0)], { rest: "open", onReply }), ...replySizes)
  }),
  empty_stream: Effect.fnUntraced(function* ({ plain }) {
    answers(yield* Js.call(plain, methods.fullDuplexCall, []))
  }),
  custom_metadata: Effect.fnUntraced(function* ({ plain }) {
    const unary = yield* Js.call(plain, methods.unaryCall, [large], { metadata: echo() })
    answers(unary, 314_159)
    echoed(unary)
    const request = { responseParameters: [{ size: 314_159 }], payload: payload(271_828) }
    const stream = yield* Js.call(plain, methods.fullDuplexCall, [request], { metadata: echo() })
    answers(stream, 314_159)
    echoed(stream)
  }),
  status_code_and_message: Effect.fnUntraced(function* ({ plain }) {
    const request = { responseStatus: { code: 2, message: "test status message" } }
    ends(yield* Js.call(plain, methods.unaryCall, [request]), UNKNOWN, "test status message")
    ends(yield* Js.call(plain, methods.fullDuplexCall, [request]), UNKNOWN, "test status message")
  }),
  special_status_message: Effect.fnUntraced(function* ({ plain }) {
    const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    ends(yield* Js.call(plain, methods.unaryCall, [{ responseStatus: { code: 2, message } }]), UNKNOWN, message)
  }),
  unimplemented_method: Effect.fnUntraced(function* ({ plain }) {
    ends(yield* Js.call(plain, methods.unimplementedCall, [{}]), UNIMPLEMENTED)
  }),
  unimplemented_service: Effect.fnUntraced(function* ({ plain }) {
    ends(yield* Js.call(plain, UnimplementedService.method.unimplementedCall, [{}]), UNIMPLEMENTED)
  }),
  cancel_after_begin: Effect.fnUntraced(function* ({ plain }) {
    ends(yield* Js.call(plain, methods.streamingInputCall, [], { rest: "open", afterBegin: "cancel" }), CANCELLED)
  }),
  cancel_after_first_response: Effect.fnUntraced(function* ({ plain }) {
    const options = { rest: "open", onReply: () => "cancel" as const } as const
    const outcome = yield* Js.call(plain, methods.fullDuplexCall, [duplex(0)], options)
    ends(outcome, CANCELLED)
    assert.deepStrictEqual(sizes(outcome), [31_415])
  }),
  timeout_on_sleeping_server: Effect.fnUntraced(function* ({ plain }) {
    const request = { payload: payload(27_182) }
    const options = { rest: "open", deadlineMillis: 1 } as const
    ends(yield* Js.call(plain, methods.fullDuplexCall, [request], options), DEADLINE_EXCEEDED)
  })
}

/** Over TLS those that differ there in nothing but the bytes of the network are enough. */
const overTls: ReadonlyArray<GrpcInterop.CaseName> = ["empty_unary", "large_unary", "ping_pong", "custom_metadata"]

const rows = [
  ...GrpcInterop.caseNames.map((name) => [name, "cleartext"] as const),
  ...overTls.map((name) => [name, "TLS"] as const)
]

describe("a client of grpc-js, our server", () => {
  for (const [name, security] of rows) {
    it.live(`${name}, ${security}`, () =>
      Effect.gen(function* () {
        const port = yield* GrpcInterop.serve(security)
        yield* cases[name]({
          plain: yield* Js.client(port, "none", security),
          gzip: yield* Js.client(port, "gzip", security)
        })
      })
    )
  }

  it.live("half duplex: answers come behind the last request", () =>
    Effect.gen(function* () {
      const plain = yield* Js.client(yield* GrpcInterop.serve())
      answers(yield* Js.call(plain, methods.halfDuplexCall, [duplex(0), duplex(1)]), 31_415, 9)
    })
  )

  it.live("a payload that nobody asks for in earnest is refused", () =>
    Effect.gen(function* () {
      const plain = yield* Js.client(yield* GrpcInterop.serve())
      for (const responseSize of [-1, 2 ** 31 - 1]) {
        ends(yield* Js.call(plain, methods.unaryCall, [{ responseSize }]), INVALID_ARGUMENT)
      }
      ends(yield* Js.call(plain, methods.unaryCall, [{ responseType: 7 }]), INVALID_ARGUMENT)
    })
  )
})

/** What a server of grpc-js cannot do: it never compresses, and no handler sees whether a request was compressed. */
const withoutPeer: Partial<Record<GrpcInterop.CaseName, string>> = {
  client_compressed_unary: "grpc-js tells no handler that a request was not compressed",
  client_compressed_streaming: "grpc-js tells no handler that a request was not compressed",
  server_compressed_unary: "grpc-js does not compress replies",
  server_compressed_streaming: "grpc-js does not compress replies"
}

describe("our client, a server of grpc-js", () => {
  for (const [name, security] of rows) {
    const why = withoutPeer[name]
    it.live.skipIf(why !== undefined)(`${name}, ${security}${why === undefined ? "" : ` (skipped: ${why})`}`, () =>
      Effect.flatMap(GrpcJsInterop.serve(security), (port) => GrpcInterop.runCase(name, port, security))
    )
  }

  it.live("a request that is compressed", () =>
    Effect.gen(function* () {
      const port = yield* GrpcJsInterop.serve()
      const reply = yield* Effect.flatMap(GrpcClient.make(TestService), ({ unaryCall }) =>
        unaryCall(large, { compression: "gzip" })
      ).pipe(Effect.provide(GrpcInterop.channel(port)), Effect.scoped)
      assert.strictEqual(reply.payload?.body.length, 314_159)
    })
  )
})

describe("our client, our server", () => {
  for (const [name, security] of rows) {
    it.live(`${name}, ${security}`, () =>
      Effect.flatMap(GrpcInterop.serve(security), (port) => GrpcInterop.runCase(name, port, security))
    )
  }
})

describe("a hundred large calls at a time, on one channel", () => {
  const many = Array.from({ length: 100 })

  it.live("of a client of grpc-js to our server", () =>
    Effect.gen(function* () {
      const plain = yield* Js.client(yield* GrpcInterop.serve())
      const one = Effect.map(Js.call(plain, methods.unaryCall, [large]), (outcome) => answers(outcome, 314_159))
      yield* Effect.all(
        many.map(() => one),
        { concurrency: "unbounded", discard: true }
      )
    })
  )

  const servers = { "grpc-js": GrpcJsInterop.serve(), ours: GrpcInterop.serve() }
  for (const [name, serve] of Object.entries(servers)) {
    it.live(`of our client to a server: ${name}`, () =>
      Effect.gen(function* () {
        const channel = GrpcInterop.channel(yield* serve)
        yield* Effect.gen(function* () {
          const { unaryCall } = yield* GrpcClient.make(TestService)
          const one = Effect.map(unaryCall(large), ({ payload }) => assert.strictEqual(payload?.body.length, 314_159))
          yield* Effect.all(
            many.map(() => one),
            { concurrency: "unbounded", discard: true }
          )
        }).pipe(Effect.provide(channel), Effect.scoped)
      })
    )
  }
})

describe("metadata, there and back", () => {
  const texts: ReadonlyArray<ReadonlyArray<string>> = [
    ["a"],
    ['a, b;c="d"'],
    ["a", "b"],
    ["x".repeat(4_000)],
    ["!~ {}%"]
  ]
  const binaries = [[[]], [[1]], [[1, 2]], [[1, 2, 3]], [[0, 255, 62, 63]], [[1], [], [2, 3]]].map((values) =>
    values.map((bytes) => Buffer.from(bytes))
  )
  const rows = texts.map((values, index) => [values, binaries[index]!] as const)

  for (const [values, bytes] of [...rows, [["a"], binaries[5]!] as const]) {
    const what = `${values.join(" | ").slice(0, 20)}, ${bytes.map((one) => one.toString("hex")).join(" | ")}`

    it.live(`a client of grpc-js: ${what}`, () =>
      Effect.gen(function* () {
        const plain = yield* Js.client(yield* GrpcInterop.serve())
        const metadata = new GrpcJs.Metadata()
        for (const value of values) metadata.add("x-grpc-test-echo-initial", value)
        for (const value of bytes) metadata.add("x-grpc-test-echo-trailing-bin", value)
        const { initial, trailing } = yield* Js.call(plain, methods.unaryCall, [{}], { metadata })
        // It joins what is not binary.
        assert.deepStrictEqual(initial.get("x-grpc-test-echo-initial").join(", "), values.join(", "))
        assert.deepStrictEqual(trailing.get("x-grpc-test-echo-trailing-bin"), bytes)
      })
    )

    for (const [name, serve] of [["grpc-js", GrpcJsInterop.serve()] as const, ["ours", GrpcInterop.serve()] as const]) {
      it.live(`our client, a server: ${name}: ${what}`, () =>
        Effect.gen(function* () {
          const channel = GrpcInterop.channel(yield* serve)
          let initial = GrpcMetadata.empty
          let trailing = GrpcMetadata.empty
          yield* Effect.flatMap(GrpcClient.make(TestService), ({ unaryCall }) =>
            unaryCall(
              {},
              {
                metadata: GrpcMetadata.make({
                  "x-grpc-test-echo-initial": values,
                  "x-grpc-test-echo-trailing-bin": bytes
                }),
                onMetadata: (metadata) => {
                  initial = metadata
                },
                onTrailers: (metadata) => {
                  trailing = metadata
                }
              }
            )
          ).pipe(Effect.provide(channel), Effect.scoped)
          assert.deepStrictEqual(initial.getAll("x-grpc-test-echo-initial").join(", "), values.join(", "))
          assert.deepStrictEqual(
            trailing.getAllBinary("x-grpc-test-echo-trailing-bin").map((one) => Buffer.from(one)),
            bytes
          )
        })
      )
    }
  }
})
