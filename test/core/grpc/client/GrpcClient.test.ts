import { create } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import type { GrpcCallOptions } from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import type { GrpcConnector } from "@sluice/core/grpc/client/GrpcConnector"
import type { GrpcInterceptor } from "@sluice/core/grpc/client/GrpcInterceptor"
import * as GrpcEncoding from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import { Http2ClientSession } from "@sluice/core/session/Http2ClientSession"
import * as Timers from "@sluice/core/session/Timers"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as FakeConnector from "../../../harness/FakeConnector.ts"
import { names, replies, reply, tagOf } from "../../../harness/GrpcHello.ts"
import { type Served, Server, type ServerOptions } from "../../../harness/Http2ClientWorld.ts"
import { Greeter, type HelloReply, HelloRequestSchema } from "../../../harness/protobuf/hello_pb.ts"
import { turns } from "../../../harness/TransportContract.ts"

/** A client on one connection in memory, whose server the test drives by hand. */
const connected = (options: ServerOptions = {}, client: Http2Options.Options = {}) =>
  Effect.gen(function* () {
    const timers = yield* Timers.make
    const [near, far] = MemoryTransport.pair()
    const server = new Server(far, timers, { conduct: "hold", ...options })
    const limits = Http2Options.resolve("client", { pingInterval: "unbounded", ...client })
    const session = new Http2ClientSession({
      transport: near,
      timers,
      limits,
      waiting: { waitingCount: 8, waitingMillis: 1000 }
    })
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        session.cutUnsafe()
        near.destroy()
        return session.closed
      })
    )
    const connector: GrpcConnector = {
      timers,
      encodings: GrpcEncoding.none,
      openUnsafe: ({ body, headers, path, rest }, receiver) =>
        session.openUnsafe(
          { method: "POST", scheme: "http", authority: "server.test", path, headers, body, rest },
          Object.assign(Object.create(null), {
            onInterim: () => {},
            onHead: receiver.onHead.bind(receiver),
            onData: receiver.onData.bind(receiver),
            onEnd: receiver.onEnd.bind(receiver),
            onWritable: receiver.onWritable.bind(receiver),
            onClosed: receiver.onClosed.bind(receiver)
          })
        )
    }
    yield* turns
    const armed = timers.size()
    const greeter = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
    /** No stream is open on either side, no timer armed that was not before, and the server may send all it could. */
    const assertNothingLeft = () => {
      assert.strictEqual(session.stats.openCount + session.stats.waitingCount, 0)
      assert.strictEqual(server.engine.streamCount, 0)
      assert.isAtMost(timers.size(), armed)
    }
    return { assertNothingLeft, greeter, server, session, timers }
  })

const grpc = { "content-type": "application/grpc" }
const ok = { "grpc-status": "0" }

const begin = (served: Served, ...bytes: ReadonlyArray<Uint8Array>) => {
  served.begin(200, grpc)
  for (const one of bytes) served.write(one)
}

const forked = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.tap(Effect.forkChild(effect, { startImmediately: true }), () => turns)

