/** HTTP/2 over real sockets, by Node's own client: cleartext and TLS, many streams, bodies of all sizes, WebSockets. */
import * as Http2 from "node:http2"
import * as Https from "node:https"
import { assert, describe, it } from "@effect/vitest"
import * as HttpTrailers from "@sluice/core/server/HttpTrailers"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { authority, identity } from "../../harness/Certificates.ts"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const request = HttpServerRequest.HttpServerRequest

const echo = Effect.map(request, (request) => HttpServerResponse.stream(request.stream))

const size = Effect.gen(function* () {
  return HttpServerResponse.text(String((yield* (yield* request).arrayBuffer).byteLength))
})

const large = new Uint8Array(5_000_000).fill(7)

const counted = Effect.gen(function* () {
  const { stream } = yield* request
  yield* Stream.runDrain(stream)
  const { "x-sum": sum = "none" } = yield* HttpTrailers.received
  yield* HttpTrailers.send({ "x-seen": sum })
  return HttpServerResponse.text("counted")
})

const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.text("hello")),
  HttpRouter.add("POST", "/echo", echo),
  HttpRouter.add("POST", "/size", size),
  HttpRouter.add("GET", "/large", HttpServerResponse.uint8Array(large)),
  HttpRouter.add("POST", "/trailers", counted),
  HttpRouter.add("GET", "/never", Effect.never),
  HttpRouter.add(
    "GET",
    "/ws",
    WebSocketServer.handle((socket) => socket.runForEach(socket.send))
  )
)

const connect = (
  url: string,
  options?: Http2.SecureClientSessionOptions
): Effect.Effect<Http2.ClientHttp2Session, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Http2.ClientHttp2Session>((resume) => {
      const session = Http2.connect(url, options)
      session.on("error", () => {})
      session.once("remoteSettings", () => resume(Effect.succeed(session)))
    }),
    (session) => Effect.sync(() => session.destroy())
  )

interface Answer {
  readonly headers: Http2.IncomingHttpHeaders & Http2.IncomingHttpStatusHeader
  readonly trailers: Http2.IncomingHttpHeaders
  readonly body: Buffer
}

const ask = (
  session: Http2.ClientHttp2Session,
  headers: Http2.OutgoingHttpHeaders,
  body?: Uint8Array | string,
  trailers?: Http2.OutgoingHttpHeaders
): Effect.Effect<Answer, Error> =>
  Effect.callback((resume) => {
    const stream = session.request(headers, { endStream: body === undefined, waitForTrailers: trailers !== undefined })
    const chunks: Array<Buffer> = []
    let answered: Answer["headers"] = {}
    let behind: Http2.IncomingHttpHeaders = {}
    if (trailers !== undefined) stream.once("wantTrailers", () => stream.sendTrailers(trailers))
    stream.on("response", (head) => {
      answered = head
    })
    stream.on("trailers", (fields) => {
      behind = fields
    })
    stream.on("data", (chunk: Buffer) => chunks.push(chunk))
    stream.once("error", (error) => resume(Effect.fail(error)))
    stream.once("close", () =>
      resume(Effect.succeed({ headers: answered, trailers: behind, body: Buffer.concat(chunks) }))
    )
    if (body !== undefined) stream.end(body)
    return Effect.sync(() => stream.close(Http2.constants.NGHTTP2_CANCEL))
  })

const tls = { tls: { certificates: identity("a") } } as const

