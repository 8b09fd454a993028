import { type Dialer, Lines, TcpClient } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Console, Effect } from "effect"

/** Sends one line and waits for the line that answers it. */
export const ask = (target: Dialer.Target, question: string) =>
  Effect.gen(function* () {
    const connection = yield* TcpClient.connect(target, { connectTimeout: "5 seconds" })
    const lines = connection.framed(Lines.codec)
    yield* lines.send(question)
    return yield* lines.receive
  }).pipe(Effect.timeout("10 seconds"), Effect.scoped)

const Main = ask({ host: "127.0.0.1", port: 7000 }, "HELLO").pipe(
  Effect.flatMap((answer) => Console.log(answer)),
  Effect.catchTag("Done", () => Console.error("the server closed the connection without an answer")),
  Effect.provide(NodeTransport.layerDialer())
)

if (import.meta.main) NodeMain.run(Main)
