import { WebSocketServer } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"

const options: WebSocketServer.Options = {
  protocols: ["v2.chat", "v1.chat"],
  origins: ["https://chat.example"],
  compression: "permessage-deflate",
  maxMessageSize: "64 KiB"
}

/** Looks at the request first: who has no session gets 401, and no WebSocket. */
const chat = Effect.gen(function* () {
  const { cookies } = yield* HttpServerRequest.HttpServerRequest
  const session = cookies.session
  if (session === undefined) return HttpServerResponse.empty({ status: 401 })
  const socket = yield* WebSocketServer.upgrade(options)
  yield* socket.send(`${session} speaks ${socket.protocol ?? "no protocol"}, compression ${socket.compression}`)
  yield* socket.close(1000, "that was all")
  return HttpServerResponse.empty({ status: 101 })
}).pipe(
  Effect.catchReason("WebSocketUpgradeError", "OriginRefused", ({ origin }) =>
    Effect.succeed(HttpServerResponse.text(`pages of ${origin} have no business here`, { status: 403 }))
  )
)

export const Routes = HttpRouter.add("GET", "/chat", chat)

const Main = HttpRouter.serve(Routes).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })))

if (import.meta.main) NodeMain.run(Main)
