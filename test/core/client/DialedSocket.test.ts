import { assert, describe, it } from "@effect/vitest"
import * as DialedSocket from "@sluice/core/client/DialedSocket"
import * as TcpClient from "@sluice/core/client/TcpClient"
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Socket from "effect/socket/Socket"
import * as TestClock from "effect/testing/TestClock"
import { type Answer, FakeDialer } from "../../harness/FakeDialer.ts"
import { turns } from "../../harness/TransportContract.ts"

const target = { host: "server.test", port: 7 }

const socketOver = (...answers: ReadonlyArray<Answer>) => {
  const dialer = new FakeDialer(...answers)
  const connect = TcpClient.connect(target).pipe(Effect.provide(dialer.layer)) as DialedSocket.Connect
  return { dialer, socket: DialedSocket.make(connect) }
}

/** Acquires the reader in a scope of its own, which the test closes. */
const readerIn = (socket: Socket.Socket) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const reader = yield* Scope.provide(socket.reader, scope)
    return { reader, disconnect: Scope.close(scope, Exit.fail("lost")) }
  })

const isDone = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined
const now = { startImmediately: true }

describe("DialedSocket: its reader", () => {
  it.effect("dials when it is acquired, not before, and closes with its scope", () =>
    Effect.gen(function* () {
      const { dialer, socket } = socketOver()
      yield* socket.writer
      assert.strictEqual(dialer.attempts.length, 0)
      const { reader, disconnect } = yield* readerIn(socket)
      assert.strictEqual(dialer.attempts.length, 1)
      dialer.last.transport.write(Buffer.from("hello"))
      const [chunk] = yield* reader.pull
      assert.strictEqual(new TextDecoder().decode(chunk as Uint8Array), "hello")
      yield* disconnect
      assert.strictEqual(dialer.open, 0)
    })
  )

  it.effect("fails with an open error when nobody answers", () =>
    Effect.gen(function* () {
      const { socket } = socketOver("refuse", "hang")
      const refused = yield* Effect.flip(Effect.scoped(socket.reader))
      assert.deepInclude(refused.reason, { _tag: "SocketOpenError", kind: "Unknown" })
      const timedOut = yield* Effect.forkChild(Effect.flip(Effect.scoped(socket.reader)), now)
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude((yield* Fiber.join(timedOut)).reason, { _tag: "SocketOpenError", kind: "Timeout" })
    })
  )

  it.effect("ends with code 1000 when the peer ends, 1006 when the connection is lost", () =>
    Effect.gen(function* () {
      const { dialer, socket } = socketOver()
      const ends: ReadonlyArray<readonly [number, () => void]> = [
        [1000, () => dialer.last.transport.end()],
        [1006, () => dialer.last.transport.destroy()]
      ]
      for (const [code, end] of ends) {
        const { reader, disconnect } = yield* readerIn(socket)
        end()
        const error = yield* Effect.flip(reader.pull)
        assert.deepInclude((error as Socket.SocketError).reason, { _tag: "SocketCloseError", code })
        yield* disconnect
      }
    })
  )
})

describe("DialedSocket: its writer", () => {
  it.effect("waits while there is no connection, and goes on with the next one", () =>
    Effect.gen(function* () {
      const { dialer, socket } = socketOver()
      const writer = yield* socket.writer
      const first = yield* Effect.forkChild(writer.write("first;"), now)
      const all = yield* Effect.forkChild(writer.writeAll(["a", "b;"]), now)
      yield* turns
      assert.isFalse(isDone(first))
      const one = yield* readerIn(socket)
      yield* Fiber.joinAll([first, all])
      yield* dialer.last.heard.until((heard) => heard.text === "first;ab;")
      yield* one.disconnect

      const second = yield* Effect.forkChild(writer.write("second"), now)
      yield* turns
      assert.isFalse(isDone(second))
      const two = yield* readerIn(socket)
      yield* Fiber.join(second)
      yield* dialer.last.heard.until((heard) => heard.text === "second")
      assert.strictEqual(dialer.remotes[0]?.heard.text, "first;ab;")
      yield* two.disconnect
    })
  )

  it.effect("still waits after an attempt that failed", () =>
    Effect.gen(function* () {
      const { dialer, socket } = socketOver("refuse")
      const writer = yield* socket.writer
      const writing = yield* Effect.forkChild(writer.write("hello"), now)
      yield* Effect.ignore(readerIn(socket))
      yield* turns
      assert.isFalse(isDone(writing))
      yield* readerIn(socket)
      yield* Fiber.join(writing)
      yield* dialer.last.heard.until((heard) => heard.text === "hello")
    })
  )

  it.effect("who gives up waiting sends nothing later", () =>
    Effect.gen(function* () {
      const { dialer, socket } = socketOver()
      const writer = yield* socket.writer
      const writing = yield* Effect.forkChild(writer.write("never"), now)
      yield* Fiber.interrupt(writing)
      yield* readerIn(socket)
      yield* writer.write("hello")
      yield* dialer.last.heard.until((heard) => heard.text === "hello")
    })
  )

  it.effect("fails on a connection that is lost while its reader is still there", () =>
    Effect.gen(function* () {
      const { dialer, socket } = socketOver()
      const writer = yield* socket.writer
      yield* readerIn(socket)
      dialer.last.transport.destroy()
      yield* turns
      const error = yield* Effect.flip(writer.write("hello"))
      assert.strictEqual(error.reason._tag, "SocketWriteError")
    })
  )

  it.effect("its release is the half-close of the connection there is, and nothing without one", () =>
    Effect.gen(function* () {
      const { dialer, socket } = socketOver()
      yield* Effect.scoped(socket.writer)
      yield* readerIn(socket)
      yield* Effect.scoped(Effect.flatMap(socket.writer, (writer) => writer.write("bye")))
      yield* dialer.last.heard.saw("end")
      assert.strictEqual(dialer.last.heard.text, "bye")
    })
  )
})

