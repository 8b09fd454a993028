import { assert, describe, it } from "@effect/vitest"
import type { HttpObserver } from "@sluice/core/server/HttpObserver"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Http2Peer from "../../harness/Http2Peer.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const { data, get, headers, post, rstStream, windowUpdate } = Wire

const request = HttpServerRequest.HttpServerRequest

/** Lets fibers and microtasks run until nothing moves. */
const settle = Effect.forEach(Array(10), () => Effect.yieldNow, { discard: true })

/** Answers with the path, after `ready` where the path is `/wait`. */
const paths = (ready: Effect.Effect<unknown> = Effect.void) =>
  Effect.gen(function* () {
    const { url } = yield* request
    if (url === "/wait") yield* ready
    return HttpServerResponse.text(url)
  })

/** Answers with the body of the request. */
const echo = Effect.gen(function* () {
  return HttpServerResponse.text(yield* (yield* request).text)
})

const ok = (id: number, byteLength: number) =>
  `HEADERS ${id} :status=200 content-type=text/plain content-length=${byteLength}`

/** What an application and its observers hear of requests. */
const observing = () => {
  const told: Array<string> = []
  const observer: HttpObserver = {
    onRequest: ({ target }) => void told.push(target),
    onEnd: ({ exchange, outcome, status }) => void told.push(`${exchange.target} ${outcome} ${status}`)
  }
  return { told, observers: [Effect.succeed(observer)] }
}

describe("requests", () => {
  it.effect("of a client that takes no head at all are ended all the same", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const ends = [Effect.succeed(HttpServerResponse.text("whole")), Effect.die("no answer")]
        for (const app of ends) {
          const world = yield* WebWorld.serving(app)
          keep(world)
          const peer = yield* Http2Peer.connect(world, { MAX_HEADER_LIST_SIZE: 0 })
          yield* settle
          peer.send(headers(1, get("/"), "END_STREAM"))
          yield* settle
          assert.deepStrictEqual(peer.lines(), ["RST_STREAM 1 INTERNAL_ERROR"])
        }
      }).pipe(Effect.scoped)
    )
  )

  it.effect("of one chunk are answered in one write, each when its handler ends", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(paths(Deferred.await(ready)))
      const peer = yield* Http2Peer.connect(world)
      yield* peer.saw("SETTINGS ACK")
      const before = peer.heard.chunks.length
      peer.send(
        headers(1, get("/wait"), "END_STREAM"),
        headers(3, get("/b"), "END_STREAM"),
        headers(5, get("/c"), "END_STREAM")
      )
      yield* settle
      assert.strictEqual(peer.heard.chunks.length, before + 1)
      assert.deepStrictEqual(peer.lines(), [ok(3, 2), "DATA 3 '/b' END_STREAM", ok(5, 2), "DATA 5 '/c' END_STREAM"])
      yield* Deferred.succeed(ready, undefined)
      yield* peer.saw("DATA 1")
      assert.deepStrictEqual(peer.lines().slice(4), [ok(1, 5), "DATA 1 '/wait' END_STREAM"])
    })
  )

  it.effect("a small body is there when its handler begins, and nobody waits for it", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.map(request, ({ text }) => HttpServerResponse.text(Effect.runSync(text)))
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post()), data(1, "hel"), data(1, "lo", "END_STREAM"))
      yield* peer.saw("DATA 1")
      assert.deepStrictEqual(peer.lines(), [ok(1, 5), "DATA 1 'hello' END_STREAM"])
    })
  )

  it.effect("a handler begins before its body is whole", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(Effect.andThen(Deferred.succeed(begun, undefined), echo))
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post()), data(1, "hel"))
      yield* Deferred.await(begun)
      peer.send(data(1, "lo", "END_STREAM"))
      yield* peer.saw("DATA 1 'hello' END_STREAM")
    })
  )

  it.effect("RFC 9110 §10.1.1: 100 Continue is sent when the handler reads", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(echo)
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post("/", ["expect", "100-continue"])))
      yield* peer.saw("HEADERS 1 :status=100")
      peer.send(data(1, "hello", "END_STREAM"))
      yield* peer.saw("DATA 1")
      assert.deepStrictEqual(peer.lines(), ["HEADERS 1 :status=100", ok(1, 5), "DATA 1 'hello' END_STREAM"])
    })
  )

  it.effect("RFC 9110 §10.1.1: it is sent once, however often the handler begins to read", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const { text } = yield* request
          yield* Effect.timeoutOption(text, "1 seconds")
          return HttpServerResponse.text(yield* text)
        })
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post("/", ["expect", "100-continue"])))
      yield* peer.saw("HEADERS 1 :status=100")
      yield* TestClock.adjust("1 seconds")
      peer.send(data(1, "hello", "END_STREAM"))
      yield* peer.saw("DATA 1")
      assert.deepStrictEqual(peer.lines(), ["HEADERS 1 :status=100", ok(1, 5), "DATA 1 'hello' END_STREAM"])
    })
  )

  it.effect("one with a body that is reset in the turn in which it came never begins", () =>
    Effect.gen(function* () {
      const { observers, told } = observing()
      let begunCount = 0
      const world = yield* WebWorld.serving(
        Effect.sync(() => {
          begunCount++
          return HttpServerResponse.empty()
        }),
        { observers }
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post("/a")), data(1, "hel"), rstStream(1, "CANCEL"))
      yield* settle
      assert.strictEqual(begunCount, 0)
      assert.deepStrictEqual(told, ["/a", "/a aborted undefined"])
    })
  )

  it.effect("RFC 9113 §8.1: behind a response the rest of the request is not waited for", () =>
    Effect.gen(function* () {
      const { observers, told } = observing()
      const world = yield* WebWorld.serving(Effect.succeed(HttpServerResponse.empty({ status: 403 })), { observers })
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post("/a")), data(1, "hello"))
      yield* peer.saw("RST_STREAM")
      assert.deepStrictEqual(peer.lines(), ["HEADERS 1 :status=403 END_STREAM", "RST_STREAM 1 NO_ERROR"])
      assert.deepStrictEqual(told, ["/a", "/a completed 403"])
    })
  )

  it.effect("RFC 9113 §8.1: RST_STREAM comes behind all of the response, also where the window is shut", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(Effect.succeed(HttpServerResponse.text("hello")))
      const peer = yield* Http2Peer.connect(world, { INITIAL_WINDOW_SIZE: 2 })
      peer.send(headers(1, post("/a")))
      yield* settle
      assert.deepStrictEqual(peer.lines(), [ok(1, 5), "DATA 1 'he'"])
      peer.send(data(1, "dropped"), windowUpdate(1, 10))
      yield* peer.saw("RST_STREAM")
      assert.deepStrictEqual(peer.lines().slice(2), ["DATA 1 'llo' END_STREAM", "RST_STREAM 1 NO_ERROR"])
    })
  )
})