describe("over HTTP/2", () => {
  it.effect("one request, one reply", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server } = yield* connected()
      const fiber = yield* forked(greeter.sayHello({ name: "Ada" }, { timeout: "1 second" }))
      const { last } = server
      assert.deepStrictEqual(
        [last.head.method, last.head.path, last.head.header("te"), last.head.header("content-type"), last.ended],
        ["POST", "/hello.Greeter/SayHello", "trailers", "application/grpc", "whole"]
      )
      begin(last, reply("hello"))
      last.end(ok)
      assert.strictEqual((yield* Fiber.join(fiber)).message, "hello")
      assert.strictEqual(last.over, "clean")
      assertNothingLeft()
    })
  )

  it.effect("many replies, with as much on its way as its reader leaves room for", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server } = yield* connected({}, { streamWindow: 65_536 })
      const big = "x".repeat(16_000)
      let taken = 0
      const paused = Stream.runForEach(greeter.streamHellos({ name: "Ada" }), () =>
        Effect.andThen(
          Effect.sync(() => taken++),
          Effect.sleep("1 second")
        )
      )
      const fiber = yield* forked(paused)
      begin(server.last, replies(...Array.from({ length: 40 }, () => big)))
      yield* turns
      const { stream } = server.last
      const queuedBytes = stream.queuedBytes
      yield* turns
      assert.isAbove(queuedBytes, 40 * 16_000 - 2 * 65_536 - 16_384, "the server waits for its window")
      assert.strictEqual(stream.queuedBytes, queuedBytes)
      server.last.end(ok)
      for (let seconds = 0; seconds < 41; seconds++) {
        yield* TestClock.adjust("1 second")
        yield* turns
      }
      yield* Fiber.join(fiber)
      assert.strictEqual(taken, 40)
      assertNothingLeft()
    })
  )

  it.effect("many requests, one reply", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server } = yield* connected()
      const requests = Stream.make({ name: "a" }, create(HelloRequestSchema, { name: "b" }))
      const fiber = yield* forked(greeter.collectHellos(requests))
      const { last } = server
      assert.deepStrictEqual([names(Buffer.from(last.bodyText)), last.ended], [["a", "b"], "whole"])
      begin(last, reply("both"))
      last.end(ok)
      assert.strictEqual((yield* Fiber.join(fiber)).message, "both")
      assertNothingLeft()
    })
  )

  it.effect("requests are taken no faster than the server reads", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server } = yield* connected(
        { bodies: "kept", streamWindow: 65_536 },
        { sendBufferSize: 65_536 }
      )
      let taken = 0
      const endless = Stream.tap(Stream.forever(Stream.make({ name: "x".repeat(16_000) })), () =>
        Effect.sync(() => taken++)
      )
      const fiber = yield* forked(greeter.collectHellos(endless))
      yield* turns
      const before = taken
      yield* turns
      assert.strictEqual(taken, before, "it waits")
      assert.isBelow(taken, 12)
      server.last.consume(server.last.bodyBytes)
      yield* turns
      assert.isAbove(taken, before)
      yield* Fiber.interrupt(fiber)
      yield* turns
      assertNothingLeft()
    })
  )

  it.effect("an early answer stops the requests: RST_STREAM with NO_ERROR", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server } = yield* connected()
      const fiber = yield* forked(greeter.collectHellos(Stream.never))
      begin(server.last, reply("enough"))
      server.last.end(ok)
      assert.strictEqual((yield* Fiber.join(fiber)).message, "enough")
      yield* turns
      const { over } = server.last
      assert.strictEqual(typeof over === "object" && over._tag === "PeerReset" && over.errorCode, 0)
      assertNothingLeft()
    })
  )

  it.effect("many of both, in turns", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server } = yield* connected()
      const said: Array<string> = []
      const requests = Stream.make({ name: "a" }, { name: "b" }).pipe(Stream.rechunk(1))
      const reading = Stream.runForEach(greeter.chatHellos(requests), (one: HelloReply) =>
        Effect.sync(() => said.push(one.message))
      )
      const fiber = yield* forked(reading)
      begin(server.last, replies("1", "2"))
      yield* turns
      assert.deepStrictEqual(said, ["1", "2"])
      server.last.end(ok)
      yield* Fiber.join(fiber)
      assertNothingLeft()
    })
  )

  const ends: ReadonlyArray<readonly [how: string, tag: string, end: (served: Served, server: Server) => void]> = [
    ["CANCEL", "Cancelled", (served) => served.reset(8)],
    ["a status", "NotFound", (served) => served.respond(200, { ...grpc, "grpc-status": "5" })],
    ["a page", "Unimplemented", (served) => served.respond(404, { "content-type": "text/html" }, "not here")],
    ["no connection", "Unavailable", (_, server) => server.transport.destroy()]
  ]
  for (const [how, tag, end] of ends) {
    it.effect(`the server answers with ${how}: ${tag}`, () =>
      Effect.gen(function* () {
        const { assertNothingLeft, greeter, server } = yield* connected()
        const fiber = yield* forked(Effect.exit(greeter.sayHello({ name: "Ada" }, { timeout: "1 second" })))
        const reading = yield* forked(
          Effect.exit(Stream.runDrain(greeter.streamHellos({ name: "Ada" }, { timeout: "1 second" })))
        )
        for (const served of [...server.requests]) end(served, server)
        assert.strictEqual(tagOf(yield* Fiber.join(fiber)), tag)
        assert.strictEqual(tagOf(yield* Fiber.join(reading)), tag)
        yield* turns
        assertNothingLeft()
      })
    )
  }

  it.effect("a call that the server has not looked at is made again", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server } = yield* connected()
      const fiber = yield* forked(greeter.sayHello({ name: "Ada" }, { timeout: "1 second" }))
      server.last.reset(7)
      yield* turns
      assert.strictEqual(server.requests.length, 2)
      begin(server.last, reply("hello"))
      server.last.end(ok)
      assert.strictEqual((yield* Fiber.join(fiber)).message, "hello")
      assertNothingLeft()
    })
  )

  it.effect("a deadline, an interruption and a reader that leaves tell the server: CANCEL", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server } = yield* connected()
      const cancelled = () => {
        const { over } = server.last
        return typeof over === "object" && over._tag === "PeerReset" && over.errorCode === 8
      }
      const late = yield* forked(Effect.exit(greeter.sayHello({ name: "Ada" }, { timeout: "1 second" })))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(tagOf(yield* Fiber.join(late)), "DeadlineExceeded")
      yield* turns
      assert.isTrue(cancelled())
      yield* Fiber.interrupt(yield* forked(greeter.sayHello({ name: "Ada" })))
      yield* turns
      assert.isTrue(cancelled())
      const leaving = yield* forked(Stream.runHead(greeter.streamHellos({ name: "Ada" })))
      begin(server.last, replies("a", "b"))
      yield* Fiber.join(leaving)
      yield* turns
      assert.isTrue(cancelled())
      assertNothingLeft()
    })
  )

  it.effect("a call that waits for a place has a deadline too", () =>
    Effect.gen(function* () {
      const { assertNothingLeft, greeter, server, session } = yield* connected({ maxConcurrentStreams: 1 })
      const first = yield* forked(greeter.sayHello({ name: "a" }))
      const second = yield* forked(Effect.exit(greeter.sayHello({ name: "b" }, { timeout: "10 millis" })))
      assert.strictEqual(session.stats.waitingCount, 1)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(tagOf(yield* Fiber.join(second)), "DeadlineExceeded")
      assert.strictEqual(server.requests.length, 1)
      yield* Fiber.interrupt(first)
      yield* turns
      assertNothingLeft()
    })
  )
})