describe("DialedSocket: reconnecting", () => {
  it.effect("a retry around the reader's scope is all that it takes", () =>
    Effect.gen(function* () {
      const { dialer, socket } = socketOver("connect", "refuse", "connect")
      const received: Array<string> = []
      const readAll = Effect.scoped(
        Effect.gen(function* () {
          const { pull } = yield* socket.reader
          while (true) for (const chunk of yield* pull) received.push(Buffer.from(chunk as Uint8Array).toString())
        })
      )
      yield* Effect.forkChild(Effect.retry(readAll, Schedule.spaced("1 second")), now)
      dialer.last.transport.write(Buffer.from("one"))
      yield* turns
      dialer.last.transport.destroy()
      yield* turns
      assert.strictEqual(dialer.attempts.length, 1)
      assert.strictEqual(dialer.open, 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(dialer.attempts.length, 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(dialer.attempts.length, 3)
      dialer.last.transport.write(Buffer.from("two"))
      yield* turns
      assert.deepStrictEqual(received, ["one", "two"])
    })
  )
})

const Greeter = RpcGroup.make(
  Rpc.make("Greet", { payload: { name: Schema.String }, success: Schema.String }),
  Rpc.make("Count", { payload: { to: Schema.Number }, success: Schema.Number, stream: true })
)

const Handlers = Greeter.toLayer({
  Greet: ({ name }) => Effect.succeed(`hello ${name}`),
  Count: ({ to }) => Stream.range(1, to)
})

const rpcServer = (network: Layer.Layer<MemoryNetwork.MemoryNetwork>) =>
  RpcServer.layer(Greeter).pipe(
    Layer.provide(Handlers),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(TcpServer.layer({ drainTimeout: "1 second" })),
    Layer.provide(MemoryNetwork.layerListener(target)),
    Layer.provide(network)
  )

const rpcClient = (network: Layer.Layer<MemoryNetwork.MemoryNetwork>) =>
  RpcClient.layerProtocolSocket({ retryTransientErrors: true, retryPolicy: Schedule.spaced("1 second") }).pipe(
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(TcpClient.layerSocket(target)),
    Layer.provide(MemoryNetwork.layerDialer),
    Layer.provide(network)
  )

describe("layerSocket: Effect's RPC", () => {
  it.effect("calls, streams, and recovers when its server comes back", () =>
    Effect.gen(function* () {
      const memory = MemoryNetwork.make()
      const network = Layer.succeed(MemoryNetwork.MemoryNetwork, memory)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const startServer = Effect.gen(function* () {
            const scope = yield* Scope.make()
            yield* Layer.buildWithScope(rpcServer(network), scope)
            return scope
          })
          const first = yield* startServer
          const protocol = yield* Layer.build(rpcClient(network))
          const client = yield* RpcClient.make(Greeter).pipe(Effect.provide(protocol))
          assert.strictEqual(yield* client.Greet({ name: "world" }), "hello world")
          assert.deepStrictEqual(
            yield* Stream.runCollect(client.Count({ to: 100 })),
            Array.from({ length: 100 }, (_, i) => i + 1)
          )

          const stopping = yield* Effect.forkChild(Scope.close(first, Exit.void), now)
          yield* TestClock.adjust("3 seconds")
          yield* Fiber.join(stopping)
          const whileAway = yield* Effect.forkChild(Effect.exit(client.Greet({ name: "nobody" })), now)
          yield* TestClock.adjust("2 seconds")

          const second = yield* startServer
          yield* TestClock.adjust("2 seconds")
          yield* Fiber.await(whileAway)
          assert.strictEqual(yield* client.Greet({ name: "again" }), "hello again")
          const stoppingToo = yield* Effect.forkChild(Scope.close(second, Exit.void), now)
          yield* TestClock.adjust("3 seconds")
          yield* Fiber.join(stoppingToo)
        })
      )
      yield* turns
      assert.strictEqual(memory.openCount(), 0)
    })
  )
})
