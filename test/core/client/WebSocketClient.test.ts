import { assert, describe, it } from "@effect/vitest"
import * as WebSocketClient from "@sluice/core/client/WebSocketClient"
import { Closed, WebSocketError } from "@sluice/core/protocol/websocket/WebSocketError"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import type { WebSocket } from "@sluice/core/session/WebSocket"
import { Dialer } from "@sluice/core/transport/Dialer"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Cause from "effect/Cause"
import { WebCrypto } from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { FakeDialer } from "../../harness/FakeDialer.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { turns } from "../../harness/TransportContract.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const url = "ws://server.test:7/chat?room=1"

const echo = (socket: WebSocket) => socket.runForEach(socket.send)

/** Draws the bytes of the key in RFC 6455 §1.3. */
const exampleCrypto = {
  getRandomValues: (array: Uint8Array | Int32Array) => {
    if (array instanceof Uint8Array) array.set(Buffer.from("dGhlIHNhbXBsZSBub25jZQ==", "base64"))
    else array.fill(0x37fa213d)
    return array
  }
} as never

const inWorld = (world: WebWorld.World) => Layer.succeed(Dialer, { dial: world.network.dial })

/** Connects by a dialer by hand, on a fiber, in a scope that the test closes. */
const connecting = (dialer: FakeDialer, options?: WebSocketClient.Options, to: WebSocketClient.Endpoint = url) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const fiber = yield* WebSocketClient.connect(to, options).pipe(
      Scope.provide(scope),
      Effect.provide(dialer.layer),
      Effect.provideService(WebCrypto, exampleCrypto),
      Effect.forkChild({ startImmediately: true })
    )
    yield* turns
    return { scope, fiber }
  })

const accepted = [
  "HTTP/1.1 101 Switching Protocols",
  "upgrade: websocket",
  "connection: Upgrade",
  "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
  "\r\n"
].join("\r\n")

const write = (dialer: FakeDialer, text: string) =>
  Effect.andThen(
    Effect.sync(() => dialer.last.transport.write(new Uint8Array(Buffer.from(text, "latin1")))),
    turns
  )

const isOver = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined

