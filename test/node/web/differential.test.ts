/**
 * One program on two servers: Effect's `NodeHttpServer` and ours, asked the
 * same by hand. What differs is listed with its reason, and must differ so.
 */
import * as Http from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import { schemaBodyJson } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const program = HttpRouter.addAll([
  HttpRouter.route("GET", "/", HttpServerResponse.text("hello")),
  HttpRouter.route("GET", "/json", HttpServerResponse.jsonUnsafe({ a: "ä" })),
  HttpRouter.route(
    "GET",
    "/stream",
    Effect.sync(() => HttpServerResponse.stream(Stream.encodeText(Stream.make("one", "two"))))
  ),
  HttpRouter.route(
    "GET",
    "/known",
    Effect.sync(() => HttpServerResponse.stream(Stream.encodeText(Stream.make("one", "two")), { contentLength: 6 }))
  ),
  HttpRouter.route("GET", "/204", HttpServerResponse.empty()),
  HttpRouter.route("GET", "/205", HttpServerResponse.empty({ status: 205 })),
  HttpRouter.route("GET", "/304", HttpServerResponse.empty({ status: 304, headers: { etag: '"1"' } })),
  HttpRouter.route("GET", "/status", HttpServerResponse.text("teapot", { status: 418, statusText: "Teapot" })),
  HttpRouter.route("GET", "/redirect", HttpServerResponse.redirect("/")),
  HttpRouter.route("GET", "/die", Effect.die(new Error("a bug"))),
  HttpRouter.route("GET", "/fail", Effect.fail("a failure")),
  HttpRouter.route("GET", "/interrupt", Effect.interrupt),
  HttpRouter.route(
    "GET",
    "/cookies",
    HttpServerResponse.empty().pipe(
      HttpServerResponse.setCookieUnsafe("a", "1"),
      HttpServerResponse.setCookieUnsafe("b", "2", { secure: true })
    )
  ),
  HttpRouter.route("GET", "/params/:id", Effect.map(HttpRouter.params, HttpServerResponse.jsonUnsafe)),
  HttpRouter.route("*", "/request", (request) =>
    Effect.succeed(
      HttpServerResponse.jsonUnsafe({
        method: request.method,
        url: request.url,
        originalUrl: request.originalUrl,
        headers: { ...request.headers },
        cookies: request.cookies,
        remoteAddress: Option.getOrNull(request.remoteAddress)
      })
    )
  ),
  HttpRouter.route("POST", "/text", (request) => Effect.map(request.text, (text) => HttpServerResponse.text(text))),
  HttpRouter.route("POST", "/json", (request) => Effect.map(request.json, HttpServerResponse.jsonUnsafe)),
  HttpRouter.route("POST", "/form", (request) =>
    Effect.map(request.urlParamsBody, (params) => HttpServerResponse.jsonUnsafe([...params]))
  ),
  HttpRouter.route(
    "POST",
    "/schema",
    Effect.map(schemaBodyJson(Schema.Struct({ name: Schema.String })), HttpServerResponse.jsonUnsafe)
  ),
  HttpRouter.route("POST", "/echo", (request) => Effect.succeed(HttpServerResponse.stream(request.stream))),
  HttpRouter.route(
    "GET",
    "/raw",
    Effect.sync(() => HttpServerResponse.raw("raw", { contentType: "text/raw" }))
  ),
  HttpRouter.route("GET", "/split", HttpServerResponse.text("x", { headers: { "x-split": "a\r\nb: c" } })),
  HttpRouter.route("GET", "/1xx", HttpServerResponse.empty({ status: 103 }))
]).pipe(Layer.provide(HttpRouter.middleware(HttpMiddleware.compression(), { global: true })))

const app = HttpRouter.serve(program, { disableLogger: true, disableListenLog: true })

