/** `grpc.testing.TestService` on a server of grpc-js: the peer of our client. It answers as the official servers do. */
import * as GrpcJs from "@grpc/grpc-js"
import type {
  SimpleRequest,
  StreamingInputCallRequest,
  StreamingOutputCallRequest
} from "@sluice/examples/generated/grpc/testing/messages_pb"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { identity } from "./Certificates.ts"
import { definitionOf } from "./GrpcJs.ts"

/** Serves on a free port of 127.0.0.1 for the length of the scope; gives the port. */
export const serve = (security: "cleartext" | "TLS" = "cleartext"): Effect.Effect<number, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<readonly [GrpcJs.Server, number]>((resume) => {
        const server = new GrpcJs.Server()
        const definitions = TestService.methods
          .filter(({ localName }) => localName in handlers)
          .map((method) => [method.localName, definitionOf(method)] as const)
        server.addService(Object.fromEntries(definitions), handlers)
        server.bindAsync("127.0.0.1:0", credentials[security], (error, port) =>
          resume(error === null ? Effect.succeed([server, port]) : Effect.die(error))
        )
      }),
      ([server]) => Effect.sync(() => server.forceShutdown())
    ),
    ([, port]) => port
  )

const { certificate, key } = identity("a")

const credentials = {
  cleartext: GrpcJs.ServerCredentials.createInsecure(),
  TLS: GrpcJs.ServerCredentials.createSsl(null, [
    { cert_chain: Buffer.from(certificate), private_key: Buffer.from(Redacted.value(key)) }
  ])
}

type Replies = GrpcJs.ServerWritableStream<StreamingOutputCallRequest, object>
type Duplex = GrpcJs.ServerDuplexStream<StreamingOutputCallRequest, object>

const handlers: GrpcJs.UntypedServiceImplementation = {
  emptyCall: (_call: unknown, reply: GrpcJs.sendUnaryData<object>) => reply(null, {}),
  unaryCall: (call: GrpcJs.ServerUnaryCall<SimpleRequest, object>, reply: GrpcJs.sendUnaryData<object>) => {
    call.sendMetadata(initialOf(call.metadata))
    const { responseSize, responseStatus } = call.request
    if (responseStatus !== undefined && responseStatus.code !== 0) {
      reply({ code: responseStatus.code, details: responseStatus.message, metadata: trailingOf(call.metadata) })
    } else reply(null, { payload: { body: new Uint8Array(responseSize) } }, trailingOf(call.metadata))
  },
  cacheableUnaryCall: (_call: unknown, reply: GrpcJs.sendUnaryData<object>) =>
    reply(null, { payload: { body: Buffer.from(String(process.hrtime.bigint())) } }),
  streamingOutputCall: (call: Replies) => {
    call.sendMetadata(initialOf(call.metadata))
    if (answered(call, call.request)) call.end(trailingOf(call.metadata))
  },
  streamingInputCall: (
    call: GrpcJs.ServerReadableStream<StreamingInputCallRequest, object>,
    reply: GrpcJs.sendUnaryData<object>
  ) => {
    let aggregatedPayloadSize = 0
    call.on("data", ({ payload }: StreamingInputCallRequest) => {
      aggregatedPayloadSize += payload?.body.length ?? 0
    })
    call.on("end", () => reply(null, { aggregatedPayloadSize }))
  },
  fullDuplexCall: (call: Duplex) => {
    call.sendMetadata(initialOf(call.metadata))
    call.on("data", (request: StreamingOutputCallRequest) => answered(call, request))
    call.on("end", () => call.end(trailingOf(call.metadata)))
  },
  halfDuplexCall: (call: Duplex) => {
    const requests: Array<StreamingOutputCallRequest> = []
    call.on("data", (request: StreamingOutputCallRequest) => requests.push(request))
    call.on("end", () => {
      if (requests.every((request) => answered(call, request))) call.end()
    })
  }
}

/** Whether the call goes on: `false` where the request has ended it. */
const answered = (call: Replies | Duplex, { responseParameters, responseStatus }: StreamingOutputCallRequest) => {
  if (responseStatus !== undefined && responseStatus.code !== 0) {
    call.emit("error", { code: responseStatus.code, details: responseStatus.message })
    return false
  }
  for (const { size } of responseParameters) call.write({ payload: { body: new Uint8Array(size) } })
  return true
}

const echoOf =
  (name: string) =>
  (received: GrpcJs.Metadata): GrpcJs.Metadata => {
    const metadata = new GrpcJs.Metadata()
    for (const value of received.get(name)) metadata.add(name, value)
    return metadata
  }

const initialOf = echoOf("x-grpc-test-echo-initial")
const trailingOf = echoOf("x-grpc-test-echo-trailing-bin")