describe("HTTP/2 by Node's client", () => {
  it.live("in cleartext, beside HTTP/1.1 on the same port", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const session = yield* connect(served.url)
      const answer = yield* ask(session, { ":path": "/" })
      assert.deepStrictEqual([answer.headers[":status"], answer.body.toString()], [200, "hello"])
      assert.strictEqual((yield* served.ask("/", { headers: { connection: "close" } })).text, "hello")
    })
  )

  it.live("with TLS, by ALPN; a client that does not know it gets HTTP/1.1", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes, tls)
      const url = `https://127.0.0.1:${served.port}`
      const session = yield* connect(url, { ca: authority, servername: "a.test" })
      assert.strictEqual(session.alpnProtocol, "h2")
      assert.strictEqual((yield* ask(session, { ":path": "/" })).body.toString(), "hello")
      const old = yield* Effect.callback<string | undefined>((resume) => {
        Https.get(url, { ca: authority, servername: "a.test", agent: false }, (response) => {
          response.resume().once("end", () => resume(Effect.succeed(response.httpVersion)))
        })
      })
      assert.strictEqual(old, "1.1")
    })
  )

  it.live("`off`: ALPN does not offer it", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes, { ...tls, http2: "off" })
      const failure = yield* Effect.callback<Error>((resume) => {
        const session = Http2.connect(`https://127.0.0.1:${served.port}`, { ca: authority, servername: "a.test" })
        session.once("error", (error) => resume(Effect.succeed(error)))
      })
      assert.match(String(failure), /no application protocol/)
    })
  )

  it.live("a hundred streams at a time, each with its own answer", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const session = yield* connect(served.url)
      const bodies = Array.from({ length: 100 }, (_, index) => `${index}:${"x".repeat(index * 500)}`)
      const answers = yield* Effect.forEach(
        bodies,
        (body) => ask(session, { ":method": "POST", ":path": "/echo" }, body),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        answers.map(({ body }) => body.toString()),
        bodies
      )
    })
  )

  it.live("bodies above every window, in both directions", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes, { maxBufferedBody: "10 MB" })
      const session = yield* connect(served.url)
      const post = (path: string) => ask(session, { ":method": "POST", ":path": path }, large)
      const [size, echoed, got] = yield* Effect.all(
        [post("/size"), post("/echo"), ask(session, { ":path": "/large" })],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(size.body.toString(), String(large.length))
      assert.isTrue(echoed.body.equals(large))
      assert.isTrue(got.body.equals(large))
      assert.strictEqual(got.headers["content-length"], String(large.length))
    })
  )

  it.live("trailers, in both directions", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const session = yield* connect(served.url)
      const answer = yield* ask(session, { ":method": "POST", ":path": "/trailers" }, "abc", { "x-sum": "3" })
      assert.strictEqual(answer.body.toString(), "counted")
      assert.strictEqual(answer.headers.trailer, "x-seen")
      assert.strictEqual(answer.trailers["x-seen"], "3")
    })
  )

  it.live("a request that is cancelled is told as aborted, and the connection goes on", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const session = yield* connect(served.url)
      const fiber = yield* Effect.forkChild(ask(session, { ":path": "/never" }), { startImmediately: true })
      yield* ask(session, { ":path": "/" })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* ask(session, { ":path": "/" })).body.toString(), "hello")
      assert.deepInclude((yield* served.server.stats).requests, { completed: 2, aborted: 1 })
    })
  )

  it.live("a drain lets it finish, and it learns that it should go", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const ready = yield* Deferred.make<void>()
      const slow = Effect.gen(function* () {
        yield* Deferred.succeed(begun, undefined)
        yield* Deferred.await(ready)
        return HttpServerResponse.text("slow")
      })
      const served = yield* Served.routes(HttpRouter.add("GET", "/slow", slow))
      const session = yield* connect(served.url)
      const farewell = Effect.callback<void>((resume) => void session.once("goaway", () => resume(Effect.void)))
      const told = yield* Effect.forkChild(farewell, { startImmediately: true })
      const fiber = yield* Effect.forkChild(ask(session, { ":path": "/slow" }), { startImmediately: true })
      yield* Deferred.await(begun)
      const stopping = yield* Effect.forkChild(served.close, { startImmediately: true })
      yield* Fiber.join(told)
      yield* Deferred.succeed(ready, undefined)
      assert.strictEqual((yield* Fiber.join(fiber)).body.toString(), "slow")
      yield* Fiber.join(stopping)
    })
  )

  it.live("RFC 8441: a WebSocket on a stream, on the route that serves it by HTTP/1.1, too", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const session = yield* connect(served.url)
      assert.isTrue(session.remoteSettings.enableConnectProtocol)
      const stream = session.request(
        { ":method": "CONNECT", ":protocol": "websocket", ":path": "/ws", "sec-websocket-version": "13" },
        { endStream: false }
      )
      const heard: Array<Buffer> = []
      let status: number | undefined
      stream.on("response", (head) => {
        status = head[":status"]
      })
      const echoed = Effect.callback<void>((resume) => {
        stream.on("data", (chunk: Buffer) => {
          heard.push(chunk)
          resume(Effect.void)
        })
      })
      // A text frame "hi", masked with zeros, and a Close of 1000.
      stream.write(Buffer.from("8182000000006869", "hex"))
      yield* echoed
      assert.deepStrictEqual([status, Buffer.concat(heard).toString("hex")], [200, "81026869"])
      stream.end(Buffer.from("88820000000003e8", "hex"))
      yield* Effect.callback<void>((resume) => void stream.once("close", () => resume(Effect.void)))
      assert.strictEqual(Buffer.concat(heard).toString("hex"), "81026869880203e8")
      assert.strictEqual((yield* ask(session, { ":path": "/" })).body.toString(), "hello")
      assert.deepInclude((yield* served.server.stats).requests, { completed: 1, upgraded: 1 })
    })
  )

  it.live("a WebSocket that another origin asks for is refused, and the stream ends", () =>
    Effect.gen(function* () {
      const served = yield* Served.routes(routes)
      const session = yield* connect(served.url)
      const head = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/ws", "sec-websocket-version": "13" }
      const answer = yield* ask(session, { ...head, origin: "http://evil.test" }, "")
      assert.strictEqual(answer.headers[":status"], 403)
    })
  )
})