const both = Effect.gen(function* () {
  const context = yield* Layer.build(
    Layer.provideMerge(
      app,
      NodeHttpServer.layer(() => Http.createServer(), { host: "127.0.0.1", port: 0 })
    )
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  const effect = yield* HttpWire.connect(NetAddress.isInetAddress(address) ? address.port : 0)
  const sluice = yield* (yield* Served.serve(app)).wire
  return { effect, sluice }
})

const post = (path: string, body: string, ...fields: ReadonlyArray<string>): string =>
  [`POST ${path} HTTP/1.1`, "Host: test", `Content-Length: ${Buffer.byteLength(body)}`, ...fields, "", body].join(
    "\r\n"
  )

const chunked = (path: string, ...chunks: ReadonlyArray<string>): string =>
  [
    `POST ${path} HTTP/1.1`,
    "Host: test",
    "Transfer-Encoding: chunked",
    "",
    ...chunks.flatMap((chunk) => [chunk.length.toString(16), chunk]),
    "0",
    "",
    ""
  ].join("\r\n")

const head = (path: string): string => HttpWire.get(path).replace("GET", "HEAD")

const same: ReadonlyArray<string> = [
  ...["/", "/json", "/stream", "/known", "/204", "/304", "/status", "/redirect", "/die", "/fail", "/interrupt"],
  ...["/cookies", "/params/7", "/params/%C3%A4?x=1", "/missing", "/1xx"],
  "/request?a=1&b=%20"
].flatMap((path) => [HttpWire.get(path)])

const requests: ReadonlyArray<string> = [
  ...same,
  ...["/", "/stream", "/known", "/204", "/missing", "/raw"].map(head),
  HttpWire.get("/request", "Cookie: a=1; b=2", "X-Twice: 1", "X-Twice: 2", "Accept: a", "Accept: b"),
  HttpWire.get("/json", "Accept-Encoding: gzip"),
  post("/text", "tëxt"),
  post("/text", ""),
  chunked("/text", "one", "two"),
  post("/json", '{"a":1}', "Content-Type: application/json"),
  post("/json", "{"),
  post("/form", "a=1&b=2+3", "Content-Type: application/x-www-form-urlencoded"),
  post("/schema", '{"name":"Ann"}', "Content-Type: application/json"),
  post("/schema", '{"name":1}', "Content-Type: application/json"),
  post("/echo", "echo"),
  chunked("/echo", "one", "two"),
  post("/", "no such method"),
  "PUT /request HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
  "OPTIONS /request HTTP/1.1\r\nHost: test\r\n\r\n",
  "GET /request HTTP/1.1\r\nhost: test\r\nx-empty:\r\nx-space:  a b \r\n\r\n"
]

/** Fields that belong to the connection, or to the clock. */
const ignored = new Set(["date", "connection", "keep-alive", "transfer-encoding"])

/** An empty body is said by its length here, and by an empty chunk there. */
const isFraming = (name: string, values: ReadonlyArray<string>): boolean =>
  ignored.has(name) || (name === "content-length" && values[0] === "0")

const shown = (response: HttpWire.Response) => ({
  status: response.status,
  headers: Object.fromEntries([...response.headers].filter(([name, values]) => !isFraming(name, values)).sort()),
  body: response.body
})

const methodOf = (request: string): string => request.slice(0, request.indexOf(" "))

const ask = (wire: HttpWire.HttpWire, request: string) =>
  Effect.suspend(() => {
    wire.send(request)
    return Effect.map(wire.response(methodOf(request)), shown)
  })

describe("the same on both servers", () => {
  it.live("one after the other on one connection", () =>
    Effect.gen(function* () {
      const { effect, sluice } = yield* both
      for (const request of requests) {
        const expected = yield* ask(effect, request)
        assert.deepStrictEqual(yield* ask(sluice, request), expected, request)
      }
    }).pipe(Effect.scoped, new LogRecorder().listen)
  )
})

/** Requests that no client should send, and the status that each gives. */
const differences: ReadonlyArray<
  readonly [why: string, request: string, effect: number | "nothing", sluice: number | "nothing"]
> = [
  ["a field with a line end: both refuse to send it", HttpWire.get("/split"), 500, 500],
  ["RFC 9112 §3.2: a request without Host is refused by both", "GET / HTTP/1.1\r\n\r\n", 400, 400],
  [
    "RFC 9112 §6.3: two lengths that agree are one message to many, and a risk",
    "POST /text HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    400,
    400
  ],
  ["RFC 9112 §3.2.2: the target is a whole URL", "GET http://test/ HTTP/1.1\r\nHost: test\r\n\r\n", 200, 200],
  ["RFC 9110 §10.1.1: an expectation that nobody knows", HttpWire.get("/", "Expect: tea"), 417, 417],
  ["RFC 9110 §15.6.6: a version of another protocol", "GET / HTTP/3.0\r\nHost: test\r\n\r\n", 400, 505],
  ["RFC 9112 §5.1: white space before the colon", "GET / HTTP/1.1\r\nHost: test\r\nX-Y : z\r\n\r\n", 400, 400],
  ["RFC 9112 §2.2: a bare LF", "GET / HTTP/1.1\nHost: test\n\n", 400, 400]
]

describe("what differs, and why", () => {
  it.live("a raw text is one message with its length here, and is sent in chunks there", () =>
    Effect.gen(function* () {
      const { effect, sluice } = yield* both
      const theirs = yield* effect.get("/raw")
      const ours = yield* sluice.get("/raw")
      assert.strictEqual(ours.body, theirs.body)
      assert.deepStrictEqual(
        [theirs, ours].map(({ headers }) => headers.get("content-length")),
        [undefined, ["3"]]
      )
    }).pipe(Effect.scoped)
  )

  for (const [why, request, expectedEffect, expectedSluice] of differences) {
    it.live(`${why}: ${expectedEffect}, and ours ${expectedSluice}`, () =>
      Effect.gen(function* () {
        const { effect, sluice } = yield* both
        effect.send(request)
        sluice.send(request)
        const theirs = (yield* effect.next())?.status ?? "nothing"
        const ours = (yield* sluice.next())?.status ?? "nothing"
        assert.deepStrictEqual([theirs, ours], [expectedEffect, expectedSluice])
      }).pipe(Effect.scoped, new LogRecorder().listen)
    )
  }
})
