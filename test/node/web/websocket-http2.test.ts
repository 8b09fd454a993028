/** WebSockets over HTTP/2 (RFC 8441): `ws` on streams of `node:http2`, many on one connection. */
import { once } from "node:events"
import type * as Http2 from "node:http2"
import { assert, describe, it } from "@effect/vitest"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import type { WebSocket as Sluice } from "@sluice/core/session/WebSocket"
import * as WebSocketEcho from "@sluice/examples/websocket-echo"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Fetched from "../../examples/support/Fetched.ts"
import { identity } from "../../harness/Certificates.ts"
import * as Hex from "../../harness/Hex.ts"
import * as Http2Socket from "../../harness/Http2Socket.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import * as NodeHttp2 from "../../harness/NodeHttp2.ts"
import * as WsOverHttp2 from "../../harness/WsOverHttp2.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const mebibyte = Buffer.from(new Uint8Array(1024 * 1024).map((_, index) => (index * 7) % 251))

/** The example, and a connection to it. */
const echoing = (compression: WebSocketEcho.Options["compression"] = "none", options?: Http2.ClientSessionOptions) =>
  Effect.gen(function* () {
    const server = yield* Fetched.serve(WebSocketEcho.server({ compression }))
    const session = yield* NodeHttp2.connect(`http://${server.where}`, options)
    return { ...server, session }
  })

const echo = (socket: Sluice) => socket.runForEach(socket.send)

/** Routes that are told what becomes of their handlers. */
const watched = Effect.gen(function* () {
  const ended: Array<string> = []
  let look = () => {}
  const note = (what: string) =>
    Effect.sync(() => {
      ended.push(what)
      look()
    })
  const watch = (socket: Sluice) =>
    Effect.ignore(echo(socket)).pipe(
      Effect.andThen(socket.closed),
      Effect.tap(({ clean, code }) => note(`${code} ${clean ? "clean" : "unclean"}`)),
      Effect.onInterrupt(() => note("interrupted"))
    )
  const routes = Layer.mergeAll(
    HttpRouter.add("GET", "/", HttpServerResponse.text("hello")),
    HttpRouter.add("GET", "/ws", WebSocketServer.handle(watch, { protocols: ["chat"] })),
    HttpRouter.add(
      "GET",
      "/bye",
      WebSocketServer.handle((socket) => socket.close(4001, "enough"))
    )
  )
  const heardOf = (count: number) =>
    Effect.callback<ReadonlyArray<string>>((resume) => {
      look = () => {
        if (ended.length >= count) resume(Effect.succeed(ended))
      }
      look()
    })
  return { routes, heardOf }
})

describe("websocket-echo over HTTP/2", () => {
  const messages: ReadonlyArray<readonly [what: string, message: string | Buffer]> = [
    ["no text", ""],
    ["text", "hello \u{1f600}"],
    ["no bytes", Buffer.alloc(0)],
    ["bytes", mebibyte.subarray(0, 1000)],
    ["a MiB of bytes", mebibyte],
    ["a MiB of text", "hello ".repeat(175_000)]
  ]
  const windows: ReadonlyArray<readonly [what: string, options: Http2.ClientSessionOptions]> = [
    ["large windows", { settings: { initialWindowSize: 2 ** 24 } }],
    ["windows of 1,000 bytes", { settings: { initialWindowSize: 1000 } }]
  ]
  for (const compression of ["none", "permessage-deflate"] as const) {
    for (const [size, options] of windows) {
      it.live(`echoes messages of all sizes, compression: ${compression}, ${size}`, () =>
        Effect.gen(function* () {
          const { session } = yield* echoing(compression, options)
          const { closed, headers, receive, socket } = yield* WsOverHttp2.open(session, { deflate: true })
          assert.strictEqual(headers["sec-websocket-extensions"] !== undefined, compression !== "none")
          assert.notProperty(headers, "sec-websocket-accept")
          for (const [what, message] of messages) {
            socket.send(message)
            const echoed = yield* receive
            assert.strictEqual(typeof echoed, typeof message, what)
            assert.isTrue(Buffer.from(echoed as string).equals(Buffer.from(message as string)), what)
          }
          socket.close(4000, "done")
          assert.deepStrictEqual(yield* closed, { code: 4000, reason: "" })
        })
      )
    }
  }

  it.live("RFC 8441 §3: extended CONNECT is announced", () =>
    Effect.gen(function* () {
      const { session } = yield* echoing()
      assert.isTrue(session.remoteSettings.enableConnectProtocol)
    })
  )

  it.live("echoes in order, and answers Pings between", () =>
    Effect.gen(function* () {
      const { session } = yield* echoing()
      const { receive, socket } = yield* WsOverHttp2.open(session)
      const ponged = once(socket, "pong")
      const sent = Array.from({ length: 1000 }, (_, index) => `${index}`)
      for (const message of sent) socket.send(message)
      socket.ping("between")
      assert.deepStrictEqual(yield* Effect.forEach(sent, () => receive), sent)
      assert.strictEqual(String((yield* Effect.promise(() => ponged))[0]), "between")
    })
  )

  it.live("a hundred on one connection, beside each other", () =>
    Effect.gen(function* () {
      const { session } = yield* echoing()
      const all = yield* Effect.all(
        Array.from({ length: 100 }, () => WsOverHttp2.open(session)),
        { concurrency: "unbounded" }
      )
      for (const [index, { socket }] of all.entries()) socket.send(`I am ${index}`)
      for (const [index, { receive }] of all.entries()) assert.strictEqual(yield* receive, `I am ${index}`)
      assert.strictEqual(new Set(all.map(({ stream }) => stream.session)).size, 1)
    })
  )

  it.live("a drain: each is told to go away, then the connection ends", () =>
    Effect.gen(function* () {
      const { close, session } = yield* echoing()
      const all = yield* Effect.forEach(Array.from({ length: 10 }), () => WsOverHttp2.open(session))
      const goAway = once(session, "goaway")
      const gone = once(session, "close")
      const closing = yield* Effect.forkScoped(close)
      for (const { closed } of all) assert.strictEqual((yield* closed).code, 1001)
      assert.deepStrictEqual((yield* Effect.promise(() => goAway)).slice(0, 2), [0, 2 ** 31 - 1])
      yield* Fiber.join(closing)
      yield* Effect.promise(() => gone)
    })
  )
})

