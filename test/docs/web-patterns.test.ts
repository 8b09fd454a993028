/** The programs of docs/patterns for HTTP do what they say. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { TcpClient, WebServer } from "@sluice/core"
import { NodeCertificates, NodeTransport } from "@sluice/node"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type * as NetAddress from "effect/net/NetAddress"
import * as TestClock from "effect/testing/TestClock"
import * as Extractors from "../../docs/patterns/24-extractors.ts"
import * as SharedState from "../../docs/patterns/25-shared-state.ts"
import * as Middleware from "../../docs/patterns/26-middleware.ts"
import * as TypedErrors from "../../docs/patterns/27-typed-errors.ts"
import * as StaticFiles from "../../docs/patterns/28-static-files.ts"
import * as Https from "../../docs/patterns/29-https.ts"
import * as HealthPattern from "../../docs/patterns/30-health.ts"
import * as ServerSentEvents from "../../docs/patterns/31-server-sent-events.ts"
import * as Certificates from "../harness/Certificates.ts"
import { LogRecorder } from "../harness/LogRecorder.ts"
import * as NodeNet from "../harness/NodeNet.ts"
import * as Served from "../node/web/Served.ts"
import { rest } from "./InMemory.ts"
import { type Answer, answerOf, ask, converse, type Question, routes, target, wireOf } from "./WebInMemory.ts"

const json = (value: unknown): Question => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value)
})

const form = (body: string): Question => ({ headers: { "content-type": "application/x-www-form-urlencoded" }, body })

describe("24 extractors", () => {
  const cases: ReadonlyArray<
    readonly [rule: string, method: string, path: string, question: Question | undefined, status: number, body: string]
  > = [
    ["path and query", "GET", "/users/7/posts?tag=net&limit=3", undefined, 200, '{"limit":3,"id":7,"tag":"net"}'],
    ["a default", "GET", "/users/7/posts", undefined, 200, '{"limit":20,"id":7}'],
    ["a path that does not fit", "GET", "/users/seven/posts", undefined, 400, ""],
    ["a query that does not fit", "GET", "/users/7/posts?limit=101", undefined, 400, ""],
    ["JSON", "POST", "/users/7/posts", json({ title: "a", tags: [] }), 201, '{"author":7,"title":"a","tags":[]}'],
    ["JSON that does not fit", "POST", "/users/7/posts", json({ title: "" }), 400, ""],
    ["no JSON", "POST", "/users/7/posts", { ...json({}), body: "{" }, 400, ""],
    ["a form", "POST", "/login", form("name=ada&password=x%26y"), 200, "hello, ada"],
    ["a form that does not fit", "POST", "/login", form("name=ada"), 400, ""],
    ["no such path", "GET", "/nowhere", undefined, 404, ""]
  ]
  for (const [rule, method, path, question, status, body] of cases) {
    it.effect(`${rule}: ${status}`, () =>
      converse(
        routes(Extractors.Routes),
        Effect.gen(function* () {
          const answer = yield* ask(method, path, question)
          assert.deepStrictEqual([answer.status, answer.body], [status, body])
        })
      )
    )
  }
  it.effect("another method than the path has: 405 with Allow", () =>
    converse(
      routes(Extractors.Routes),
      Effect.gen(function* () {
        const { headers, status } = yield* ask("DELETE", "/users/7/posts")
        assert.deepStrictEqual([status, headers.allow], [405, "GET, HEAD, POST, OPTIONS"])
      })
    )
  )
  it.effect("JSON above 2 MiB: 413", () =>
    converse(
      routes(Extractors.Routes),
      Effect.gen(function* () {
        const large = json({ title: "x".repeat(2 * 1024 * 1024), tags: [] })
        assert.strictEqual((yield* ask("POST", "/users/7/posts", large)).status, 413)
      })
    )
  )
})

describe("25 shared state", () => {
  it.effect("all requests of a server share it, and no visit is lost", () =>
    converse(
      Layer.provide(routes(SharedState.Routes), SharedState.Visits.layer),
      Effect.gen(function* () {
        yield* Effect.forEach(Array.from({ length: 100 }), () => ask("GET", "/"), { concurrency: 20 })
        assert.strictEqual((yield* ask("GET", "/")).body, "you are visitor 101")
        assert.strictEqual((yield* ask("GET", "/count")).body, '{"visits":101}')
      })
    )
  )
  it.effect("a test gives another one", () =>
    converse(
      Layer.provide(
        routes(SharedState.Routes),
        Layer.succeed(SharedState.Visits)({ count: Effect.succeed(7), add: Effect.die("not asked for") })
      ),
      Effect.gen(function* () {
        assert.strictEqual((yield* ask("GET", "/count")).body, '{"visits":7}')
      })
    )
  )
})

describe("26 middleware", () => {
  const secret = ConfigProvider.layer(ConfigProvider.fromUnknown({ API_TOKEN: "secret" }))
  const withApp = <A, E>(conversation: Parameters<typeof converse<A, E, never>>[1]) =>
    converse(Layer.provide(routes(Middleware.App), secret), conversation, { observers: Middleware.observers })

  it.effect("an answer has its id, security fields, a tag, and is compressed for who can read that", () =>
    withApp(
      Effect.gen(function* () {
        const plain = yield* ask("GET", "/", { headers: { "x-request-id": "abc" } })
        assert.strictEqual(plain.headers["x-request-id"], "abc")
        assert.strictEqual(plain.headers["x-content-type-options"], "nosniff")
        assert.strictEqual(plain.headers["ratelimit-remaining"], "99")
        assert.match(plain.headers.etag!, /^W\/"/)
        assert.strictEqual(plain.body.length, 2400)
        const packed = yield* ask("GET", "/", { headers: { "accept-encoding": "gzip" } })
        assert.strictEqual(packed.headers["content-encoding"], "gzip")
        assert.isBelow(packed.body.length, 200)
        assert.strictEqual(packed.headers.etag, plain.headers.etag)
        const again = yield* ask("GET", "/", { headers: { "if-none-match": plain.headers.etag! } })
        assert.deepStrictEqual([again.status, again.body], [304, ""])
      })
    )
  )
  it.effect("only who has the token gets in, and others are told how", () =>
    withApp(
      Effect.gen(function* () {
        const stranger = yield* ask("GET", "/me")
        assert.deepStrictEqual([stranger.status, stranger.headers["www-authenticate"]], [401, 'Bearer realm="api"'])
        assert.strictEqual(stranger.headers["content-type"], "application/problem+json")
        const user = yield* ask("GET", "/me", { headers: { authorization: "Bearer secret" } })
        assert.deepStrictEqual([user.status, user.body], [200, '{"name":"ada"}'])
      })
    )
  )
  it.effect("a page of the allowed origin may ask, and no other", () =>
    withApp(
      Effect.gen(function* () {
        const { headers } = yield* ask("GET", "/", { headers: { origin: "https://app.example" } })
        assert.strictEqual(headers["access-control-allow-origin"], "https://app.example")
      })
    )
  )
  it.effect("limits: 413 for a large body, 503 for a slow handler, 429 for the 101st request", () =>
    withApp(
      Effect.gen(function* () {
        assert.strictEqual((yield* ask("POST", "/upload", { body: "x".repeat(65_537) })).status, 413)
        assert.strictEqual((yield* ask("POST", "/upload", { body: "x".repeat(65_536) })).body, "65536")
        const slow = yield* Effect.forkChild(ask("GET", "/slow"))
        yield* TestClock.adjust("9999 millis")
        assert.isUndefined(slow.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const refused = yield* Fiber.join(slow)
        assert.deepStrictEqual([refused.status, JSON.parse(refused.body).title], [503, "Service Unavailable"])
        const answers = yield* Effect.forEach(Array.from({ length: 120 }), () => ask("GET", "/"))
        const tooMany = answers.find(({ status }) => status === 429)
        assert.match(tooMany?.headers["retry-after"] ?? "", /^\d+$/)
      })
    )
  )
  it.effect("a wrong method is 405, with Allow and a problem", () =>
    withApp(
      Effect.gen(function* () {
        const { body, headers, status } = yield* ask("PUT", "/upload")
        assert.deepStrictEqual([status, headers.allow], [405, "POST, OPTIONS"])
        assert.strictEqual(JSON.parse(body).status, 405)
      })
    )
  )
  it.effect("the access log has a line for each request, and the metrics count it", () => {
    const log = new LogRecorder()
    const histogram = "http.server.request.duration"
    return withApp(
      Effect.gen(function* () {
        yield* ask("GET", "/?secret=1")
        assert.include(
          (yield* Metric.snapshot).map(({ id }) => id),
          histogram
        )
      })
    ).pipe(
      log.listen,
      Effect.provideService(Metric.MetricRegistry, new Map()),
      Effect.tap(() =>
        Effect.sync(() => {
          assert.include(
            log.entries.map(({ message }) => message),
            "GET / 200"
          )
        })
      )
    )
  })
})

describe("27 typed errors as responses", () => {
  const problemOf = (answer: Answer) => {
    assert.strictEqual(answer.headers["content-type"], "application/problem+json")
    return JSON.parse(answer.body)
  }
  it.effect("each error has its answer, and only what is our fault is logged", () => {
    const log = new LogRecorder()
    return converse(
      routes(TypedErrors.App),
      Effect.gen(function* () {
        assert.strictEqual((yield* ask("POST", "/accounts/bob/pay")).body, '{"balance":20}')
        assert.deepStrictEqual(problemOf(yield* ask("POST", "/accounts/eve/pay")), {
          type: "https://bank.example/no-such-account",
          status: 404,
          title: "No such account",
          id: "eve"
        })
        const poor = problemOf(yield* ask("POST", "/accounts/ada/pay"))
        assert.deepStrictEqual([poor.status, poor.balance, poor.cost], [403, 30, 50])
        assert.deepStrictEqual(problemOf(yield* ask("GET", "/nowhere")), {
          type: "about:blank",
          status: 404,
          title: "Not Found"
        })
        assert.strictEqual(problemOf(yield* ask("GET", "/broken")).status, 500)
      })
    ).pipe(
      log.listen,
      Effect.tap(() =>
        Effect.sync(() => {
          const errors = log.entries.filter(({ level }) => level === "Error")
          assert.deepStrictEqual(
            errors.map(({ annotations, error }) => [annotations.url, error]),
            [["/broken", "a bug"]]
          )
        })
      )
    )
  })
})

describe("28 static files", () => {
  it.live("whole, a range of it, not again to who has it, and nothing beside it", () =>
    Effect.gen(function* () {
      const root = yield* NodeNet.temporaryDirectory
      Fs.writeFileSync(Path.join(root, "index.html"), "<h1>home</h1>")
      Fs.writeFileSync(Path.join(root, "digits.txt"), "0123456789")
      const { ask } = yield* Served.routes(StaticFiles.App(root))
      const whole = yield* ask("/files/digits.txt")
      assert.deepStrictEqual([whole.status, whole.text], [200, "0123456789"])
      assert.strictEqual(whole.headers.get("cache-control"), "public, max-age=3600")
      const part = yield* ask("/files/digits.txt", { headers: { range: "bytes=2-4" } })
      assert.deepStrictEqual([part.status, part.text, part.headers.get("content-range")], [206, "234", "bytes 2-4/10"])
      const beyond = yield* ask("/files/digits.txt", { headers: { range: "bytes=10-" } })
      assert.strictEqual(beyond.status, 416)
      const known = { "if-none-match": whole.headers.get("etag")! }
      assert.strictEqual((yield* ask("/files/digits.txt", { headers: known })).status, 304)
      assert.strictEqual((yield* ask("/files/")).text, "<h1>home</h1>")
      assert.strictEqual((yield* ask("/")).headers.get("location"), "/files/")
      assert.strictEqual((yield* ask("/files/%2e%2e/%2e%2e/etc/passwd")).status, 404)
    })
  )
})

describe("29 HTTPS", () => {
  const secure = (address: NetAddress.SocketAddress, alpnProtocols: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const connection = yield* TcpClient.connect(address, {
        tls: Certificates.trusting("a.test", { alpnProtocols })
      })
      yield* connection.send(wireOf("GET", "/"))
      return { alpn: connection.tls?.alpnProtocol, answer: answerOf(yield* rest(connection)) }
    }).pipe(Effect.scoped)

  it.live("answers over TLS, with HSTS, to who asks for h2 too", () =>
    Effect.gen(function* () {
      const certificates = yield* NodeCertificates.fromPem(Certificates.identity("a"))
      const { server } = yield* Served.routes(Https.Routes, { tls: { certificates, alpnProtocols: ["http/1.1"] } })
      const { alpn, answer } = yield* secure(server.address, ["h2", "http/1.1"])
      assert.strictEqual(alpn, "http/1.1")
      assert.deepStrictEqual([answer.status, answer.body], [200, "you asked for https://server.test/"])
      assert.match(answer.headers["strict-transport-security"]!, /^max-age=/)
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))
  )
  it.live("shows a new certificate from the next handshake on", () =>
    Effect.gen(function* () {
      const directory = yield* NodeNet.temporaryDirectory
      const served = { certificate: Path.join(directory, "server.pem"), key: Path.join(directory, "server.key") }
      const install = (name: "a" | "b") => {
        Fs.copyFileSync(NodeNet.tlsFile(`${name}.pem`), served.certificate)
        Fs.copyFileSync(NodeNet.tlsFile(`${name}.key`), served.key)
      }
      install("a")
      const certificates = yield* NodeCertificates.fromFiles(served)
      const { server } = yield* Served.routes(Https.Routes, { tls: { certificates, alpnProtocols: ["http/1.1"] } })
      install("b")
      yield* certificates.reload
      const tls = Certificates.trusting("b.test")
      const connection = yield* TcpClient.connect(server.address, { tls })
      assert.strictEqual(connection.tls?.authorized, true)
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))
  )
  it.effect("sends who came in clear to the same path", () =>
    converse(
      routes(Https.ToHttps("example.test")),
      Effect.gen(function* () {
        const { headers, status } = yield* ask("POST", "/a/b?c=d")
        assert.deepStrictEqual([status, headers.location], [308, "https://example.test/a/b?c=d"])
      })
    )
  )
})

describe("30 health and readiness", () => {
  const serving = (ping: Effect.Effect<void, string>) =>
    Layer.provide(routes(HealthPattern.App), Layer.succeed(HealthPattern.Database)({ ping }))

  it.effect("alive whatever happens; ready while the database answers", () => {
    let isUp = true
    const ping = Effect.suspend(() => (isUp ? Effect.void : Effect.fail("gone")))
    return converse(
      serving(ping),
      Effect.gen(function* () {
        assert.strictEqual((yield* ask("GET", "/health/ready")).body, '{"status":"ready","checks":{"database":"pass"}}')
        isUp = false
        yield* TestClock.adjust("1 second")
        const down = yield* ask("GET", "/health/ready")
        assert.deepStrictEqual([down.status, JSON.parse(down.body).checks], [503, { database: "fail" }])
        assert.strictEqual((yield* ask("GET", "/health/live")).status, 200)
      })
    )
  })
  it.effect("a drain ends readiness, and what waits is told to end early", () =>
    converse(
      serving(Effect.sleep("5 millis")),
      Effect.gen(function* () {
        const server = yield* WebServer.WebServer
        const polling = yield* Effect.forkChild(ask("GET", "/poll"))
        const connection = yield* TcpClient.connect(target)
        const probe = wireOf("GET", "/health/ready")
        yield* connection.send(probe.slice(0, 20))
        yield* TestClock.adjust("1 second")
        const report = yield* Effect.forkChild(server.drain)
        assert.strictEqual((yield* Fiber.join(polling)).body, "ask another server")
        yield* connection.send(probe.slice(20))
        const { body, status } = answerOf(yield* rest(connection))
        assert.deepStrictEqual([status, body], [503, '{"status":"draining"}'])
        yield* connection.end
        assert.deepInclude((yield* Fiber.join(report)).requests, { completed: 2, aborted: 0, cut: 0 })
        const refused = yield* Effect.flip(TcpClient.connect(target))
        assert.strictEqual(refused._tag, "TransportError")
      })
    )
  )
})

describe("31 server-sent events", () => {
  const ids = (text: string): ReadonlyArray<number> => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

  it.effect("each event as it comes; who comes back gets what it missed; who leaves costs nothing", () =>
    Effect.gen(function* () {
      const ticks = yield* ServerSentEvents.Ticks
      yield* converse(
        Layer.provide(routes(ServerSentEvents.Routes), Layer.succeed(ServerSentEvents.Ticks)(ticks)),
        Effect.gen(function* () {
          yield* TestClock.adjust("5 seconds")
          const connection = yield* TcpClient.connect(target)
          yield* connection.send(wireOf("GET", "/events", { headers: { "last-event-id": "2" } }))
          yield* TestClock.adjust("1 second")
          let text = ""
          const decoder = new TextDecoder()
          while (!text.includes("id: 6")) text += decoder.decode(yield* connection.receive)
          assert.deepStrictEqual(ids(text), [3, 4, 5, 6])
          assert.strictEqual(yield* ticks.readers, 1)
          yield* connection.abort
          yield* TestClock.adjust(0)
          assert.strictEqual(yield* ticks.readers, 0)
          assert.deepInclude((yield* (yield* WebServer.WebServer).stats).requests, { aborted: 1 })
        })
      )
    }).pipe(Effect.provide(ServerSentEvents.Ticks.layer))
  )

  it.effect("a drain ends the streams, and waits for none", () =>
    converse(
      Layer.provide(routes(ServerSentEvents.Routes), ServerSentEvents.Ticks.layer),
      Effect.gen(function* () {
        const server = yield* WebServer.WebServer
        const connection = yield* TcpClient.connect(target)
        yield* connection.send(wireOf("GET", "/events"))
        yield* TestClock.adjust("1 second")
        const report = yield* Effect.forkChild(server.drain)
        assert.match(yield* rest(connection), /id: 1\n[\s\S]*\r\n0\r\n\r\n$/)
        yield* connection.end
        assert.deepInclude((yield* Fiber.join(report)).requests, { completed: 1, cut: 0 })
      })
    )
  )
})
