/** The programs of docs/guide for HTTP and WebSockets do what they say. */
import { assert, describe, it } from "@effect/vitest"
import { Backplane, HttpMetrics, MemoryNetwork, WebServer, WebSocketClient } from "@sluice/core"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/testing/TestClock"
import { process } from "../../docs/guide/hub-backplane.ts"
import { conversation } from "../../docs/guide/web-in-memory.ts"
import * as WebServerProgram from "../../docs/guide/web-server.ts"
import * as WebStatistics from "../../docs/guide/web-statistics.ts"
import * as WebSocketEcho from "../../docs/guide/websocket-echo.ts"
import { LogRecorder } from "../harness/LogRecorder.ts"
import * as Served from "../node/web/Served.ts"
import { ask, converse, routes, webSocketUrl } from "./WebInMemory.ts"

describe("web-server", () => {
  it.live("answers on a socket as it does in memory", () =>
    Effect.gen(function* () {
      const { ask } = yield* Served.routes(WebServerProgram.Routes)
      const { status, text } = yield* ask("/")
      assert.deepStrictEqual([status, text], [200, "hello world"])
    })
  )
  it.live("Effect's test client asks it, as with NodeHttpServer.layerTest", () =>
    Effect.gen(function* () {
      const response = yield* HttpClient.get("/")
      assert.strictEqual(yield* response.text, "hello world")
    }).pipe(
      Effect.provide(
        routes(WebServerProgram.Routes).pipe(
          Layer.provideMerge(HttpServer.layerTestClient),
          Layer.provide(FetchHttpClient.layer),
          Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 0 }))
        )
      )
    )
  )
  it("the same routes are a Fetch handler, for tests that need no server", async () => {
    const { dispose, handler } = HttpRouter.toWebHandler(WebServerProgram.Routes, { disableLogger: true })
    assert.strictEqual(await (await handler(new Request("http://test/"))).text(), "hello world")
    await dispose()
  })
})

describe("websocket-echo", () => {
  it.effect("echoes text and bytes", () =>
    converse(
      routes(WebSocketEcho.Routes),
      Effect.gen(function* () {
        const socket = yield* WebSocketClient.connect(`${webSocketUrl}/echo`)
        yield* socket.send("text")
        yield* socket.send(Uint8Array.of(1, 2, 3))
        assert.strictEqual(yield* socket.receive, "text")
        assert.deepStrictEqual([...((yield* socket.receive) as Uint8Array)], [1, 2, 3])
        assert.strictEqual((yield* ask("GET", "/echo")).status, 426)
      })
    )
  )
  it.live("a browser's WebSocket talks to it", () =>
    Effect.gen(function* () {
      const { port } = yield* Served.routes(WebSocketEcho.Routes)
      const answer = yield* Effect.callback<string>((resume) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`)
        socket.onopen = () => socket.send("hello")
        socket.onmessage = ({ data }) => {
          socket.close()
          resume(Effect.succeed(data))
        }
      })
      assert.strictEqual(answer, "hello")
    })
  )
})

describe("web-in-memory", () => {
  it.effect("a WebSocket answers, and ten seconds pass at once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* conversation, { echo: "hello", slow: "HTTP/1.1 408 Request Timeout" })
    })
  )
})

describe("web-statistics", () => {
  it.effect("tells of slow requests, and what the server did", () => {
    const log = new LogRecorder()
    return converse(
      routes(WebStatistics.Routes),
      Effect.gen(function* () {
        const slow = yield* Effect.forkChild(ask("GET", "/slow"))
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* Fiber.join(slow)).body, "done")
        const { requests } = JSON.parse((yield* ask("GET", "/stats")).body)
        assert.deepStrictEqual(requests, { completed: 1, aborted: 0, cut: 0, upgraded: 0 })
        const names = (yield* Metric.snapshot).map(({ id }) => id)
        assert.include(names, "http.server.request.duration")
      })
    ).pipe(
      Effect.provide(Layer.provideMerge(WebStatistics.SlowRequests, HttpMetrics.layer)),
      log.listen,
      Effect.tap(() =>
        Effect.sync(() => {
          const warnings = log.entries.filter(({ level }) => level === "Warn")
          assert.deepStrictEqual(
            warnings.map(({ error, message }) => [message, error]),
            [["slow: GET /slow", { durationMillis: 2000, outcome: "completed" }]]
          )
        })
      )
    )
  })
})

describe("hub-backplane", () => {
  it.effect("what is said in one process is heard in the other", () =>
    Effect.gen(function* () {
      const backplane = yield* Backplane.makeMemory()
      const listening = (port: number) =>
        Layer.fresh(process(backplane)).pipe(
          Layer.provide(WebServer.layer()),
          Layer.provide(MemoryNetwork.layerListener({ host: "news.test", port }))
        )
      const heard = yield* Effect.gen(function* () {
        const here = yield* WebSocketClient.connect("ws://news.test:1")
        const there = yield* WebSocketClient.connect("ws://news.test:2")
        yield* here.send("hello")
        return yield* Effect.all([here.receive, there.receive])
      }).pipe(
        Effect.scoped,
        Effect.provide(
          Layer.merge(listening(1), listening(2)).pipe(
            Layer.provideMerge(MemoryNetwork.layerDialer),
            Layer.provide(MemoryNetwork.layer())
          )
        )
      )
      assert.deepStrictEqual(heard, ["hello", "hello"])
    })
  )
})
