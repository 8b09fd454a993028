/**
 * The service of the gRPC rows on Sluice, with its defaults.
 */
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Bench } from "../generated/sluice/bench/bench_pb.ts"
import * as HttpAnnouncementLayer from "./HttpAnnouncementLayer.ts"

const service = GrpcServer.layer(Bench, {
  unary: (request) => Effect.succeed({ body: request.body }),
  hello: (request) => Effect.succeed({ message: `Hello ${request.name}` }),
  stream: ({ count, size }) => {
    const body: Uint8Array = Buffer.alloc(size, "x")
    return Stream.map(Stream.range(1, count), () => ({ body }))
  }
})

HttpAnnouncementLayer.layer.pipe(
  Layer.provide(GrpcServer.serve(service)),
  Layer.provide(NodeWebServer.layer({ port: 0, host: "127.0.0.1" })),
  NodeMain.run
)
