import { assert, describe, it } from "@effect/vitest"
import { Draining } from "@sluice/core/server/Draining"
import { CurrentTimers } from "@sluice/core/session/CurrentTimers"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import { ClientAbort } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const { get, post } = WebWorld

const settle = Effect.forEach(Array(10), () => Effect.yieldNow, { discard: true })

const errorsOf = (log: LogRecorder) => log.entries.filter(({ level }) => level === "Error")

/** Routes, as a router makes one application of them. */
const routed = (routes: Layer.Layer<never, never, HttpRouter.HttpRouter>) =>
  Effect.map(HttpRouter.toHttpEffect(routes), (app) => app as WebWorld.App)

describe("HttpHandler", () => {
  it.effect("a defect is answered with 500, and told once", () =>
    Effect.gen(function* () {
      const log = new LogRecorder()
      const world = yield* log.listen(WebWorld.serving(Effect.die(new Error("boom"))))
      assert.match(yield* world.talk(get("/a")), /^HTTP\/1.1 500 /)
      yield* settle
      const [told, ...others] = errorsOf(log)
      assert.deepStrictEqual(others, [])
      assert.match(String(told?.error), /boom/)
      assert.deepStrictEqual(told?.annotations, { method: "GET", url: "/a" })
    })
  )

  it.effect("a defect after a while too", () =>
    Effect.gen(function* () {
      const log = new LogRecorder()
      const world = yield* log.listen(WebWorld.serving(Effect.andThen(Effect.yieldNow, Effect.die(new Error("boom")))))
      assert.match(yield* world.talk(get("/")), /^HTTP\/1.1 500 /)
      yield* settle
      assert.strictEqual(errorsOf(log).length, 1)
    })
  )

  it.effect("what the client did wrong is not told", () =>
    Effect.gen(function* () {
      const log = new LogRecorder()
      const app = yield* routed(HttpRouter.add("GET", "/a", HttpServerResponse.empty()))
      const world = yield* log.listen(WebWorld.serving(app))
      assert.match(yield* world.talk(get("/b")), /^HTTP\/1.1 404 /)
      yield* settle
      assert.deepStrictEqual(errorsOf(log), [])
    })
  )

  it.effect("nor that it left in the middle of a body that goes back to it", () =>
    Effect.gen(function* () {
      const log = new LogRecorder()
      const echo = Effect.map(HttpServerRequest.HttpServerRequest, ({ stream }) => HttpServerResponse.stream(stream))
      const world = yield* log.listen(WebWorld.serving(echo))
      const peer = yield* world.peer()
      peer.write(post("/", "hello").slice(0, -2))
      yield* settle
      peer.transport.end()
      yield* settle
      assert.include(peer.heard.text, "\r\n\r\n3\r\nhel\r\n")
      assert.deepStrictEqual(errorsOf(log), [])
    })
  )

  it.effect("with a reporter or a middleware, they tell, and the server does not", () =>
    Effect.gen(function* () {
      const log = new LogRecorder()
      const reported: Array<unknown> = []
      const reporter = ErrorReporter.make(({ error }) => void reported.push(error))
      const boom = Effect.die(new Error("boom"))
      const world = yield* log.listen(WebWorld.serving(boom)).pipe(Effect.provide(ErrorReporter.layer([reporter])))
      yield* world.talk(get("/"))
      const other = yield* log.listen(WebWorld.serving(boom, { middleware: HttpMiddleware.make((app) => app) }))
      assert.match(yield* other.talk(get("/")), /^HTTP\/1.1 500 /)
      yield* settle
      assert.strictEqual(reported.length, 1)
      assert.deepStrictEqual(errorsOf(log), [])
    })
  )

  it.effect("a handler without a router can be interrupted: its client went", () =>
    Effect.gen(function* () {
      const cause = yield* Deferred.make<Cause.Cause<unknown>>()
      const world = yield* WebWorld.serving(
        Effect.onExit(Effect.never, (exit) =>
          exit._tag === "Failure" ? Deferred.succeed(cause, exit.cause) : Effect.void
        )
      )
      const peer = yield* world.peer()
      peer.write(get("/"))
      yield* settle
      peer.transport.destroy()
      const [reason] = (yield* Deferred.await(cause)).reasons
      assert.isTrue(reason?._tag === "Interrupt" && reason.annotations.has(ClientAbort.key))
    })
  )

  it.effect("a route that says uninterruptible is left alone", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<string>()
      const app = yield* routed(
        HttpRouter.add(
          "GET",
          "/",
          Deferred.await(ready).pipe(
            Effect.onExit((exit) => Deferred.succeed(ended, exit._tag)),
            Effect.as(HttpServerResponse.empty())
          ),
          { uninterruptible: true }
        )
      )
      const world = yield* WebWorld.serving(app)
      const peer = yield* world.peer()
      peer.write(get("/"))
      yield* settle
      peer.transport.destroy()
      yield* settle
      yield* Deferred.succeed(ready, undefined)
      assert.strictEqual(yield* Deferred.await(ended), "Success")
    })
  )

  it.effect("services: those of who serves, and the server's own", () =>
    Effect.gen(function* () {
      class Name extends Context.Service<Name, string>()("Name") {}
      const app = Effect.gen(function* () {
        const { isDraining } = yield* Draining
        assert.isDefined(yield* CurrentTimers)
        return HttpServerResponse.text(`${yield* Name} ${isDraining()}`)
      })
      const world = yield* Effect.provideService(WebWorld.serving(app as unknown as WebWorld.App), Name, "name")
      assert.match(yield* world.talk(get("/")), /name false$/)
    })
  )

  it.effect("hooks before a response is sent, and the scope of a request", () =>
    Effect.gen(function* () {
      const steps: Array<string> = []
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => Effect.sync(() => steps.push("closed")))
          yield* HttpEffect.appendPreResponseHandler((_, response) =>
            Effect.sync(() => {
              steps.push("before")
              return HttpServerResponse.setHeader(response, "x-a", "1")
            })
          )
          return HttpServerResponse.empty()
        })
      )
      assert.include(yield* world.talk(get("/")), "x-a: 1\r\n")
      assert.deepStrictEqual(steps, ["before", "closed"])
    })
  )
})
