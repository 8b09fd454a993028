import { HttpMetrics, HttpObserver, WebServer } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"

/** Tells of each request that took longer than a second. */
export const SlowRequests = Layer.effect(HttpObserver.Observers)(
  Effect.gen(function* () {
    const others = yield* HttpObserver.Observers
    const fork = Effect.runForkWith(yield* Effect.context())
    const observer: HttpObserver.HttpObserver = {
      onRequest: () => {},
      onEnd: ({ durationMillis, exchange, outcome }) => {
        if (durationMillis < 1000) return
        fork(Effect.logWarning(`slow: ${exchange.method} ${exchange.target}`, { durationMillis, outcome }))
      }
    }
    return [...others, observer]
  })
)

const stats = Effect.gen(function* () {
  const server = yield* WebServer.WebServer
  return HttpServerResponse.jsonUnsafe(yield* server.stats)
})

export const Routes = Layer.mergeAll(
  HttpRouter.add("GET", "/stats", stats),
  HttpRouter.add("GET", "/slow", Effect.as(Effect.sleep("2 seconds"), HttpServerResponse.text("done")))
)

const Main = HttpRouter.serve(Routes).pipe(
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })),
  Layer.provide(SlowRequests),
  Layer.provide(HttpMetrics.layer)
)

if (import.meta.main) NodeMain.run(Main)
