/** A page in a real browser, which speaks HTTP/2 to the server: requests, streams and WebSockets of one connection. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as HttpExchange from "@sluice/core/session/HttpExchange"
import type { WebSocket } from "@sluice/core/session/WebSocket"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Page } from "playwright-core"
import { identity } from "../harness/Certificates.ts"
import * as Served from "../node/web/Served.ts"
import * as Browser from "./Browser.ts"

/** What the server knows of a request, whatever the browser says. */
const source = Effect.map(HttpServerRequest, ({ source }) => {
  assert.isTrue(HttpExchange.isHttpExchange(source))
  return source as HttpExchange.HttpExchange
})

const html = HttpServerResponse.html("<!doctype html><title>A page</title><p>hello")

const echo = Effect.map(HttpServerRequest, ({ stream }) => HttpServerResponse.stream(stream))

const events = Stream.range(1, 3).pipe(
  Stream.map((n): Sse.Event => ({ _tag: "Event", event: "note", id: undefined, data: `${n}` })),
  Stream.pipeThroughChannel(Sse.encode()),
  Stream.encodeText
)

const serve = Effect.gen(function* () {
  const aborted = yield* Deferred.make<void>()
  const uploading = yield* Deferred.make<void>()
  const asked = yield* Deferred.make<void>()
  const gate = yield* Deferred.make<void>()
  const sockets: Array<string> = []
  const chat = (socket: WebSocket) =>
    Effect.gen(function* () {
      const { method, upgradeProtocol, version } = yield* source
      sockets.push(`${version} ${method} ${upgradeProtocol}`)
      yield* socket.runForEach(socket.send)
    })
  const upload = Effect.flatMap(HttpServerRequest, ({ stream }) =>
    stream.pipe(
      Stream.tap(() => Deferred.succeed(uploading, undefined)),
      Stream.decodeText,
      Stream.mkString,
      Effect.map((text) => HttpServerResponse.text(text))
    )
  )
  const gated = Deferred.succeed(asked, undefined).pipe(
    Effect.andThen(Deferred.await(gate)),
    Effect.as(HttpServerResponse.text("late"))
  )
  const slow = Effect.onInterrupt(Effect.never, () => Deferred.succeed(aborted, undefined))
  const routes = Layer.mergeAll(
    HttpRouter.add("GET", "/", html),
    HttpRouter.add("GET", "/favicon.ico", HttpServerResponse.empty()),
    HttpRouter.add(
      "GET",
      "/number/:n",
      Effect.map(HttpRouter.params, ({ n }) => HttpServerResponse.text(`number ${n}`))
    ),
    HttpRouter.add("POST", "/echo", echo),
    HttpRouter.add("POST", "/upload", upload),
    HttpRouter.add("GET", "/events", HttpServerResponse.stream(events, { contentType: "text/event-stream" })),
    HttpRouter.add("GET", "/slow", slow),
    HttpRouter.add("GET", "/gated", gated),
    HttpRouter.add("GET", "/ws", WebSocketServer.handle(chat, { compression: "permessage-deflate" }))
  )
  const served = yield* Served.routes(routes, { tls: { certificates: identity("a") } })
  const browser = yield* Browser.make
  const page = yield* browser.open(`https://localhost:${served.port}/`, { ignoreHTTPSErrors: true })
  return { ...served, page, browser, aborted, asked, gate, uploading, sockets }
})

/** Runs the body of an async function in the page, which has no types here. */
const inPage = <A>(page: Page, body: string) =>
  Effect.promise(() => page.evaluate(`(async () => { ${body} })()`) as Promise<A>)

