import { WebSocketClient } from "@sluice/core"
import { NodeMain, NodeServices } from "@sluice/node"
import { Console, Effect, Queue, Schedule, Stdio, Stream } from "effect"

/** Sends what is in `outgoing` and shows what comes, and goes on where it was when the connection was lost. */
export const talk = <E>(url: string, outgoing: Queue.Dequeue<string, E>, show: (text: string) => Effect.Effect<void>) =>
  WebSocketClient.reconnecting(
    url,
    (socket) => {
      const receiving = socket.runForEach((message) => show(typeof message === "string" ? message : "(bytes)"))
      // Looked at, sent, and then taken: a message that was not sent is still the next one.
      const sendNext = Queue.peek(outgoing).pipe(Effect.flatMap(socket.send), Effect.andThen(Queue.take(outgoing)))
      return Effect.raceFirst(receiving, Effect.forever(sendNext))
    },
    { schedule: Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]) }
  )

const Main = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  const typed = yield* stdio.stdin.pipe(Stream.decodeText, Stream.splitLines, Stream.toQueue({ capacity: 16 }))
  yield* talk("ws://127.0.0.1:3000/", typed, Console.log)
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

if (import.meta.main) NodeMain.run(Main)
