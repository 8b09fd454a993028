/** The programs of docs/guide for HTTP and WebSockets do what they say. */
import { assert, describe, it } from "@effect/vitest"
import { Backplane, MemoryNetwork, WebServer, WebSocketClient } from "@sluice/core"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
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
import * as Engines from "../../docs/guide/engines.ts"
import * as HttpExchangeProgram from "../../docs/guide/http-exchange.ts"
import { process } from "../../docs/guide/hub-backplane.ts"
import { conversation } from "../../docs/guide/web-in-memory.ts"
import * as WebServerProgram from "../../docs/guide/web-server.ts"
import * as WebStatistics from "../../docs/guide/web-statistics.ts"
import * as WebSocketEcho from "../../docs/guide/websocket-echo.ts"
import * as WebSocketEndpoint from "../../docs/guide/websocket-endpoint.ts"
import * as WebSocketUpgrade from "../../docs/guide/websocket-upgrade.ts"
import { LogRecorder } from "../harness/LogRecorder.ts"
import * as NodeNet from "../harness/NodeNet.ts"
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

describe("websocket-upgrade", () => {
  const headers = { cookie: "session=ada", origin: "https://chat.example" }
  it.effect("agrees on a protocol and compression, and closes with its reason", () =>
    converse(
      routes(WebSocketUpgrade.Routes),
      Effect.gen(function* () {
        const socket = yield* WebSocketClient.connect(`${webSocketUrl}/chat`, {
          headers,
          protocols: ["v1.chat", "v9.chat"],
          compression: "permessage-deflate"
        })
        assert.strictEqual(yield* socket.receive, "ada speaks v1.chat, compression permessage-deflate")
        assert.strictEqual((yield* Effect.flip(socket.receive))._tag, "Done")
        assert.deepStrictEqual(yield* socket.closed, { code: 1000, reason: "that was all", clean: true })
      }).pipe(Effect.provide(NodeDeflate.layer()))
    )
  )
  const refusals: ReadonlyArray<readonly [rule: string, headers: Record<string, string>, status: number]> = [
    ["no session", { origin: headers.origin }, 401],
    ["a page of another origin", { ...headers, origin: "https://evil.example" }, 403]
  ]
  for (const [rule, headers, status] of refusals) {
    it.effect(`${rule}: ${status}`, () =>
      converse(
        routes(WebSocketUpgrade.Routes),
        Effect.gen(function* () {
          const error = yield* Effect.flip(WebSocketClient.connect(`${webSocketUrl}/chat`, { headers }))
          const reason = error._tag === "WebSocketError" ? error.reason : undefined
          assert.strictEqual(reason?._tag === "HandshakeRefused" && reason.status, status)
        })
      )
    )
  }
})

describe("websocket-endpoint", () => {
  it.live("one message three times, over a Unix socket", () =>
    Effect.gen(function* () {
      const directory = yield* NodeNet.temporaryDirectory
      assert.deepStrictEqual(yield* WebSocketEndpoint.conversation(`${directory}/counter.sock`), ["1", "2", "3"])
    })
  )
})

describe("http-exchange", () => {
  it.effect("shows the connection below the request", () =>
    converse(
      routes(HttpExchangeProgram.Routes),
      Effect.gen(function* () {
        const { body } = yield* ask("GET", "/connection")
        assert.deepInclude(JSON.parse(body), { version: "1.1", scheme: "http", certificate: "none" })
      })
    )
  )
})

describe("engines", () => {
  it("answer a request and time out the next one, without a clock", () => {
    const sent = Engines.http("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /late HTTP/1.1\r\n")
    assert.match(sent, /^HTTP\/1\.1 200 OK\r\n[\s\S]*GET \/aHTTP\/1\.1 408 Request Timeout\r\n/)
  })
  it("talk to each other", () => {
    assert.deepStrictEqual(Engines.webSocket("hello"), ["server: hello", "server: closed 1000", "client: closed 1000"])
  })
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
      }),
      { observers: WebStatistics.observers }
    ).pipe(
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
