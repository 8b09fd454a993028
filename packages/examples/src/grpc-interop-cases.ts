/**
 * The official interop cases of gRPC, as a client of `grpc.testing.TestService`
 * runs them: what is called, and what has to come back.
 *
 * Two of their checks are left to whoever reads the wire: whether a reply came
 * compressed, and a stream of which one message is compressed and the next is
 * not, which a client of this library compresses all or none of.
 */
import type * as GrpcCallOptions from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import type { GrpcError } from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { StreamingOutputCallResponse } from "./generated/grpc/testing/messages_pb.ts"
import { TestService, UnimplementedService } from "./generated/grpc/testing/test_pb.ts"

/** A case did not come out as it has to. */
export class CaseFailed extends Data.TaggedError("CaseFailed")<{ readonly what: string }> {
  override get message(): string {
    return this.what
  }
}

const client = GrpcClient.make(TestService)

const largeRequest = { responseSize: 314_159, payload: { body: new Uint8Array(271_828) } }
const requestSizes = [27_182, 8, 1_828, 45_904]
const replySizes = [31_415, 9, 2_653, 58_979]

const emptyUnary = Effect.gen(function* () {
  yield* (yield* client).emptyCall({})
})

/** Behind a proxy that caches, both replies are one; there is none here, so that they are two times. */
const cacheableUnary = Effect.gen(function* () {
  const { cacheableUnaryCall } = yield* client
  const body = new TextEncoder().encode(String(yield* Clock.currentTimeNanos))
  const options = { metadata: GrpcMetadata.make({ "x-user-ip": "1.2.3.4" }) }
  for (let call = 1; call <= 2; call++) {
    const { payload } = yield* cacheableUnaryCall({ payload: { body } }, options)
    yield* check("a payload", (payload?.body.length ?? 0) > 0, true)
  }
})

const largeUnary = Effect.gen(function* () {
  yield* large(yield* client, {})
})

/** A server that does not look at the flag of compression takes the probe, and has failed. */
const clientCompressedUnary = Effect.gen(function* () {
  const own = yield* client
  const probe = own.unaryCall({ ...largeRequest, expectCompressed: { value: true } }, { compression: "identity" })
  yield* failsWith(probe, GrpcStatus.InvalidArgument)
  yield* large(own, { expectCompressed: { value: true } }, { compression: "gzip" })
  yield* large(own, { expectCompressed: { value: false } }, { compression: "identity" })
})

const serverCompressedUnary = Effect.gen(function* () {
  const own = yield* client
  yield* large(own, { responseCompressed: { value: true } })
  yield* large(own, { responseCompressed: { value: false } })
})

const clientStreaming = Effect.gen(function* () {
  const { streamingInputCall } = yield* client
  const reply = yield* streamingInputCall(Stream.map(Stream.fromIterable(requestSizes), payloadOf))
  yield* check("the sum of sizes", reply.aggregatedPayloadSize, 74_922)
})

const clientCompressedStreaming = Effect.gen(function* () {
  const { streamingInputCall } = yield* client
  const expecting = (size: number, value: boolean) => ({ ...payloadOf(size), expectCompressed: { value } })
  const probe = streamingInputCall(Stream.make(expecting(27_182, true)), { compression: "identity" })
  yield* failsWith(probe, GrpcStatus.InvalidArgument)
  const requests = Stream.make(expecting(27_182, true), expecting(45_904, true))
  const reply = yield* streamingInputCall(requests, { compression: "gzip" })
  yield* check("the sum of sizes", reply.aggregatedPayloadSize, 73_086)
})

const serverStreaming = Effect.gen(function* () {
  const { streamingOutputCall } = yield* client
  const replies = yield* Stream.runCollect(
    streamingOutputCall({ responseParameters: replySizes.map((size) => ({ size })) })
  )
  yield* check("the sizes", sizesOf(replies), replySizes)
})

