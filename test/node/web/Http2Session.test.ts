/** The client of HTTP/2 with Node's own server and with ours, on real sockets. */
import * as Http from "node:http"
import * as Http2 from "node:http2"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as Http2Session from "@sluice/core/client/Http2Session"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import * as NodeDialer from "@sluice/node/NodeDialer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { identity, trusting } from "../../harness/Certificates.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import { tlsText } from "../../harness/NodeNet.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

type OnStream = (stream: Http2.ServerHttp2Stream, headers: Http2.IncomingHttpHeaders) => void

interface NodeServer {
  readonly port: number
  readonly sessions: ReadonlyArray<Http2.ServerHttp2Session>
  readonly streams: ReadonlyArray<Http2.ServerHttp2Stream>
  /** Bare: those of the sessions are guarded. */
  readonly sockets: ReadonlyArray<Net.Socket>
}

/** Serves until the scope closes; then what is left is destroyed. */
const serving = (onStream: OnStream, options: Http2.SecureServerOptions & { readonly tls?: true } = {}) =>
  Effect.acquireRelease(
    Effect.callback<NodeServer & { readonly stop: Effect.Effect<void> }>((resume) => {
      const server =
        options.tls === undefined
          ? Http2.createServer(options)
          : Http2.createSecureServer({ key: tlsText("a.key"), cert: tlsText("a.pem"), ...options })
      const sessions: Array<Http2.ServerHttp2Session> = []
      const streams: Array<Http2.ServerHttp2Stream> = []
      const sockets: Array<Net.Socket> = []
      server.on("connection", (socket: Net.Socket) => sockets.push(socket))
      server.on("session", (session) => {
        sessions.push(session)
        session.on("error", () => {})
      })
      server.on("stream", (stream: Http2.ServerHttp2Stream, headers: Http2.IncomingHttpHeaders) => {
        streams.push(stream)
        stream.on("error", () => {})
        onStream(stream, headers)
      })
      const stop = Effect.callback<void>((done) => {
        for (const session of sessions) session.destroy()
        server.close(() => done(Effect.void))
      })
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({ port: (server.address() as Net.AddressInfo).port, sessions, streams, sockets, stop }))
      )
    }),
    ({ stop }) => stop
  )

const dialer = NodeDialer.layer()

const connect = (server: NodeServer, options?: Http2Session.Options) =>
  Effect.provide(Http2Session.connect({ host: "127.0.0.1", port: server.port }, options), dialer)

/** Sends the body back, with trailers. */
const echo: OnStream = (stream, headers) => {
  stream.respond(
    { ":status": 200, "x-method": headers[":method"], "x-path": headers[":path"] },
    { waitForTrailers: true }
  )
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "yes" }))
  stream.pipe(stream)
}

const bytesOf = (byteCount: number): Uint8Array => Uint8Array.from({ length: byteCount }, (_, index) => index % 251)

/** The other side has seen it, however many turns of the event loop that takes. */
const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const look = () => void (holds() ? resume(Effect.void) : setImmediate(look))
    look()
  })

