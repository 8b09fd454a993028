#!/usr/bin/env node
/**
 * The command line of the examples: `sluice-examples <name> [--host] [--port] …`.
 * Without a name it starts the chat.
 */
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeServices from "@sluice/node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Chat from "./chat.ts"
import * as CommandLine from "./command-line.ts"
import * as GrpcClient from "./grpc-client.ts"
import * as GrpcGreeter from "./grpc-greeter.ts"
import * as GrpcInterop from "./grpc-interop.ts"
import * as GrpcInteropClient from "./grpc-interop-client.ts"
import * as HttpHello from "./http-hello.ts"
import * as HttpRest from "./http-rest.ts"
import * as LineServer from "./line-server.ts"
import * as RpcGreeter from "./rpc-greeter.ts"
import * as RpcGreeterClient from "./rpc-greeter-client.ts"
import * as StaticFiles from "./static-files.ts"
import * as TcpEcho from "./tcp-echo.ts"
import * as TcpProxy from "./tcp-proxy.ts"
import * as WebSocketBroadcast from "./websocket-broadcast.ts"
import * as WebSocketEcho from "./websocket-echo.ts"

Command.make("sluice-examples", Chat.flags, Chat.run).pipe(
  Command.withDescription("Programs on Sluice. Without a name: the chat"),
  Command.validate(CommandLine.validateListen),
  Command.withSubcommands([
    Chat.command,
    TcpEcho.command,
    LineServer.command,
    TcpProxy.command,
    RpcGreeter.command,
    RpcGreeterClient.command,
    GrpcGreeter.command,
    GrpcClient.command,
    GrpcInterop.command,
    GrpcInteropClient.command,
    HttpHello.command,
    HttpRest.command,
    StaticFiles.command,
    WebSocketEcho.command,
    WebSocketBroadcast.command
  ]),
  Command.run({ version: "0.1.0" }),
  Effect.provide(NodeServices.layer),
  NodeMain.run
)
