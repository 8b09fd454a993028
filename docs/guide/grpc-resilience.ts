import { GrpcChannel, GrpcClient, GrpcResolver, GrpcServiceConfig, GrpcStatus } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain, NodeServices } from "@sluice/node"
import { Console, Effect } from "effect"

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

const Main = Effect.gen(function* () {
  const greeter = yield* GrpcClient.make(Greeter)
  yield* Console.log((yield* greeter.sayHello({ name: "Ada" })).message)
}).pipe(Effect.provide(Servers), Effect.provide(NodeServices.layer))

if (import.meta.main) NodeMain.run(Main)
