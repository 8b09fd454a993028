/**
 * Sends every message of a WebSocket to all of them, the sender too, on any
 * path.
 *
 * A `Hub` does it: a message is encoded once, and nobody waits for a slow
 * client. What it cannot take waits for it, up to a bound; a client with more
 * than that is told to come back later (close code 1013).
 */
import * as Hub from "@sluice/core/hub/Hub"
import * as WebServer from "@sluice/core/server/WebServer"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as Context from "effect/Context"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CommandLine from "./command-line.ts"

/** Nobody has to know more of a member than that it is there. */
class Everyone extends Context.Service<Everyone, Hub.Hub<undefined>>()("@sluice/examples/websocket-broadcast") {}

const room = "everyone"

export const server = WebSocketServer.serve(
  (socket) =>
    Effect.gen(function* () {
      const everyone = yield* Everyone
      yield* everyone.join(room, socket, { presence: undefined })
      yield* socket.runForEach((message) => everyone.broadcast(room, message))
    }),
  { origins: "any" }
).pipe(
  Layer.provide(Hub.layer(Everyone, { slowConsumer: { maxQueuedMessages: 4096, maxQueuedSize: "4 MiB" } })),
  Layer.provide(WebServer.layer())
)

export const command = Command.make("websocket-broadcast", CommandLine.listenFlags(4010), (flags) =>
  CommandLine.launch(
    "websocket-broadcast",
    server,
    CommandLine.layerListener(flags, { alpnProtocols: ["h2", "http/1.1"] })
  )
).pipe(
  Command.withDescription("Sends every message of a WebSocket to all of them, on any path"),
  Command.validate(CommandLine.validateListen)
)