describe("interceptors", () => {
  const noting =
    (name: string, told: Array<string>): GrpcInterceptor =>
    (call, next) =>
      Effect.suspend(() => {
        told.push(`${name} ${call.method.name}`)
        const metadata = (call.options.metadata ?? GrpcMetadata.empty).append("by", name)
        return Effect.tap(next({ ...call.options, metadata }), () => Effect.sync(() => told.push(`${name} done`)))
      })

  it.effect("the first is the outermost, of calls of every kind", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const connector = yield* FakeConnector.make()
      const layer = FakeConnector.channel(connector, { interceptors: [noting("a", told), noting("b", told)] })
      const greeter = yield* Effect.provide(GrpcClient.make(Greeter), layer)
      const requests = Stream.make({ name: "x" })
      const calls: ReadonlyArray<readonly [name: string, call: Effect.Effect<unknown, GrpcError.GrpcError>]> = [
        ["SayHello", greeter.sayHello({ name: "Ada" })],
        ["StreamHellos", Stream.runDrain(greeter.streamHellos({ name: "Ada" }))],
        ["CollectHellos", greeter.collectHellos(requests)],
        ["ChatHellos", Stream.runDrain(greeter.chatHellos(requests))]
      ]
      for (const [name, call] of calls) {
        told.length = 0
        const fiber = yield* forked(call)
        assert.deepStrictEqual(connector.last.attempt.headers.by, ["a", "b"])
        connector.last.head()
        connector.last.data(reply("hello"))
        connector.last.finish()
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(told, [`a ${name}`, `b ${name}`, "b done", "a done"])
      }
      connector.assertNothingLeft()
    })
  )

  it.effect("of a stream, the effect ends when it has begun", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const connector = yield* FakeConnector.make()
      const layer = FakeConnector.channel(connector, { interceptors: [noting("a", told)] })
      const greeter = yield* Effect.provide(GrpcClient.make(Greeter), layer)
      const fiber = yield* forked(Stream.runDrain(greeter.streamHellos({ name: "Ada" })))
      assert.deepStrictEqual(told, ["a StreamHellos"])
      connector.last.head()
      assert.deepStrictEqual(told, ["a StreamHellos", "a done"])
      yield* Fiber.interrupt(fiber)
      connector.assertNothingLeft()
    })
  )

  it.effect("may refuse a call, and make it again", () =>
    Effect.gen(function* () {
      const refusing: GrpcInterceptor = () => Effect.fail(GrpcError.permissionDenied("not you"))
      const again: GrpcInterceptor = (call, next) => Effect.catch(next(call.options), () => next(call.options))
      const connector = yield* FakeConnector.make()
      connector.onOpen = (stream) => {
        queueMicrotask(() => stream.headOnly({ "grpc-status": "14" }))
      }
      const exit = (interceptor: GrpcInterceptor) =>
        Effect.flatMap(
          Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector, { interceptors: [interceptor] })),
          (greeter) => Effect.exit(greeter.sayHello({ name: "Ada" }))
        )
      assert.strictEqual(tagOf(yield* exit(refusing)), "PermissionDenied")
      assert.strictEqual(connector.streams.length, 0)
      assert.strictEqual(tagOf(yield* exit(again)), "Unavailable")
      assert.strictEqual(connector.streams.length, 2)
      connector.assertNothingLeft()
    })
  )

  it.effect("do not hear what the stream of requests fails with", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const listening: GrpcInterceptor = (call, next) =>
        Effect.tapError(next(call.options), (error) => Effect.sync(() => heard.push(error.reason._tag)))
      const connector = yield* FakeConnector.make()
      const layer = FakeConnector.channel(connector, { interceptors: [listening] })
      const greeter = yield* Effect.provide(GrpcClient.make(Greeter), layer)
      const failing = Stream.fail("mine" as const)
      assert.strictEqual(yield* Effect.flip(greeter.collectHellos(failing)), "mine")
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(greeter.chatHellos(failing))), "mine")
      assert.deepStrictEqual(heard, ["Cancelled", "Cancelled"])
      connector.assertNothingLeft()
    })
  )
})

