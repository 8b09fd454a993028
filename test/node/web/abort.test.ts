/** Clients that go away, handlers that fail, and what is told of them. */
import type { Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Exit from "effect/Exit"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import { ClientAbort } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const quiet = { disableLogger: true, disableListenLog: true } as const

/** A handler that says that it runs, and how it ends. */
const make = Effect.gen(function* () {
  const began = yield* Deferred.make<void>()
  const ended = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
  const watched = <E, R>(answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Deferred.succeed(began, undefined).pipe(
      Effect.andThen(answer),
      Effect.onExit((exit) => Deferred.succeed(ended, exit))
    )
  return { began, ended, watched }
})

const isClientAbort = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.every((reason) => reason._tag === "Interrupt" && reason.annotations.has(ClientAbort.key))

const errorsOf = (logs: LogRecorder) => logs.entries.filter((entry) => entry.level === "Error")

describe("a client that goes away", () => {
  it.live("interrupts the handler of a route, with the annotation of Effect's own servers", () =>
    Effect.gen(function* () {
      const { began, ended, watched } = yield* make
      const { server, wire } = yield* Served.routes(HttpRouter.add("GET", "/", watched(Effect.never)))
      const client = yield* wire
      client.send(HttpWire.get("/"))
      yield* Deferred.await(began)
      client.socket.destroy()
      assert.isTrue(isClientAbort(yield* Deferred.await(ended)))
      yield* gone(server)
      assert.deepInclude((yield* server.stats).requests, { completed: 0, aborted: 1, cut: 0 })
    })
  )

  it.live("interrupts an application without a router", () =>
    Effect.gen(function* () {
      const { began, ended, watched } = yield* make
      const { wire } = yield* Served.serve(HttpServer.serve(watched(Effect.never)))
      const client = yield* wire
      client.send(HttpWire.get("/"))
      yield* Deferred.await(began)
      client.socket.resetAndDestroy()
      assert.isTrue(isClientAbort(yield* Deferred.await(ended)))
    })
  )

  it.live("leaves a route alone that says so", () =>
    Effect.gen(function* () {
      const { began, ended, watched } = yield* make
      const gate = yield* Deferred.make<void>()
      const answer = Effect.as(Deferred.await(gate), HttpServerResponse.text("done"))
      const { server, wire } = yield* Served.routes(
        HttpRouter.add("GET", "/", watched(answer), { uninterruptible: true })
      )
      const client = yield* wire
      client.send(HttpWire.get("/"))
      yield* Deferred.await(began)
      client.socket.destroy()
      yield* gone(server)
      assert.isUndefined(ended.effect)
      yield* Deferred.succeed(gate, undefined)
      assert.isTrue(Exit.isSuccess(yield* Deferred.await(ended)))
    })
  )

  it.live("is a 499 to middleware, and nothing at ERROR", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const { began, ended, watched } = yield* make
        const seen = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
        const { wire } = yield* Served.serve(
          HttpRouter.serve(HttpRouter.add("GET", "/", watched(Effect.never)), {
            disableListenLog: true,
            middleware: (app) => Effect.onExit(app, (exit) => Deferred.succeed(seen, exit))
          })
        )
        const client = yield* wire
        client.send(HttpWire.get("/"))
        yield* Deferred.await(began)
        client.socket.destroy()
        yield* Deferred.await(ended)
        const told = yield* Deferred.await(seen)
        assert.isTrue(Exit.isFailure(told) && Cause.hasInterrupts(told.cause))
      }).pipe(Effect.scoped, logs.listen)
      const sent = logs.entries.filter((entry) => "http.status" in entry.annotations)
      assert.deepStrictEqual(
        sent.map((entry) => [entry.message, entry.annotations["http.status"]]),
        [["Sent HTTP response", 499]]
      )
      assert.deepStrictEqual(errorsOf(logs), [])
    })
  )

  it.live("runs the finalizers of a streamed body", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const closed = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
        const endless = Stream.onExit(Stream.forever(Stream.make(new Uint8Array(16_384))), (exit) =>
          Deferred.succeed(closed, exit)
        )
        const { server, wire } = yield* Served.routes(HttpRouter.add("GET", "/", HttpServerResponse.stream(endless)))
        const client = yield* wire
        client.send(HttpWire.get("/"))
        client.socket.once("data", () => client.socket.destroy())
        assert.isTrue(isClientAbort(yield* Deferred.await(closed)))
        yield* gone(server)
      }).pipe(Effect.scoped, logs.listen)
      assert.deepStrictEqual(errorsOf(logs), [])
    })
  )

  it.live("runs the finalizers of a body that waits", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      const waiting = Stream.ensuring(
        Stream.concat(Stream.make(new Uint8Array(1)), Stream.never),
        Deferred.succeed(closed, undefined)
      )
      const { wire } = yield* Served.routes(HttpRouter.add("GET", "/", HttpServerResponse.stream(waiting)))
      const client = yield* wire
      client.send(HttpWire.get("/"))
      client.socket.once("data", () => client.socket.destroy())
      yield* Deferred.await(closed)
    })
  )

  const losses: ReadonlyArray<readonly [how: string, lose: (socket: Socket) => void, interrupted: boolean]> = [
    ["resets: the handler that reads its body is interrupted", (socket) => socket.resetAndDestroy(), true],
    ["ends inside its body: the handler that reads it is told what was wrong", (socket) => socket.end(), false]
  ]
  for (const [how, lose, interrupted] of losses) {
    it.live(how, () =>
      Effect.gen(function* () {
        const logs = new LogRecorder()
        yield* Effect.gen(function* () {
          const { began, ended } = yield* make
          const reading = HttpServerRequest.use((request) =>
            Effect.as(
              Stream.runForEach(request.stream, () => Deferred.succeed(began, undefined)),
              HttpServerResponse.empty()
            )
          )
          const { wire } = yield* Served.routes(
            HttpRouter.add(
              "POST",
              "/",
              Effect.onExit(reading, (exit) => Deferred.succeed(ended, exit))
            )
          )
          const client = yield* wire
          client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf")
          yield* Deferred.await(began)
          lose(client.socket)
          const exit = yield* Deferred.await(ended)
          assert.isTrue(Exit.isFailure(exit))
          assert.strictEqual(isClientAbort(exit), interrupted)
        }).pipe(Effect.scoped, logs.listen)
        assert.deepStrictEqual(errorsOf(logs), [])
      })
    )
  }

  it.live("a fiber that the handler forked in its scope ends with it", () =>
    Effect.gen(function* () {
      const { began, watched } = yield* make
      const childEnded = yield* Deferred.make<void>()
      const handler = Effect.gen(function* () {
        yield* Effect.forkScoped(Effect.onInterrupt(Effect.never, () => Deferred.succeed(childEnded, undefined)))
        return yield* watched(Effect.never)
      })
      const { wire } = yield* Served.routes(HttpRouter.add("GET", "/", handler))
      const client = yield* wire
      client.send(HttpWire.get("/"))
      yield* Deferred.await(began)
      client.socket.destroy()
      yield* Deferred.await(childEnded)
    })
  )
})

