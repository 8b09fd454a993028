import { GrpcError, GrpcServer } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Context, Effect, Layer, Schedule, Stream } from "effect"

export class Manners extends Context.Service<Manners, { readonly greet: (name: string) => string }>()("Manners") {
  static readonly layer = Layer.succeed(this)({ greet: (name) => `Hello ${name}` })
}

/** What handlers need, the layer needs. */
export const GreeterLive = GrpcServer.layer(Greeter, {
  // One request, one reply. A GrpcError is the call's status.
  sayHello: ({ name }) =>
    Effect.gen(function* () {
      if (name === "") return yield* GrpcError.invalidArgument("who is it?")
      const { greet } = yield* Manners
      return { message: greet(name) }
    }),

  // One request, a stream of replies: as fast as the client reads.
  streamHellos: ({ name }) =>
    Stream.fromSchedule(Schedule.spaced("1 second")).pipe(
      Stream.take(5),
      Stream.mapEffect((index) => Effect.map(Manners, ({ greet }) => ({ message: greet(`${name} #${index + 1}`) })))
    ),

  // A stream of requests, one reply: as fast as this reads.
  collectHellos: (requests) =>
    Effect.gen(function* () {
      const { greet } = yield* Manners
      const names = yield* Stream.runFold(
        Stream.take(requests, 10),
        (): ReadonlyArray<string> => [],
        (all, { name }) => [...all, name]
      )
      return { message: greet(names.join(" and ")) }
    }),

  // A stream each way: the next request is read when its reply was taken.
  chatHellos: (requests) =>
    Stream.mapEffect(requests, ({ name }) => Effect.map(Manners, ({ greet }) => ({ message: greet(name) })))
})

const Main = GrpcServer.serve(GreeterLive).pipe(
  Layer.provide(Manners.layer),
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 50051 }))
)

if (import.meta.main) NodeMain.run(Main)