describe("with node:http2", () => {
  for (const tls of [undefined, true] as const) {
    it.live(`${tls ? "TLS and ALPN" : "prior knowledge"}: bodies of all sizes, both ways, with trailers`, () =>
      Effect.gen(function* () {
        const server = yield* serving(echo, { ...(tls && { tls }) })
        const session = yield* connect(server, tls && { tls: trusting("a.test") })
        assert.strictEqual(session.tls?.alpnProtocol, tls && "h2")
        for (const byteCount of [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 300_000, 2_000_000]) {
          const sent = bytesOf(byteCount)
          const text = yield* Effect.scoped(
            Effect.gen(function* () {
              const response = yield* session.request({ method: "POST", path: `/${byteCount}`, body: sent })
              assert.strictEqual(response.headers["x-path"], `/${byteCount}`)
              const received = yield* response.bytes()
              assert.deepStrictEqual({ ...(yield* response.trailers) }, { "x-end": "yes" })
              return Buffer.compare(received, sent)
            })
          )
          assert.strictEqual(text, 0, `${byteCount} bytes`)
        }
      })
    )
  }

  it.live("a stream of many parts comes back as it was, with trailers of its own", () =>
    Effect.gen(function* () {
      let trailers: unknown
      const server = yield* serving((stream, headers) => {
        stream.on("trailers", (fields) => {
          trailers = fields["x-sum"]
        })
        echo(stream, headers)
      })
      const session = yield* connect(server)
      const sizes = [1, 16_384, 3, 100_000, 7, 500_000, 0, 65_537]
      const body = Stream.fromIterable(sizes).pipe(Stream.rechunk(1), Stream.map(bytesOf))
      const response = yield* session.request({ method: "PUT", body, trailers: { "x-sum": "1" } })
      const received = Buffer.from(yield* response.bytes())
      assert.strictEqual(received.compare(Buffer.concat(sizes.map(bytesOf))), 0)
      assert.strictEqual(trailers, "1")
    })
  )

  it.live("a thousand at a time, each with its own answer", () =>
    Effect.gen(function* () {
      const server = yield* serving((stream, headers) => {
        setTimeout(() => {
          stream.respond({ ":status": 200 })
          stream.end(`answer ${headers[":path"]}`)
        }, Number(headers["x-number"]) % 7)
      })
      const session = yield* connect(server)
      const texts = yield* Effect.forEach(
        Array.from({ length: 1000 }, (_, index) => index),
        (index) =>
          Effect.scoped(
            Effect.flatMap(session.request({ path: `/${index}`, headers: { "x-number": `${index}` } }), (response) =>
              response.text()
            )
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        texts,
        texts.map((_, index) => `answer /${index}`)
      )
      assert.strictEqual(server.sessions.length, 1)
    })
  )

  it.live("RFC 9113 §5.1.2: one at a time, where the server allows no more", () =>
    Effect.gen(function* () {
      let most = 0
      let open = 0
      const server = yield* serving(
        (stream) => {
          most = Math.max(most, ++open)
          setTimeout(() => {
            open--
            stream.respond({ ":status": 200 })
            stream.end("ok")
          }, 2)
        },
        { settings: { maxConcurrentStreams: 1 } }
      )
      const session = yield* connect(server)
      yield* session.ping
      const ask = Effect.scoped(Effect.flatMap(session.request(), (response) => response.text()))
      const texts = yield* Effect.all(
        Array.from({ length: 20 }, () => ask),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        texts,
        Array.from({ length: 20 }, () => "ok")
      )
      assert.strictEqual(most, 1)
    })
  )

  it.live("interim responses, and cookies that are not joined", () =>
    Effect.gen(function* () {
      const server = yield* serving((stream) => {
        stream.additionalHeaders({ ":status": 103, link: "</a.css>" })
        stream.respond({ ":status": 204, "set-cookie": ["a=1", "b=2"] })
        stream.end()
      })
      const session = yield* connect(server)
      const interim: Array<unknown> = []
      const response = yield* session.request({
        onInterim: (status, headers) => interim.push([status, headers.link])
      })
      assert.deepStrictEqual(interim, [[103, "</a.css>"]])
      assert.strictEqual(response.status, 204)
      assert.deepStrictEqual(response.setCookies, ["a=1", "b=2"])
      assert.strictEqual(yield* response.text(), "")
    })
  )

  const resets: ReadonlyArray<readonly [code: number, tag: string, retry: string]> = [
    [Code.RefusedStream, "RefusedByServer", "RefusedByServer"],
    [Code.InternalError, "ResetByServer", "MaybeProcessed"],
    [Code.EnhanceYourCalm, "ResetByServer", "MaybeProcessed"]
  ]
  for (const [code, _tag, retry] of resets) {
    it.live(`RST_STREAM with ${Code.nameOf(code)}, before and behind the head`, () =>
      Effect.gen(function* () {
        const server = yield* serving((stream, headers) => {
          if (headers[":path"] === "/before") return stream.close(code)
          // Without a wait for trailers Node would end the body first.
          stream.respond({ ":status": 200 }, { waitForTrailers: true })
          stream.write("part")
          setTimeout(() => stream.close(code), 5)
        })
        const session = yield* connect(server)
        const before = yield* Effect.flip(session.request({ path: "/before" }))
        assert.deepInclude(before.reason, { _tag, retry, errorCode: code } as never)
        const response = yield* session.request({ path: "/behind" })
        const behind = yield* Effect.flip(response.bytes())
        assert.deepInclude(behind.reason, { _tag: "ResetByServer", retry: "MaybeProcessed", errorCode: code })
        assert.isTrue(session.isAvailable)
      })
    )
  }

  it.live("given up by its scope or an interruption, the server hears CANCEL", () =>
    Effect.gen(function* () {
      const server = yield* serving((stream) => {
        stream.respond({ ":status": 200 })
        stream.write("part")
      })
      const session = yield* connect(server)
      yield* Effect.scoped(session.request())
      yield* until(() => server.streams[0]!.closed)
      assert.strictEqual(server.streams[0]!.rstCode, Code.Cancel)
      const silent = yield* serving(() => {})
      const other = yield* connect(silent)
      const fiber = yield* Effect.forkChild(other.request(), { startImmediately: true })
      yield* until(() => silent.streams.length === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => silent.streams[0]!.closed)
      assert.strictEqual(silent.streams[0]!.rstCode, Code.Cancel)
    })
  )

  it.live("RFC 9113 §6.8: GOAWAY: what was sent is answered, what comes then is not sent", () =>
    Effect.gen(function* () {
      const server = yield* serving((stream) => {
        stream.session!.close()
        setTimeout(() => {
          stream.respond({ ":status": 200 })
          stream.end("still")
        }, 20)
      })
      const session = yield* connect(server)
      const response = yield* session.request()
      assert.strictEqual(yield* response.text(), "still")
      assert.isFalse(session.isAvailable)
      const refused = yield* Effect.flip(session.request())
      assert.deepInclude(refused.reason, { _tag: "GoneAway", retry: "NotSent" })
      assert.strictEqual((yield* session.closed)._tag, "GoneAway")
    })
  )

  it.live("GOAWAY with an error and a last stream: the request above it was refused", () =>
    Effect.gen(function* () {
      const server = yield* serving((stream) => {
        if (stream.id === 1) {
          stream.respond({ ":status": 200 })
          stream.write("part")
        } else stream.session!.goaway(Code.EnhanceYourCalm, 1, Buffer.from("too much"))
      })
      const session = yield* connect(server)
      yield* session.request()
      const refused = yield* Effect.flip(session.request())
      assert.deepInclude(refused.reason, { _tag: "RefusedByServer", retry: "RefusedByServer", by: "goaway" })
      const next = yield* Effect.flip(session.request())
      assert.deepInclude(next.reason, { _tag: "GoneAway", errorCode: Code.EnhanceYourCalm, debug: "too much" })
    })
  )

  it.live("a server that is killed in the middle of a response", () =>
    Effect.gen(function* () {
      const server: NodeServer = yield* serving((stream) => {
        stream.respond({ ":status": 200, "content-length": "100" })
        stream.write("part")
        setTimeout(() => server.sockets[0]!.destroy(), 5)
      })
      const session = yield* connect(server)
      const response = yield* session.request()
      const error = yield* Effect.flip(response.bytes())
      assert.deepInclude(error.reason, { _tag: "ConnectionLost", retry: "MaybeProcessed" })
      assert.strictEqual((yield* session.closed)._tag, "ConnectionLost")
      const next = yield* Effect.flip(session.request())
      assert.deepInclude(next.reason, { _tag: "ConnectionLost", retry: "NotSent" })
    })
  )

  it.live("ping", () =>
    Effect.gen(function* () {
      const session = yield* connect(yield* serving(echo))
      const roundTrips = yield* Effect.all([session.ping, session.ping, session.ping], { concurrency: 3 })
      for (const roundTrip of roundTrips) assert.isAtLeast(Duration.toMillis(roundTrip), 0)
    })
  )

  it.live("nobody reads a body: the others go on, and it is whole when it is read", () =>
    Effect.gen(function* () {
      const large = bytesOf(1_000_000)
      const server = yield* serving((stream, headers) => {
        stream.respond({ ":status": 200 })
        stream.end(headers[":path"] === "/large" ? large : "small")
      })
      const session = yield* connect(server)
      const unread = yield* session.request({ path: "/large" })
      for (let count = 0; count < 50; count++) {
        const small = yield* session.request({ path: "/small" })
        assert.strictEqual(yield* small.text(), "small")
      }
      assert.strictEqual(Buffer.compare(yield* unread.bytes(), large), 0)
    })
  )

  it.live("RFC 9113 §3.2: a TLS server that does not speak h2", () =>
    Effect.gen(function* () {
      for (const alpn of [{}, { ALPNProtocols: ["http/1.1"] }]) {
        const port = yield* Effect.acquireRelease(
          Effect.callback<{ readonly port: number; readonly server: Tls.Server }>((resume) => {
            const server = Tls.createServer({ key: tlsText("a.key"), cert: tlsText("a.pem"), ...alpn }, (socket) =>
              socket.on("error", () => {}).resume()
            )
            server.on("tlsClientError", () => {})
            server.listen(0, "127.0.0.1", () =>
              resume(Effect.succeed({ port: (server.address() as Net.AddressInfo).port, server }))
            )
          }),
          ({ server }) => Effect.callback<void>((done) => void server.close(() => done(Effect.void)))
        )
        const error = yield* Effect.flip(
          Effect.provide(
            Http2Session.connect({ host: "127.0.0.1", port: port.port }, { tls: trusting("a.test") }),
            dialer
          )
        )
        const { _tag, retry } = error.reason
        // With no protocol in common the server's TLS refuses the handshake itself (RFC 7301 §3.2).
        assert.deepStrictEqual(
          [_tag, retry],
          ["ALPNProtocols" in alpn ? "TlsHandshakeFailed" : "Http2NotAgreed", "NotSent"]
        )
      }
    })
  )

  it.live("RFC 9113 §3.4: a server that speaks HTTP/1 only is told from one that is lost", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.acquireRelease(
        Effect.callback<{ readonly port: number; readonly server: Http.Server }>((resume) => {
          const server = Http.createServer((_, response) => response.end("hello"))
          server.listen(0, "127.0.0.1", () =>
            resume(Effect.succeed({ port: (server.address() as Net.AddressInfo).port, server }))
          )
        }),
        ({ server }) => Effect.callback<void>((done) => void server.close(() => done(Effect.void)))
      )
      const session = yield* Effect.provide(Http2Session.connect({ host: "127.0.0.1", port }), dialer)
      const { reason } = yield* Effect.flip(session.request())
      assert.strictEqual(reason._tag, "ConnectionViolated")
      assert.strictEqual(reason.fault, "peer")
      assert.include(reason.message, "HTTP/1")
    })
  )

  it.live("the end of its scope lets what is on its way finish, and leaves no socket", () =>
    Effect.gen(function* () {
      const server = yield* serving((stream) => {
        setTimeout(() => {
          stream.respond({ ":status": 200 })
          stream.end("late")
        }, 30)
      })
      const asking = yield* Effect.scoped(
        Effect.gen(function* () {
          const session = yield* connect(server)
          const ask = Effect.scoped(Effect.flatMap(session.request(), (response) => response.text()))
          const fiber = yield* Effect.forkDetach(ask, { startImmediately: true })
          yield* until(() => server.streams.length === 1)
          return fiber
        })
      )
      assert.strictEqual(yield* Fiber.join(asking), "late")
      assert.isTrue(server.sessions[0]!.closed)
    })
  )
})

