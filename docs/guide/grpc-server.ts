import { GrpcHealth, GrpcReflection, GrpcServer } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"

export const GreeterLive = GrpcServer.layer(Greeter, {
  sayHello: ({ name }) => Effect.succeed({ message: `Hello ${name}` })
})

export const Services = Layer.mergeAll(GreeterLive, GrpcHealth.layer, GrpcReflection.layer)

const Main = GrpcServer.serve(Services).pipe(
  HttpServer.withLogAddress,
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 50051 }))
)

if (import.meta.main) NodeMain.run(Main)
