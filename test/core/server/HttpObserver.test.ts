import { assert, it } from "@effect/vitest"
import type { HttpObserver, HttpRecord } from "@sluice/core/server/HttpObserver"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as TestClock from "effect/testing/TestClock"
import * as WebWorld from "../../harness/WebWorld.ts"

it.effect("an observer is told of each request when it comes, and when it is over", () =>
  Effect.gen(function* () {
    const begun: Array<string> = []
    const records: Array<HttpRecord> = []
    const observer: HttpObserver = {
      onRequest: (exchange) => void begun.push(exchange.target),
      onEnd: (record) => void records.push(record)
    }
    const app = Effect.gen(function* () {
      const { url } = yield* HttpServerRequest.HttpServerRequest
      if (url === "/slow") yield* Effect.sleep("2 seconds")
      if (url === "/never") return yield* Effect.never
      return HttpServerResponse.text("hello", { status: 201 })
    })
    const world = yield* WebWorld.serving(app, { observers: [Effect.succeed(observer)] })
    yield* world.talk(WebWorld.get("/a"))
    const slow = yield* world.peer()
    slow.write(WebWorld.get("/slow"))
    yield* Effect.yieldNow
    yield* TestClock.adjust("2 seconds")
    yield* slow.heard.saw("end")
    const gone = yield* world.peer()
    gone.write(WebWorld.get("/never"))
    yield* Effect.yieldNow
    yield* Effect.yieldNow
    gone.transport.destroy()
    yield* Effect.forEach(Array(10), () => Effect.yieldNow)
    assert.deepStrictEqual(begun, ["/a", "/slow", "/never"])
    assert.deepStrictEqual(
      records.map(({ exchange, ...record }) => ({ target: exchange.target, ...record })),
      [
        { target: "/a", status: 201, outcome: "completed", sentBodyBytes: 5, durationMillis: 0 },
        { target: "/slow", status: 201, outcome: "completed", sentBodyBytes: 5, durationMillis: 2_000 },
        { target: "/never", status: undefined, outcome: "aborted", sentBodyBytes: 0, durationMillis: 0 }
      ]
    )
  })
)
