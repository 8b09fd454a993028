import { assert, it } from "@effect/vitest"
import * as HttpMetrics from "@sluice/core/server/HttpMetrics"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/testing/TestClock"
import * as WebWorld from "../../harness/WebWorld.ts"

const settle = Effect.forEach(Array(10), () => Effect.yieldNow, { discard: true })

const app = Effect.gen(function* () {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  if (url === "/slow") yield* Effect.sleep("2 seconds")
  return HttpServerResponse.text("hello", { status: url === "/busy" ? 503 : 200 })
})

/** Series by name and attributes, as text. */
const series = Effect.map(Metric.snapshot, (snapshots) =>
  snapshots
    .filter(({ id }) => id.startsWith("http.server."))
    .map(({ attributes, id, state }) => {
      const words = Object.entries(attributes ?? {}).map(([name, value]) => `${name}=${value}`)
      const value = "value" in state ? state.value : "sum" in state ? `${state.count} of ${state.sum}` : ""
      return `${id} ${words.sort().join(" ")}: ${value}`
    })
    .sort()
)

it.effect("durations, sizes and requests in flight, by the names of OpenTelemetry", () =>
  Effect.gen(function* () {
    const world = yield* WebWorld.serving(app, { observers: [HttpMetrics.make] })
    yield* world.talk(WebWorld.get("/", "more") + WebWorld.get("/"))
    yield* world.talk(WebWorld.get("/busy").replace("GET", "PROPFIND"))
    const slow = yield* world.peer()
    slow.write(WebWorld.get("/slow"))
    yield* settle
    assert.include(yield* series, "http.server.active_requests http.request.method=GET url.scheme=http: 1")
    yield* TestClock.adjust("2 seconds")
    yield* settle
    const get = "http.request.method=GET http.response.status_code=200 network.protocol.version=1.1 url.scheme=http"
    const other =
      "error.type=503 http.request.method=_OTHER http.response.status_code=503 network.protocol.version=1.1 url.scheme=http"
    assert.deepStrictEqual(yield* series, [
      "http.server.active_requests http.request.method=GET url.scheme=http: 0",
      "http.server.active_requests http.request.method=_OTHER url.scheme=http: 0",
      `http.server.request.duration ${other}: 1 of 0`,
      `http.server.request.duration ${get}: 3 of 2`,
      `http.server.response.body.size ${other}: 1 of 5`,
      `http.server.response.body.size ${get}: 3 of 15`
    ])
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
)