describe("a client", () => {
  it("is typed by its descriptor", () => {
    type Greet = GrpcClient.Client<typeof Greeter>
    const one: Greet["sayHello"] = (request, options?: GrpcCallOptions) => {
      const name: string | undefined = request.name
      return Effect.die([name, options])
    }
    const typed = (greeter: Greet) => {
      // @ts-expect-error a number is no name
      greeter.sayHello({ name: 1 })
      // @ts-expect-error one request, and no stream of them
      greeter.sayHello(Stream.make({ name: "a" }))
      const chat: Stream.Stream<HelloReply, GrpcError.GrpcError | "mine"> = greeter.chatHellos(
        Stream.fail("mine" as const)
      )
      return chat
    }
    assert.deepStrictEqual([typeof one, typeof typed], ["function", "function"])
  })

  it.effect("is a plain object of functions, by the local names of its methods", () =>
    Effect.gen(function* () {
      const connector = yield* FakeConnector.make()
      const greeter = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
      assert.deepStrictEqual(Object.keys(greeter), ["sayHello", "streamHellos", "collectHellos", "chatHellos"])
      const { sayHello } = greeter
      const fiber = yield* forked(sayHello({ name: "Ada" }))
      assert.deepStrictEqual(names(connector.last.attempt.body!), ["Ada"])
      yield* Fiber.interrupt(fiber)
    })
  )
})
