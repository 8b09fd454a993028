/**
 * The service of the gRPC rows on Sluice, with its defaults. With the argument
 * `each`, its stream has its messages one at a time, as one has them that waits
 * for each; without it, as many at a time as `Stream.range` makes of them.
 */
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Bench } from "../generated/sluice/bench/bench_pb.ts"
import * as HttpAnnouncementLayer from "./HttpAnnouncementLayer.ts"

const isEach = process.argv[2] === "each"

const service = GrpcServer.layer(Bench, {
  unary: (request) => Effect.sync(() => ({ body: request.body })),
  hello: (request) => Effect.sync(() => ({ message: `Hello ${request.name}` })),
  stream: ({ count, size }) => {
    const body: Uint8Array = Buffer.alloc(size, "x")
    const replies = Stream.map(Stream.range(1, count), () => ({ body }))
    return isEach ? Stream.rechunk(replies, 1) : replies
  }
})

HttpAnnouncementLayer.layer.pipe(
  Layer.provide(GrpcServer.serve(service)),
  Layer.provide(NodeWebServer.layer({ port: 0, host: "127.0.0.1" })),
  NodeMain.run
)
