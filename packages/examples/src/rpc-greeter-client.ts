/**
 * Calls `rpc-greeter`: one call with one reply, and one with a stream of them.
 */
import * as TcpClient from "@sluice/core/client/TcpClient"
import type * as Dialer from "@sluice/core/transport/Dialer"
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Stream from "effect/Stream"
import * as CommandLine from "./command-line.ts"
import { Greeter } from "./greeter.ts"

/** How to reach the greeter. */
export const layer = (target: Dialer.Target, options?: TcpClient.Options) =>
  RpcClient.layerProtocolSocket().pipe(
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(TcpClient.layerSocket(target, options))
  )

export const greet = Effect.fnUntraced(function* (name: string) {
  const client = yield* RpcClient.make(Greeter)
  yield* Console.log((yield* client.SayHello({ name })).message)
  yield* Stream.runForEach(client.StreamHellos({ name }), (reply) => Console.log(reply.message))
}, Effect.scoped)

/** An rpc error says that the socket could not be opened; its cause says which, and why. */
const whyNotOpened = (error: RpcClientError): unknown =>
  error.reason._tag === "SocketOpenError" ? error.reason.cause : error

const flags = {
  name: Argument.String("name").pipe(Argument.withDescription("Whom to greet"), Argument.withDefault("world")),
  to: CommandLine.targetFlag("to").pipe(
    Flag.withDescription("Where rpc-greeter listens"),
    Flag.withDefault<Dialer.Target>({ host: "127.0.0.1", port: 4004 })
  ),
  ca: Flag.FileText("ca").pipe(Flag.withDescription("Speak TLS, and trust this authority (PEM)"), Flag.optional)
}

export const command = Command.make("rpc-greeter-client", flags, ({ name, to, ca }) =>
  greet(name).pipe(
    Effect.mapError(whyNotOpened),
    Effect.provide(layer(to, { tls: Option.isSome(ca) ? { authorities: ca.value } : undefined }))
  )
).pipe(Command.withDescription("Calls rpc-greeter"))
