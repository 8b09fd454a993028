import { assert, describe, it } from "@effect/vitest"
import * as Health from "@sluice/core/middleware/Health"
import { Draining } from "@sluice/core/server/Draining"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { type Send, serve, textOf } from "./App.ts"

const answer = (send: Send, path = "/health/ready") =>
  Effect.gen(function* () {
    const response = yield* send(path)
    assert.strictEqual(response.headers.get("cache-control"), "no-store")
    assert.strictEqual(response.headers.get("content-type"), "application/json")
    return [response.status, JSON.parse(yield* textOf(response))]
  })

const inFlight = <A>(effect: Effect.Effect<A>) => Effect.forkChild(effect, { startImmediately: true })

describe("Health", () => {
  it.effect("a server without checks is live and ready", () =>
    Effect.gen(function* () {
      const send = yield* serve(Health.layer())
      assert.deepStrictEqual(yield* answer(send, "/health/live"), [200, { status: "live" }])
      assert.deepStrictEqual(yield* answer(send), [200, { status: "ready", checks: {} }])
      assert.strictEqual((yield* send("/health/ready", { method: "HEAD" })).status, 200)
    })
  )

  it.effect("a check that fails, dies, says false or is too slow makes it not ready, and it stays live", () =>
    Effect.gen(function* () {
      const send = yield* serve(
        Health.layer({
          checkTimeout: "1 second",
          checks: {
            nothing: Effect.void,
            yes: Effect.succeed(true),
            no: Effect.succeed(false),
            fails: Effect.fail("password=hunter2"),
            dies: Effect.die("broken"),
            slow: Effect.sleep("2 seconds")
          }
        })
      )
      const ready = yield* inFlight(answer(send))
      yield* TestClock.adjust("1 second")
      const checks = { nothing: "pass", yes: "pass", no: "fail", fails: "fail", dies: "fail", slow: "fail" }
      assert.deepStrictEqual(yield* Fiber.join(ready), [503, { status: "not ready", checks }])
      assert.deepStrictEqual(yield* answer(send, "/health/live"), [200, { status: "live" }])
    })
  )

  it.effect("checks run at the same time", () =>
    Effect.gen(function* () {
      const wait = Effect.sleep("1 second")
      const send = yield* serve(Health.layer({ checks: { a: wait, b: wait, c: wait } }))
      const ready = yield* inFlight(answer(send))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(ready))[0], 200)
    })
  )

  it.effect("however many ask, a check runs once at a time, and once in a while", () =>
    Effect.gen(function* () {
      let runs = 0
      const check = Effect.andThen(
        Effect.sync(() => runs++),
        Effect.sleep("500 millis")
      )
      const send = yield* serve(Health.layer({ checks: { check }, cacheFor: "3 seconds" }))
      const probes = yield* Effect.forEach(Array.from({ length: 50 }), () => inFlight(answer(send)))
      yield* TestClock.adjust("500 millis")
      for (const probe of probes) assert.strictEqual((yield* Fiber.join(probe))[0], 200)
      assert.strictEqual(runs, 1)
      yield* TestClock.adjust(2_999)
      yield* answer(send)
      assert.strictEqual(runs, 1)
      yield* TestClock.adjust(1)
      const again = yield* inFlight(answer(send))
      yield* TestClock.adjust("500 millis")
      yield* Fiber.join(again)
      assert.strictEqual(runs, 2)
    })
  )

  it.effect("a prober that goes away leaves the run to others", () =>
    Effect.gen(function* () {
      const send = yield* serve(Health.layer({ checks: { slow: Effect.sleep("1 second") } }))
      const client = new AbortController()
      const first = yield* inFlight(send("/health/ready", { signal: client.signal }))
      const second = yield* inFlight(answer(send))
      client.abort()
      assert.strictEqual((yield* Fiber.join(first)).status, 499)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(second))[0], 200)
    })
  )

  it.effect("a server that drains is not ready, without asking the checks", () =>
    Effect.gen(function* () {
      let runs = 0
      let draining = false
      const send = yield* serve(Health.layer({ checks: { check: Effect.sync(() => runs++) } })).pipe(
        Effect.provideService(Draining, { isDraining: () => draining, begun: Effect.never })
      )
      assert.strictEqual((yield* answer(send))[0], 200)
      draining = true
      assert.deepStrictEqual(yield* answer(send), [503, { status: "draining" }])
      assert.deepStrictEqual(yield* answer(send, "/health/live"), [200, { status: "live" }])
      assert.strictEqual(runs, 1)
    })
  )

  it.effect("a check's changes are logged, with their cause, and once", () => {
    const logs = new LogRecorder()
    let works = true
    const check = Effect.suspend(() => (works ? Effect.void : Effect.fail("connection lost")))
    return logs.listen(
      Effect.gen(function* () {
        const send = yield* serve(Health.layer({ checks: { database: check }, cacheFor: 1 }))
        for (const working of [true, false, false, true]) {
          works = working
          assert.strictEqual((yield* answer(send))[0], working ? 200 : 503)
          yield* TestClock.adjust(1)
        }
        assert.deepStrictEqual(
          logs.entries.map((entry) => [entry.level, entry.message, entry.error]),
          [
            ["Warn", "health check database fails", "connection lost"],
            ["Info", "health check database passes again", undefined]
          ]
        )
      })
    )
  })

  it.effect("checks may need services; paths can be others", () =>
    Effect.gen(function* () {
      class Database extends Context.Service<Database, { readonly isUp: boolean }>()("test/Database") {}
      const send = yield* serve(
        Health.layer({
          checks: { database: Effect.map(Database, (database) => database.isUp) },
          livePath: "/alive",
          readyPath: "/ready"
        }).pipe(Layer.provide(Layer.succeed(Database)({ isUp: false })))
      )
      assert.strictEqual((yield* answer(send, "/alive"))[0], 200)
      assert.deepStrictEqual(yield* answer(send, "/ready"), [
        503,
        { status: "not ready", checks: { database: "fail" } }
      ])
      assert.strictEqual((yield* send("/health/ready")).status, 404)
    })
  )

  it.effect("probes are not in the access log", () => {
    const logs = new LogRecorder()
    return logs.listen(
      Effect.gen(function* () {
        const send = yield* serve(Health.layer(), HttpMiddleware.logger)
        assert.strictEqual((yield* send("/health/live")).status, 200)
        assert.strictEqual((yield* send("/health/ready")).status, 200)
        assert.deepStrictEqual(logs.entries, [])
        yield* send("/nowhere")
        assert.strictEqual(logs.entries.length, 1)
      })
    )
  })
})
