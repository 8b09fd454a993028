/** The end of a server: what is in flight is finished, what hangs is cut, and clients lose nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const hello = HttpRouter.route("GET", "/", HttpServerResponse.text("hello"))

/** A route that begins, says so, and answers when it is told. */
const gated = Effect.gen(function* () {
  const began = yield* Deferred.make<void>()
  const gate = yield* Deferred.make<void>()
  const ended = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
  const route = HttpRouter.route(
    "GET",
    "/gated",
    Deferred.succeed(began, undefined).pipe(
      Effect.andThen(Deferred.await(gate)),
      Effect.as(HttpServerResponse.text("late")),
      Effect.onExit((exit) => Deferred.succeed(ended, exit))
    )
  )
  return { began, ended, gate, route }
})

describe("drain", () => {
  it.live("clients under load see Connection: close, and lose no request that the server took", () =>
    Effect.gen(function* () {
      const { close, server, wire } = yield* Served.routes(
        HttpRouter.add("GET", "/", Effect.as(Effect.yieldNow, HttpServerResponse.text("hello")))
      )
      const ready = yield* Deferred.make<void>()
      let answered = 0
      let told = 0
      /** Asks again and again until it is told to stop, or finds the connection closed as an idle one. */
      const client = Effect.gen(function* () {
        const own = yield* wire
        for (;;) {
          own.send(HttpWire.get("/"))
          const response = yield* own.next()
          if (response === undefined) return
          assert.strictEqual(response.body, "hello")
          answered++
          if (answered === 200) yield* Deferred.succeed(ready, undefined)
          if (response.headers.get("connection")?.[0] === "close") break
        }
        told++
        assert.strictEqual((yield* own.rest).text, "")
      })
      const clients = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.forkChild(client))
      yield* Deferred.await(ready)
      yield* close
      yield* Effect.forEach(clients, Fiber.join)
      assert.isAbove(told, 0)
      assert.deepInclude((yield* server.stats).requests, { completed: answered, cut: 0, aborted: 0 })
    })
  )

  it.live("idle connections close at once, and those that never said a word", () =>
    Effect.gen(function* () {
      const { close, wire } = yield* Served.routes(HttpRouter.addAll([hello]))
      const idle = yield* wire
      assert.strictEqual((yield* idle.get("/")).body, "hello")
      const silent = yield* wire
      // The server has seen it when it has answered a third.
      yield* (yield* wire).get("/")
      yield* close
      for (const client of [idle, silent]) assert.deepStrictEqual(yield* client.rest, { text: "", ending: "end" })
    })
  )

  it.live("a request whose head is half there has until the deadline, and no longer", () =>
    Effect.gen(function* () {
      const { close, server, wire } = yield* Served.routes(HttpRouter.addAll([hello]), { drainTimeout: "20 millis" })
      const client = yield* wire
      client.send("GET / HT")
      yield* Effect.repeat(Effect.yieldNow, {
        until: () => Effect.map(server.stats, (stats) => stats.receivedBytes > 0)
      })
      yield* close
      yield* client.rest
    }).pipe(new LogRecorder().listen)
  )

  it.live("what is in flight is answered with Connection: close, and nothing behind it is begun", () =>
    Effect.gen(function* () {
      const { began, gate, route } = yield* gated
      const { close, server, wire } = yield* Served.routes(HttpRouter.addAll([hello, route]))
      const client = yield* wire
      client.send(HttpWire.get("/gated"))
      yield* Deferred.await(began)
      const closing = yield* Effect.forkChild(close)
      yield* Effect.repeat(Effect.yieldNow, { until: () => server.isDraining })
      yield* Deferred.succeed(gate, undefined)
      const response = yield* client.response()
      assert.strictEqual(response.body, "late")
      assert.deepStrictEqual(response.headers.get("connection"), ["close"])
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* client.rest, { text: "", ending: "end" })
    })
  )

  it.live("a stream that is under way goes on to its end", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const body = Stream.make("one").pipe(
        Stream.concat(
          Stream.drain(Stream.fromEffect(Effect.andThen(Deferred.succeed(began, undefined), Deferred.await(gate))))
        ),
        Stream.concat(Stream.make("two")),
        Stream.encodeText
      )
      const { close, wire } = yield* Served.routes(HttpRouter.add("GET", "/", HttpServerResponse.stream(body)))
      const client = yield* wire
      client.send(HttpWire.get("/"))
      yield* Deferred.await(began)
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* client.response()).body, "onetwo")
      yield* Fiber.join(closing)
    })
  )

  it.live("a handler that outlives the deadline is interrupted, and its client gets 503", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const { began, ended, route } = yield* gated
        const { close, server, wire } = yield* Served.routes(HttpRouter.addAll([route]), { drainTimeout: "20 millis" })
        const client = yield* wire
        client.send(HttpWire.get("/gated"))
        yield* Deferred.await(began)
        yield* close
        assert.isTrue(Exit.hasInterrupts(yield* Deferred.await(ended)))
        const response = yield* client.response()
        assert.strictEqual(response.status, 503)
        assert.deepStrictEqual(response.headers.get("connection"), ["close"])
        assert.strictEqual((yield* client.rest).ending, "end")
        assert.deepInclude(yield* server.drain, { finished: 0, interrupted: 1, cut: 0 })
      }).pipe(Effect.scoped, logs.listen)
      assert.deepStrictEqual(
        logs.entries.filter(({ level }) => level === "Error"),
        []
      )
    })
  )

  it.live("what neither ends nor can be interrupted is cut a second later", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const began = yield* Deferred.make<void>()
        const stuck = HttpRouter.add(
          "GET",
          "/",
          Effect.uninterruptible(Effect.andThen(Deferred.succeed(began, undefined), Effect.never))
        )
        const { close, server, wire } = yield* Served.routes(stuck, { drainTimeout: "20 millis" })
        const client = yield* wire
        client.send(HttpWire.get("/"))
        yield* Deferred.await(began)
        yield* close
        assert.strictEqual((yield* client.rest).text, "")
        assert.deepInclude(yield* server.drain, { finished: 0, interrupted: 0, cut: 1 })
      }).pipe(Effect.scoped, logs.listen)
    })
  )

  it.live("a client that never reads cannot hold it", () =>
    Effect.gen(function* () {
      const endless = Stream.forever(Stream.make(new Uint8Array(65_536)))
      const { close, wire } = yield* Served.routes(HttpRouter.add("GET", "/", HttpServerResponse.stream(endless)), {
        drainTimeout: "20 millis"
      })
      const client = yield* wire
      client.socket.once("data", () => client.socket.pause())
      client.send(HttpWire.get("/"))
      yield* Effect.callback<void>((resume) => void client.socket.once("pause", () => resume(Effect.void)))
      yield* close
    }).pipe(new LogRecorder().listen)
  )
})
