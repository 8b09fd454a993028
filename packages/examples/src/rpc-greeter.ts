/**
 * Serves an `effect/rpc` group over TCP, one JSON message a line.
 *
 * The group and `RpcServer` are Effect's own: `TcpServer.layer` provides the
 * `SocketServer` that they ask for.
 */
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as Command from "effect/cli/Command"
import * as Layer from "effect/Layer"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as CommandLine from "./command-line.ts"
import * as Greeter from "./greeter.ts"

export const server = RpcServer.layer(Greeter.Greeter).pipe(
  Layer.provide(Greeter.handlers),
  Layer.provide(RpcServer.layerProtocolSocketServer),
  Layer.provide(RpcSerialization.layerNdjson),
  Layer.provide(TcpServer.layer())
)

export const command = Command.make("rpc-greeter", CommandLine.listenFlags(4004), (flags) =>
  CommandLine.launch("rpc-greeter", server, CommandLine.layerListener(flags))
).pipe(
  Command.withDescription("Serves the greeter as effect/rpc over TCP"),
  Command.validate(CommandLine.validateListen)
)
