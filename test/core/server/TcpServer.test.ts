import { assert, describe, it } from "@effect/vitest"
import * as Delimited from "@sluice/core/codec/Delimited"
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import * as Lines from "@sluice/core/codec/Lines"
import * as TcpServer from "@sluice/core/server/TcpServer"
import type { Connection } from "@sluice/core/session/Connection"
import { Connection as CurrentConnection } from "@sluice/core/session/Connection"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { Recorder } from "../../harness/TransportContract.ts"

const echo = (connection: Connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })

/** Lets fibers and microtasks run until nothing moves. */
const settle = Effect.forEach([1, 2, 3, 4, 5], () => Effect.yieldNow, { discard: true })

describe("TcpServer.run", () => {
  it.effect("serves a connection by a fiber, and ends it quietly when the peer has ended", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(echo)
      const peer = yield* world.peer()
      peer.write("hello")
      yield* peer.heard.until((heard) => heard.text === "hello")
      peer.transport.end()
      yield* peer.heard.saw("close")
      assert.deepStrictEqual(peer.heard.events, ["bytes", "end", "close"])
      const stats = yield* world.server.stats
      assert.deepStrictEqual(stats.closed, { Finished: 1 })
      assert.strictEqual(stats.receivedBytes, 5)
      assert.strictEqual(stats.sentBytes, 5)
      assert.strictEqual(stats.open, 0)
    })
  )

  it.effect("answers of one turn leave in one write", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving((connection) =>
        Effect.gen(function* () {
          const lines = connection.framed(Lines.make())
          while (true) yield* lines.send(yield* lines.receive)
        })
      )
      const peer = yield* world.peer()
      peer.write("a\nb\nc\n")
      yield* peer.heard.until((heard) => heard.text === "a\nb\nc\n")
      assert.strictEqual(peer.heard.chunks.length, 1)
    })
  )

  it.effect("the handler has a scope and its connection as services", () =>
    Effect.gen(function* () {
      const released = yield* Deferred.make<string>()
      const world = yield* MemoryWorld.make((server) =>
        server.run((connection) =>
          Effect.gen(function* () {
            const current = yield* CurrentConnection
            assert.strictEqual(current, connection)
            yield* Effect.addFinalizer(() => Deferred.succeed(released, "released"))
          })
        )
      )
      const peer = yield* world.peer()
      yield* peer.heard.saw("end")
      assert.strictEqual(yield* Deferred.await(released), "released")
    })
  )

  it.effect("a connection whose handler never reads is closed when it is idle", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(() => Effect.never, { idleTimeout: "1 minute" })
      const peer = yield* world.peer()
      yield* TestClock.adjust(59_999)
      assert.deepStrictEqual(peer.heard.events, [])
      yield* TestClock.adjust(1)
      yield* peer.heard.saw("close")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual((yield* world.server.stats).closed, { IdleTimeout: 1 })
    })
  )

  it.effect("a handler that does not notice that its peer is gone is interrupted", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<string>()
      const world = yield* MemoryWorld.serving(() =>
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, "interrupted"))
      )
      const peer = yield* world.peer()
      yield* settle
      peer.transport.destroy()
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* Deferred.await(interrupted), "interrupted")
      yield* settle
      assert.deepStrictEqual((yield* world.server.stats).closed, { ConnectionLost: 1 })
    })
  )

  it.effect("a peer that does not finish closing is cut off", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(() => Effect.void)
      const peer = yield* world.peer()
      yield* peer.heard.saw("end")
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual((yield* world.server.stats).open, 1)
      yield* TestClock.adjust(1)
      yield* peer.heard.saw("close")
      assert.deepStrictEqual((yield* world.server.stats).closed, { CloseTimeout: 1 })
    })
  )

  it.effect("a peer that stops reading is closed, and its writer fails", () =>
    Effect.gen(function* () {
      const failed = yield* Deferred.make<string>()
      const world = yield* MemoryWorld.serving(
        (connection) =>
          Effect.gen(function* () {
            while (true) yield* connection.send(new Uint8Array(16_384))
          }).pipe(Effect.tapError((error) => Deferred.succeed(failed, error.reason._tag))),
        { writeTimeout: "30 seconds" }
      )
      const peer = yield* world.peer({ read: false })
      yield* TestClock.adjust("38 seconds")
      assert.strictEqual(yield* Deferred.await(failed), "WriteStalled")
      yield* peer.heard.saw("close")
    })
  )

  it.effect("bad input costs its own connection alone, and is counted by its reason", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving((connection) =>
        Effect.gen(function* () {
          const frames = connection.framed(LengthDelimited.make({ maxFrameSize: 16 }))
          while (true) yield* frames.send(yield* frames.receive)
        })
      )
      const good = yield* world.peer()
      const large = yield* world.peer()
      const truncated = yield* world.peer()
      large.transport.write(Uint8Array.of(0, 0, 0, 17, 1, 2))
      truncated.transport.write(Uint8Array.of(0, 0, 0, 4, 1, 2))
      truncated.transport.end()
      yield* large.heard.saw("end")
      yield* truncated.heard.saw("close")
      large.transport.end()
      yield* large.heard.saw("close")
      good.transport.write(Uint8Array.of(0, 0, 0, 1, 9))
      yield* good.heard.until((heard) => heard.receivedBytes === 5)
      assert.deepStrictEqual((yield* world.server.stats).closed, { FrameTooLarge: 1, TruncatedFrame: 1 })
    })
  )

  it.effect("a frame that is left unfinished is a stalled read", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(
        (connection) => connection.framed(Delimited.make({ delimiter: Uint8Array.of(0) })).receive,
        { readTimeout: "20 seconds" }
      )
      const peer = yield* world.peer()
      peer.write("abc")
      yield* TestClock.adjust("26 seconds")
      yield* peer.heard.saw("close")
      assert.deepStrictEqual((yield* world.server.stats).closed, { ReadStalled: 1 })
    })
  )

  it.effect("a server is run once; a second call is a defect that the first one does not feel", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(echo)
      const exit = yield* Effect.exit(world.server.run(echo))
      assert.include(String(exit), "has run")
      assert.isFalse(yield* world.server.isDraining)
      const peer = yield* world.peer()
      peer.write("hello")
      yield* peer.heard.until((heard) => heard.text === "hello")
    })
  )
})

