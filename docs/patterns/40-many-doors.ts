import { GrpcError, GrpcServer, TcpServer } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain, NodeTransport, NodeWebServer } from "@sluice/node"
import { Context, Effect, Layer, Schema, Stream } from "effect"
import { HttpRouter } from "effect/http"
import { Rpc, RpcGroup, RpcSerialization, RpcServer } from "effect/rpc"

export class Unknown extends Schema.TaggedError<Unknown>()("Unknown", { name: Schema.String }) {}

/** The service: it knows no door. */
export class Greetings extends Context.Service<
  Greetings,
  {
    readonly greet: (name: string) => Effect.Effect<string, Unknown>
    readonly greetings: (name: string) => Stream.Stream<string>
  }
>()("Greetings") {
  static readonly layer = Layer.succeed(this)({
    greet: (name) => (name === "" ? Effect.fail(new Unknown({ name })) : Effect.succeed(`Hello ${name}`)),
    greetings: (name) => Stream.map(Stream.range(1, 5), (index) => `Hello ${name} #${index}`)
  })
}

const Reply = Schema.Struct({ message: Schema.String })
const Name = { name: Schema.String }

/** The doors of effect/rpc share this group. */
export class GreeterRpcs extends RpcGroup.make(
  Rpc.make("SayHello", { payload: Name, success: Reply, error: Unknown }),
  Rpc.make("StreamHellos", { payload: Name, success: Reply, stream: true })
) {}

const RpcHandlers = GreeterRpcs.toLayer(
  Effect.map(Greetings, ({ greet, greetings }) => ({
    SayHello: ({ name }) => Effect.map(greet(name), (message) => ({ message })),
    StreamHellos: ({ name }) => Stream.map(greetings(name), (message) => ({ message }))
  }))
)

/** The door of gRPC has the descriptor of hello.proto, and statuses for errors. */
const GrpcHandlers = Layer.unwrap(
  Effect.map(Greetings, ({ greet, greetings }) =>
    GrpcServer.layer(Greeter, {
      sayHello: ({ name }) =>
        greet(name).pipe(
          Effect.map((message) => ({ message })),
          Effect.catchTag("Unknown", () => GrpcError.invalidArgument("who is it?"))
        ),
      streamHellos: ({ name }) => Stream.map(greetings(name), (message) => ({ message }))
    })
  )
)

/** One JSON message a line. */
export const Tcp = RpcServer.layer(GreeterRpcs).pipe(
  Layer.provide([RpcHandlers, RpcServer.layerProtocolSocketServer]),
  Layer.provide(RpcSerialization.layerNdjson)
)

/** WebSocket and HTTP on `/rpc`, gRPC on its own paths: one port. */
export const Web = Layer.mergeAll(
  RpcServer.layerHttp({ group: GreeterRpcs, path: "/rpc", protocol: "websocket" }),
  RpcServer.layerHttp({ group: GreeterRpcs, path: "/rpc", protocol: "http" }),
  GrpcServer.mount(GrpcHandlers)
).pipe(Layer.provide([RpcHandlers, RpcSerialization.layerNdjson]))

const TcpMain = Tcp.pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 4004 }))
)

const WebMain = HttpRouter.serve(Web).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 4005 })))

const Main = Layer.merge(TcpMain, WebMain).pipe(Layer.provide(Greetings.layer))

if (import.meta.main) NodeMain.run(Main)
