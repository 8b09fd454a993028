/**
 * Sluice's client of gRPC as a load generator: a channel for each connection,
 * with its defaults, and a fiber for each call under way.
 */
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as NodeDialer from "@sluice/node/NodeDialer"
import * as NodeMain from "@sluice/node/NodeMain"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Bench } from "../generated/sluice/bench/bench_pb.ts"
import * as GrpcClientLoad from "./GrpcClientLoad.ts"
import type { GrpcLoad } from "./GrpcLoad.ts"

type Client = GrpcClient.Client<typeof Bench>

const callOnce = (client: Client, { call }: GrpcLoad, body: Uint8Array, counts: GrpcClientLoad.GrpcClientCounts) => {
  switch (call.method) {
    case "Unary":
      return Effect.map(client.unary({ body }), (reply) => counts.onPayload(reply))
    case "Hello":
      return Effect.map(client.hello({ name: call.name }), (reply) => counts.onHello(reply))
    case "Stream":
      return client
        .stream({ count: call.count, size: call.payloadBytes })
        .pipe(Stream.runForEach((reply) => Effect.sync(() => counts.onPayload(reply))))
  }
}

/** Calls one after the other, for ever. */
const caller = (client: Client, load: GrpcLoad, body: Uint8Array, counts: GrpcClientLoad.GrpcClientCounts) =>
  Effect.suspend(() => {
    const since = performance.now()
    return Effect.match(callOnce(client, load, body, counts), {
      onSuccess: () => counts.onEnd(since),
      onFailure: (error) => counts.onError(error)
    })
  }).pipe(Effect.forever)

/** The same, so many times at once. */
const times = <E, R>(count: number, effect: Effect.Effect<unknown, E, R>): Effect.Effect<void, E, R> =>
  Effect.all(
    Array.from({ length: count }, () => effect),
    { concurrency: "unbounded", discard: true }
  )

const connection = (port: number, load: GrpcLoad, counts: GrpcClientLoad.GrpcClientCounts) =>
  Effect.gen(function* () {
    const client = yield* GrpcClient.make(Bench)
    const calls = caller(client, load, GrpcClientLoad.bodyOf(load.call), counts)
    yield* times(load.inFlight, calls)
  }).pipe(Effect.provide(GrpcChannel.layer({ host: "127.0.0.1", port })))

await GrpcClientLoad.run(({ port, load }, counts) => {
  const connections = times(load.connections, connection(port, load, counts))
  NodeMain.run(Effect.provide(connections, NodeDialer.layer()))
})