describe("bodies", () => {
  it.effect("one that is larger than the window is collected: what is wanted is credited as it comes", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          return HttpServerResponse.text(String((yield* (yield* request).arrayBuffer).byteLength))
        }),
        { http2: { streamWindow: 20_000 } }
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post()))
      for (let count = 0; count < 10; count++) {
        peer.send(data(1, "x".repeat(10_000)))
        yield* settle
      }
      peer.send(data(1, "", "END_STREAM"))
      yield* peer.saw("DATA 1 '100000' END_STREAM")
    })
  )

  it.effect("one that nobody reads gets no more than its window", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(Effect.never, { http2: { streamWindow: 20_000 } })
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post()), data(1, "x".repeat(10_000)), data(1, "x".repeat(10_000)))
      yield* settle
      assert.deepStrictEqual(
        peer.allLines().filter((line) => line.startsWith("WINDOW_UPDATE 1")),
        []
      )
    })
  )

  it.effect("the connection's window comes back from a stream that was reset with unread data", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(Effect.never)
      const peer = yield* Http2Peer.connect(world)
      yield* peer.saw("SETTINGS ACK")
      const grants = () =>
        peer
          .allLines()
          .filter((line) => line.startsWith("WINDOW_UPDATE 0"))
          .reduce((sum, line) => sum + Number(line.split(" ")[2]), 0)
      const before = grants()
      let sentBytes = 0
      for (let id = 1; id < 200; id += 2) {
        peer.send(headers(id, post()), data(id, "x".repeat(16_000)), rstStream(id, "CANCEL"))
        sentBytes += 16_000
        yield* settle
      }
      assert.isAbove(grants() - before, sentBytes - 1024 * 1024)
    })
  )

  it.effect("RFC 9110 §15.5.14: one above maxBodySize is answered with 413, announced or not", () =>
    Effect.gen(function* () {
      const { observers, told } = observing()
      const world = yield* WebWorld.serving(echo, { maxBodySize: 4, observers })
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post("/announced", ["content-length", "5"])))
      yield* peer.saw("RST_STREAM 1")
      peer.send(headers(3, post("/whole")), data(3, "hello", "END_STREAM"))
      yield* peer.saw("HEADERS 3")
      peer.send(headers(5, post("/parts")), data(5, "hel"))
      yield* settle
      peer.send(data(5, "lo"))
      yield* peer.saw("RST_STREAM 5")
      peer.send(headers(7, post("/fits")), data(7, "hell", "END_STREAM"))
      yield* peer.saw("DATA 7")
      assert.deepStrictEqual(peer.lines().slice(0, -2), [
        "HEADERS 1 :status=413 END_STREAM",
        "RST_STREAM 1 NO_ERROR",
        "HEADERS 3 :status=413 content-length=0 END_STREAM",
        "RST_STREAM 3 NO_ERROR",
        "HEADERS 5 :status=413 content-length=0 END_STREAM",
        "RST_STREAM 5 NO_ERROR"
      ])
      assert.deepStrictEqual(
        told.filter((line) => line.includes(" ")),
        ["/announced completed 413", "/whole aborted 413", "/parts aborted 413", "/fits completed 200"]
      )
    })
  )

  it.effect("one that stops while somebody reads it is given up", () =>
    Effect.gen(function* () {
      const { observers, told } = observing()
      const world = yield* WebWorld.serving(echo, { bodyTimeout: "5 seconds", observers })
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post("/a")), data(1, "hel"))
      yield* settle
      yield* TestClock.adjust("4999 millis")
      assert.deepStrictEqual(peer.lines(), [])
      // The engine looks four times in that time.
      yield* TestClock.adjust("1251 millis")
      yield* peer.saw("RST_STREAM 1")
      assert.deepStrictEqual(peer.lines(), [
        "HEADERS 1 :status=408 content-length=0 END_STREAM",
        "RST_STREAM 1 NO_ERROR"
      ])
      assert.deepStrictEqual(told, ["/a", "/a aborted 408"])
    })
  )

  it.effect("RFC 9113 §8.1.1: one that is shorter than it says is reset, and nothing was sent", () =>
    Effect.gen(function* () {
      const { observers, told } = observing()
      const world = yield* WebWorld.serving(echo, { observers })
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, post("/a", ["content-length", "5"])))
      yield* settle
      peer.send(data(1, "hel", "END_STREAM"))
      yield* peer.saw("RST_STREAM 1")
      assert.deepStrictEqual(peer.lines(), ["RST_STREAM 1 PROTOCOL_ERROR"])
      assert.deepStrictEqual(told, ["/a", "/a aborted undefined"])
    })
  )

  it.effect("one that stops while nobody reads it any more has no limit", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const { text } = yield* request
          yield* Effect.timeoutOption(text, "1 seconds")
          yield* Deferred.await(ready)
          return HttpServerResponse.text(yield* text)
        }),
        { bodyTimeout: "5 seconds" }
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(Wire.settingsAck, headers(1, post()), data(1, "hel"))
      yield* settle
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(peer.lines(), [])
      yield* Deferred.succeed(ready, undefined)
      peer.send(data(1, "lo", "END_STREAM"))
      yield* peer.saw("DATA 1 'hello' END_STREAM")
    })
  )

  it.effect("a large response leaves as the windows allow, and its writer waits", () =>
    Effect.gen(function* () {
      let takenCount = 0
      const parts = Stream.range(1, 100).pipe(
        Stream.rechunk(1),
        Stream.map(() => {
          takenCount++
          return new Uint8Array(16_384)
        })
      )
      const world = yield* WebWorld.serving(Effect.succeed(HttpServerResponse.stream(parts)))
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, get(), "END_STREAM"))
      yield* settle
      // 65,535 bytes are the client's window, and twice as many wait.
      assert.isBelow(takenCount, 16)
      for (let count = 0; count < 200; count++) {
        peer.send(windowUpdate(0, 65_535), windowUpdate(1, 65_535))
        yield* settle
        if (peer.lines().at(-1)!.endsWith("END_STREAM")) break
      }
      assert.strictEqual(takenCount, 100)
      const frames = new Wire.Reader().frames(Wire.wire(...peer.heard.chunks))
      const sentBytes = frames.reduce(
        (sum, frame) => sum + (frame !== "PREFACE" && frame.type === 0 ? frame.payload.length : 0),
        0
      )
      assert.strictEqual(sentBytes, 100 * 16_384)
    })
  )
})

