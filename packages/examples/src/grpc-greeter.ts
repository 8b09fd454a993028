/**
 * A greeter over gRPC, with a method of each kind. Its descriptors come from
 * `proto/hello.proto`, by `npm run generate`.
 *
 * Health and reflection are on: a load balancer can ask whether it takes calls,
 * and grpcurl needs no `.proto`. Browsers can call it by grpc-web, and whoever
 * has JSON by Connect:
 *
 * ```sh
 * grpcurl -plaintext -d '{"name":"Ada"}' 127.0.0.1:4011 hello.Greeter/SayHello
 * curl -H 'content-type: application/json' -d '{"name":"Ada"}' http://127.0.0.1:4011/hello.Greeter/SayHello
 * ```
 */
import * as Connect from "@sluice/core/grpc/server/Connect"
import * as GrpcHealth from "@sluice/core/grpc/server/GrpcHealth"
import * as GrpcReflection from "@sluice/core/grpc/server/GrpcReflection"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcWeb from "@sluice/core/grpc/server/GrpcWeb"
import * as WebServer from "@sluice/core/server/WebServer"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as CommandLine from "./command-line.ts"
import { Greeter } from "./generated/hello_pb.ts"

const greeter = GrpcServer.layer(Greeter, {
  sayHello: ({ name }) => Effect.succeed({ message: `Hello ${name}` }),

  streamHellos: () => Stream.map(Stream.range(1, 5), (i) => ({ message: `Hello #${i}` })),

  // However many come: they are counted, and not kept.
  collectHellos: (requests) => Effect.map(Stream.runCount(requests), (count) => ({ message: `Hello all ${count}` })),

  // The next request is read when its reply can be sent.
  chatHellos: (requests) => Stream.map(requests, ({ name }) => ({ message: `Hello ${name}` }))
})

/** Pages of any origin may greet. */
const cors = { origins: "any" } as const

export const server = GrpcServer.serve(Layer.mergeAll(greeter, GrpcHealth.layer, GrpcReflection.layer), {
  wires: [GrpcWeb.make({ cors }), Connect.make({ cors })]
}).pipe(Layer.provide(WebServer.layer()), Layer.provide(NodeGrpcCompression.layer()))

export const command = Command.make("grpc-greeter", CommandLine.listenFlags(4011), (listen) =>
  CommandLine.launch("grpc-greeter", server, CommandLine.layerListener(listen, { alpnProtocols: ["h2", "http/1.1"] }))
).pipe(
  Command.withDescription("Serves the greeter over gRPC, grpc-web and Connect, with health and reflection"),
  Command.validate(CommandLine.validateListen)
)
