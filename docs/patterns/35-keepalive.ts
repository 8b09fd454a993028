import { WebSocketServer } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Duration, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"

/** Answers each message with how long the peer takes to answer a ping, and tells the log why a peer is gone. */
export const Watched = WebSocketServer.serve(
  (socket) =>
    socket
      .runForEach(() =>
        Effect.flatMap(Effect.timed(socket.ping()), ([took]) => socket.send(`${Duration.toMillis(took)} ms`))
      )
      .pipe(Effect.catchTag("WebSocketError", ({ reason }) => Effect.logInfo(`gone: ${reason._tag}`))),
  { keepaliveIdle: "10 seconds", keepaliveTimeout: "5 seconds" }
)

const Main = HttpServer.withLogAddress(Watched).pipe(
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 }))
)

if (import.meta.main) NodeMain.run(Main)
