/** The documents' programs on a network in memory, and lines to talk to them. */
import { assert } from "@effect/vitest"
import { type Connection, type Dialer, Lines, MemoryNetwork, TcpClient, TcpServer } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"

export const target = { host: "server.test", port: 7 } as const

/** The service at `target`, and what its clients need. */
const serve = <R>(service: Layer.Layer<never, never, R>, options?: TcpServer.Options) =>
  service.pipe(
    Layer.provideMerge(TcpServer.layer(options)),
    Layer.provide(MemoryNetwork.layerListener(target)),
    Layer.provideMerge(MemoryNetwork.layerDialer)
  )

/** Runs a conversation with the service, closes the server, and checks that nothing is left open. */
export const converse = <A, E, R>(
  service: Layer.Layer<never, never, R>,
  conversation: Effect.Effect<A, E, Dialer.Dialer | TcpServer.TcpServer | Scope.Scope>,
  options?: TcpServer.Options
) =>
  Effect.gen(function* () {
    const network = yield* MemoryNetwork.MemoryNetwork
    const servers = yield* Scope.make()
    const clients = yield* Scope.make()
    const context = yield* Layer.buildWithScope(serve(service, options), servers)
    const result = yield* conversation.pipe(Scope.provide(clients), Effect.provideContext(context))
    const closing = yield* Effect.forkChild(
      Effect.andThen(Scope.close(clients, Exit.void), Scope.close(servers, Exit.void))
    )
    // Who waits for something else than the end of its connection is ended by a timeout.
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(closing)
    assert.strictEqual(network.openCount(), 0, "connections that are left open")
    return result
  }).pipe(Effect.provide(MemoryNetwork.layer()))

/** A connection to `target` and its lines. */
export const connect = Effect.map(TcpClient.connect(target), (connection) => ({
  connection,
  lines: connection.framed(Lines.codec)
}))

/** All that still comes, to the end of the stream, as text. */
export const rest = (connection: Connection.Connection) =>
  Effect.gen(function* () {
    const decoder = new TextDecoder()
    let text = ""
    const read = Effect.map(connection.receive, (chunk) => {
      text += decoder.decode(chunk, { stream: true })
    })
    yield* Pull.catchDone(Effect.forever(read), () => Effect.void)
    return text
  })
