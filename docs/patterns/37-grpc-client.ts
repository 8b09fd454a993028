import { type Dialer, GrpcChannel, GrpcClient, type GrpcInterceptor, GrpcMetadata, GrpcServer } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain, NodeTransport, NodeWebServer } from "@sluice/node"
import { Config, Console, Effect, Layer, Redacted, Stream } from "effect"

/** Sends a token with every call. */
export const authorized =
  (token: Redacted.Redacted): GrpcInterceptor.GrpcInterceptor =>
  ({ options }, next) => {
    const metadata = options.metadata ?? GrpcMetadata.empty
    return next({ ...options, metadata: metadata.set("authorization", `Bearer ${Redacted.value(token)}`) })
  }

/** A line in the log for each call that has failed. */
export const logged: GrpcInterceptor.GrpcInterceptor = ({ method, options }, next) =>
  Effect.tapError(next(options), ({ message }) => Effect.logWarning(`${method.path}: ${message}`))

export const channel = (target: Dialer.Target, token: Redacted.Redacted) =>
  GrpcChannel.layer(target, { timeout: "10 seconds", interceptors: [logged, authorized(token)] })

/** Greets by another server. Calls from a handler have what is left of its own deadline, and end with it. */
export const Relay = GrpcServer.layer(Greeter, {
  sayHello: ({ name }, call) =>
    Effect.gen(function* () {
      const greeter = yield* GrpcClient.make(Greeter)
      const tenant = call.metadata.get("x-tenant") ?? "nobody"
      return yield* greeter.sayHello({ name }, { metadata: GrpcMetadata.make({ "x-tenant": tenant }) })
    }),
  streamHellos: ({ name }) => Stream.unwrap(Effect.map(GrpcClient.make(Greeter), (one) => one.streamHellos({ name })))
})

/** One greeting within two seconds, however many servers it takes; and what the server said of itself. */
export const greet = (name: string) =>
  Effect.gen(function* () {
    const greeter = yield* GrpcClient.make(Greeter)
    let servedBy = "somebody"
    const { message } = yield* greeter.sayHello(
      { name },
      {
        timeout: "2 seconds",
        metadata: GrpcMetadata.make({ "x-tenant": "acme" }),
        onMetadata: (metadata) => {
          servedBy = metadata.get("x-served-by") ?? servedBy
        }
      }
    )
    return `${message}, by ${servedBy}`
  }).pipe(
    Effect.catchReason("GrpcError", "DeadlineExceeded", () => Effect.succeed("they take their time")),
    Effect.catchReason("GrpcError", "Unavailable", (reason) => Effect.succeed(`nobody is there: ${reason.message}`))
  )

const Server = Config.Redacted("API_TOKEN").pipe(
  Effect.map((token) => Layer.provide(GrpcServer.serve(Relay), channel({ host: "127.0.0.1", port: 50051 }, token))),
  Layer.unwrap,
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 50052 })),
  Layer.provide(NodeTransport.layerDialer())
)

const Client = greet("Ada").pipe(
  Effect.flatMap(Console.log),
  Effect.provide(GrpcChannel.layer({ host: "127.0.0.1", port: 50052 })),
  Effect.provide(NodeTransport.layerDialer())
)

if (import.meta.main) {
  if (process.argv[2] === "client") NodeMain.run(Client)
  else NodeMain.run(Server)
}