describe("clients that go", () => {
  it.effect("RST_STREAM interrupts the handler, and only that one", () =>
    Effect.gen(function* () {
      const { observers, told } = observing()
      const interrupted = yield* Deferred.make<void>()
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const { url } = yield* request
          if (url === "/a")
            return yield* Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
          yield* Deferred.await(ready)
          return HttpServerResponse.text(url)
        }),
        { observers }
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, get("/a"), "END_STREAM"), headers(3, get("/b"), "END_STREAM"))
      yield* settle
      peer.send(rstStream(1, "CANCEL"))
      yield* Deferred.await(interrupted)
      yield* Deferred.succeed(ready, undefined)
      yield* peer.saw("DATA 3 '/b' END_STREAM")
      assert.deepStrictEqual(told.slice(2).sort(), ["/a aborted undefined", "/b completed 200"])
      assert.deepInclude((yield* world.server.stats).requests, { completed: 1, aborted: 1 })
    })
  )

  it.effect("who goes on behind a body that broke a rule is interrupted, some time after it was told", () =>
    Effect.gen(function* () {
      const told = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const { stream } = yield* request
          yield* Stream.runDrain(stream).pipe(Effect.ignore, Effect.andThen(Deferred.succeed(told, undefined)))
          return yield* Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
        }),
        { closeTimeout: "5 seconds" }
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(Wire.settingsAck, headers(1, [...post(), ["content-length", "5"]]), data(1, "hel"))
      yield* settle
      peer.send(data(1, "lo, more"))
      yield* Deferred.await(told)
      yield* TestClock.adjust("4999 millis")
      assert.isFalse(yield* Deferred.isDone(interrupted))
      yield* TestClock.adjust("1 millis")
      yield* Deferred.await(interrupted)
    })
  )

  it.effect("the loss of the connection interrupts all, and the connection is over when they are", () =>
    Effect.gen(function* () {
      const cleaned = yield* Deferred.make<void>()
      let interruptedCount = 0
      const world = yield* WebWorld.serving(
        Effect.onInterrupt(Effect.never, () => {
          interruptedCount++
          return Deferred.await(cleaned)
        })
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, get("/a"), "END_STREAM"), headers(3, get("/b"), "END_STREAM"))
      yield* settle
      peer.transport.destroy()
      yield* settle
      assert.strictEqual(interruptedCount, 2)
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* settle
      assert.isUndefined(stopping.pollUnsafe())
      yield* Deferred.succeed(cleaned, undefined)
      yield* Fiber.join(stopping)
      assert.deepInclude((yield* world.server.stats).requests, { completed: 0, aborted: 2 })
    })
  )

  it.effect(
    "RFC 9113 §5.1.2: a stream keeps its place while its handler runs, though its client reset it (CVE-2023-44487)",
    () =>
      Effect.gen(function* () {
        const cleaned = yield* Deferred.make<void>()
        let runningCount = 0
        const world = yield* WebWorld.serving(
          Effect.sync(() => runningCount++).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.tap(Deferred.await(cleaned), () => Effect.sync(() => runningCount--)))
          ),
          { http2: { maxConcurrentStreams: 3 } }
        )
        const peer = yield* Http2Peer.connect(world)
        for (let id = 1; id <= 9; id += 2) peer.send(headers(id, get(), "END_STREAM"), rstStream(id, "CANCEL"))
        yield* settle
        assert.strictEqual(runningCount, 3)
        assert.deepStrictEqual(peer.lines(), ["RST_STREAM 7 REFUSED_STREAM", "RST_STREAM 9 REFUSED_STREAM"])
        yield* Deferred.succeed(cleaned, undefined)
        yield* settle
        peer.send(headers(11, get(), "END_STREAM"))
        yield* settle
        assert.strictEqual(runningCount, 1)
      })
  )

  it.effect("one that reads nothing is not read either, and costs a bounded amount", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.succeed(HttpServerResponse.empty({ headers: { "x-long": "x".repeat(8_000) } }))
      )
      const peer = yield* Http2Peer.connect(world, {}, { read: false })
      let answered = 0
      for (let id = 1; id < 2_000; id += 2) {
        peer.send(headers(id, get(), "END_STREAM"))
        yield* settle
        answered = (yield* world.server.stats).requests.completed
      }
      assert.isBelow(answered, 100)
    })
  )
})