describe("the same application answers both versions alike", () => {
  const bytes = new TextEncoder().encode("hello")
  const responses: Readonly<Record<string, Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>>> = {
    text: Effect.succeed(HttpServerResponse.text("grüße")),
    json: Effect.succeed(HttpServerResponse.jsonUnsafe({ a: 1 }, { status: 201 })),
    bytes: Effect.succeed(HttpServerResponse.uint8Array(bytes)),
    nothing: Effect.succeed(HttpServerResponse.uint8Array(new Uint8Array(0))),
    empty: Effect.succeed(HttpServerResponse.empty()),
    reset: Effect.succeed(HttpServerResponse.empty({ status: 205 })),
    unmodified: Effect.succeed(HttpServerResponse.empty({ status: 304, headers: { etag: '"1"' } })),
    moved: Effect.succeed(HttpServerResponse.redirect("/elsewhere")),
    cookies: Effect.succeed(
      HttpServerResponse.text("a").pipe(
        HttpServerResponse.setCookieUnsafe("a", "1"),
        HttpServerResponse.setCookieUnsafe("b", "2", { httpOnly: true })
      )
    ),
    stream: Effect.succeed(HttpServerResponse.stream(Stream.make(bytes, bytes))),
    measured: Effect.succeed(HttpServerResponse.stream(Stream.make(bytes, bytes), { contentLength: 10 })),
    web: Effect.sync(() => HttpServerResponse.raw(new Response("web", { headers: { "x-a": "1" } }))),
    many: Effect.succeed(
      HttpServerResponse.text("a", {
        headers: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x-${index}`, "y".repeat(index * 10)]))
      })
    ),
    old: Effect.succeed(
      HttpServerResponse.text("a", { headers: { connection: "keep-alive", "keep-alive": "timeout=5", "x-a": "1" } })
    ),
    failed: Effect.fail("no"),
    died: Effect.die(new Error("no")),
    invalid: Effect.succeed(HttpServerResponse.text("a", { headers: { "x-a": "1\r\nx-b: 2" } }))
  }
  const all = Layer.mergeAll(
    ...(Object.entries(responses).map(([name, response]) =>
      HttpRouter.add("*", `/${name}`, response as Effect.Effect<HttpServerResponse.HttpServerResponse>)
    ) as [ReturnType<typeof HttpRouter.add>])
  )

  /** Of one version only. */
  const own = new Set(["connection", "keep-alive", "transfer-encoding", "date"])

  for (const name of Object.keys(responses)) {
    it.live(name, () =>
      Effect.gen(function* () {
        const served = yield* new LogRecorder().listen(Served.routes(all))
        const session = yield* connect(served.url)
        for (const method of ["GET", "HEAD"]) {
          const two = yield* ask(session, { ":method": method, ":path": `/${name}` })
          const one = yield* served.ask(`/${name}`, { method, headers: { connection: "close" } })
          const headersOf = (entries: Iterable<readonly [string, unknown]>) =>
            [...entries]
              .filter(([field]) => !own.has(field) && !field.startsWith(":"))
              .map(([field, value]) => `${field}: ${Array.isArray(value) ? value.join(", ") : value}`)
              .sort()
          assert.strictEqual(two.headers[":status"], one.status, method)
          assert.strictEqual(two.body.toString(), one.text, method)
          const lengthless = (lines: ReadonlyArray<string>) => lines.filter((line) => line !== "content-length: 0")
          assert.deepStrictEqual(
            lengthless(headersOf(Object.entries(two.headers))),
            lengthless(
              [...new Set(headersOf([...one.headers].filter(([field]) => field !== "set-cookie")))]
                .concat(
                  one.headers.getSetCookie().length > 0 ? [`set-cookie: ${one.headers.getSetCookie().join(", ")}`] : []
                )
                .sort()
            ),
            method
          )
        }
      })
    )
  }
})