describe("streams of WebSockets, and their connection", () => {
  it.live("over TLS, with a subprotocol", () =>
    Effect.gen(function* () {
      const { routes } = yield* watched
      const { port } = yield* Served.routes(routes, { tls: { certificates: identity("a") } })
      const session = yield* NodeHttp2.connect(`https://127.0.0.1:${port}`)
      const headers = { "sec-websocket-protocol": "other, chat" }
      const opened = yield* WsOverHttp2.open(session, { path: "/ws", headers })
      assert.strictEqual(opened.headers["sec-websocket-protocol"], "chat")
      opened.socket.send("hello")
      assert.strictEqual(yield* opened.receive, "hello")
    })
  )

  it.live("a MiB through the smallest windows of both sides", () =>
    Effect.gen(function* () {
      const { routes } = yield* watched
      const { port } = yield* Served.routes(routes, { http2: { streamWindow: "500 B", connectionWindow: 65_535 } })
      const session = yield* NodeHttp2.connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 500 } })
      const { receive, socket } = yield* WsOverHttp2.open(session, { path: "/ws" })
      socket.send(mebibyte)
      assert.isTrue(mebibyte.equals((yield* receive) as Buffer))
    })
  )

  it.live("the server's close has its code, and ends the stream without an error", () =>
    Effect.gen(function* () {
      const { routes } = yield* watched
      const { url } = yield* Served.routes(routes)
      const session = yield* NodeHttp2.connect(url)
      const { closed, stream } = yield* WsOverHttp2.open(session, { path: "/bye" })
      const over = once(stream, "close")
      assert.deepStrictEqual(yield* closed, { code: 4001, reason: "enough" })
      yield* Effect.promise(() => over)
      assert.strictEqual(stream.rstCode, 0)
      assert.strictEqual((yield* NodeHttp2.ask(session, { ":path": "/" })).text, "hello")
    })
  )

  const ends: ReadonlyArray<readonly [what: string, end: (one: WsOverHttp2.Opened) => void, told: string]> = [
    ["a Close", ({ socket }) => socket.close(4000), "4000 clean"],
    ["END_STREAM without a Close", ({ stream }) => stream.end(), "1006 unclean"],
    ["RST_STREAM", ({ stream }) => stream.close(8), "1006 unclean"]
  ]
  for (const [what, end, told] of ends) {
    it.live(`${what} ends one of them, the other goes on, and so does the connection`, () =>
      Effect.gen(function* () {
        const { heardOf, routes } = yield* watched
        const { server, url } = yield* Served.routes(routes)
        const session = yield* NodeHttp2.connect(url)
        const one = yield* WsOverHttp2.open(session, { path: "/ws" })
        const other = yield* WsOverHttp2.open(session, { path: "/ws" })
        end(one)
        assert.deepStrictEqual(yield* heardOf(1), [told])
        yield* one.closed
        other.socket.send("still here")
        assert.strictEqual(yield* other.receive, "still here")
        assert.strictEqual((yield* NodeHttp2.ask(session, { ":path": "/" })).text, "hello")
        assert.strictEqual((yield* server.stats).accepted, 1)
      })
    )
  }

  it.live("RFC 8441 §5: on the wire, an end is END_STREAM, behind the Close, and no RST_STREAM", () =>
    Effect.gen(function* () {
      const { routes } = yield* watched
      const { port } = yield* Served.routes(routes)
      const peer = yield* Http2Socket.connect(port)
      const connect: Wire.Fields = [
        [":protocol", "websocket"],
        ...Wire.requestOf("CONNECT", "/ws"),
        ["sec-websocket-version", "13"]
      ]
      peer.send(Wire.preface, Wire.settings())
      const closing: ReadonlyArray<readonly [id: number, frame: string, more: ReadonlyArray<Wire.Option>]> = [
        [1, "8886 00000000 0fa0 646f6e65", []],
        [3, "8886 00000000 0fa0 646f6e65", ["END_STREAM"]]
      ]
      for (const [id, frame, options] of closing) {
        peer.send(Wire.headers(id, connect), Wire.data(id, Hex.hex("8181 00000000 61")))
        yield* peer.saw(`DATA ${id}`)
        peer.send(Wire.data(id, Hex.hex(frame), ...options))
        yield* peer.saw(`DATA ${id} '' END_STREAM`)
      }
      // An answer to what comes later shows that nothing else comes for them.
      peer.send(Wire.data(1, "", "END_STREAM"), Wire.headers(5, Wire.get(), "END_STREAM"))
      yield* peer.saw("DATA 5")
      const lines = peer.lines().map((line) => line.replace(/ date=.*GMT/, ""))
      assert.deepStrictEqual(
        lines.filter((line) => /^\w+ [13]\b/.test(line)),
        [1, 3].flatMap((id) => [
          `HEADERS ${id} :status=200`,
          `DATA ${id} 81 01 61`,
          `DATA ${id} 88 02 0f a0`,
          `DATA ${id} '' END_STREAM`
        ])
      )
    })
  )

  it.live("the end of the connection ends all of them", () =>
    Effect.gen(function* () {
      const { heardOf, routes } = yield* watched
      const { url } = yield* Served.routes(routes)
      const session = yield* NodeHttp2.connect(url)
      yield* Effect.forEach(Array.from({ length: 5 }), () => WsOverHttp2.open(session, { path: "/ws" }))
      session.destroy()
      assert.deepStrictEqual(yield* heardOf(5), Array(5).fill("1006 unclean"))
    })
  )

  it.live("a handler that has begun to send is told when its client is gone", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const route = HttpRouter.add(
        "GET",
        "/ws",
        WebSocketServer.handle((socket) =>
          Effect.ensuring(Effect.forever(socket.send(mebibyte)), Deferred.succeed(ended, undefined))
        )
      )
      const { url } = yield* Served.routes(route)
      const session = yield* NodeHttp2.connect(url)
      const { socket, stream } = yield* WsOverHttp2.open(session, { path: "/ws" })
      yield* Effect.promise(() => once(socket, "message"))
      stream.close(8)
      yield* Deferred.await(ended)
    })
  )
})

