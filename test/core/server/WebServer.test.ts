import { assert, describe, it } from "@effect/vitest"
import * as WebServer from "@sluice/core/server/WebServer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Multipart from "effect/http/Multipart"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Http2Peer from "../../harness/Http2Peer.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const { get } = WebWorld

const settle = Effect.forEach(Array(10), () => Effect.yieldNow, { discard: true })

const hello = Effect.succeed(HttpServerResponse.text("hello"))

const layerServer = WebServer.layer().pipe(
  Layer.provide(MemoryNetwork.layerListener(MemoryWorld.target)),
  Layer.provideMerge(MemoryNetwork.layer())
)

describe("WebServer.layer", () => {
  it.effect("is Effect's HttpServer, for a router as for an application", () =>
    Effect.gen(function* () {
      const Routes = HttpRouter.add("GET", "/hello", hello)
      const Main = HttpRouter.serve(Routes, { disableLogger: true, disableListenLog: true }).pipe(
        Layer.provideMerge(layerServer)
      )
      yield* Effect.gen(function* () {
        const { address } = yield* HttpServer.HttpServer
        assert.deepStrictEqual((yield* WebServer.WebServer).address, address)
        const network = yield* MemoryNetwork.MemoryNetwork
        const peer = MemoryWorld.rawPeer(yield* network.dial(MemoryWorld.target), true)
        peer.write(get("/hello"))
        yield* peer.heard.saw("end")
        peer.transport.end()
        assert.match(peer.heard.text, /hello$/)
      }).pipe(Effect.provide(Main))
    })
  )

  it.effect("serves one application", () =>
    Effect.gen(function* () {
      const server = yield* HttpServer.HttpServer
      yield* server.serve(hello)
      const exit = yield* Effect.exit(server.serve(hello))
      assert.strictEqual(exit._tag, "Failure")
    }).pipe(Effect.provide(layerServer))
  )

  it.effect("limits that make no sense are defects that name them", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(WebWorld.serving(hello, { maxBufferedBody: 0 }))
      assert.include(String(exit), "maxBufferedBody")
    })
  )

  it.effect("forms have limits, which a server or a route can set", () =>
    Effect.gen(function* () {
      const part = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'
      const form = (count: number) =>
        WebWorld.post("/", `${part.repeat(count)}--x--\r\n`, "content-type: multipart/form-data; boundary=x\r\n")
      const count = Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        return HttpServerResponse.text(String(yield* Stream.runCount(request.multipartStream)))
      })
      const world = yield* WebWorld.serving(count)
      assert.match(yield* world.talk(form(100)), /100$/)
      assert.match(yield* world.talk(form(101)), /^HTTP\/1.1 413 /)
      const strict = yield* WebWorld.serving(count, { multipart: { maxParts: 1 } })
      assert.match(yield* strict.talk(form(2)), /^HTTP\/1.1 413 /)
      const larger = yield* WebWorld.serving(Effect.provideService(count, Multipart.MaxParts, 200))
      assert.match(yield* larger.talk(form(150)), /150$/)
    })
  )

  it.effect("RFC 9110 §6.6.1: Date is the wall clock's", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 0, 2, 3, 4, 5))
      const world = yield* WebWorld.serving(hello)
      const peer = yield* world.peer()
      peer.write(get("/"))
      yield* peer.heard.saw("end")
      assert.include(peer.heard.text, "date: Fri, 02 Jan 2026 03:04:05 GMT\r\n")
    })
  )

  it.effect("counts connections and requests", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(hello)
      yield* world.talk(get("/", "more") + get("/"))
      yield* settle
      const { accepted, closed, requests } = yield* world.server.stats
      assert.deepStrictEqual([accepted, closed, requests.completed], [1, { Finished: 1 }, 2])
    })
  )
})

describe("the limits of HTTP/2", () => {
  /** What a server with these options announces. */
  const announced = (options: WebServer.Options) =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(hello, options)
      const peer = yield* Http2Peer.connect(world)
      yield* peer.saw("SETTINGS")
      return peer.allLines()[0]!
    })

  it.effect("are those of the server where both versions have them, and its own where they are said", () =>
    Effect.gen(function* () {
      const listBytes = /MAX_HEADER_LIST_SIZE=(\d+)/
      for (const [options, expected] of [
        [{}, "16384"],
        [{ maxHeaderSize: 5_000 }, "5000"],
        [{ maxHeaderSize: 5_000, http2: { maxHeaderSize: 6_000 } }, "6000"],
        [{ maxHeaderSize: 5_000, http2: { maxHeaderSize: undefined } }, "5000"],
        // HTTP/2 cannot have less.
        [{ maxHeaderSize: 100 }, "1024"]
      ] as const) {
        assert.strictEqual(listBytes.exec(yield* announced(options))?.[1], expected, JSON.stringify(options))
      }
      assert.include(yield* announced({ http2: { maxConcurrentStreams: 7 } }), "MAX_CONCURRENT_STREAMS=7")
    })
  )

  it.effect("that make no sense are defects that name them", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(WebWorld.serving(hello, { http2: { streamWindow: 0 } }))
      assert.include(String(exit), "streamWindow")
    })
  )

  it.effect("a body above maxBodySize is refused in both versions, but for the one that says more", () =>
    Effect.gen(function* () {
      const request = [Wire.headers(1, Wire.post()), Wire.data(1, "hello", "END_STREAM")]
      for (const [http2, status] of [
        [undefined, 413],
        [{ maxBodySize: 5 }, 200]
      ] as const) {
        const world = yield* WebWorld.serving(hello, { maxBodySize: 4, http2 })
        const peer = yield* Http2Peer.connect(world)
        peer.send(...request)
        yield* peer.saw(`HEADERS 1 :status=${status}`)
        assert.match(yield* world.talk(WebWorld.post("/", "hello")), /^HTTP\/1\.1 413 /)
      }
    })
  )

  it.effect("the idle time is that of the server", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(hello, { idleTimeout: "10 seconds" })
      const peer = yield* Http2Peer.connect(world)
      peer.send(Wire.settingsAck, Wire.headers(1, Wire.get(), "END_STREAM"))
      yield* peer.saw("DATA 1")
      yield* TestClock.adjust("9999 millis")
      assert.isFalse(peer.lines().some((line) => line.startsWith("GOAWAY")))
      yield* TestClock.adjust("2 seconds")
      yield* peer.saw("GOAWAY 1 NO_ERROR")
      yield* peer.heard.saw("end")
    })
  )
})

