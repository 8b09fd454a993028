import { assert, describe, it } from "@effect/vitest"
import * as WebSocketClient from "@sluice/core/client/WebSocketClient"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import { WebSocketUpgradeError } from "@sluice/core/server/WebSocketUpgradeError"
import * as WebSocket from "@sluice/core/session/WebSocket"
import { Deflate } from "@sluice/core/transport/Deflate"
import { Dialer } from "@sluice/core/transport/Dialer"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as TestClock from "effect/testing/TestClock"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { isDone } from "../../harness/Reasons.ts"
import { turns } from "../../harness/TransportContract.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const address = MemoryWorld.target
const url = `ws://${address.host}:${address.port}/chat`

const connect = (world: WebWorld.World, options?: WebSocketClient.Options) =>
  Effect.provideService(WebSocketClient.connect(url, options), Dialer, { dial: world.network.dial })

const echo = (socket: WebSocket.WebSocket) => socket.runForEach(socket.send)

const isOver = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined

/** The example of RFC 6455 §1.3, with these lines behind it. */
const asking = (lines = "", host = "server.test"): string =>
  [
    "GET /chat HTTP/1.1",
    `host: ${host}`,
    "upgrade: websocket",
    "connection: Upgrade",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version: 13",
    `${lines}\r\n`
  ].join("\r\n")

/** What a server says to the request, whose connection it keeps. */
const answer = (world: WebWorld.World, wire: string) =>
  Effect.gen(function* () {
    const peer = yield* world.peer()
    peer.write(wire)
    yield* peer.heard.until(({ text }) => text.includes("\r\n\r\n"))
    return WebWorld.withoutDate(peer.heard.text)
  })

const statusOf = (text: string): number => Number(text.split(" ")[1])

describe("handle", () => {
  it.effect("RFC 6455 §1.3: answers the example's key, and serves the WebSocket", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(WebSocketServer.handle(echo))
      const peer = yield* world.peer()
      peer.write(asking())
      yield* peer.heard.until(({ text }) => text.includes("\r\n\r\n"))
      assert.strictEqual(
        WebWorld.withoutDate(peer.heard.text),
        [
          "HTTP/1.1 101 Switching Protocols",
          "upgrade: websocket",
          "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
          "connection: upgrade\r\n\r\n"
        ].join("\r\n")
      )
      const socket = yield* connect(world)
      yield* socket.send("hello")
      assert.strictEqual(yield* socket.receive, "hello")
      yield* socket.close()
      assert.deepInclude(yield* socket.closed, { code: 1000, clean: true })
    })
  )

  it.effect("takes frames that come with the request, and many clients at a time", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(WebSocketServer.handle(echo))
      const peer = yield* world.peer()
      peer.transport.write(
        new Uint8Array(Buffer.concat([Buffer.from(asking()), Buffer.from("818537fa213d7f9f4d5158", "hex")]))
      )
      yield* peer.heard.until(({ text }) => text.endsWith("\x81\x05Hello") || text.endsWith("\ufffd\x05Hello"))
      const sockets = yield* Effect.forEach(Array.from({ length: 20 }), () => connect(world))
      yield* Effect.forEach(sockets, (socket, index) => socket.send(`${index}`))
      const heard = yield* Effect.forEach(sockets, (socket) => socket.receive)
      assert.deepStrictEqual(
        heard,
        sockets.map((_, index) => `${index}`)
      )
    })
  )

  it.effect("provides the WebSocket as a service, and a scope that ends with the handler", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const world = yield* WebWorld.serving(
        WebSocketServer.handle(() =>
          Effect.gen(function* () {
            const socket = yield* WebSocket.WebSocket
            yield* Effect.addFinalizer(() => Effect.sync(() => heard.push("finalizer")))
            heard.push(`${socket.role} ${socket.protocol} ${yield* socket.receive}`)
          })
        )
      )
      const socket = yield* connect(world)
      yield* socket.send("hello")
      yield* isDone(socket.receive)
      assert.deepStrictEqual(heard, ["server undefined hello", "finalizer"])
      assert.deepInclude(yield* socket.closed, { code: 1000, clean: true })
    })
  )

  it.effect("a plain loop ends with its peer, and nothing is logged", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const world = yield* WebWorld.serving(
          WebSocketServer.handle((socket) =>
            Effect.gen(function* () {
              while (true) yield* socket.send(yield* socket.receive)
            })
          )
        )
        const socket = yield* connect(world)
        yield* socket.send("hello")
        assert.strictEqual(yield* socket.receive, "hello")
        yield* socket.close()
      }).pipe(logs.listen)
      assert.deepStrictEqual(logs.entries, [])
    })
  )

  it.effect("a handler that fails closes with 1011 and is logged; one whose peer is lost is told at debug level", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const world = yield* WebWorld.serving(
          WebSocketServer.handle((socket) =>
            Effect.gen(function* () {
              if ((yield* socket.receive) === "fail") return yield* Effect.fail("mine")
              yield* socket.send(yield* socket.receive)
            })
          )
        )
        const failing = yield* connect(world)
        yield* failing.send("fail")
        assert.deepInclude(yield* failing.closed, { code: 1011 })
        const lost = yield* connect(world)
        yield* lost.send("go on")
        yield* turns
        yield* lost.abort
        yield* turns
      }).pipe(logs.listen)
      assert.deepStrictEqual(logs.ofConnections, [
        "Error: Unhandled error in a WebSocket handler",
        "Debug: WebSocket ended by its peer's fault"
      ])
    })
  )

  it.effect("a peer that breaks a limit is told its code, and is no error", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const world = yield* WebWorld.serving(WebSocketServer.handle(echo, { maxMessageSize: 200 }))
        const socket = yield* connect(world)
        yield* socket.send("a".repeat(201))
        assert.deepInclude(yield* socket.closed, { code: 1009 })
        yield* turns
      }).pipe(logs.listen)
      assert.deepStrictEqual(logs.ofConnections, ["Debug: WebSocket ended by its peer's fault"])
    })
  )

  it.effect("agrees on a subprotocol and on compression, where both sides can", () =>
    Effect.gen(function* () {
      const options = { protocols: ["b", "a"], compression: "permessage-deflate" } as const
      const codec = NodeDeflate.make()
      const app = WebSocketServer.handle(echo, options)
      const world = yield* Effect.provideService(WebWorld.serving(app), Deflate, codec)
      const socket = yield* Effect.provideService(connect(world, options), Deflate, codec)
      assert.strictEqual(socket.protocol, "b")
      assert.strictEqual(socket.compression, "permessage-deflate")
      const message = "hello ".repeat(1000)
      yield* socket.send(message)
      assert.strictEqual(yield* socket.receive, message)
      const plain = yield* connect(world, options)
      assert.strictEqual(plain.compression, "none")
    })
  )

  it.effect("leaves nothing behind", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* WebWorld.serving(WebSocketServer.handle(echo))
        track(world as never)
        const closed = yield* connect(world)
        yield* closed.close()
        const lost = yield* connect(world)
        yield* lost.abort
        const open = yield* connect(world)
        yield* open.send("hello")
        yield* open.receive
      })
    )
  )
})

