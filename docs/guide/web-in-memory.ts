import { MemoryNetwork, TcpClient, WebServer, WebSocketClient, WebSocketServer } from "@sluice/core"
import { NodeMain } from "@sluice/node"
import { Console, Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { TestClock } from "effect/testing"

const Routes = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.text("hello world")),
  HttpRouter.add(
    "GET",
    "/echo",
    WebSocketServer.handle((socket) => socket.runForEach(socket.send))
  )
)

const Network = HttpRouter.serve(Routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provideMerge(WebServer.layer({ headTimeout: "10 seconds" })),
  Layer.provide(MemoryNetwork.layerListener({ host: "web.test", port: 80 })),
  Layer.provideMerge(MemoryNetwork.layerDialer),
  Layer.provide(MemoryNetwork.layer()),
  Layer.provideMerge(TestClock.layer())
)

/** A WebSocket in memory. */
const echo = Effect.gen(function* () {
  const socket = yield* WebSocketClient.connect("ws://web.test/echo")
  yield* socket.send("hello")
  return yield* socket.receive
}).pipe(Effect.scoped)

/** A client that never ends its request, and ten seconds that pass at once. */
const slow = Effect.gen(function* () {
  const connection = yield* TcpClient.connect({ host: "web.test", port: 80 })
  yield* connection.send("GET / HTTP/1.1\r\nHost: web")
  yield* TestClock.adjust("10 seconds")
  const response = new TextDecoder().decode(yield* connection.receive)
  return response.slice(0, response.indexOf("\r\n"))
}).pipe(Effect.scoped)

export const conversation = Effect.all({ echo, slow }).pipe(Effect.provide(Network))

if (import.meta.main) NodeMain.run(Effect.flatMap(conversation, Console.log))
