import { assert, describe, it } from "@effect/vitest"
import * as TcpServer from "@sluice/core/server/TcpServer"
import type { Connection } from "@sluice/core/session/Connection"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as TcpProxy from "@sluice/examples/tcp-proxy"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Queue from "effect/Queue"
import { listen, local, take } from "../harness/NodeNet.ts"
import * as Started from "./support/Started.ts"

/** A server whose connections are the test's to serve. */
const handOver = (connections: Queue.Queue<Connection>) =>
  TcpServer.serve((connection) => Effect.andThen(Queue.offer(connections, connection), connection.closed)).pipe(
    Layer.provide(TcpServer.layer())
  )

/** The next connection; it is ended with the test, so that nobody waits for its end. */
const accept = (connections: Queue.Queue<Connection>) =>
  Effect.acquireRelease(Queue.take(connections), (connection) => connection.end)

const inMemory = Effect.gen(function* () {
  const connections = yield* Queue.unbounded<Connection>()
  const backendServer = yield* Started.inMemory(handOver(connections), 5000)
  const proxy = yield* Started.inMemory(TcpProxy.server({ to: backendServer.address }), 4003)
  const client = yield* Started.talk(proxy.address)
  const backend = new Started.Talk(yield* accept(connections))
  return { proxy, client, backend }
})

const isDone = (talk: Started.Talk) =>
  Effect.map(Effect.flip(talk.line), (end) => assert.strictEqual((end as { readonly _tag: string })._tag, "Done"))

