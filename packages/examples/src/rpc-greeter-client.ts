/**
 * Calls `rpc-greeter`: one call with one reply, and one with a stream of them.
 * What calls does not know how it is carried: that is a Layer.
 */
import * as TcpClient from "@sluice/core/client/TcpClient"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Stream from "effect/Stream"
import * as Socket from "effect/socket/Socket"
import * as CommandLine from "./command-line.ts"
import { Greeter } from "./greeter.ts"

/** The greeter over TCP. */
export const layerTcp = (target: Dialer.Target, options?: TcpClient.Options) =>
  RpcClient.layerProtocolSocket().pipe(
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(TcpClient.layerSocket(target, options))
  )

/** The greeter over a WebSocket; `address` is `host:port`. */
export const layerWebSocket = (address: string) =>
  RpcClient.layerProtocolSocket().pipe(
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(Socket.layerWebSocket(`ws://${address}/rpc`)),
    Layer.provide(Socket.layerWebSocketConstructorGlobal)
  )

/** The greeter over HTTP; `address` is `host:port`. */
export const layerHttp = (address: string) =>
  RpcClient.layerProtocolHttp({ url: `http://${address}/rpc` }).pipe(
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(FetchHttpClient.layer)
  )

export const greet = Effect.fnUntraced(function* (name: string) {
  const client = yield* RpcClient.make(Greeter)
  yield* Console.log((yield* client.SayHello({ name })).message)
  yield* Stream.runForEach(client.StreamHellos({ name }), (reply) => Console.log(reply.message))
}, Effect.scoped)

const flags = {
  name: Argument.String("name").pipe(Argument.withDescription("Whom to greet"), Argument.withDefault("world")),
  via: Flag.Literals("via", ["tcp", "websocket", "http"]).pipe(
    Flag.withDescription("How to carry the calls; tcp unless given"),
    Flag.withDefault("tcp")
  ),
  to: CommandLine.targetFlag("to").pipe(
    Flag.withDescription("Where rpc-greeter listens; port 4004 for tcp and 4005 for the others unless given"),
    Flag.optional
  ),
  ca: Flag.FileText("ca").pipe(
    Flag.withDescription("Speak TLS over tcp, and trust this authority (PEM)"),
    Flag.optional
  )
}

type Flags = Command.Command.Config.Infer<typeof flags>

const targetOf = ({ via, to }: Flags) =>
  Option.getOrElse(to, (): Dialer.Target => ({ host: "127.0.0.1", port: via === "tcp" ? 4004 : 4005 }))

const layer = (flags: Flags) => {
  const target = targetOf(flags)
  switch (flags.via) {
    case "tcp":
      return layerTcp(target, { tls: Option.isSome(flags.ca) ? { authorities: flags.ca.value } : undefined })
    case "websocket":
      return layerWebSocket(Dialer.formatTarget(target))
    case "http":
      return layerHttp(Dialer.formatTarget(target))
  }
}

/** An rpc error says that a call came to nothing. Over TCP its cause says to whom, and why; else we do. */
const explain = (flags: Flags) => (error: RpcClientError) => {
  const { reason } = error
  if (reason._tag === "SocketOpenError" && reason.cause instanceof Error) return reason.cause
  return new Error(`no answer by ${flags.via} from ${Dialer.formatTarget(targetOf(flags))}: ${error.message}`)
}

const validate = ({ via, to, ca }: Flags) =>
  via === "tcp" || (Option.isNone(ca) && !Option.exists(to, (target) => "path" in target))
    ? Effect.void
    : Effect.fail(new CliError.ValidationError({ message: "--ca and a Unix socket are for --via tcp" }))

export const command = Command.make("rpc-greeter-client", flags, (flags) =>
  greet(flags.name).pipe(Effect.mapError(explain(flags)), Effect.provide(layer(flags)))
).pipe(Command.withDescription("Calls rpc-greeter"), Command.validate(validate))
