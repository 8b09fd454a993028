import { Draining, Health } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Context, Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"

/** What the server cannot do without. */
export class Database extends Context.Service<Database, { readonly ping: Effect.Effect<void, string> }>()("Database") {
  static readonly layer = Layer.succeed(Database)({ ping: Effect.sleep("5 millis") })
}

const Probes = Layer.unwrap(
  Effect.map(Database, ({ ping }) => Health.layer({ checks: { database: ping }, checkTimeout: "1 second" }))
)

/** Looks every second for what is new, and says so early when the server stops. */
const poll = Effect.gen(function* () {
  const { begun } = yield* Draining.Draining
  const found = Effect.as(Effect.sleep("30 seconds"), "nothing new")
  return HttpServerResponse.text(yield* Effect.raceFirst(found, Effect.as(begun, "ask another server")))
})

export const App = Layer.merge(Probes, HttpRouter.add("GET", "/poll", poll))

const Main = HttpRouter.serve(App).pipe(
  Layer.provide(Database.layer),
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000, drainTimeout: "20 seconds" }))
)

if (import.meta.main) NodeMain.run(Main)