describe("tcp-proxy", () => {
  it.effect("forwards both ways", () =>
    Effect.gen(function* () {
      const { client, backend } = yield* inMemory
      yield* client.say("question\n")
      assert.strictEqual(yield* backend.line, "question")
      yield* backend.say("answer\n")
      assert.strictEqual(yield* client.line, "answer")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("a client that has sent all still hears the answer", () =>
    Effect.gen(function* () {
      const { client, backend } = yield* inMemory
      yield* client.say("question\n")
      yield* client.connection.end
      assert.strictEqual(yield* backend.line, "question")
      yield* isDone(backend)
      yield* backend.say("answer\n")
      assert.strictEqual(yield* client.line, "answer")
      yield* backend.connection.end
      yield* isDone(client)
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("a backend that has sent all still hears the client", () =>
    Effect.gen(function* () {
      const { client, backend } = yield* inMemory
      yield* backend.say("greeting\n")
      yield* backend.connection.end
      assert.strictEqual(yield* client.line, "greeting")
      yield* isDone(client)
      yield* client.say("thanks\n")
      assert.strictEqual(yield* backend.line, "thanks")
      yield* client.connection.end
      yield* isDone(backend)
    }).pipe(Effect.provide(Started.memory))
  )

  for (const direction of ["client to backend", "backend to client"] as const) {
    it.effect(`a slow reader slows its writer down: ${direction}`, () =>
      Effect.gen(function* () {
        const { client, backend } = yield* inMemory
        const [writer, reader] = direction === "client to backend" ? [client, backend] : [backend, client]
        const piece = `${"x".repeat(65_535)}\n`
        let sentCount = 0
        const writing = yield* Effect.forkScoped(
          Effect.forEach(Array.from({ length: 100 }), () => Effect.map(writer.say(piece), () => sentCount++))
        )
        yield* settle(() => sentCount)
        // What the buffers on the way hold, and no more: 64 KiB a side and connection.
        assert.isBelow(sentCount, 10)
        for (let index = 0; index < 100; index++) assert.strictEqual((yield* reader.line).length, 65_535)
        yield* Fiber.join(writing)
      }).pipe(Effect.provide(Started.memory))
    )
  }

  it.effect("an answer that is cut off does not look whole", () =>
    Effect.gen(function* () {
      const { client, backend } = yield* inMemory
      yield* backend.say("half of the answ")
      yield* Effect.yieldNow
      yield* backend.connection.abort
      const lost = yield* Effect.flip(Effect.forever(client.connection.receive))
      assert.strictEqual(lost._tag === "TransportError" ? lost.reason._tag : lost._tag, "ConnectionLost")
    }).pipe(Effect.provide(Started.memory))
  )

  it.live("a client that is lost ends the backend's connection", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(local)
      const proxy = yield* Started.onNode(TcpProxy.server({ to: listener.address }))
      const dialer = yield* Dialer.Dialer
      const client = yield* dialer.dial(proxy.address)
      const backend = yield* take(transports)
      const ended = yield* endOf(backend)
      client.destroy()
      yield* Deferred.await(ended)
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("a backend that is lost ends the client's connection", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(local)
      const proxy = yield* Started.onNode(TcpProxy.server({ to: listener.address }))
      const client = yield* Started.talk(proxy.address)
      const backend = yield* take(transports)
      backend.destroy()
      yield* client.connection.ended
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.effect("a backend that cannot be reached in time ends the client's connection", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<unknown>()
      const unreachable = Dialer.Dialer.of({
        dial: (target, options) =>
          Effect.andThen(
            Deferred.succeed(asked, options?.connectTimeout),
            Effect.fail(TransportError.make(new TransportError.ConnectTimeout(Dialer.formatTarget(target), 300)))
          )
      })
      const server = TcpProxy.server({ to: { host: "backend.test", port: 1 }, connectTimeout: 300 })
      const proxy = yield* Started.inMemory(Layer.provide(server, Layer.succeed(Dialer.Dialer, unreachable)))
      const client = yield* Started.talk(proxy.address)
      yield* isDone(client)
      assert.strictEqual(yield* Deferred.await(asked), 300)
    }).pipe(Effect.provide(Started.memory))
  )

  for (const version of ["v1", "v2"] as const) {
    it.live(`the backend is told the client's address: PROXY ${version}, and through two proxies`, () =>
      Effect.gen(function* () {
        const trusting = { host: "127.0.0.1", port: 0, proxyProtocol: { trusted: ["127.0.0.1/32"] } }
        const connections = yield* Queue.unbounded<Connection>()
        const backend = yield* Started.onNode(handOver(connections), trusting)
        const inner = yield* Started.onNode(TcpProxy.server({ to: backend.address, proxyProtocol: version }), trusting)
        const outer = yield* Started.onNode(TcpProxy.server({ to: inner.address, proxyProtocol: version }))
        const client = yield* Started.talk(outer.address)
        yield* client.say("x")
        const seen = yield* accept(connections)
        assert.strictEqual(
          NetAddress.formatSocketAddress(seen.peer),
          NetAddress.formatSocketAddress(client.connection.local)
        )
        assert.strictEqual(NetAddress.formatSocketAddress(seen.local), NetAddress.formatSocketAddress(backend.address))
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )
  }

  it.effect("while draining, what was asked is still answered", () =>
    Effect.gen(function* () {
      const { proxy, client, backend } = yield* inMemory
      yield* client.say("question\n")
      assert.strictEqual(yield* backend.line, "question")
      const closing = yield* Effect.forkScoped(proxy.close)
      yield* isDone(backend)
      yield* backend.say("answer\n")
      yield* backend.connection.end
      assert.strictEqual(yield* client.line, "answer")
      yield* isDone(client)
      yield* client.connection.end
      yield* Fiber.join(closing)
    }).pipe(Effect.provide(Started.memory))
  )
})

/** Lets fibers run until a count stands still. */
const settle = Effect.fnUntraced(function* (count: () => number) {
  let before = -1
  while (before !== count()) {
    before = count()
    for (let turn = 0; turn < 100; turn++) yield* Effect.yieldNow
  }
})

/** Completes when the peer has ended or the transport is gone. */
const endOf = Effect.fnUntraced(function* (transport: Effect.Success<ReturnType<typeof take>>) {
  const ended = yield* Deferred.make<void>()
  const end = () => Deferred.doneUnsafe(ended, Effect.void)
  transport.attach({ onBytes: () => {}, onDrain: () => {}, onEnd: end, onClose: end })
  transport.resume()
  return ended
})
