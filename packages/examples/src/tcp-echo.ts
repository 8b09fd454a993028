/**
 * Echoes bytes.
 *
 * `receive` ends with `Cause.Done` at the end of the stream, and when the
 * server drains; that ends the loop, and is a normal end of a handler.
 */
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CommandLine from "./command-line.ts"

export const server = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })
).pipe(Layer.provide(TcpServer.layer()))

export const command = Command.make("tcp-echo", CommandLine.listenFlags(4001), (flags) =>
  CommandLine.launch("tcp-echo", server, CommandLine.layerListener(flags))
).pipe(Command.withDescription("Echoes bytes"), Command.validate(CommandLine.validateListen))
