import { WebSocketClient, type WebSocketEndpoint, WebSocketPrepared, WebSocketServer } from "@sluice/core"
import { NodeMain, NodeServices, NodeWebServer } from "@sluice/node"
import { Console, Effect, Layer } from "effect"

/** Counts what each client says. */
const Counter = WebSocketServer.serve((socket) => {
  let count = 0
  return socket.runForEach(() => socket.send(`${++count}`))
})

/** Says one message three times, which is encoded once, and hears the counts. */
export const talk = (path: string) =>
  Effect.gen(function* () {
    const endpoint: WebSocketEndpoint.Endpoint = { address: { path }, path: "/counter", authority: "counter.test" }
    const socket = yield* WebSocketClient.connect(endpoint)
    const hello = WebSocketPrepared.make("hello")
    yield* Effect.all([socket.send(hello), socket.send(hello), socket.send(hello)])
    return yield* Effect.all([socket.receive, socket.receive, socket.receive])
  }).pipe(Effect.scoped)

/** Over a Unix socket. */
export const conversation = (path: string) =>
  talk(path).pipe(
    Effect.provide(Counter.pipe(Layer.provide(NodeWebServer.layer({ path })), Layer.provideMerge(NodeServices.layer)))
  )

if (import.meta.main) NodeMain.run(Effect.flatMap(conversation("/tmp/counter.sock"), Console.log))