describe.skipIf(Browser.missing !== undefined)(
  `a page of Chromium in HTTP/2${Browser.missing === undefined ? "" : ` (skipped: ${Browser.missing})`}`,
  { timeout: 60_000 },
  () => {
    beforeAll(Browser.launch, 60_000)
    afterAll(Browser.close)

    it.live("it and its requests come by h2, a hundred at once on one connection", () =>
      Effect.gen(function* () {
        const { browser, page, server } = yield* serve
        const texts = yield* inPage<ReadonlyArray<string>>(
          page,
          `const numbers = Array.from({ length: 100 }, (_, n) => n)
           return Promise.all(numbers.map(async (n) => (await fetch("/number/" + n)).text()))`
        )
        assert.deepStrictEqual(
          texts,
          texts.map((_, n) => `number ${n}`)
        )
        const protocols = yield* inPage<ReadonlyArray<string>>(
          page,
          `const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
           return entries.map((entry) => entry.nextHopProtocol)`
        )
        assert.isAtLeast(protocols.length, 101)
        assert.deepStrictEqual([...new Set(protocols)], ["h2"])
        assert.strictEqual((yield* server.stats).accepted, 1)
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    // Chromium reads no response before it has sent the request: of one that is as large, its window must hold all.
    it.live("4 MiB up, and down again", () =>
      Effect.gen(function* () {
        const { browser, page } = yield* serve
        const isSame = yield* inPage<boolean>(
          page,
          `const sent = new Uint8Array(4 * 1024 * 1024).map((_, index) => index % 251)
           const response = await fetch("/echo", { method: "POST", body: sent })
           const received = new Uint8Array(await response.arrayBuffer())
           return received.length === sent.length && received.every((byte, index) => byte === sent[index])`
        )
        assert.isTrue(isSame)
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    it.live("an upload is read while the page still makes it", () =>
      Effect.gen(function* () {
        const { browser, page, uploading } = yield* serve
        yield* inPage(
          page,
          `const { readable, writable } = new TransformStream()
           const writer = writable.getWriter()
           globalThis.say = (text) => writer.write(new TextEncoder().encode(text))
           globalThis.asked = fetch("/upload", { method: "POST", body: readable, duplex: "half" })
           globalThis.end = () => writer.close()
           await say("first ")`
        )
        yield* Deferred.await(uploading)
        const text = yield* inPage<string>(page, `await say("second"); await end(); return (await asked).text()`)
        assert.strictEqual(text, "first second")
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    it.live("twenty streams of server-sent events, beside each other", () =>
      Effect.gen(function* () {
        const { page, server } = yield* serve
        const heard = yield* inPage<ReadonlyArray<string>>(
          page,
          `const hear = () => new Promise((resolve) => {
             const events = new EventSource("/events")
             let heard = ""
             events.addEventListener("note", ({ data }) => {
               heard += data
               if (heard.length < 3) return
               events.close()
               resolve(heard)
             })
           })
           return Promise.all(Array.from({ length: 20 }, hear))`
        )
        assert.deepStrictEqual(heard, Array(20).fill("123"))
        assert.strictEqual((yield* server.stats).accepted, 1)
      })
    )

    it.live("a fetch that is aborted interrupts its handler, and nothing else", () =>
      Effect.gen(function* () {
        const { aborted, page, server } = yield* serve
        const name = yield* inPage<string>(
          page,
          `const control = new AbortController()
           const asked = fetch("/slow", { signal: control.signal }).catch((error) => error.name)
           await fetch("/number/1")
           control.abort()
           return asked`
        )
        assert.strictEqual(name, "AbortError")
        yield* Deferred.await(aborted)
        assert.strictEqual(yield* inPage<string>(page, `return (await fetch("/number/2")).text()`), "number 2")
        const { accepted, requests } = yield* server.stats
        assert.deepStrictEqual([accepted, requests.aborted], [1, 1])
      })
    )

    it.live("RFC 8441: its WebSockets are streams of the connection that the page came by", () =>
      Effect.gen(function* () {
        const { browser, page, server, sockets } = yield* serve
        const talk = `const talk = (text) => new Promise((resolve, reject) => {
          const socket = new WebSocket("wss://" + location.host + "/ws")
          let echoed
          socket.onopen = () => socket.send(text)
          socket.onmessage = ({ data }) => {
            echoed = data
            socket.close(4000, "done")
          }
          socket.onclose = ({ code, wasClean }) => resolve([echoed, code, wasClean, socket.extensions !== ""])
        })`
        const talks = yield* inPage<ReadonlyArray<unknown>>(
          page,
          `${talk}
           return Promise.all(["a", "x".repeat(1024 * 1024), "c"].map(async (text) => {
             const [echoed, ...rest] = await talk(text)
             return [echoed === text, ...rest]
           }))`
        )
        assert.deepStrictEqual(talks, Array(3).fill([true, 4000, true, true]))
        assert.deepStrictEqual(sockets, Array(3).fill("2 CONNECT websocket"))
        assert.strictEqual((yield* server.stats).accepted, 1)
        assert.deepStrictEqual(browser.problems, [])
      })
    )

    it.live("a drain: its WebSocket is told to go away, and what it has asked for still comes", () =>
      Effect.gen(function* () {
        const { asked, browser, close, gate, page } = yield* serve
        yield* inPage(
          page,
          `globalThis.asked = fetch("/gated").then((response) => response.text())
           const socket = new WebSocket("wss://" + location.host + "/ws")
           globalThis.told = new Promise((resolve) => { socket.onclose = ({ code }) => resolve(code) })
           await new Promise((resolve) => { socket.onopen = resolve })`
        )
        yield* Deferred.await(asked)
        const closing = yield* Effect.forkScoped(close)
        assert.strictEqual(yield* inPage<number>(page, "return told"), 1001)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* inPage<string>(page, "return asked"), "late")
        yield* Fiber.join(closing)
        assert.deepStrictEqual(browser.problems, [])
      })
    )
  }
)
