/**
 * Sends 1,000,000 messages through one stream of gRPC over loopback, in each
 * way: as replies, as requests, and there and back. The memory that is in use
 * after a collection must not grow with them.
 *
 * ```sh
 * npm run soak:grpc -- [messages, default 1000000]
 * ```
 */
import * as V8 from "node:v8"
import * as Vm from "node:vm"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as WebServer from "@sluice/core/server/WebServer"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Stream from "effect/Stream"
import * as Started from "../examples/support/Started.ts"

const messageCount = Number(process.argv[2] ?? 1_000_000)
/** What may be more in use than when a tenth was through: what is in buffers and windows comes and goes. */
const mostGrowthBytes = 32 * 1024 * 1024

V8.setFlagsFromString("--expose-gc")
const collect: () => void = Vm.runInNewContext("gc")

const message = { payload: { body: new Uint8Array(100) } }
const source = Stream.map(Stream.range(1, messageCount), () => message)

const Service = GrpcServer.layer(TestService, {
  streamingOutputCall: () => source,
  streamingInputCall: (requests) =>
    Effect.map(Stream.runCount(watched("requests", requests)), (aggregatedPayloadSize) => ({ aggregatedPayloadSize })),
  fullDuplexCall: (requests) => Stream.map(requests, () => message)
})

/** Looks at the memory each time a tenth is through. */
const watched = <A, E, R>(name: string, messages: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> => {
  const startedMillis = performance.now()
  const tenth = Math.max(1, Math.floor(messageCount / 10))
  let count = 0
  let firstBytes = 0
  return Stream.tap(messages, () => {
    if (++count % tenth !== 0) return Effect.void
    collect()
    const { arrayBuffers, heapUsed } = process.memoryUsage()
    const usedBytes = heapUsed + arrayBuffers
    if (firstBytes === 0) firstBytes = usedBytes
    const perSecond = Math.round(count / ((performance.now() - startedMillis) / 1000))
    const used = `${mebibytes(heapUsed)} MiB of objects, ${mebibytes(arrayBuffers)} of bytes`
    console.log(`${name}: ${count} messages, ${used} in use, ${perSecond} a second`)
    return usedBytes - firstBytes > mostGrowthBytes
      ? Effect.die(new Error(`${name}: the memory in use grew by ${usedBytes - firstBytes} bytes`))
      : Effect.void
  })
}

const mebibytes = (byteCount: number): string => (byteCount / 2 ** 20).toFixed(1)

const program = Effect.gen(function* () {
  const server = GrpcServer.serve(Service).pipe(Layer.provide(WebServer.layer()))
  const { address } = yield* Started.onNode(server)
  if (!NetAddress.isInetAddress(address)) return yield* Effect.die(new Error("no port"))
  const channel = Layer.provide(
    GrpcChannel.layer({ host: "127.0.0.1", port: address.port }),
    NodeTransport.layerDialer()
  )
  yield* Effect.gen(function* () {
    const client = yield* GrpcClient.make(TestService)
    const counts = [
      yield* Stream.runCount(watched("replies", client.streamingOutputCall({}))),
      (yield* client.streamingInputCall(source)).aggregatedPayloadSize,
      yield* Stream.runCount(watched("both ways", client.fullDuplexCall(source)))
    ]
    if (counts.some((count) => count !== messageCount)) yield* Effect.die(new Error(`lost some: ${counts}`))
  }).pipe(Effect.provide(channel))
}).pipe(Effect.scoped)

await Effect.runPromise(program)
