import { type Connection, type Dialer, Lines, TcpClient, type TransportError } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Console, Effect, Pool } from "effect"

/** `size` connections to a line server, each used by one question at a time. */
export const makePool = (target: Dialer.Target, size: number) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const replaceOnceEnded = (owned: Connection.Owned) =>
      Effect.andThen(
        owned.connection.ended,
        Effect.suspend(() => Pool.invalidate(pool, owned))
      ).pipe(Effect.forkIn(scope))
    const acquire = Effect.tap(TcpClient.acquire(target), replaceOnceEnded)
    const pool: Pool.Pool<Connection.Owned, TransportError.TransportError> = yield* Pool.make({ acquire, size })

    const ask = (question: string) =>
      Pool.use(pool, (owned) => {
        const lines = owned.connection.framed(Lines.codec)
        const answer = Effect.andThen(lines.send(question), lines.receive)
        // An answer that comes late must not be taken for the next one.
        const giveUp = Effect.suspend(() => {
          owned.destroy()
          return Pool.invalidate(pool, owned)
        })
        return answer.pipe(
          Effect.timeout("10 seconds"),
          Effect.onError(() => giveUp)
        )
      })
    return { ask }
  })

const Main = Effect.gen(function* () {
  const { ask } = yield* makePool({ host: "127.0.0.1", port: 7000 }, 4)
  const answers = yield* Effect.forEach(["HELLO", "one", "two"], ask, { concurrency: "unbounded" })
  yield* Console.log(answers.join("\n"))
}).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))

if (import.meta.main) NodeMain.run(Main)