const serverCompressedStreaming = Effect.gen(function* () {
  const { streamingOutputCall } = yield* client
  const responseParameters = [
    { size: 31_415, compressed: { value: true } },
    { size: 92_653, compressed: { value: false } }
  ]
  const replies = yield* Stream.runCollect(streamingOutputCall({ responseParameters }))
  yield* check("the sizes", sizesOf(replies), [31_415, 92_653])
})

/** A request is sent when the reply to the one before has come. */
const pingPong = Effect.gen(function* () {
  const { fullDuplexCall } = yield* client
  const turns = yield* Queue.unbounded<number, never>()
  yield* Queue.offer(turns, 0)
  const requests = Stream.fromQueue(turns).pipe(
    Stream.takeWhile((turn) => turn < replySizes.length),
    Stream.map((turn) => duplexRequest(requestSizes[turn]!, replySizes[turn]!))
  )
  let count = 0
  const replies = yield* Stream.runCollect(Stream.tap(fullDuplexCall(requests), () => Queue.offer(turns, ++count)))
  yield* check("the sizes", sizesOf(replies), replySizes)
})

const emptyStream = Effect.gen(function* () {
  const { fullDuplexCall } = yield* client
  yield* check("the sizes", sizesOf(yield* Stream.runCollect(fullDuplexCall(Stream.empty))), [])
})

const customMetadata = Effect.gen(function* () {
  const own = yield* client
  yield* echoes((options) => large(own, {}, options))
  yield* echoes((options) => Stream.runDrain(own.fullDuplexCall(Stream.make(duplexRequest(271_828, 314_159)), options)))
})

const statusCodeAndMessage = Effect.gen(function* () {
  const { fullDuplexCall, unaryCall } = yield* client
  const responseStatus = { code: 2, message: "test status message" }
  yield* failsWith(unaryCall({ responseStatus }), GrpcStatus.Unknown, responseStatus.message)
  const duplex = Stream.runDrain(fullDuplexCall(Stream.make({ responseStatus })))
  yield* failsWith(duplex, GrpcStatus.Unknown, responseStatus.message)
})

const specialStatusMessage = Effect.gen(function* () {
  const { unaryCall } = yield* client
  const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
  yield* failsWith(unaryCall({ responseStatus: { code: 2, message } }), GrpcStatus.Unknown, message)
})

const unimplementedMethod = Effect.gen(function* () {
  const { unimplementedCall } = yield* client
  yield* failsWith(unimplementedCall({}), GrpcStatus.Unimplemented)
})

const unimplementedService = Effect.gen(function* () {
  const { unimplementedCall } = yield* GrpcClient.make(UnimplementedService)
  yield* failsWith(unimplementedCall({}), GrpcStatus.Unimplemented)
})

/** Who interrupts a call cancels it, and has no status but that. */
const cancelAfterBegin = Effect.gen(function* () {
  const { streamingInputCall } = yield* client
  const fiber = yield* Effect.forkChild(streamingInputCall(Stream.never), { startImmediately: true })
  yield* Fiber.interrupt(fiber)
  yield* check("interrupted", Exit.hasInterrupts(yield* Fiber.await(fiber)), true)
})

const cancelAfterFirstResponse = Effect.gen(function* () {
  const { fullDuplexCall } = yield* client
  const answered = yield* Deferred.make<void>()
  const requests = Stream.concat(Stream.make(duplexRequest(27_182, 31_415)), Stream.never)
  const fiber = yield* Effect.forkChild(
    Stream.runForEach(fullDuplexCall(requests), () => Deferred.succeed(answered, undefined))
  )
  yield* Deferred.await(answered)
  yield* Fiber.interrupt(fiber)
  yield* check("interrupted", Exit.hasInterrupts(yield* Fiber.await(fiber)), true)
})

const timeoutOnSleepingServer = Effect.gen(function* () {
  const { fullDuplexCall } = yield* client
  const requests = Stream.concat(Stream.make(payloadOf(27_182)), Stream.never)
  yield* failsWith(Stream.runDrain(fullDuplexCall(requests, { timeout: "1 millis" })), GrpcStatus.DeadlineExceeded)
})