const streamed = HttpRouter.add(
  "POST",
  "/echo",
  Effect.map(HttpServerRequest, (request) => HttpServerResponse.stream(request.stream))
)

describe("with a server of ours", () => {
  for (const tls of [undefined, trusting("a.test")]) {
    it.live(`${tls ? "TLS" : "cleartext"}: many bodies both ways at once, and a drain that loses none`, () =>
      Effect.gen(function* () {
        const served = yield* Served.serve(
          HttpRouter.serve(streamed, { disableLogger: true, disableListenLog: true }),
          tls && { tls: { certificates: identity("a") } }
        )
        const session = yield* Effect.provide(
          Http2Session.connect({ host: "127.0.0.1", port: served.port }, { tls }),
          dialer
        )
        const part = bytesOf(10_007)
        const body = Stream.range(1, 50).pipe(
          Stream.rechunk(1),
          Stream.map(() => part)
        )
        const whole = Buffer.concat(Array.from({ length: 50 }, () => part))
        const ask = Effect.scoped(
          Effect.gen(function* () {
            const response = yield* session.request({ method: "POST", path: "/echo", body })
            return Buffer.compare(yield* response.bytes(), whole)
          })
        )
        const asking = yield* Effect.forkChild(
          Effect.all(
            Array.from({ length: 20 }, () => ask),
            { concurrency: "unbounded" }
          ),
          { startImmediately: true }
        )
        yield* until(() => session.stats.openCount > 0)
        yield* session.ping
        yield* served.close
        assert.deepStrictEqual(
          yield* Fiber.join(asking),
          Array.from({ length: 20 }, () => 0)
        )
        assert.strictEqual((yield* session.closed)._tag, "GoneAway")
      })
    )
  }
})
