import { assert, describe, it } from "@effect/vitest"
import * as TcpClient from "@sluice/core/client/TcpClient"
import * as Lines from "@sluice/core/codec/Lines"
import type { Connection } from "@sluice/core/session/Connection"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as TestClock from "effect/testing/TestClock"
import { FakeDialer } from "../../harness/FakeDialer.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { turns } from "../../harness/TransportContract.ts"

const target = { host: "server.test", port: 7 }

const echo = (connection: Connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })

/** Connects in a scope of its own, which the test closes. */
const connectIn = (dialer: FakeDialer, options?: TcpClient.Options) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const connection = yield* TcpClient.connect(target, options).pipe(
      Scope.provide(scope),
      Effect.provide(dialer.layer)
    )
    return { scope, connection, remote: dialer.last }
  })

const isDone = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined

describe("TcpClient.connect", () => {
  it.effect("opens a connection that sends and receives", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(echo)
      const connection = yield* world.connect()
      assert.strictEqual(connection.role, "client")
      const lines = connection.framed(Lines.make())
      yield* lines.send("hello")
      assert.strictEqual(yield* lines.receive, "hello")
    })
  )

  it.effect("hands the target and the options to the dialer", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const options = { connectTimeout: "3 seconds", tls: { serverName: "a.test" } } as const
      yield* connectIn(dialer, options)
      assert.strictEqual(dialer.attempts[0]?.target, target)
      assert.deepInclude(dialer.attempts[0]?.options, options)
    })
  )

  it.effect("fails when nobody listens, and when the name is unknown", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* MemoryWorld.serving(echo)
        track(world)
        const connect = (to: { host: string; port: number }) =>
          Effect.flip(TcpClient.connect(to).pipe(Effect.provide(world.dialer)))
        assert.strictEqual((yield* connect({ ...MemoryWorld.target, port: 8 })).reason._tag, "ConnectionRefused")
        const unknown = yield* connect({ host: "nobody.test", port: 7 })
        assert.deepStrictEqual(unknown.reason, new TransportError.NameNotResolved("nobody.test:7", "ENOTFOUND"))
      })
    )
  )

  it.effect("fails with what the dialer says of its time limit, and leaves nothing", () =>
    MemoryWorld.leavesNothing(() =>
      Effect.gen(function* () {
        const dialer = new FakeDialer("hang")
        const connecting = yield* Effect.forkChild(
          Effect.flip(TcpClient.connect(target, { connectTimeout: "3 seconds" }).pipe(Effect.provide(dialer.layer)))
        )
        yield* TestClock.adjust(2_999)
        assert.isFalse(isDone(connecting))
        yield* TestClock.adjust(1)
        const error = yield* Fiber.join(connecting)
        assert.deepStrictEqual(error.reason, new TransportError.ConnectTimeout("server.test:7", 3_000))
        assert.strictEqual(dialer.dialing, 0)
      })
    )
  )

  it.effect("interrupted while it dials, leaves nothing", () =>
    MemoryWorld.leavesNothing(() =>
      Effect.gen(function* () {
        const dialer = new FakeDialer("hang")
        const connecting = yield* Effect.forkChild(
          Effect.scoped(TcpClient.connect(target)).pipe(Effect.provide(dialer.layer))
        )
        yield* TestClock.adjust("1 second")
        assert.strictEqual(dialer.dialing, 1)
        yield* Fiber.interrupt(connecting)
        assert.strictEqual(dialer.dialing, 0)
        assert.strictEqual(dialer.open, 0)
      })
    )
  )

  it.effect("limits that make no sense are defects, and nothing is dialed", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const exit = yield* Effect.exit(TcpClient.connect(target, { closeTimeout: 0 }).pipe(Effect.provide(dialer.layer)))
      assert.include(String(exit), "closeTimeout")
      assert.strictEqual(dialer.attempts.length, 0)
    })
  )

  for (const [name, options] of [
    ["by default", undefined],
    ["also when the option is given as undefined", { idleTimeout: undefined }]
  ] as const) {
    it.effect(`a client may be idle for ever, ${name}`, () =>
      Effect.gen(function* () {
        const dialer = new FakeDialer()
        const { connection } = yield* connectIn(dialer, options)
        yield* TestClock.adjust("1 hour")
        yield* turns
        assert.isFalse(isDone(yield* Effect.forkChild(connection.closed, { startImmediately: true })))
        assert.strictEqual(dialer.open, 1)
      })
    )
  }

  it.effect("an idle time limit that is given closes it", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const { connection, remote } = yield* connectIn(dialer, { idleTimeout: "1 minute" })
      const received = yield* Effect.forkChild(Effect.flip(connection.receive), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* remote.heard.saw("close")
      assert.include(String(yield* Fiber.join(received)), "idle")
      assert.strictEqual(dialer.open, 0)
    })
  )
})

