import { Connect, GrpcError, GrpcErrorDetails, GrpcHealth, GrpcReflection, GrpcServer, GrpcWeb } from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Effect, Layer } from "effect"

const maxLetters = 20

const GreeterLive = GrpcServer.layer(Greeter, {
  sayHello: ({ name }) => {
    if (name.length <= maxLetters) return Effect.succeed({ message: `Hello ${name}` })
    const description = `at most ${maxLetters} letters`
    return GrpcError.invalidArgument("the name is too long", {
      details: [
        GrpcErrorDetails.BadRequest({ fieldViolations: [{ field: "name", description }] }),
        GrpcErrorDetails.ErrorInfo({
          reason: "NAME_TOO_LONG",
          domain: "hello",
          metadata: { letters: `${name.length}` }
        })
      ]
    })
  }
})

/** Takes calls when it is warm. */
const Warm = Layer.effectDiscard(
  Effect.gen(function* () {
    const health = yield* GrpcHealth.GrpcHealth
    yield* health.set(Greeter, "not_serving")
    yield* Effect.forkScoped(Effect.delay(health.set(Greeter, "serving"), "5 seconds"))
  })
)

export const Services = Layer.mergeAll(GreeterLive, Warm, GrpcReflection.layer).pipe(Layer.provide(GrpcHealth.layer))

const cors = { origins: ["https://app.example"] }

/** gRPC, grpc-web and Connect on one port. */
export const Server = GrpcServer.serve(Services, { wires: [GrpcWeb.make({ cors }), Connect.make({ cors })] })

/** What a client makes of the details: which fields are wrong, and why. */
export const violations = (error: GrpcError.GrpcError): ReadonlyArray<string> =>
  error.reason.details.flatMap((detail) =>
    detail._tag === "BadRequest"
      ? detail.fieldViolations.map(({ description, field }) => `${field}: ${description}`)
      : []
  )

const Main = Server.pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 50051 })))

if (import.meta.main) NodeMain.run(Main)