describe("WebSockets on streams (RFC 8441)", () => {
  const connectTo = (path: string): Wire.Fields => [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "http"],
    [":authority", "a"],
    [":path", path],
    ["sec-websocket-version", "13"]
  ]
  /** Text frames, masked with zeros. */
  const message = (text: string) => Wire.wire(Uint8Array.of(0x81, 0x80 + text.length, 0, 0, 0, 0), Buffer.from(text))
  const echoes = WebSocketServer.handle((socket) => socket.runForEach(socket.send))

  it.effect("several on one connection, beside requests", () =>
    Effect.gen(function* () {
      const { observers, told } = observing()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const { url } = yield* request
          return url === "/ws" ? yield* echoes : HttpServerResponse.text(url)
        }),
        { observers }
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, connectTo("/ws")), headers(3, connectTo("/ws")))
      yield* settle
      peer.send(data(1, message("a")), data(3, message("b")), headers(5, get("/c"), "END_STREAM"))
      yield* settle
      assert.deepStrictEqual(peer.lines(), [
        "HEADERS 1 :status=200",
        "HEADERS 3 :status=200",
        "DATA 1 81 01 61",
        "DATA 3 81 01 62",
        ok(5, 2),
        "DATA 5 '/c' END_STREAM"
      ])
      assert.deepStrictEqual(
        told.filter((line) => line.includes(" ")),
        ["/ws upgraded 200", "/ws upgraded 200", "/c completed 200"]
      )
    })
  )

  it.effect("a drain says 1001 to each of them, and the connection ends when they have", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(echoes)
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, connectTo("/ws")))
      yield* peer.saw("HEADERS 1")
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* peer.saw("DATA 1 88 02 03 e9")
      peer.send(data(1, Wire.wire(Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 3, 0xe9)), "END_STREAM"))
      yield* TestClock.adjust("1 seconds")
      yield* peer.heard.saw("end")
      peer.transport.end()
      yield* Fiber.join(stopping)
      assert.strictEqual((yield* world.server.stats).requests.upgraded, 1)
    })
  )

  it.effect("one that opens while the server drains is told at once", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(Effect.andThen(Deferred.await(ready), echoes))
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, connectTo("/ws")))
      yield* settle
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* settle
      yield* Deferred.succeed(ready, undefined)
      yield* peer.saw("DATA 1 88 02 03 e9")
      peer.transport.destroy()
      yield* Fiber.join(stopping)
    })
  )

  it.effect("RST_STREAM ends one, and its handler hears that the connection was lost", () =>
    Effect.gen(function* () {
      const lost = yield* Deferred.make<string>()
      const world = yield* WebWorld.serving(
        WebSocketServer.handle((socket) =>
          Effect.tapError(socket.runForEach(socket.send), (error) => Deferred.succeed(lost, String(error)))
        )
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, connectTo("/ws")))
      yield* peer.saw("HEADERS 1")
      peer.send(rstStream(1, "CANCEL"))
      assert.include(yield* Deferred.await(lost), "WebSocketError")
    })
  )

  it.effect("a handler that does not look is interrupted, some time after its stream has ended", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        WebSocketServer.handle(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))),
        { closeTimeout: "5 seconds" }
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, connectTo("/ws")))
      yield* peer.saw("HEADERS 1")
      peer.send(rstStream(1, "CANCEL"))
      yield* settle
      yield* TestClock.adjust("4999 millis")
      assert.isFalse(yield* Deferred.isDone(interrupted))
      yield* TestClock.adjust("1 millis")
      yield* Deferred.await(interrupted)
    })
  )
})

