import { assert, describe, it } from "@effect/vitest"
import type { HttpObserver } from "@sluice/core/server/HttpObserver"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const { get, post } = WebWorld

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

const ok = (body: string, close: "close" | "" = ""): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n${close === "" ? "" : "connection: close\r\n"}\r\n${body}`

describe("Http1Session", () => {
  it.effect("answers requests of one connection in their order, in one write", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(paths())
      const peer = yield* world.peer()
      peer.write(get("/a", "more") + get("/b", "more") + get("/c"))
      yield* peer.heard.saw("end")
      assert.strictEqual(WebWorld.withoutDate(peer.heard.text), ok("/a") + ok("/b") + ok("/c", "close"))
      assert.strictEqual(peer.heard.chunks.length, 1)
    })
  )

  it.effect("a request waits for the answer of the one before", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(paths(Deferred.await(ready)))
      const peer = yield* world.peer()
      peer.write(get("/wait", "more") + get("/b"))
      yield* settle
      assert.strictEqual(peer.heard.text, "")
      yield* Deferred.succeed(ready, undefined)
      yield* peer.heard.saw("end")
      assert.strictEqual(WebWorld.withoutDate(peer.heard.text), ok("/wait") + ok("/b", "close"))
    })
  )

  it.effect("a small body is there when its handler begins, and nobody waits for it", () =>
    Effect.gen(function* () {
      let waited = true
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          yield* Effect.sync(() => {
            waited = false
          })
          return HttpServerResponse.text(yield* (yield* request).text)
        })
      )
      const peer = yield* world.peer()
      peer.transport.write(Buffer.from(post("/", "hello")))
      yield* peer.heard.saw("end")
      assert.isFalse(waited)
      assert.strictEqual(WebWorld.withoutDate(peer.heard.text), ok("hello", "close"))
    })
  )

  it.effect("a request is counted once, whatever stands behind it", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const observer: HttpObserver = {
        onRequest: ({ target }) => void told.push(target),
        onEnd: ({ exchange, outcome }) => void told.push(`${exchange.target} ${outcome}`)
      }
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(paths(Deferred.await(ready)), { observers: [Effect.succeed(observer)] })
      const peer = yield* world.peer()
      peer.write(`${get("/wait", "more")}nonsense\r\n\r\n`)
      yield* settle
      yield* Deferred.succeed(ready, undefined)
      yield* peer.heard.saw("end")
      assert.include(peer.heard.text, "\r\n\r\n/waitHTTP/1.1 400 ")
      assert.deepStrictEqual(told, ["/wait", "/wait completed"])
      // Its handler never begins.
      yield* world.talk("POST /bad HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n")
      assert.deepStrictEqual(told.slice(2), ["/bad", "/bad aborted"])
      assert.deepInclude((yield* world.server.stats).requests, { completed: 1, aborted: 1 })
    })
  )

  it.effect("a connection is over when all of its handlers are", () =>
    Effect.gen(function* () {
      const cleaned = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const { url } = yield* request
          if (url === "/b") return yield* Effect.never
          yield* Effect.addFinalizer(() => Deferred.await(cleaned))
          return HttpServerResponse.text(url)
        })
      )
      const peer = yield* world.peer()
      peer.write(get("/a", "more") + get("/b"))
      yield* settle
      peer.transport.destroy()
      yield* settle
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* settle
      assert.isUndefined(stopping.pollUnsafe())
      yield* Deferred.succeed(cleaned, undefined)
      yield* Fiber.join(stopping)
    })
  )

  it.effect("who waits for 100 Continue behind a body that nobody read is asked to send", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const { text, url } = yield* request
          return HttpServerResponse.text(url === "/a" ? url : yield* text)
        }),
        { bufferBytes: 300_000 }
      )
      const peer = yield* world.peer()
      // The first chunk is all that waits for a reader.
      const body = `11170\r\n${"x".repeat(70_000)}\r\n1\r\nx\r\n0\r\n\r\n`
      peer.transport.write(
        Buffer.from(
          `POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${body}` +
            "POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
        )
      )
      yield* settle
      assert.isTrue(peer.heard.text.endsWith("HTTP/1.1 100 Continue\r\n\r\n"))
    })
  )

  it.effect("a handler begins before its body is whole", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          yield* Deferred.succeed(begun, undefined)
          return HttpServerResponse.text(yield* (yield* request).text)
        })
      )
      const peer = yield* world.peer()
      const wire = post("/", "hello")
      peer.write(wire.slice(0, -2))
      yield* Deferred.await(begun)
      peer.write(wire.slice(-2))
      yield* peer.heard.saw("end")
      assert.strictEqual(WebWorld.withoutDate(peer.heard.text), ok("hello", "close"))
    })
  )

  it.effect("RFC 9110 §10.1.1: 100 Continue is sent when the handler reads", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          return HttpServerResponse.text(yield* (yield* request).text)
        })
      )
      const peer = yield* world.peer()
      const [head, body] = post("/", "hello", "expect: 100-continue\r\n").split("\r\n\r\n")
      peer.write(`${head}\r\n\r\n`)
      yield* peer.heard.until((heard) => heard.text === "HTTP/1.1 100 Continue\r\n\r\n")
      peer.write(body!)
      yield* peer.heard.saw("end")
      assert.strictEqual(WebWorld.withoutDate(peer.heard.text), `HTTP/1.1 100 Continue\r\n\r\n${ok("hello", "close")}`)
    })
  )

  it.effect("RFC 9110 §10.1.1: a final answer without reading saves the client its body", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(Effect.succeed(HttpServerResponse.empty({ status: 403 })))
      const answer = yield* world.talk(post("/", "hello", "expect: 100-continue\r\n").split("hello")[0]!)
      assert.strictEqual(answer, "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    })
  )

  it.effect("the peer is not read while nobody takes a body", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(Effect.never)
      const peer = yield* world.peer()
      peer.write("POST / HTTP/1.1\r\nhost: server.test\r\ncontent-length: 10000000\r\n\r\n")
      const part = "x".repeat(50_000)
      for (let count = 0; count < 100; count++) {
        peer.write(part)
        yield* settle
      }
      const { receivedBytes } = yield* world.server.stats
      assert.isAtMost(receivedBytes, 65_536 * 5)
      assert.isAtLeast(peer.transport.bufferedBytes, 4_000_000)
    })
  )

  it.effect("a client that reads no answers has no more requests begun", () =>
    Effect.gen(function* () {
      let begun = 0
      const large = "x".repeat(100_000)
      const world = yield* WebWorld.serving(
        Effect.sync(() => {
          begun++
          return HttpServerResponse.text(large)
        })
      )
      const peer = yield* world.peer({ read: false })
      peer.write(get("/", "more").repeat(1_000))
      yield* settle
      const first = begun
      assert.isBelow(first, 10)
      yield* settle
      assert.strictEqual(begun, first)
      peer.transport.resume()
      yield* peer.heard.until((heard) => heard.receivedBytes > 1_000 * large.length)
      assert.strictEqual(begun, 1_000)
    })
  )

  it.effect("no more requests begin while many handlers before them still clean up", () =>
    Effect.gen(function* () {
      let begun = 0
      const cleaned = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          begun++
          yield* Effect.addFinalizer(() => Deferred.await(cleaned))
          return HttpServerResponse.empty()
        })
      )
      const peer = yield* world.peer()
      peer.write(get("/", "more").repeat(100))
      yield* settle
      assert.strictEqual(begun, 16)
      yield* Deferred.succeed(cleaned, undefined)
      yield* settle
      assert.strictEqual(begun, 100)
    })
  )

  it.effect("a violation is told to the handler that reads the body, and answered on the wire", () =>
    Effect.gen(function* () {
      const told = yield* Deferred.make<unknown>()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const failure = yield* Effect.flip((yield* request).text)
          yield* Deferred.succeed(told, failure.reason._tag)
          return HttpServerResponse.text("too late")
        })
      )
      const answer = yield* world.talk(
        "POST / HTTP/1.1\r\nhost: server.test\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "zz\r\n"
      )
      assert.strictEqual(answer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
      assert.strictEqual(yield* Deferred.await(told), "RequestParseError")
      yield* settle
      assert.deepStrictEqual((yield* world.server.stats).closed, { MalformedChunk: 1 })
    })
  )

  it.effect("a violation interrupts a handler that would not learn of it", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      )
      yield* world.talk("POST / HTTP/1.1\r\nhost: server.test\r\ntransfer-encoding: chunked\r\n\r\n", "zz\r\n")
      yield* Deferred.await(interrupted)
    })
  )

  it.effect("a client that goes has its handler interrupted", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      )
      const peer = yield* world.peer()
      peer.write(get("/"))
      yield* settle
      peer.transport.destroy()
      yield* Deferred.await(interrupted)
      yield* settle
      assert.deepStrictEqual((yield* world.server.stats).requests, { completed: 0, aborted: 1, cut: 0, upgraded: 0 })
    })
  )

  it.effect("a client that ends its side before it gets the protocol that it asked for has no more to say", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          yield* Deferred.await(ready)
          const { pull } = yield* (yield* (yield* request).upgrade).reader
          yield* Effect.forever(pull)
          return HttpServerResponse.empty()
        }),
        { halfClose: "answer" }
      )
      const peer = yield* world.peer()
      peer.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n")
      peer.transport.end()
      yield* settle
      yield* Deferred.succeed(ready, undefined)
      yield* settle
      assert.strictEqual((yield* world.server.stats).open, 0)
    })
  )

  for (const halfClose of ["abort", "answer"] as const) {
    it.effect(`a client that ends its side before the answer: ${halfClose}`, () =>
      Effect.gen(function* () {
        const ready = yield* Deferred.make<void>()
        const world = yield* WebWorld.serving(paths(Deferred.await(ready)), { halfClose })
        const peer = yield* world.peer()
        peer.write(get("/wait"))
        yield* settle
        peer.transport.end()
        yield* settle
        yield* Deferred.succeed(ready, undefined)
        yield* peer.heard.saw("close")
        assert.strictEqual(WebWorld.withoutDate(peer.heard.text), halfClose === "answer" ? ok("/wait", "close") : "")
      })
    )
  }

  it.effect("answers to a client that ends its side at once are not lost", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(paths())
      const peer = yield* world.peer()
      peer.write(get("/a", "more") + get("/b", "more"))
      peer.transport.end()
      yield* peer.heard.saw("close")
      assert.strictEqual(WebWorld.withoutDate(peer.heard.text), ok("/a") + ok("/b"))
    })
  )

  it.effect("an idle connection is closed after its time", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(paths(), { idleTimeout: "10 seconds" })
      const peer = yield* world.peer()
      peer.write(get("/a", "more"))
      yield* peer.heard.until((heard) => heard.text.endsWith("/a"))
      yield* TestClock.adjust("9 seconds")
      assert.notInclude(peer.heard.events, "end")
      yield* TestClock.adjust("1 second")
      yield* peer.heard.saw("end")
    })
  )

  it.effect("a streamed response is written as fast as its client reads, and not faster", () =>
    Effect.gen(function* () {
      let produced = 0
      const part = new Uint8Array(10_000)
      const world = yield* WebWorld.serving(
        Effect.succeed(
          HttpServerResponse.stream(
            Stream.fromEffectRepeat(
              Effect.sync(() => {
                produced++
                return part
              })
            ).pipe(Stream.take(1_000))
          )
        )
      )
      const peer = yield* world.peer({ read: false })
      peer.write(get("/"))
      yield* settle
      yield* settle
      assert.isBelow(produced, 40)
      peer.transport.resume()
      yield* peer.heard.saw("end")
      assert.strictEqual(produced, 1_000)
    })
  )

  it.effect("leaves nothing", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* WebWorld.serving(paths(Effect.never))
        track(world)
        const idle = yield* world.peer()
        idle.write(get("/a", "more"))
        yield* idle.heard.until((heard) => heard.text.endsWith("/a"))
        const waiting = yield* world.peer()
        waiting.write(get("/wait"))
        const gone = yield* world.peer()
        gone.write(get("/wait"))
        yield* settle
        gone.transport.destroy()
        yield* settle
        yield* Effect.forkChild(world.stop)
        yield* settle
        idle.transport.end()
        yield* TestClock.adjust("21 seconds")
        assert.match(waiting.heard.text, /^HTTP\/1.1 503 /)
        waiting.transport.end()
        yield* settle
      })
    )
  )
})
