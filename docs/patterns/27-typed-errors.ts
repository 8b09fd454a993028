import { Problem } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Data, Effect, HashMap, Layer } from "effect"
import { HttpRouter, HttpServerRespondable, HttpServerResponse, ProblemDetails } from "effect/http"

/** An error that knows its answer. */
export class NoSuchAccount
  extends Data.TaggedError("NoSuchAccount")<{ readonly id: string }>
  implements HttpServerRespondable.Respondable
{
  [HttpServerRespondable.symbol]() {
    const problem = { type: "https://bank.example/no-such-account", status: 404, title: "No such account", id: this.id }
    return Effect.succeed(ProblemDetails.toResponse(problem))
  }
}

/** An error that knows nothing of HTTP. */
export class OutOfCredit extends Data.TaggedError("OutOfCredit")<{ readonly balance: number; readonly cost: number }> {}

const balances = HashMap.make(["ada", 30], ["bob", 70])

const balanceOf = (id: string) =>
  Effect.mapError(Effect.fromOption(HashMap.get(balances, id)), () => new NoSuchAccount({ id }))

const afterPaying = (id: string, cost: number) =>
  Effect.gen(function* () {
    const balance = yield* balanceOf(id)
    if (balance < cost) return yield* new OutOfCredit({ balance, cost })
    return balance - cost
  })

const pay = Effect.gen(function* () {
  const { id = "" } = yield* HttpRouter.params
  return HttpServerResponse.jsonUnsafe({ balance: yield* afterPaying(id, 50) })
}).pipe(
  Effect.catchTag("OutOfCredit", ({ balance, cost }) => {
    const problem = { type: "https://bank.example/out-of-credit", status: 403, title: "Not enough credit" }
    return Effect.succeed(ProblemDetails.toResponse({ ...problem, balance, cost }))
  })
)

export const App = Layer.mergeAll(
  HttpRouter.add("POST", "/accounts/:id/pay", pay),
  HttpRouter.add("GET", "/broken", Effect.die("a bug")),
  Problem.layer
)

const Main = HttpRouter.serve(App).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })))

if (import.meta.main) NodeMain.run(Main)
