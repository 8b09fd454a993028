/**
 * Echoes messages of WebSockets, on any path.
 *
 * The limits are wider than the defaults: messages of 16 MiB, also where they
 * come in tiny fragments, as tools that test conformance send them. Pages of
 * any origin may connect, since there is nothing here that is not theirs.
 */
import * as WebServer from "@sluice/core/server/WebServer"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Layer from "effect/Layer"
import * as CommandLine from "./command-line.ts"

export interface Options {
  readonly compression: "none" | "permessage-deflate"
}

export const server = ({ compression }: Options) =>
  WebSocketServer.serve((socket) => socket.runForEach(socket.send), {
    compression,
    origins: "any",
    maxMessageSize: "16 MiB",
    maxFragments: 262_144,
    maxTinyFragments: 262_144
  }).pipe(Layer.provide(WebServer.layer()), Layer.provide(NodeDeflate.layer()))

const flags = {
  ...CommandLine.listenFlags(4009),
  deflate: Flag.Boolean("deflate").pipe(
    Flag.withDescription("Compress where the client can do it: permessage-deflate"),
    Flag.withDefault(false)
  )
}

export const command = Command.make("websocket-echo", flags, ({ deflate, ...listen }) =>
  CommandLine.launch(
    "websocket-echo",
    server({ compression: deflate ? "permessage-deflate" : "none" }),
    CommandLine.layerListener(listen, { alpnProtocols: ["h2", "http/1.1"] })
  )
).pipe(
  Command.withDescription("Echoes messages of WebSockets, on any path"),
  Command.validate(CommandLine.validateListen)
)
