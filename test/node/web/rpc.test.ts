/** Effect's rpc over HTTP: unary calls, streams, and clients that go. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Socket from "effect/socket/Socket"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

class Calls extends RpcGroup.make(
  Rpc.make("Greet", { payload: { name: Schema.String }, success: Schema.String, error: Refused }),
  Rpc.make("Count", { payload: { to: Schema.Int }, success: Schema.Int, stream: true }),
  Rpc.make("Wait"),
  Rpc.make("Endless", { success: Schema.Int, stream: true })
) {}

const serve = Effect.gen(function* () {
  const waiting = yield* Deferred.make<void>()
  const interrupted = yield* Deferred.make<void>()
  const handlers = Calls.toLayer({
    Greet: ({ name }) => (name === "" ? Effect.fail(new Refused({ why: "no name" })) : Effect.succeed(`Hello ${name}`)),
    Count: ({ to }) => Stream.range(1, to),
    Wait: () =>
      Deferred.succeed(waiting, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
      ),
    Endless: () =>
      Stream.concat(Stream.make(1), Stream.never).pipe(Stream.ensuring(Deferred.succeed(interrupted, undefined)))
  })
  const routes = Layer.mergeAll(
    RpcServer.layerHttp({ group: Calls, path: "/rpc", protocol: "http" }),
    RpcServer.layerHttp({ group: Calls, path: "/socket", protocol: "websocket" })
  ).pipe(Layer.provide(handlers), Layer.provide(RpcSerialization.layerNdjson))
  return { ...(yield* Served.routes(routes)), waiting, interrupted }
})

const overHttp = (url: string) =>
  RpcClient.layerProtocolHttp({ url: `${url}/rpc` }).pipe(
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(Served.fetchClient)
  )

const overWebSocket = (url: string) =>
  RpcClient.layerProtocolSocket().pipe(
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(Socket.layerWebSocket(`${url.replace("http", "ws")}/socket`)),
    Layer.provide(Socket.layerWebSocketConstructorGlobal)
  )

const carriers = [
  ["HTTP", overHttp],
  ["WebSocket", overWebSocket]
] as const

describe.each(carriers)("rpc over %s", (_, over) => {
  it.live("a call, its typed error, and many at once", () =>
    Effect.gen(function* () {
      const { url } = yield* serve
      yield* Effect.gen(function* () {
        const client = yield* RpcClient.make(Calls)
        assert.strictEqual(yield* client.Greet({ name: "Ann" }), "Hello Ann")
        assert.deepStrictEqual(yield* Effect.flip(client.Greet({ name: "" })), new Refused({ why: "no name" }))
        const names = Array.from({ length: 50 }, (_, index) => `${index}`)
        const answers = yield* Effect.forEach(names, (name) => client.Greet({ name }), { concurrency: 50 })
        assert.deepStrictEqual(
          answers,
          names.map((name) => `Hello ${name}`)
        )
      }).pipe(Effect.provide(over(url)))
    })
  )

  it.live("a stream", () =>
    Effect.gen(function* () {
      const { url } = yield* serve
      yield* Effect.gen(function* () {
        const client = yield* RpcClient.make(Calls)
        const counted = yield* Stream.runCollect(client.Count({ to: 1_000 }))
        assert.deepStrictEqual(
          [...counted],
          Array.from({ length: 1_000 }, (_, index) => index + 1)
        )
      }).pipe(Effect.provide(over(url)))
    })
  )

  it.live("a client that goes interrupts its call", () =>
    Effect.gen(function* () {
      const { interrupted, url, waiting } = yield* serve
      yield* Effect.gen(function* () {
        const client = yield* RpcClient.make(Calls)
        const call = yield* Effect.forkChild(client.Wait())
        yield* Deferred.await(waiting)
        yield* Fiber.interrupt(call)
        yield* Deferred.await(interrupted)
      }).pipe(Effect.provide(over(url)))
    })
  )

  it.live("a client that has enough of a stream ends it on the server", () =>
    Effect.gen(function* () {
      const { interrupted, url } = yield* serve
      yield* Effect.gen(function* () {
        const client = yield* RpcClient.make(Calls)
        assert.deepStrictEqual([...(yield* Stream.runCollect(Stream.take(client.Endless(), 1)))], [1])
        yield* Deferred.await(interrupted)
      }).pipe(Effect.provide(over(url)))
    })
  )
})
