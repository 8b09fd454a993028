import { NodeMain, NodeWebServer } from "@sluice/node"
import { Context, Effect, Layer, Ref } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"

/** What handlers share: they know what it does, and not how. */
export class Visits extends Context.Service<
  Visits,
  { readonly count: Effect.Effect<number>; readonly add: Effect.Effect<number> }
>()("Visits") {
  static readonly layer = Layer.effect(Visits)(
    Effect.map(Ref.make(0), (visits) => ({
      count: Ref.get(visits),
      add: Ref.updateAndGet(visits, (count) => count + 1)
    }))
  )
}

const welcome = Effect.gen(function* () {
  const visits = yield* Visits
  return HttpServerResponse.text(`you are visitor ${yield* visits.add}`)
})

const count = Effect.gen(function* () {
  const visits = yield* Visits
  return HttpServerResponse.jsonUnsafe({ visits: yield* visits.count })
})

export const Routes = Layer.mergeAll(HttpRouter.add("GET", "/", welcome), HttpRouter.add("GET", "/count", count))

const Main = HttpRouter.serve(Routes).pipe(
  Layer.provide(Visits.layer),
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 }))
)

if (import.meta.main) NodeMain.run(Main)
