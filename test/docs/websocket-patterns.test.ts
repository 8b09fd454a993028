/** The programs of docs/patterns for WebSockets do what they say. */
import { assert, describe, it } from "@effect/vitest"
import { TcpClient, WebServer, type WebSocket, WebSocketClient, WebSocketServer } from "@sluice/core"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { Broadcast } from "../../docs/patterns/32-broadcast.ts"
import { talk } from "../../docs/patterns/33-websocket-client.ts"
import * as RoomsPattern from "../../docs/patterns/34-rooms.ts"
import { Watched } from "../../docs/patterns/35-keepalive.ts"
import { LogRecorder } from "../harness/LogRecorder.ts"
import { ask, converse, routes, target, webSocketUrl, wireOf } from "./WebInMemory.ts"

const open = (path = "/") => WebSocketClient.connect(webSocketUrl + path)

/** The text of the next message. */
const heard = (socket: WebSocket.WebSocket) => Effect.map(socket.receive, String)

/** How the WebSocket ended. */
const ending = (socket: WebSocket.WebSocket) =>
  Effect.gen(function* () {
    yield* Effect.ignore(socket.runForEach(() => Effect.void))
    const { code } = yield* socket.closed
    return code
  })

describe("32 broadcast server", () => {
  it.effect("to all, the sender too; at the drain each is told to go away", () =>
    converse(
      Broadcast,
      Effect.gen(function* () {
        const [ada, bob] = yield* Effect.all([open(), open("/any/path")])
        yield* ada.send("one")
        yield* bob.send("two")
        for (const socket of [ada, bob]) {
          assert.deepStrictEqual(yield* Effect.all([heard(socket), heard(socket)]), ["one", "two"])
        }
        const report = yield* Effect.forkChild((yield* WebServer.WebServer).drain)
        assert.deepStrictEqual(yield* Effect.all([ending(ada), ending(bob)]), [1001, 1001])
        assert.deepInclude(yield* Fiber.join(report), { finished: 2, interrupted: 0, cut: 0 })
      })
    )
  )
  it.effect("one that reads nothing holds nobody back, and is told to come back later", () =>
    converse(
      Broadcast,
      Effect.gen(function* () {
        const fast = yield* open()
        const slow = yield* WebSocketClient.connect(webSocketUrl, { receiveBuffer: "1 KiB" })
        const text = "x".repeat(16 * 1024)
        for (let count = 0; count < 100; count++) {
          yield* fast.send(text)
          assert.strictEqual((yield* heard(fast)).length, text.length)
        }
        const code = yield* Effect.forkChild(ending(slow))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* Fiber.join(code), 1013)
      })
    )
  )
  it.effect("a page of another origin is refused, and who does not ask for a WebSocket", () =>
    converse(
      Broadcast,
      Effect.gen(function* () {
        const stranger = WebSocketClient.connect(webSocketUrl, { headers: { origin: "https://evil.example" } })
        const error = yield* Effect.flip(stranger)
        assert.strictEqual(error._tag === "WebSocketError" && error.reason._tag, "HandshakeRefused")
        assert.strictEqual((yield* ask("GET", "/")).status, 426)
      })
    )
  )
})