describe("layers", () => {
  it.effect("serveTransports is runTransports for the lifetime of a layer", () =>
    Effect.gen(function* () {
      const network = MemoryNetwork.make()
      const inNetwork = Layer.succeed(MemoryNetwork.MemoryNetwork, network)
      const Server = TcpServer.serveTransports((transport) => ({
        onBytes: (chunk) => void transport.write(chunk),
        onDrain() {},
        onEnd: () => transport.end(),
        onClose() {}
      })).pipe(
        Layer.provide(TcpServer.layer()),
        Layer.provide(MemoryNetwork.layerListener(MemoryWorld.target)),
        Layer.provide(inNetwork)
      )
      yield* Effect.gen(function* () {
        yield* settle
        const transport = yield* network.dial(MemoryWorld.target)
        const heard = new Recorder()
        transport.attach(heard)
        transport.resume()
        transport.write(Uint8Array.of(104, 105))
        yield* heard.until((self) => self.text === "hi")
        transport.end()
        yield* heard.saw("close")
      }).pipe(Effect.scoped, Effect.provide(Server))
      const refused = yield* Effect.flip(Effect.scoped(network.dial(MemoryWorld.target)))
      assert.strictEqual(refused.reason._tag, "ConnectionRefused")
    })
  )

  it.effect("a second serve on one server is a failure of its layer", () =>
    Effect.gen(function* () {
      const Servers = Layer.mergeAll(TcpServer.serve(echo), TcpServer.serve(echo)).pipe(
        Layer.provide(TcpServer.layer()),
        Layer.provide(MemoryNetwork.layerListener(MemoryWorld.target)),
        Layer.provide(MemoryNetwork.layer())
      )
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(Servers)))
      assert.include(String(exit), "has run")
    })
  )

  it.effect("layerLogAddress says where it listens", () =>
    Effect.gen(function* () {
      const messages: Array<unknown> = []
      const logger = Logger.make(({ message }) => void messages.push(message))
      yield* Layer.build(TcpServer.layerLogAddress).pipe(
        Effect.scoped,
        Effect.provide(TcpServer.layer()),
        Effect.provide(MemoryNetwork.layerListener(MemoryWorld.target)),
        Effect.provide(MemoryNetwork.layer()),
        Effect.provide(Logger.layer([logger]))
      )
      assert.deepStrictEqual(messages.flat(), ["Listening on 10.0.0.1:7"])
    })
  )
})

