import { GrpcChannel, GrpcClient, GrpcServer, MemoryNetwork, WebServer } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain } from "@sluice/node"
import { Console, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"

/** Greets at once; its stream says something every seven minutes. */
const GreeterLive = GrpcServer.layer(Greeter, {
  sayHello: ({ name }) => Effect.succeed({ message: `Hello ${name}` }),
  streamHellos: () => Stream.map(Stream.tick("7 minutes"), () => ({ message: "still here" }))
})

const target = { host: "greeter.test", port: 50051 }

const Network = GrpcServer.serve(GreeterLive).pipe(
  Layer.provide(WebServer.layer()),
  Layer.provide(MemoryNetwork.layerListener(target)),
  Layer.provideMerge(GrpcChannel.layer(target)),
  Layer.provide(MemoryNetwork.layerDialer),
  Layer.provide(MemoryNetwork.layer()),
  Layer.provideMerge(TestClock.layer())
)

/** One greeting; and an hour of the stream, which a deadline ends. */
export const conversation = Effect.gen(function* () {
  const greeter = yield* GrpcClient.make(Greeter)
  const { message } = yield* greeter.sayHello({ name: "Ada" })
  let count = 0
  const listening = yield* greeter.streamHellos({}, { timeout: "1 hour" }).pipe(
    Stream.runForEach(() => Effect.sync(() => void count++)),
    Effect.flip,
    Effect.forkChild
  )
  yield* TestClock.adjust("1 hour")
  const { reason } = yield* Fiber.join(listening)
  return { message, count, end: reason._tag }
}).pipe(Effect.provide(Network))

if (import.meta.main) NodeMain.run(Effect.flatMap(conversation, Console.log))
