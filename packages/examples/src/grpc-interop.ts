/**
 * The service by which implementations of gRPC test that they understand each
 * other, `grpc.testing.TestService`, as their interop clients expect it. Who
 * calls it is not looked at: what the cases with credentials ask for is empty.
 */
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import type { GrpcServerCall } from "@sluice/core/grpc/server/GrpcServerCall"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as WebServer from "@sluice/core/server/WebServer"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as CommandLine from "./command-line.ts"
import {
  type BoolValue,
  type EchoStatus,
  PayloadType,
  type ResponseParameters,
  type SimpleRequest,
  type StreamingOutputCallRequest
} from "./generated/grpc/testing/messages_pb.ts"
import { TestService } from "./generated/grpc/testing/test_pb.ts"

/** `UnimplementedCall` has no handler, and `UnimplementedService` is not here at all. */
export const service = GrpcServer.layer(TestService, {
  emptyCall: () => Effect.succeed({}),

  unaryCall: (request, call) =>
    Effect.gen(function* () {
      yield* echoMetadata(call)
      yield* expectCompressed(request.expectCompressed, call)
      yield* echoStatus(request.responseStatus)
      yield* compress(request.responseCompressed, call)
      return {
        payload: yield* payloadOf(request.responseSize, request),
        serverId: request.fillServerId ? "sluice" : ""
      }
    }),

  // What the request says is ignored: the time, which a cache gives twice.
  cacheableUnaryCall: (_request, call) =>
    Effect.gen(function* () {
      yield* call.addMetadata(GrpcMetadata.make({ "cache-control": "max-age=60, public" }))
      const nanos = yield* Clock.currentTimeNanos
      return { payload: { body: new TextEncoder().encode(String(nanos)) } }
    }),

  streamingOutputCall: (request, call) => Stream.concat(Stream.drain(beginning(call)), answers(request, call)),

  streamingInputCall: (requests, call) =>
    Effect.gen(function* () {
      yield* echoMetadata(call)
      const aggregatedPayloadSize = yield* Stream.runFoldEffect(
        requests,
        () => 0,
        (sum, { expectCompressed: expected, payload }) =>
          Effect.as(expectCompressed(expected, call), sum + (payload?.body.length ?? 0))
      )
      return { aggregatedPayloadSize }
    }),

  fullDuplexCall: (requests, call) =>
    Stream.concat(
      Stream.drain(beginning(call)),
      Stream.flatMap(requests, (request) => answers(request, call))
    ),

  halfDuplexCall: (requests, call) =>
    Stream.unwrap(
      Effect.gen(function* () {
        yield* echoMetadata(call)
        const all = yield* Stream.runCollect(Stream.take(requests, mostRequests + 1))
        if (all.length > mostRequests) return Stream.fail(GrpcError.resourceExhausted("too many requests to keep"))
        return Stream.flatMap(Stream.fromIterable(all), (request) => answers(request, call))
      })
    )
})

const beginning = (call: GrpcServerCall) => Stream.fromEffect(echoMetadata(call))

/** A response for each of the parameters, after its interval. */
const answers = (request: StreamingOutputCallRequest, call: GrpcServerCall) =>
  Stream.concat(
    Stream.drain(Stream.fromEffect(echoStatus(request.responseStatus))),
    Stream.mapEffect(Stream.fromIterable(request.responseParameters), (parameters) => answer(parameters, request, call))
  )

const answer = Effect.fnUntraced(function* (
  { compressed, intervalUs, size }: ResponseParameters,
  request: StreamingOutputCallRequest,
  call: GrpcServerCall
) {
  if (intervalUs > 0) yield* Effect.sleep(Duration.micros(BigInt(intervalUs)))
  yield* compress(compressed, call)
  return { payload: yield* payloadOf(size, request) }
})

/** That many bytes of zeros. */
const payloadOf = (sizeBytes: number, { responseType }: SimpleRequest | StreamingOutputCallRequest) => {
  if (responseType !== PayloadType.COMPRESSABLE) {
    return Effect.fail(GrpcError.invalidArgument(`there is no payload of type ${responseType}`))
  }
  return sizeBytes >= 0 && sizeBytes <= mostBytes
    ? Effect.sync(() => ({ body: new Uint8Array(sizeBytes) }))
    : Effect.fail(GrpcError.invalidArgument(`a payload has 0 to ${mostBytes} bytes, not ${sizeBytes}`))
}

/** Ends the call with the status that the client asks for. */
const echoStatus = (status: EchoStatus | undefined): Effect.Effect<void, GrpcError.GrpcError> => {
  if (status === undefined || status.code === GrpcStatus.Ok) return Effect.void
  const code = GrpcStatus.isCode(status.code) ? status.code : GrpcStatus.Unknown
  return Effect.fail(GrpcError.make(code as GrpcStatus.FailureCode, status.message))
}

/** Sends the two fields back that the official cases send. */
const echoMetadata = (call: GrpcServerCall): Effect.Effect<void> =>
  Effect.andThen(
    call.addMetadata(GrpcMetadata.make({ [initialName]: call.metadata.getAll(initialName) })),
    call.addTrailers(GrpcMetadata.make({ [trailingName]: call.metadata.getAllBinary(trailingName) }))
  )

const expectCompressed = (expected: BoolValue | undefined, call: GrpcServerCall) =>
  expected?.value === true && !call.isRequestCompressed
    ? Effect.fail(GrpcError.invalidArgument("the request is not compressed"))
    : Effect.void

const compress = (wanted: BoolValue | undefined, call: GrpcServerCall): Effect.Effect<void> =>
  call.setCompression(wanted?.value === true ? "on" : "off")

const initialName = "x-grpc-test-echo-initial"
const trailingName = "x-grpc-test-echo-trailing-bin"
/** The cases ask for less than a third of a MiB. */
const mostBytes = 16 * 1024 * 1024
/** Of a half duplex call, which keeps them. */
const mostRequests = 1_000

export const server = GrpcServer.serve(service, { compression: ["gzip"] }).pipe(
  Layer.provide(WebServer.layer()),
  Layer.provide(NodeGrpcCompression.layer())
)

export const command = Command.make("grpc-interop", CommandLine.listenFlags(10_000), (listen) =>
  CommandLine.launch("grpc-interop", server, CommandLine.layerListener(listen, { alpnProtocols: ["h2"] }))
).pipe(
  Command.withDescription("Serves grpc.testing.TestService, for the official interop clients of gRPC"),
  Command.validate(CommandLine.validateListen)
)
