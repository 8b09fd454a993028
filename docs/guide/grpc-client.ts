import { GrpcChannel, GrpcClient } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Console, Effect } from "effect"

export const greet = (name: string) =>
  Effect.gen(function* () {
    const greeter = yield* GrpcClient.make(Greeter)
    const { message } = yield* greeter.sayHello({ name }, { timeout: "2 seconds" })
    return message
  })

const Main = greet("Ada").pipe(
  Effect.flatMap(Console.log),
  Effect.provide(GrpcChannel.layer({ host: "127.0.0.1", port: 50051 })),
  Effect.provide(NodeTransport.layerDialer())
)

if (import.meta.main) NodeMain.run(Main)