describe("who is refused", () => {
  const cases: ReadonlyArray<readonly [rule: string, wire: string, status: number, line: string]> = [
    ["a plain request: RFC 9110 §15.5.22", WebWorld.get("/chat", "more"), 426, "upgrade: websocket"],
    ["RFC 9110 §7.8: a request whose body is still to come", asking("content-length: 5\r\n"), 400, ""],
    ["RFC 6455 §4.4: another version", asking().replace("13", "8"), 426, "sec-websocket-version: 13"],
    ["RFC 6455 §4.2.1: no key", asking().replace("sec-websocket-key", "x"), 400, ""],
    ["RFC 6455 §4.2.1: another method", asking().replace("GET", "PUT"), 405, "allow: GET"],
    ["RFC 6455 §10.2: a page of another origin", asking("origin: https://evil.test\r\n"), 403, ""],
    ["a page without an origin", asking("origin: null\r\n"), 403, ""]
  ]
  for (const [rule, wire, status, line] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        const world = yield* WebWorld.serving(WebSocketServer.handle(echo))
        const text = yield* answer(world, wire)
        assert.strictEqual(statusOf(text), status)
        assert.include(text, line)
      })
    )
  }

  it.effect("and is not reported", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const world = yield* WebWorld.serving(WebSocketServer.handle(echo))
        yield* answer(world, WebWorld.get("/chat", "more"))
      }).pipe(logs.listen)
      assert.deepStrictEqual(logs.entries, [])
    })
  )

  it.effect("a request of another server is a defect", () =>
    Effect.gen(function* () {
      const request = HttpServerRequest.fromWeb(new Request("http://server.test/"))
      const exit = yield* WebSocketServer.upgrade().pipe(
        Effect.provideService(HttpServerRequest.HttpServerRequest, request),
        Effect.scoped,
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    })
  )
})