describe("the end of a client's scope", () => {
  it.effect("success: delivers what was sent, then the end, and waits for the peer's", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const { connection, scope, remote } = yield* connectIn(dialer)
      remote.transport.pause()
      yield* Effect.forkChild(connection.send("x".repeat(300_000)), { startImmediately: true })
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* turns
      remote.transport.resume()
      yield* remote.heard.saw("end")
      assert.strictEqual(remote.heard.receivedBytes, 300_000)
      assert.isFalse(isDone(closing))
      remote.transport.write(Buffer.from("nobody reads this"))
      remote.transport.end()
      yield* Fiber.join(closing)
      yield* remote.heard.saw("close")
      assert.isUndefined(remote.heard.closeError)
      assert.strictEqual(dialer.open, 0)
    })
  )

  it.effect("success: a server gets every byte", () =>
    Effect.gen(function* () {
      const received: Array<number> = []
      const world = yield* MemoryWorld.serving((connection) =>
        Effect.gen(function* () {
          while (true) received.push((yield* connection.receive).length)
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const connection = yield* world.connect()
          for (let count = 0; count < 50; count++) yield* connection.send(new Uint8Array(10_000))
        })
      )
      assert.strictEqual(
        received.reduce((sum, bytes) => sum + bytes, 0),
        500_000
      )
      yield* turns
      assert.deepStrictEqual((yield* world.server.stats).closed, { Finished: 1 })
    })
  )

  it.effect("success: a peer that never closes is given up after `closeTimeout`", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const { scope, remote } = yield* connectIn(dialer, { closeTimeout: "2 seconds" })
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* remote.heard.saw("end")
      yield* TestClock.adjust(1_999)
      assert.isFalse(isDone(closing))
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.strictEqual(dialer.open, 0)
      assert.strictEqual(remote.heard.closeError?.reason._tag, "ConnectionLost")
    })
  )

  it.effect("success: a peer that never reads cannot hold it longer", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const { connection, scope, remote } = yield* connectIn(dialer)
      remote.transport.pause()
      yield* Effect.forkChild(connection.send(new Uint8Array(1_000_000)), { startImmediately: true })
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      assert.strictEqual(dialer.open, 0)
    })
  )

  const rude = [
    ["failure", Exit.fail("oops")],
    ["interruption", Exit.interrupt(1)],
    ["defect", Exit.die("oops")]
  ] as const
  for (const [name, exit] of rude) {
    it.effect(`${name}: destroys it at once`, () =>
      Effect.gen(function* () {
        const dialer = new FakeDialer()
        const { scope, remote } = yield* connectIn(dialer)
        yield* Scope.close(scope, exit)
        assert.strictEqual(dialer.open, 0)
        yield* remote.heard.saw("close")
        assert.notInclude(remote.heard.events, "end")
        assert.strictEqual(remote.heard.closeError?.reason._tag, "ConnectionLost")
      })
    )
  }

  it.effect("after the connection was lost there is nothing to wait for", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const { scope, connection, remote } = yield* connectIn(dialer)
      remote.transport.destroy()
      yield* connection.closed
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(dialer.open, 0)
    })
  )
})

describe("TcpClient.acquire", () => {
  it.effect("gives what only an owner may do", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const owned = yield* TcpClient.acquire(target).pipe(Effect.provide(dialer.layer))
      assert.strictEqual(owned.state, "open")
      const error = TransportError.make(new TransportError.Closed())
      owned.destroy(error)
      yield* owned.connection.closed
      assert.deepStrictEqual(owned.state, { error })
    })
  )
})

describe("laws", () => {
  it.effect("clients in every state of their lives leave nothing", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* MemoryWorld.serving(echo, { maxConnections: 3, maxWaiting: 1 })
        track(world)
        const lives: ReadonlyArray<(connection: Connection) => Effect.Effect<unknown, unknown>> = [
          () => Effect.void,
          (connection) => connection.send("hello"),
          (connection) => Effect.andThen(connection.send("hello"), connection.receive),
          (connection) => Effect.andThen(connection.end, connection.closed),
          () => Effect.fail("oops"),
          () => Effect.interrupt
        ]
        for (let round = 0; round < 3; round++) {
          yield* Effect.forEach(lives, (life) => Effect.exit(Effect.scoped(Effect.flatMap(world.connect(), life))), {
            concurrency: "unbounded"
          })
        }
        yield* turns
        assert.deepInclude(yield* world.server.stats, { open: 0, waiting: 0 })
      })
    )
  )
})

describe("TcpClient.layerSocket", () => {
  it.effect("the scope of a reader is the connection's", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const socket = yield* Socket.Socket.pipe(
        Effect.provide(TcpClient.layerSocket(target).pipe(Layer.provide(dialer.layer)))
      )
      const scope = yield* Scope.make()
      yield* Scope.provide(socket.reader, scope)
      assert.strictEqual(dialer.open, 1)
      yield* Scope.close(scope, Exit.fail("gone"))
      assert.strictEqual(dialer.open, 0)
    })
  )
})
