import { type Dialer, TcpClient } from "@sluice/core"
import { NodeMain, NodeServices } from "@sluice/node"
import { Effect, Stdio, Stream } from "effect"

/** What is typed goes to the server, what the server says is shown: both at the same time. */
export const talk = (target: Dialer.Target) =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    const connection = yield* TcpClient.connect(target)
    const upload = Stream.runForEach(stdio.stdin, connection.send).pipe(
      Effect.andThen(connection.end),
      Effect.andThen(Effect.never)
    )
    const download = Stream.run(connection.stream, stdio.stdout())
    yield* Effect.raceFirst(download, upload)
  }).pipe(Effect.scoped)

const Main = talk({ host: "127.0.0.1", port: 7000 }).pipe(Effect.provide(NodeServices.layer))

if (import.meta.main) NodeMain.run(Main)
