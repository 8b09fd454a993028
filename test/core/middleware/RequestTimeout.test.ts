import { assert, describe, it } from "@effect/vitest"
import * as RequestTimeout from "@sluice/core/middleware/RequestTimeout"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as CountingClock from "../../harness/CountingClock.ts"
import * as WebWorld from "../../harness/WebWorld.ts"
import { serve, textOf } from "./App.ts"

/** A route whose ends are recorded, and takes the time. */
const taking = (events: Array<string>, duration: string, options?: { readonly uninterruptible: boolean }) =>
  HttpRouter.add(
    "GET",
    "/slow",
    Effect.sleep(duration as "1 second").pipe(
      Effect.as(HttpServerResponse.text("done")),
      Effect.onExit((exit) => Effect.sync(() => events.push(exit._tag)))
    ),
    options
  )

const inFlight = <A>(effect: Effect.Effect<A>) => Effect.forkChild(effect, { startImmediately: true })

describe("RequestTimeout", () => {
  it.effect("a WebSocket is answered, and lives on", () =>
    Effect.gen(function* () {
      const echo = WebSocketServer.handle((socket) => socket.runForEach(socket.send))
      const world = yield* WebWorld.serving(RequestTimeout.make({ timeout: "2 seconds" })(echo))
      const peer = yield* world.peer()
      peer.write(
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n" +
          "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
      )
      yield* Effect.forEach(Array(10), () => Effect.yieldNow)
      yield* TestClock.adjust("3 seconds")
      peer.transport.write(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69))
      yield* Effect.forEach(Array(10), () => Effect.yieldNow)
      assert.isTrue(peer.heard.text.endsWith("\u0002hi"))
    })
  )

  it.effect("a handler beyond its time is interrupted, and answered with 503 without Retry-After", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const send = yield* serve(
        Layer.mergeAll(RequestTimeout.layer({ timeout: "2 seconds" }), taking(events, "1 minute"))
      )
      const answer = yield* inFlight(send("/slow"))
      yield* TestClock.adjust(1_999)
      assert.deepStrictEqual(events, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(events, ["Failure"])
      const response = yield* Fiber.join(answer)
      assert.strictEqual(response.status, 503)
      assert.isNull(response.headers.get("retry-after"))
    })
  )

  it.effect("a handler within its time answers; its timer is gone, as it is when the client is", () =>
    Effect.gen(function* () {
      const clock = CountingClock.make(yield* Clock.clockWith(Effect.succeed))
      const events: Array<string> = []
      const send = yield* serve(
        Layer.mergeAll(RequestTimeout.layer({ timeout: "2 seconds" }), taking(events, "1 second"))
      ).pipe(Effect.provideService(Clock.Clock, clock))
      const answer = yield* inFlight(send("/slow"))
      assert.strictEqual(clock.sleepers(), 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* textOf(yield* Fiber.join(answer)), "done")
      assert.deepStrictEqual(events, ["Success"])
      assert.strictEqual(clock.sleepers(), 0)
      const client = new AbortController()
      const gone = yield* inFlight(send("/slow", { signal: client.signal }))
      client.abort()
      yield* Fiber.join(gone)
      assert.strictEqual(clock.sleepers(), 0)
    })
  )

  it.effect("a handler that does not wait, or fails, is as without the limit", () =>
    Effect.gen(function* () {
      const send = yield* serve(
        Layer.mergeAll(
          RequestTimeout.layer({ timeout: "2 seconds" }),
          HttpRouter.add("GET", "/now", HttpServerResponse.text("now")),
          HttpRouter.add("GET", "/fails", Effect.die("broken")),
          HttpRouter.add("GET", "/late", Effect.andThen(Effect.sleep("1 second"), Effect.die("broken")))
        )
      )
      assert.strictEqual(yield* textOf(yield* send("/now")), "now")
      assert.strictEqual((yield* send("/fails")).status, 500)
      assert.strictEqual((yield* send("/nowhere")).status, 404)
      const late = yield* inFlight(send("/late"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(late)).status, 500)
    })
  )

  it.effect("a gateway answers 504, and may say when to come back", () =>
    Effect.gen(function* () {
      const send = yield* serve(
        Layer.mergeAll(
          RequestTimeout.layer({ timeout: "2 seconds", status: 504, retryAfter: 1_500 }),
          taking([], "1 minute")
        )
      )
      const answer = yield* inFlight(send("/slow"))
      yield* TestClock.adjust("2 seconds")
      const response = yield* Fiber.join(answer)
      assert.strictEqual(response.status, 504)
      assert.strictEqual(response.headers.get("retry-after"), "2")
    })
  )

  it.effect("an uninterruptible route is waited for", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const send = yield* serve(
        Layer.mergeAll(
          RequestTimeout.layer({ timeout: "2 seconds" }),
          taking(events, "10 seconds", { uninterruptible: true })
        )
      )
      const answer = yield* inFlight(send("/slow"))
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(events, [])
      assert.isUndefined(answer.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(events, ["Success"])
      assert.strictEqual((yield* Fiber.join(answer)).status, 503)
    })
  )

  it.effect("a client that goes away interrupts its handler at once", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const send = yield* serve(Layer.mergeAll(RequestTimeout.layer({ timeout: "1 hour" }), taking(events, "1 minute")))
      const client = new AbortController()
      const answer = yield* inFlight(send("/slow", { signal: client.signal }))
      client.abort()
      assert.strictEqual((yield* Fiber.join(answer)).status, 499)
      assert.deepStrictEqual(events, ["Failure"])
    })
  )

  it.effect("on a single route, others have their time", () =>
    Effect.gen(function* () {
      const Quick = HttpRouter.middleware(RequestTimeout.make({ timeout: "1 second" }))
      const handler = Effect.as(Effect.sleep("5 seconds"), HttpServerResponse.text("done"))
      const send = yield* serve(
        Layer.mergeAll(
          HttpRouter.add("GET", "/quick", handler).pipe(Layer.provide(Quick.layer)),
          HttpRouter.add("GET", "/patient", handler)
        )
      )
      const quick = yield* inFlight(send("/quick"))
      const patient = yield* inFlight(send("/patient"))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(quick)).status, 503)
      assert.strictEqual((yield* Fiber.join(patient)).status, 200)
    })
  )

  it("a time that makes no sense is a mistake", () => {
    assert.throws(() => RequestTimeout.make({ timeout: 0 }), RangeError, /timeout/)
    assert.throws(() => RequestTimeout.make({ retryAfter: -1 }), RangeError, /retryAfter/)
  })
})