/** By the names that all implementations use. */
export const cases = {
  empty_unary: emptyUnary,
  cacheable_unary: cacheableUnary,
  large_unary: largeUnary,
  client_compressed_unary: clientCompressedUnary,
  server_compressed_unary: serverCompressedUnary,
  client_streaming: clientStreaming,
  client_compressed_streaming: clientCompressedStreaming,
  server_streaming: serverStreaming,
  server_compressed_streaming: serverCompressedStreaming,
  ping_pong: pingPong,
  empty_stream: emptyStream,
  custom_metadata: customMetadata,
  status_code_and_message: statusCodeAndMessage,
  special_status_message: specialStatusMessage,
  unimplemented_method: unimplementedMethod,
  unimplemented_service: unimplementedService,
  cancel_after_begin: cancelAfterBegin,
  cancel_after_first_response: cancelAfterFirstResponse,
  timeout_on_sleeping_server: timeoutOnSleepingServer
} as const

type Client = Effect.Success<typeof client>

const large = Effect.fnUntraced(function* (
  { unaryCall }: Client,
  more: { readonly expectCompressed?: { value: boolean }; readonly responseCompressed?: { value: boolean } },
  options?: GrpcCallOptions.GrpcCallOptions
) {
  const { payload } = yield* unaryCall({ ...largeRequest, ...more }, options)
  yield* check("the size", payload?.body.length, largeRequest.responseSize)
  yield* check(
    "zeros",
    payload?.body.every((byte) => byte === 0),
    true
  )
})

/** Both fields that the cases send come back: one in front of the reply, one behind it. */
const echoes = Effect.fnUntraced(function* <E, R>(
  call: (options: GrpcCallOptions.GrpcCallOptions) => Effect.Effect<unknown, E, R>
) {
  const value = "test_initial_metadata_value"
  const bytes = Uint8Array.of(0xab, 0xab, 0xab)
  let initial: GrpcMetadata.GrpcMetadata | undefined
  let trailing: GrpcMetadata.GrpcMetadata | undefined
  yield* call({
    metadata: GrpcMetadata.make({ "x-grpc-test-echo-initial": value, "x-grpc-test-echo-trailing-bin": bytes }),
    onMetadata: (metadata) => {
      initial = metadata
    },
    onTrailers: (metadata) => {
      trailing = metadata
    }
  })
  yield* check("the initial metadata", initial?.get("x-grpc-test-echo-initial"), value)
  yield* check("the trailers", trailing?.getBinary("x-grpc-test-echo-trailing-bin")?.join(), bytes.join())
})

/** The call has to fail so. */
const failsWith = <A, R>(
  call: Effect.Effect<A, GrpcError, R>,
  code: GrpcStatus.FailureCode,
  message?: string
): Effect.Effect<void, CaseFailed, R> =>
  Effect.flatMap(Effect.result(call), (result) => {
    if (result._tag === "Success") return Effect.fail(new CaseFailed({ what: "the call did not fail" }))
    const { reason } = result.failure
    return Effect.andThen(
      check("the status", GrpcStatus.nameOf(reason.code), GrpcStatus.nameOf(code)),
      message === undefined ? Effect.void : check("the message", reason.message, message)
    )
  })

const check = (what: string, found: unknown, expected: unknown): Effect.Effect<void, CaseFailed> => {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)]
  return left === right ? Effect.void : Effect.fail(new CaseFailed({ what: `${what}: ${left}, not ${right}` }))
}

const payloadOf = (sizeBytes: number) => ({ payload: { body: new Uint8Array(sizeBytes) } })

const duplexRequest = (sizeBytes: number, replyBytes: number) => ({
  ...payloadOf(sizeBytes),
  responseParameters: [{ size: replyBytes }]
})

const sizesOf = (replies: ReadonlyArray<StreamingOutputCallResponse>): ReadonlyArray<number | undefined> =>
  replies.map(({ payload }) => payload?.body.length)