describe("connect", () => {
  it.effect("RFC 6455 §1.3: asks with the example's key, and takes its answer", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const options = { protocols: ["a", "b"], headers: { origin: "http://example.com" } }
      const { fiber, scope } = yield* connecting(dialer, options)
      assert.deepStrictEqual(dialer.attempts[0]?.target, { host: "server.test", port: 7 })
      assert.isUndefined(dialer.attempts[0]?.options?.tls)
      assert.deepStrictEqual(dialer.last.heard.text.split("\r\n"), [
        "GET /chat?room=1 HTTP/1.1",
        "host: server.test:7",
        "origin: http://example.com",
        "upgrade: websocket",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version: 13",
        "sec-websocket-protocol: a, b",
        "connection: upgrade",
        "",
        ""
      ])
      dialer.last.heard.chunks.splice(0)
      yield* write(dialer, `${accepted.replace("\r\n\r\n", "\r\nsec-websocket-protocol: b\r\n\r\n")}\x81\x02hi`)
      const socket = yield* Fiber.join(fiber)
      assert.strictEqual(socket.protocol, "b")
      assert.strictEqual(yield* socket.receive, "hi")
      yield* socket.send("Hello")
      yield* turns
      assert.strictEqual(
        Buffer.concat(dialer.last.heard.chunks).toString("hex"),
        // RFC 6455 §5.7: the example of a masked message.
        "818537fa213d7f9f4d5158"
      )
      yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(dialer.open, 0)
    })
  )

  it.effect("hands TLS to the dialer for wss, and takes addresses", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer("refuse", "refuse")
      const tls = { serverName: "a.test" }
      yield* connecting(dialer, { tls }, "wss://[::1]/")
      assert.deepInclude(dialer.attempts[0], { target: { host: "::1", port: 443 } })
      assert.deepStrictEqual(dialer.attempts[0]?.options?.tls, tls)
      yield* connecting(dialer, undefined, { address: { path: "/run/app.sock" } })
      assert.deepStrictEqual(dialer.attempts[1]?.target, { path: "/run/app.sock" })
    })
  )

  const refusals: ReadonlyArray<readonly [rule: string, answer: string, field: string]> = [
    ["another status", "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "status"],
    ["RFC 6455 §4.1: a wrong accept", accepted.replace("s3p", "S3p"), "sec-websocket-accept"],
    ["RFC 6455 §4.1: another upgrade", accepted.replace("websocket", "h2c"), "upgrade"],
    [
      "a protocol not asked for",
      accepted.replace("upgrade:", "sec-websocket-protocol: x\r\nupgrade:"),
      "sec-websocket-protocol"
    ],
    ["what is no HTTP", "220 smtp.test ESMTP\r\n\r\n", "status"]
  ]
  for (const [rule, answer, field] of refusals) {
    it.effect(`fails with HandshakeRefused: ${rule}`, () =>
      Effect.gen(function* () {
        const dialer = new FakeDialer()
        const { fiber, scope } = yield* connecting(dialer)
        yield* write(dialer, answer)
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.deepInclude(error.reason, { _tag: "HandshakeRefused", field, fault: "peer" })
        assert.strictEqual(dialer.open, 0)
        yield* Scope.close(scope, Exit.void)
      })
    )
  }

  it.effect("says which status", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const { fiber } = yield* connecting(dialer)
      yield* write(dialer, "HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy")
      assert.deepInclude((yield* Effect.flip(Fiber.join(fiber))).reason, { status: 503 })
    })
  )

  it.effect("fails when the connection is lost, refused, or too slow at any point", () =>
    Effect.gen(function* () {
      const lost = new FakeDialer()
      const one = yield* connecting(lost)
      lost.last.transport.destroy()
      assert.strictEqual((yield* Effect.flip(Fiber.join(one.fiber))).reason._tag, "ConnectionLost")
      const refused = new FakeDialer("refuse")
      const two = yield* connecting(refused)
      assert.strictEqual((yield* Effect.flip(Fiber.join(two.fiber))).reason._tag, "ConnectionRefused")
      const silent = new FakeDialer()
      const three = yield* connecting(silent, { connectTimeout: "3 seconds" })
      yield* TestClock.adjust(2_999)
      assert.isFalse(isOver(three.fiber))
      yield* TestClock.adjust(1)
      const reason = (yield* Effect.flip(Fiber.join(three.fiber))).reason
      assert.deepInclude(reason, { _tag: "ConnectTimeout", address: "server.test:7", limitMillis: 3000 })
      assert.strictEqual(silent.open, 0)
    })
  )

  it.effect("interrupted, it leaves nothing open", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer()
      const { fiber } = yield* connecting(dialer)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(dialer.open, 0)
    })
  )

  it.effect("with what makes no sense it is a defect", () =>
    Effect.gen(function* () {
      const dies = (to: WebSocketClient.Endpoint, options?: WebSocketClient.Options) =>
        Effect.map(
          Effect.exit(
            Effect.flatten(Effect.map(connecting(new FakeDialer(), options, to), ({ fiber }) => Fiber.join(fiber)))
          ),
          (exit) => assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        )
      yield* dies("ftp://server.test/")
      yield* dies(url, { protocols: ["not a token"] })
      yield* dies(url, { headers: { "x\r\n": "y" } })
      yield* dies(url, { connectTimeout: 0 })
    })
  )

  it.effect("closes with its scope, by how it ended", () =>
    Effect.gen(function* () {
      const codes: Array<number> = []
      const world = yield* WebWorld.serving(
        WebSocketServer.handle((socket) => {
          socket.observeClose(({ code }) => codes.push(code))
          return echo(socket)
        })
      )
      const used = Effect.flatMap(WebSocketClient.connect(url), (socket) => socket.send("hello"))
      yield* Effect.provide(Effect.scoped(used), inWorld(world))
      yield* Effect.exit(Effect.provide(Effect.scoped(Effect.andThen(used, Effect.fail("mine"))), inWorld(world)))
      yield* Effect.exit(Effect.provide(Effect.scoped(Effect.andThen(used, Effect.interrupt)), inWorld(world)))
      yield* turns
      assert.deepStrictEqual(codes, [1000, 1011, 1001])
    })
  )

  it.effect("leaves nothing behind", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* WebWorld.serving(WebSocketServer.handle(echo))
        track(world as never)
        const socket = yield* Effect.provide(WebSocketClient.connect(url), inWorld(world))
        yield* socket.send("hello")
        assert.strictEqual(yield* socket.receive, "hello")
        const refused = WebSocketClient.connect("ws://server.test:8/")
        yield* Effect.flip(Effect.provide(refused, inWorld(world)))
      })
    )
  )
})