describe("33 WebSocket client", () => {
  const talking = Effect.gen(function* () {
    const outgoing = yield* Queue.make<string, Cause.Done>()
    const shown: Array<string> = []
    const fiber = yield* Effect.forkChild(
      talk(webSocketUrl, outgoing, (text) => Effect.sync(() => void shown.push(text)))
    )
    return { outgoing, shown, fiber }
  })

  it.effect("both halves at once, to the end of what it sends", () =>
    converse(
      WebSocketServer.serve((socket) => Effect.andThen(socket.send("welcome"), socket.runForEach(socket.send))),
      Effect.gen(function* () {
        const { fiber, outgoing, shown } = yield* talking
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(shown, ["welcome"])
        yield* Queue.offer(outgoing, "one")
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(shown, ["welcome", "one"])
        yield* Queue.end(outgoing)
        yield* Fiber.join(fiber)
      })
    )
  )
  it.effect("comes back by its schedule, and what was not sent is sent then", () => {
    let connections = 0
    const flaky = WebSocketServer.serve((socket) =>
      ++connections === 1 ? socket.abort : socket.runForEach((message) => socket.send(`${connections}: ${message}`))
    )
    return converse(
      flaky,
      Effect.gen(function* () {
        const { outgoing, shown } = yield* talking
        yield* TestClock.adjust(0)
        assert.strictEqual(connections, 1)
        yield* Queue.offer(outgoing, "still here")
        yield* TestClock.adjust("99 millis")
        assert.strictEqual(connections, 1)
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(shown, ["2: still here"])
      })
    )
  })
  it.effect("a peer that reads nothing makes it wait, and the queue with it", () =>
    converse(
      WebSocketServer.serve(() => Effect.never),
      Effect.gen(function* () {
        const outgoing = yield* Queue.bounded<string, Cause.Done>(4)
        yield* Effect.forkChild(talk(webSocketUrl, outgoing, () => Effect.void))
        const flood = yield* Effect.forkChild(Effect.forever(Queue.offer(outgoing, "x".repeat(16 * 1024))))
        for (let turn = 0; turn < 10_000; turn++) yield* Effect.yieldNow
        assert.strictEqual(yield* Queue.size(outgoing), 4)
        yield* Fiber.interrupt(flood)
        yield* TestClock.adjust("1 minute")
      })
    )
  )
})

describe("34 rooms with presence", () => {
  const App = Layer.provide(routes(RoomsPattern.App), RoomsPattern.RoomsLive)
  it.effect("who enters sees who is there, and the others see who enters, speaks and leaves", () =>
    converse(
      App,
      Effect.gen(function* () {
        const ada = yield* open("/rooms/tea?name=ada")
        assert.strictEqual(yield* heard(ada), '{"here":["ada"]}')
        const bob = yield* open("/rooms/tea?name=bob")
        const eve = yield* open("/rooms/coffee?name=eve")
        assert.strictEqual(yield* heard(bob), '{"here":["ada","bob"]}')
        assert.strictEqual(yield* heard(eve), '{"here":["eve"]}')
        assert.strictEqual(yield* heard(ada), '{"joined":"bob"}')
        yield* bob.send("hello")
        assert.strictEqual(yield* heard(ada), '{"from":"bob","text":"hello"}')
        yield* bob.send(new Uint8Array(3))
        assert.strictEqual(yield* ending(bob), 1003)
        assert.strictEqual(yield* heard(ada), '{"left":"bob"}')
        yield* ada.close()
        assert.isTrue(eve.isOpen)
      })
    )
  )
  it.effect("a name that does not fit is 400, and a full room says so", () =>
    converse(
      App,
      Effect.gen(function* () {
        assert.strictEqual((yield* ask("GET", "/rooms/tea")).status, 400)
        yield* Effect.forEach(Array.from({ length: 100 }), (_, index) => open(`/rooms/tea?name=${index}`))
        const late = yield* open("/rooms/tea?name=late")
        assert.strictEqual(yield* ending(late), 1013)
      })
    )
  )
})

describe("35 keepalive", () => {
  it.effect("a peer that is gone without a word is found after 15 seconds; one that is silent stays", () => {
    const log = new LogRecorder()
    return converse(
      Watched,
      Effect.gen(function* () {
        const server = yield* WebServer.WebServer
        const alive = yield* open()
        const dead = yield* TcpClient.connect(target)
        yield* dead.send(
          wireOf("GET", "/", {
            headers: {
              connection: "Upgrade",
              upgrade: "websocket",
              "sec-websocket-version": "13",
              "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
            }
          })
        )
        assert.include(new TextDecoder().decode(yield* dead.receive), "HTTP/1.1 101 ")
        yield* TestClock.adjust("14999 millis")
        assert.strictEqual((yield* server.stats).open, 2)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* server.stats).open, 1)
        yield* TestClock.adjust("1 hour")
        assert.isTrue(alive.isOpen)
        yield* alive.send("how long?")
        assert.strictEqual(yield* heard(alive), "0 ms")
      })
    ).pipe(
      log.listen,
      Effect.tap(() =>
        Effect.sync(() => {
          assert.deepStrictEqual(
            log.entries.filter(({ level }) => level !== "Debug").map(({ message }) => message),
            ["gone: KeepaliveTimeout"]
          )
        })
      )
    )
  })
})
