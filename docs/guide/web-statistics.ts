import { HttpMetrics, type HttpObserver, WebServer } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"

/** Tells of each request that took longer than a second. */
const slowRequests = Effect.map(Effect.context<never>(), (context): HttpObserver.HttpObserver => {
  const fork = Effect.runForkWith(context)
  return {
    onRequest: () => {},
    onEnd: ({ durationMillis, exchange, outcome }) => {
      if (durationMillis < 1000) return
      fork(Effect.logWarning(`slow: ${exchange.method} ${exchange.target}`, { durationMillis, outcome }))
    }
  }
})

export const observers = [slowRequests, HttpMetrics.make]

const stats = Effect.gen(function* () {
  const server = yield* WebServer.WebServer
  return HttpServerResponse.jsonUnsafe(yield* server.stats)
})

export const Routes = Layer.mergeAll(
  HttpRouter.add("GET", "/stats", stats),
  HttpRouter.add("GET", "/slow", Effect.as(Effect.sleep("2 seconds"), HttpServerResponse.text("done")))
)

const Main = HttpRouter.serve(Routes).pipe(
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000, observers }))
)

if (import.meta.main) NodeMain.run(Main)
