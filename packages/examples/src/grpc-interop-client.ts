/** Runs the official interop cases of gRPC against a server of any implementation: `--case large_unary`. */
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as CommandLine from "./command-line.ts"
import { cases } from "./grpc-interop-cases.ts"

type Name = keyof typeof cases
const names = Object.keys(cases) as ReadonlyArray<Name>

const flags = {
  to: CommandLine.targetFlag("to").pipe(
    Flag.withDescription("The server; 127.0.0.1:10000 unless given"),
    Flag.withDefault({ host: "127.0.0.1", port: 10_000 })
  ),
  case: Flag.Literals("case", names).pipe(Flag.withDescription("One of the cases; all unless given"), Flag.optional)
}

/** Runs them one after the other, a line each; ends with the first that fails. */
export const command = Command.make("grpc-interop-client", flags, ({ case: only, to }) =>
  Effect.forEach(
    Option.match(only, { onNone: () => names, onSome: (name) => [name] }),
    (name) => Effect.andThen(Effect.timeout(cases[name], "10 seconds"), Console.log(`${name}: passed`)),
    { discard: true }
  ).pipe(
    Effect.provide(
      GrpcChannel.layer(to).pipe(Layer.provide(NodeTransport.layerDialer()), Layer.provide(NodeGrpcCompression.layer()))
    )
  )
).pipe(Command.withDescription("Runs the official interop cases of gRPC against a server"))
