import { GrpcChannel, GrpcClient, GrpcResolver, GrpcServiceConfig, GrpcStatus } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain, NodeServices } from "@sluice/node"
import { Console, Context, Effect, Layer } from "effect"

/** What may be carried out twice is tried again; all of it stops while too many calls fail. */
export const serviceConfig = GrpcServiceConfig.make({
  methods: [
    {
      names: [{ service: Greeter.typeName, method: "SayHello" }],
      timeout: "2 seconds",
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: "100 millis",
        maxBackoff: "1 second",
        backoffMultiplier: 2,
        retryableStatusCodes: [GrpcStatus.Unavailable]
      }
    },
    {
      names: [{ service: Greeter.typeName, method: "StreamHellos" }],
      hedgingPolicy: { maxAttempts: 2, hedgingDelay: "50 millis" }
    }
  ],
  throttling: { maxTokens: 10, tokenRatio: 0.1 }
})

/** All addresses of a name, in turn; those that cannot be reached are left out until they can. */
const Servers = GrpcChannel.layer(GrpcResolver.dns({ host: "localhost", port: 50051 }), {
  balancing: "round_robin",
  waitForReady: true,
  serviceConfig
})

/** The client as a service: who needs it knows of no channel. */
export class GreeterClient extends Context.Service<GreeterClient, GrpcClient.Client<typeof Greeter>>()(
  "GreeterClient"
) {
  static readonly layer = Layer.effect(this)(GrpcClient.make(Greeter))
}

const Main = Effect.gen(function* () {
  const greeter = yield* GreeterClient
  yield* Console.log((yield* greeter.sayHello({ name: "Ada" })).message)
}).pipe(Effect.provide(Layer.provide(GreeterClient.layer, Servers)), Effect.provide(NodeServices.layer))

if (import.meta.main) NodeMain.run(Main)