describe("the drain", () => {
  it.effect("RFC 9113 §6.8: GOAWAY is said, what is in flight is answered, and the connection ends", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(paths(Deferred.await(ready)))
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, get("/wait"), "END_STREAM"))
      yield* settle
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* peer.saw("GOAWAY 2147483647 NO_ERROR")
      yield* TestClock.adjust("1 seconds")
      yield* peer.saw("GOAWAY 1 NO_ERROR")
      yield* Deferred.succeed(ready, undefined)
      yield* peer.saw("DATA 1 '/wait' END_STREAM")
      yield* peer.heard.saw("end")
      peer.transport.end()
      yield* Fiber.join(stopping)
      assert.strictEqual((yield* world.server.stats).requests.completed, 1)
    })
  )

  it.effect("at the deadline handlers are interrupted, and their clients told", () =>
    Effect.gen(function* () {
      const { observers, told } = observing()
      const world = yield* WebWorld.serving(Effect.never, { drainTimeout: "5 seconds", observers })
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, get("/a"), "END_STREAM"))
      yield* settle
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* settle
      yield* TestClock.adjust("5 seconds")
      yield* peer.saw("HEADERS 1 :status=503")
      yield* peer.heard.saw("end")
      peer.transport.end()
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(told, ["/a", "/a completed 503"])
    })
  )

  it.effect("nothing is left when all is over", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* WebWorld.serving(echo)
        track(world)
        const peer = yield* Http2Peer.connect(world)
        peer.send(headers(1, post()), data(1, "hello", "END_STREAM"), headers(3, post()), data(3, "hel"))
        yield* peer.saw("DATA 1")
        peer.transport.destroy()
      })
    )
  )
})
