import { Backplane, Hub, WebSocketServer } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Context, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"

class News extends Context.Service<News, Hub.Hub<undefined>>()("News") {}

/** One of several processes: what is said in one is heard in all of them. */
export const process = (backplane: Backplane.Backplane) =>
  WebSocketServer.serve((socket) =>
    Effect.gen(function* () {
      const news = yield* News
      yield* news.join("all", socket, { presence: undefined })
      yield* socket.runForEach((message) => news.broadcast("all", message))
    })
  ).pipe(Layer.provide(Hub.layer(News, { backplane })))

/** In memory, as in tests. For real processes write `publish` and `packets` for Redis, NATS or the like. */
const Main = Effect.gen(function* () {
  const backplane = yield* Backplane.makeMemory()
  const listening = (port: number) =>
    HttpServer.withLogAddress(process(backplane)).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port })))
  return Layer.merge(listening(3000), listening(3001))
}).pipe(Layer.unwrap)

if (import.meta.main) NodeMain.run(Main)