describe("who gets no WebSocket", () => {
  const refusals: ReadonlyArray<readonly [what: string, options: WsOverHttp2.Options, status: number]> = [
    ["RFC 9220 §3: another protocol", { headers: { ":protocol": "connect-udp" } }, 501],
    ["another version", { headers: { "sec-websocket-version": "12" } }, 426],
    ["no route", { path: "/nowhere" }, 404],
    ["a page of another origin", { headers: { origin: "https://evil.example" } }, 403]
  ]
  for (const [what, options, status] of refusals) {
    it.live(`${what}: ${status}, and the connection goes on`, () =>
      Effect.gen(function* () {
        const { routes } = yield* watched
        const { url } = yield* Served.routes(routes)
        const session = yield* NodeHttp2.connect(url)
        const answer = yield* WsOverHttp2.ask(session, { path: "/ws", ...options })
        assert.strictEqual(answer.status, status)
        assert.strictEqual((yield* NodeHttp2.ask(session, { ":path": "/" })).text, "hello")
      })
    )
  }

  it.live("a GET is told what is missing", () =>
    Effect.gen(function* () {
      const { session } = yield* echoing()
      const answer = yield* NodeHttp2.ask(session, { ":path": "/" })
      assert.deepStrictEqual([answer.status, answer.code], [426, 0])
    })
  )
})