describe("the drain", () => {
  it.effect("closes idle connections at once, those that were in use a moment ago a moment later", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(hello)
      const idle = yield* world.peer()
      idle.write(get("/", "more"))
      yield* idle.heard.until(({ text }) => text.endsWith("hello"))
      const fresh = yield* world.peer()
      yield* TestClock.adjust("1100 millis")
      const stopping = yield* Effect.forkChild(world.stop)
      yield* idle.heard.saw("end")
      yield* fresh.heard.saw("end")
      idle.transport.end()
      fresh.transport.end()
      yield* Fiber.join(stopping)
    })
  )

  it.effect("a request that was on its way is answered, with close", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(hello)
      const busy = yield* world.peer()
      busy.write(get("/", "more"))
      yield* busy.heard.until(({ text }) => text.endsWith("hello"))
      const unused = yield* world.peer()
      const stopping = yield* Effect.forkChild(world.stop)
      yield* settle
      busy.write(get("/", "more"))
      yield* busy.heard.saw("end")
      busy.transport.end()
      assert.match(busy.heard.text, /connection: close\r\n.*hello$/s)
      yield* TestClock.adjust("200 millis")
      yield* unused.heard.saw("end")
      unused.transport.end()
      yield* Fiber.join(stopping)
    })
  )

  it.effect("lets requests in flight finish, says close, and takes no more", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(Effect.andThen(Deferred.await(ready), hello))
      const peer = yield* world.peer()
      peer.write(get("/", "more"))
      yield* settle
      const stopping = yield* Effect.forkChild(world.server.drain)
      yield* settle
      assert.isTrue(yield* world.server.isDraining)
      peer.write(get("/second", "more"))
      yield* Deferred.succeed(ready, undefined)
      yield* peer.heard.saw("end")
      peer.transport.end()
      assert.match(peer.heard.text, /connection: close\r\n.*hello$/s)
      assert.strictEqual(peer.heard.text.split("HTTP/1.1").length, 2)
      const report = yield* Fiber.join(stopping)
      assert.deepStrictEqual(report, {
        finished: 1,
        interrupted: 0,
        cut: 0,
        requests: { completed: 1, aborted: 0, cut: 0, upgraded: 0 }
      })
    })
  )

  it.effect("handlers left at the deadline are interrupted, and their clients told with 503", () =>
    Effect.gen(function* () {
      const log = new LogRecorder()
      const world = yield* log.listen(WebWorld.serving(Effect.never, { drainTimeout: "5 seconds" }))
      const peer = yield* world.peer()
      peer.write(get("/", "more"))
      yield* settle
      const stopping = yield* Effect.forkChild(log.listen(world.server.drain))
      yield* settle
      yield* TestClock.adjust("5 seconds")
      yield* peer.heard.saw("end")
      peer.transport.end()
      assert.match(peer.heard.text, /^HTTP\/1.1 503 .*connection: close\r\n/s)
      const { cut, interrupted } = yield* Fiber.join(stopping)
      assert.deepStrictEqual([interrupted, cut], [1, 0])
      assert.deepStrictEqual(
        log.entries.filter(({ level }) => level === "Warn").map(({ message }) => message),
        ["Server drained with connections left at the deadline"]
      )
    })
  )

  it.effect("what cannot be interrupted, and who does not read, is cut off a second later", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const { url } = yield* HttpServerRequest.HttpServerRequest
          if (url === "/stuck") return yield* Effect.uninterruptible(Effect.never)
          return HttpServerResponse.text("x".repeat(1_000_000))
        }),
        { drainTimeout: "3 seconds" }
      )
      const stuck = yield* world.peer()
      stuck.write(get("/stuck"))
      const deaf = yield* world.peer({ read: false })
      deaf.write(get("/large"))
      yield* settle
      const stopping = yield* Effect.forkChild(world.server.drain)
      yield* settle
      yield* TestClock.adjust("4 seconds")
      const { cut } = yield* Fiber.join(stopping)
      assert.strictEqual(cut, 2)
      assert.strictEqual(deaf.transport.state, "closed")
      assert.strictEqual(stuck.transport.state, "closed")
    })
  )

  it.effect("leaves nothing", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* WebWorld.serving(hello)
        track(world)
        yield* world.talk(get("/"))
        yield* world.peer()
        yield* settle
      })
    )
  )
})
