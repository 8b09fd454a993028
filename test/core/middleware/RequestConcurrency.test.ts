import { assert, describe, it } from "@effect/vitest"
import * as RequestConcurrency from "@sluice/core/middleware/RequestConcurrency"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { serve } from "./App.ts"

/** A route that answers when its latch opens, and counts how many are in it. */
class Gate {
  readonly latch = Latch.makeUnsafe(false)
  inside = 0
  most = 0
  readonly route = HttpRouter.add(
    "GET",
    "/",
    Effect.suspend(() => {
      this.inside++
      this.most = Math.max(this.most, this.inside)
      return Effect.as(this.latch.await, HttpServerResponse.text("through"))
    }).pipe(Effect.ensuring(Effect.sync(() => this.inside--)))
  )
}

const inFlight = <A>(effect: Effect.Effect<A>) => Effect.forkChild(effect, { startImmediately: true })
const statusOf = (fiber: Fiber.Fiber<Response>) => Effect.map(Fiber.join(fiber), (response) => response.status)

describe("RequestConcurrency", () => {
  it.effect("beyond the limit requests wait, beyond that they get 503 with Retry-After", () =>
    Effect.gen(function* () {
      const gate = new Gate()
      const send = yield* serve(
        Layer.mergeAll(
          RequestConcurrency.layer({ maxConcurrent: 2, maxWaiting: 1, retryAfter: "3 seconds" }),
          gate.route
        )
      )
      const first = yield* inFlight(send("/"))
      const second = yield* inFlight(send("/"))
      const waiting = yield* inFlight(send("/"))
      assert.strictEqual(gate.inside, 2)
      const refused = yield* send("/")
      assert.strictEqual(refused.status, 503)
      assert.strictEqual(refused.headers.get("retry-after"), "3")
      yield* gate.latch.open
      for (const fiber of [first, second, waiting]) assert.strictEqual(yield* statusOf(fiber), 200)
      assert.strictEqual(gate.most, 2)
      assert.strictEqual(gate.inside, 0)
    })
  )

  it.effect("who waits too long gets 503, and leaves the line to others", () =>
    Effect.gen(function* () {
      const gate = new Gate()
      const send = yield* serve(
        Layer.mergeAll(RequestConcurrency.layer({ maxConcurrent: 1, maxWaiting: 1, maxWait: "2 seconds" }), gate.route)
      )
      const first = yield* inFlight(send("/"))
      const late = yield* inFlight(send("/"))
      yield* TestClock.adjust("2 seconds")
      const refused = yield* Fiber.join(late)
      assert.strictEqual(refused.status, 503)
      assert.strictEqual(refused.headers.get("retry-after"), "1")
      const next = yield* inFlight(send("/"))
      yield* gate.latch.open
      assert.strictEqual(yield* statusOf(first), 200)
      assert.strictEqual(yield* statusOf(next), 200)
    })
  )

  it.effect("a client that goes away gives its place, or its place in line, to the next", () =>
    Effect.gen(function* () {
      const gate = new Gate()
      const send = yield* serve(
        Layer.mergeAll(RequestConcurrency.layer({ maxConcurrent: 1, maxWaiting: 2 }), gate.route)
      )
      const [handled, waited] = [new AbortController(), new AbortController()]
      const first = yield* inFlight(send("/", { signal: handled.signal }))
      const second = yield* inFlight(send("/", { signal: waited.signal }))
      const third = yield* inFlight(send("/"))
      waited.abort()
      assert.strictEqual(yield* statusOf(second), 499)
      assert.strictEqual(gate.inside, 1)
      handled.abort()
      assert.strictEqual(yield* statusOf(first), 499)
      yield* Effect.yieldNow
      assert.strictEqual(gate.inside, 1)
      yield* gate.latch.open
      assert.strictEqual(yield* statusOf(third), 200)
      assert.strictEqual((yield* send("/")).status, 200)
    })
  )

  it.effect("a handler that fails gives its place back", () =>
    Effect.gen(function* () {
      const send = yield* serve(
        Layer.mergeAll(
          RequestConcurrency.layer({ maxConcurrent: 1, maxWaiting: 0 }),
          HttpRouter.add("GET", "/fails", Effect.die("broken"))
        )
      )
      for (let index = 0; index < 3; index++) assert.strictEqual((yield* send("/fails")).status, 500)
      assert.strictEqual((yield* send("/nowhere")).status, 404)
    })
  )

  it.effect("on a single route, with a client that goes away in line", () =>
    Effect.gen(function* () {
      const gate = new Gate()
      const One = HttpRouter.middleware(RequestConcurrency.make({ maxConcurrent: 1, maxWaiting: 1 }))
      const send = yield* serve(
        Layer.mergeAll(
          gate.route.pipe(Layer.provide(One.layer)),
          HttpRouter.add("GET", "/free", HttpServerResponse.text("free"))
        )
      )
      const first = yield* inFlight(send("/"))
      const client = new AbortController()
      const second = yield* inFlight(send("/", { signal: client.signal }))
      assert.strictEqual((yield* send("/")).status, 503)
      assert.strictEqual((yield* send("/free")).status, 200)
      client.abort()
      assert.strictEqual(yield* statusOf(second), 499)
      yield* gate.latch.open
      assert.strictEqual(yield* statusOf(first), 200)
      assert.strictEqual((yield* send("/")).status, 200)
    })
  )

  it("numbers that make no sense are mistakes", () => {
    assert.throws(() => RequestConcurrency.make({ maxConcurrent: 0 }), RangeError, /maxConcurrent/)
    assert.throws(() => RequestConcurrency.make({ maxWaiting: -1 }), RangeError, /maxWaiting/)
    assert.throws(() => RequestConcurrency.make({ maxWait: 0 }), RangeError, /maxWait/)
  })
})