describe("a handler that fails", () => {
  const failures: ReadonlyArray<readonly [what: string, handler: Effect.Effect<never, unknown>]> = [
    ["dies", Effect.die(new Error("a bug"))],
    [
      "throws",
      Effect.sync(() => {
        throw new Error("a bug")
      })
    ],
    ["fails with what knows no answer", Effect.fail(new Error("a bug"))],
    ["dies later", Effect.andThen(Effect.yieldNow, Effect.die(new Error("a bug")))]
  ]
  for (const [what, handler] of failures) {
    it.live(`${what}: 500, told once at ERROR with its method and path, and the connection goes on`, () =>
      Effect.gen(function* () {
        const logs = new LogRecorder()
        yield* Effect.gen(function* () {
          const { wire } = yield* Served.routes(
            HttpRouter.addAll([
              HttpRouter.route("GET", "/bug", handler),
              HttpRouter.route("GET", "/", HttpServerResponse.text("hello"))
            ])
          )
          const client = yield* wire
          assert.strictEqual((yield* client.get("/bug")).status, 500)
          assert.strictEqual((yield* client.get("/")).body, "hello")
        }).pipe(Effect.scoped, logs.listen)
        const errors = errorsOf(logs)
        assert.lengthOf(errors, 1)
        assert.include(String(errors[0]!.error), "a bug")
        assert.deepInclude(errors[0]!.annotations, { method: "GET", url: "/bug" })
      })
    )
  }

  it.live("with a logger as middleware it is told by that, once", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const { ask } = yield* Served.serve(
          HttpRouter.serve(HttpRouter.add("GET", "/", Effect.die(new Error("a bug"))), { disableListenLog: true })
        )
        assert.strictEqual((yield* ask("/")).status, 500)
      }).pipe(Effect.scoped, logs.listen)
      const told = logs.entries.filter((entry) => String(entry.error).includes("a bug"))
      assert.lengthOf(told, 1)
    })
  )

  it.live("with an error reporter it is told by that, once", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      const reported: Array<unknown> = []
      const reporter = ErrorReporter.make(({ cause }) => reported.push(Cause.squash(cause)))
      yield* Effect.gen(function* () {
        const { ask } = yield* Served.serve(
          HttpRouter.serve(HttpRouter.add("GET", "/", Effect.die(new Error("a bug"))), quiet).pipe(
            Layer.provide(ErrorReporter.layer([reporter]))
          )
        )
        assert.strictEqual((yield* ask("/")).status, 500)
      }).pipe(Effect.scoped, logs.listen)
      assert.lengthOf(reported, 1)
      assert.deepStrictEqual(errorsOf(logs), [])
    })
  )

  it.live("what is answered with 4xx is nobody's error here", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      yield* Effect.gen(function* () {
        const { ask } = yield* Served.routes(
          HttpRouter.addAll([
            HttpRouter.route("GET", "/die", Effect.die(HttpServerResponse.empty({ status: 418 }))),
            HttpRouter.route("POST", "/json", (request) => Effect.map(request.json, HttpServerResponse.jsonUnsafe))
          ])
        )
        assert.strictEqual((yield* ask("/missing")).status, 404)
        assert.strictEqual((yield* ask("/die")).status, 418)
        assert.strictEqual((yield* ask("/json", { method: "POST", body: "{" })).status, 400)
      }).pipe(Effect.scoped, logs.listen)
      assert.deepStrictEqual(errorsOf(logs), [])
    })
  )

  it.live("one that interrupts itself is a 503", () =>
    Effect.gen(function* () {
      const { ask } = yield* Served.routes(HttpRouter.add("GET", "/", Effect.interrupt))
      assert.strictEqual((yield* ask("/")).status, 503)
    })
  )
})

/** Waits until no connection is left; the server tells, so nothing sleeps. */
const gone = (server: Served.Served["server"]) =>
  Effect.repeat(Effect.yieldNow, { while: () => Effect.map(server.stats, (stats) => stats.open > 0) })