describe("drain", () => {
  it.effect("a handler whose peer is gone is not waited for", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(() => Effect.never)
      const peer = yield* world.peer()
      yield* settle
      peer.transport.destroy()
      yield* settle
      assert.deepStrictEqual(yield* world.server.drain, { finished: 1, interrupted: 0, cut: 0 })
    })
  )

  it.effect("tells how it ended once", () =>
    Effect.gen(function* () {
      const messages: Array<unknown> = []
      const logger = Logger.make(({ message }) => void messages.push(message))
      yield* Effect.gen(function* () {
        const world = yield* MemoryWorld.serving(() => Effect.never, { drainTimeout: "1 second" })
        yield* world.peer()
        yield* settle
        const drained = yield* Effect.forkChild(world.server.drain)
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(drained)
        yield* world.stop
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
      assert.strictEqual(messages.length, 1, JSON.stringify(messages))
    })
  )

  it.effect("a peer that has everything and keeps its side open is awaited for a second", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(echo)
      const peer = yield* world.peer()
      peer.write("hello")
      yield* peer.heard.until((heard) => heard.text === "hello")
      const stopped = yield* Effect.forkChild(world.stop)
      yield* peer.heard.saw("end")
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(stopped.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(stopped)
    })
  )

  it.effect("a peer that has not got everything is awaited for closeTimeout", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(
        (connection) => Effect.andThen(Effect.flip(connection.receive), connection.send(new Uint8Array(100_000))),
        { sendBuffer: "1 MiB" }
      )
      const peer = yield* world.peer({ read: false })
      yield* settle
      const stopped = yield* Effect.forkChild(world.stop)
      yield* settle
      yield* TestClock.adjust("3 seconds")
      peer.transport.resume()
      yield* peer.heard.saw("end")
      assert.strictEqual(peer.heard.receivedBytes, 100_000)
      peer.transport.end()
      yield* Fiber.join(stopped)
    })
  )

  it.effect("idle connections end at once; a reply that is being made arrives whole", () =>
    Effect.gen(function* () {
      const work = yield* Deferred.make<void>()
      const world = yield* MemoryWorld.serving((connection) =>
        Effect.gen(function* () {
          const lines = connection.framed(Lines.make())
          while (true) {
            const line = yield* lines.receive
            yield* Deferred.await(work)
            yield* lines.send(`done ${line}`)
          }
        })
      )
      const idle = yield* world.peer()
      const busy = yield* world.peer()
      busy.write("work\n")
      yield* settle
      const stopped = yield* Effect.forkChild(world.stop)
      yield* idle.heard.saw("end")
      idle.transport.end()
      assert.deepStrictEqual(busy.heard.events, [])
      yield* Deferred.succeed(work, undefined)
      yield* busy.heard.saw("end")
      assert.strictEqual(busy.heard.text, "done work\n")
      busy.transport.end()
      yield* Fiber.join(stopped)
      yield* settle
      assert.strictEqual(world.network.openCount(), 0)
    })
  )

  it.effect("is told once in the log, however many wait for it", () =>
    Effect.suspend(() => {
      const logs = new LogRecorder()
      return Effect.gen(function* () {
        const world = yield* MemoryWorld.serving(echo)
        yield* Effect.all([world.server.drain, world.server.drain, world.stop], { concurrency: "unbounded" })
        yield* world.server.drain
        assert.deepStrictEqual(
          logs.entries.map((entry) => `${entry.level}: ${entry.message}`),
          ["Debug: Server drained"]
        )
      }).pipe(logs.listen)
    })
  )

  it.effect("refuses new connections from the first moment", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(() => Effect.never)
      yield* world.peer()
      yield* settle
      const drained = yield* Effect.forkChild(world.server.drain)
      yield* settle
      assert.isTrue(yield* world.server.isDraining)
      const refused = yield* Effect.flip(world.peer())
      assert.strictEqual(refused.reason._tag, "ConnectionRefused")
      yield* TestClock.adjust("21 seconds")
      yield* Fiber.join(drained)
    })
  )

  it.effect("a handler that never ends is interrupted at the deadline, and an obstinate one is cut", () =>
    Effect.gen(function* () {
      const release = yield* Deferred.make<void>()
      let connections = 0
      const world = yield* MemoryWorld.serving(
        () => (connections++ === 0 ? Effect.never : Effect.uninterruptible(Deferred.await(release))),
        { drainTimeout: "10 seconds" }
      )
      const endless = yield* world.peer()
      const obstinate = yield* world.peer()
      yield* settle
      const drained = yield* Effect.forkChild(world.server.drain)
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual(endless.heard.events, [])
      yield* TestClock.adjust(1)
      yield* endless.heard.saw("end")
      endless.transport.end()
      yield* endless.heard.saw("close")
      assert.deepStrictEqual(obstinate.heard.events, [])
      yield* TestClock.adjust("1 second")
      yield* obstinate.heard.saw("close")
      assert.deepStrictEqual(yield* Fiber.join(drained), { finished: 0, interrupted: 1, cut: 1 })
      yield* Deferred.succeed(release, undefined)
    })
  )

  it.effect("a peer that does not read cannot hold it", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(
        (connection) => Effect.andThen(connection.send(new Uint8Array(1_000_000)), Effect.never),
        { drainTimeout: "3 seconds" }
      )
      yield* world.peer({ read: false })
      yield* settle
      const stopped = yield* Effect.forkChild(world.stop)
      yield* TestClock.adjust("3 seconds")
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(stopped)
      yield* settle
      assert.strictEqual(world.network.openCount(), 0)
    })
  )

  it.effect("says farewell, and to nobody who ended before", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.serving(echo, {
        farewell: (connection) => connection.send("bye")
      })
      const early = yield* world.peer()
      early.transport.end()
      yield* early.heard.saw("close")
      const late = yield* world.peer()
      yield* settle
      const stopped = yield* Effect.forkChild(world.stop)
      yield* late.heard.saw("end")
      late.transport.end()
      yield* Fiber.join(stopped)
      assert.strictEqual(late.heard.text, "bye")
      assert.strictEqual(early.heard.text, "")
    })
  )
})

describe("laws", () => {
  it.effect("a scope that closes leaves no transport, timer or fiber", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* MemoryWorld.serving(echo)
        track(world)
        const client = yield* world.connect()
        const rude = yield* world.peer()
        yield* world.peer({ read: false })
        yield* client.send("hello")
        yield* client.receive
        rude.transport.destroy()
        const stopped = yield* Effect.forkChild(world.stop)
        yield* settle
        yield* TestClock.adjust("30 seconds")
        yield* Fiber.join(stopped)
      })
    )
  )

  it.effect("the same when nobody drained and handlers are stuck", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* MemoryWorld.serving(() => Effect.never)
        track(world)
        yield* world.peer()
        yield* settle
        const stopped = yield* Effect.forkChild(world.stop)
        yield* TestClock.adjust("21 seconds")
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(stopped)
      })
    )
  )
})