describe("origins", () => {
  const statusFor = (origins: WebSocketServer.Options["origins"], origin: string, host?: string) =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(WebSocketServer.handle(echo, { origins }))
      return statusOf(yield* answer(world, asking(`origin: ${origin}\r\n`, host)))
    })

  it.effect("of the same host are allowed by default, also behind a proxy that ends TLS", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* statusFor(undefined, "http://server.test"), 101)
      assert.strictEqual(yield* statusFor(undefined, "https://SERVER.test"), 101)
      assert.strictEqual(yield* statusFor(undefined, "https://server.test", "server.test:443"), 101)
      assert.strictEqual(yield* statusFor(undefined, "http://server.test:8080", "server.test:8080"), 101)
      assert.strictEqual(yield* statusFor(undefined, "http://server.test:8080"), 403)
      assert.strictEqual(yield* statusFor(undefined, "http://server.test.evil.test"), 403)
      assert.strictEqual(yield* statusFor(undefined, "http://evil.test/server.test"), 403)
    })
  )

  it.effect("are all allowed, or those of a list, or those that a function lets in", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* statusFor("any", "null"), 101)
      assert.strictEqual(yield* statusFor(["https://a.test"], "https://A.test"), 101)
      assert.strictEqual(yield* statusFor(["https://a.test"], "http://a.test"), 403)
      assert.strictEqual(yield* statusFor((origin) => origin.endsWith(".test"), "http://b.test"), 101)
      assert.strictEqual(yield* statusFor(() => false, "http://server.test"), 403)
    })
  )
})

describe("upgrade", () => {
  it.effect("closes with its scope, and can be refused by the program itself", () =>
    Effect.gen(function* () {
      const app = Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        if (request.headers.authorization === undefined) return HttpServerResponse.empty({ status: 401 })
        const socket = yield* WebSocketServer.upgrade()
        yield* socket.send("welcome")
        return HttpServerResponse.empty()
      })
      const world = yield* WebWorld.serving(app)
      assert.strictEqual(statusOf(yield* answer(world, asking())), 401)
      const socket = yield* connect(world, { headers: { authorization: "yes" } })
      assert.strictEqual(yield* socket.receive, "welcome")
      assert.deepInclude(yield* socket.closed, { code: 1000, clean: true })
    })
  )

  it.effect("once the request is answered, or its client gone, fails", () =>
    Effect.gen(function* () {
      const failures: Array<string> = []
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          yield* WebSocketServer.upgrade()
          const error = yield* Effect.flip(WebSocketServer.upgrade())
          assert.instanceOf(error, WebSocketUpgradeError)
          failures.push(error.reason._tag)
          return HttpServerResponse.empty()
        })
      )
      const socket = yield* connect(world)
      yield* socket.closed
      assert.deepStrictEqual(failures, ["ExchangeOver"])
    })
  )
})

describe("a server that drains", () => {
  it.effect("tells idle WebSockets 1001, answers what is in flight, and waits for no one else", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        WebSocketServer.handle((socket) =>
          socket.runForEach((message) => Effect.andThen(Effect.sleep("3 seconds"), socket.send(message)))
        )
      )
      const idle = yield* connect(world)
      const busy = yield* connect(world)
      yield* busy.send("slow")
      yield* turns
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      assert.deepInclude(yield* idle.closed, { code: 1001, clean: true })
      assert.isTrue(busy.isOpen)
      assert.isFalse(isOver(stopping))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* busy.receive, "slow")
      assert.deepInclude(yield* busy.closed, { code: 1001, clean: true })
      yield* Fiber.join(stopping)
    })
  )

  it.effect("interrupts a handler that does not end, and tells its peer 1001", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        WebSocketServer.handle((socket) => Effect.andThen(socket.receive, Effect.never)),
        { drainTimeout: "2 seconds" }
      )
      const socket = yield* connect(world)
      yield* socket.send("hello")
      yield* turns
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      assert.deepInclude(yield* socket.closed, { code: 1001, clean: true })
      yield* Fiber.join(stopping)
    })
  )
})

describe("a client that goes away", () => {
  it.effect("interrupts a handler that waits for something else, after closeTimeout", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const world = yield* WebWorld.serving(
        WebSocketServer.handle(() =>
          Effect.onInterrupt(Effect.never, () => Effect.sync(() => heard.push("interrupted")))
        )
      )
      const socket = yield* connect(world)
      yield* socket.abort
      yield* turns
      assert.deepStrictEqual(heard, [])
      yield* TestClock.adjust("5 seconds")
      yield* turns
      assert.deepStrictEqual(heard, ["interrupted"])
    })
  )
})
