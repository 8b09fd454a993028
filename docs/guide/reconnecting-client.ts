import { type Dialer, Lines, ReconnectingClient } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Console, Effect, Schedule, Stream } from "effect"

/** Asks until it is answered: a lost connection is opened again, every second at the latest. */
export const makeAsker = (target: Dialer.Target) =>
  Effect.gen(function* () {
    const client = yield* ReconnectingClient.make(target, {
      schedule: Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("1 second")])
    })
    yield* Stream.runForEach(client.states, (state) => Effect.logDebug(state._tag)).pipe(Effect.forkScoped)
    const once = (question: string) =>
      client.use((connection) => {
        const lines = connection.framed(Lines.codec)
        return Effect.andThen(lines.send(question), lines.receive)
      })
    return (question: string) =>
      once(question).pipe(Effect.retry({ times: 5, while: (error) => error._tag === "TransportError" }))
  })

const Main = Effect.gen(function* () {
  const ask = yield* makeAsker({ host: "127.0.0.1", port: 7000 })
  yield* Console.log(yield* ask("HELLO"))
}).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))

if (import.meta.main) NodeMain.run(Main)