describe("reconnecting", () => {
  const schedule = Schedule.spaced("1 second")

  it.effect("runs the handler again when the WebSocket was lost, or closed for another reason than 1000", () =>
    Effect.gen(function* () {
      let count = 0
      const world = yield* WebWorld.serving(
        WebSocketServer.handle((socket) => {
          count++
          if (count === 1) return socket.abort
          if (count === 2) return socket.close(1012)
          return Effect.andThen(socket.send(`${count}`), socket.close())
        })
      )
      const heard: Array<unknown> = []
      const fiber = yield* WebSocketClient.reconnecting(
        url,
        (socket) => socket.runForEach((message) => Effect.sync(() => heard.push(message))),
        { schedule }
      ).pipe(Effect.provide(inWorld(world)), Effect.forkChild({ startImmediately: true }))
      yield* turns
      assert.strictEqual(count, 1)
      yield* TestClock.adjust("1 second")
      yield* turns
      assert.strictEqual(count, 2)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(heard, ["3"])
    })
  )

  it.effect("ends with its handler, and fails with the handler's own error", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(WebSocketServer.handle(echo))
      const run = <E>(handler: (socket: WebSocket) => Effect.Effect<unknown, E>) =>
        Effect.provide(WebSocketClient.reconnecting(url, handler, { schedule }), inWorld(world))
      yield* run((socket) => socket.send("hello"))
      yield* run((socket) => socket.close(4000))
      assert.strictEqual(yield* Effect.flip(run(() => Effect.fail("mine"))), "mine")
    })
  )

  it.effect("fails with the last error when the schedule has ended", () =>
    Effect.gen(function* () {
      const dialer = new FakeDialer("refuse", "refuse", "refuse")
      const fiber = yield* WebSocketClient.reconnecting(url, echo, { schedule: Schedule.recurs(1) }).pipe(
        Effect.provide(dialer.layer),
        Effect.flip,
        Effect.forkChild({ startImmediately: true })
      )
      const error = yield* Fiber.join(fiber)
      assert.instanceOf(error, TransportError.TransportError)
      assert.strictEqual(dialer.attempts.length, 2)
      const world = yield* WebWorld.serving(WebSocketServer.handle((socket) => socket.close(4001, "go")))
      const closed = yield* WebSocketClient.reconnecting(url, echo, { schedule: Schedule.recurs(0) }).pipe(
        Effect.provide(inWorld(world)),
        Effect.flip
      )
      assert.instanceOf(closed, WebSocketError)
      assert.deepStrictEqual(closed.reason, new Closed(4001, "go"))
    })
  )
})

class Shout extends Rpc.make("Shout", { payload: { text: Schema.String }, success: Schema.String }) {}

class Group extends RpcGroup.make(Shout) {}

describe("as Effect's socket", () => {
  it.effect("its reader opens and closes a WebSocket; writers wait for it", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(WebSocketServer.handle(echo))
      const socket = yield* Effect.scoped(Effect.provide(WebSocketClient.toSocket(url), inWorld(world)))
      const writer = yield* socket.writer
      const writing = yield* Effect.forkChild(writer.writeAll(["a", "b"]), { startImmediately: true })
      yield* turns
      assert.isFalse(isOver(writing))
      for (const expected of ["a,b", "c"]) {
        if (expected === "c") yield* Effect.forkChild(writer.write("c"), { startImmediately: true })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { pull } = yield* socket.reader
            assert.strictEqual((yield* pull).join(), expected)
          })
        )
        yield* turns
        assert.strictEqual(world.network.openCount(), 0)
      }
    })
  )

  it.effect("fails to open with what the connection failed with", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.provide(WebSocketClient.toSocket(url), new FakeDialer("refuse").layer)
      const error = yield* Effect.flip(Effect.scoped(refused.reader))
      assert.strictEqual(error.reason._tag, "SocketOpenError")
      const world = yield* WebWorld.serving(Effect.succeed(HttpServerResponse.empty()))
      const other = yield* Effect.provide(WebSocketClient.toSocket(url), inWorld(world))
      assert.strictEqual((yield* Effect.flip(Effect.scoped(other.reader))).reason._tag, "SocketOpenError")
    })
  )

  it.effect("Effect's RPC runs over it, on a route of the server", () =>
    Effect.gen(function* () {
      const handlers = Group.toLayer({ Shout: ({ text }) => Effect.succeed(text.toUpperCase()) })
      const routes = RpcServer.layer(Group).pipe(
        Layer.provide(handlers),
        Layer.provideMerge(RpcServer.layerProtocolWebsocket({ path: "/rpc" })),
        Layer.provide(RpcSerialization.layerJson)
      )
      const app = yield* HttpRouter.toHttpEffect(routes)
      const world = yield* WebWorld.serving(app as WebWorld.App)
      const protocol = RpcClient.layerProtocolSocket().pipe(
        Layer.provide(WebSocketClient.layerSocket("ws://server.test:7/rpc")),
        Layer.provide(inWorld(world)),
        Layer.provide(RpcSerialization.layerJson)
      )
      const answers = yield* Effect.gen(function* () {
        const client = yield* RpcClient.make(Group)
        return yield* Effect.forEach(["a", "b", "c"], (text) => client.Shout({ text }), { concurrency: 3 })
      }).pipe(Effect.provide(protocol))
      assert.deepStrictEqual(answers, ["A", "B", "C"])
    })
  )
})
