import { assert, describe, it } from "@effect/vitest"
import * as HttpTrailers from "@sluice/core/server/HttpTrailers"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as Http2Peer from "../../harness/Http2Peer.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const request = HttpServerRequest.HttpServerRequest

const chunked = (body: string, trailers: string) =>
  `POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n` +
  `${body.length}\r\n${body}\r\n0\r\n${trailers}\r\n`

const trailing = [
  "x-sum: 3\r\nauthorization: no\r\n",
  [
    ["x-sum", "3"],
    ["authorization", "no"]
  ]
] as const

/** What both versions answer to `abc` with trailers behind it: the body of HTTP/1.1, and the frames of HTTP/2. */
const answersTo = (app: WebWorld.App, options?: WebWorld.Options) =>
  Effect.gen(function* () {
    const world = yield* WebWorld.serving(app, options)
    const old = yield* world.talk(chunked("abc", trailing[0]))
    const peer = yield* Http2Peer.connect(world)
    peer.send(Wire.headers(1, Wire.post()), Wire.data(1, "abc"), Wire.headers(1, trailing[1], "END_STREAM"))
    yield* peer.heard.until(() => peer.lines().some((line) => line.includes("END_STREAM")))
    return { http1: old, http2: peer.lines() }
  })

describe("HttpTrailers.received", () => {
  const told = Effect.map(HttpTrailers.received, (trailers) => HttpServerResponse.text(JSON.stringify(trailers)))
  const expected = JSON.stringify({ "x-sum": "3" })

  const readers: ReadonlyArray<readonly [name: string, read: Effect.Effect<unknown, unknown, typeof request.Service>]> =
    [
      ["nobody has read it", Effect.void],
      ["it was read whole", Effect.flatMap(request, ({ text }) => text)],
      ["it was streamed", Effect.flatMap(request, ({ stream }) => Stream.runDrain(stream))]
    ] as never
  for (const [name, read] of readers) {
    it.effect(`has what stands behind the body, where ${name}; without what cannot be a trailer`, () =>
      Effect.gen(function* () {
        const { http1, http2 } = yield* answersTo(Effect.andThen(read, told) as WebWorld.App)
        assert.isTrue(http1.endsWith(expected), http1)
        assert.strictEqual(http2.at(-1), `DATA 1 '${expected}' END_STREAM`)
      })
    )
  }

  it.effect("the body is still there behind it", () =>
    Effect.gen(function* () {
      const { http1 } = yield* answersTo(
        Effect.gen(function* () {
          yield* HttpTrailers.received
          return HttpServerResponse.text(yield* (yield* request).text)
        })
      )
      assert.match(http1, /\r\n\r\nabc$/)
    })
  )

  it.effect("is empty where there is no body, and where no trailers came", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(told)
      assert.match(yield* world.talk(WebWorld.get("/")), /\r\n\r\n\{\}$/)
      assert.match(yield* world.talk(WebWorld.post("/", "abc")), /\r\n\r\n\{\}$/)
    })
  )

  it.effect("waits for the end of the body", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(told)
      const peer = yield* Http2Peer.connect(world)
      peer.send(Wire.headers(1, Wire.post()), Wire.data(1, "abc"))
      yield* Effect.yieldNow
      assert.deepStrictEqual(peer.lines(), [])
      peer.send(Wire.headers(1, [["x-sum", "3"]], "END_STREAM"))
      yield* peer.saw(`DATA 1 '${expected}' END_STREAM`)
    })
  )

  it.effect("fails as the body does: too large, or never whole", () =>
    Effect.gen(function* () {
      const { http1, http2 } = yield* answersTo(told, { maxBufferedBody: 2 })
      assert.match(http1, /^HTTP\/1\.1 413 /)
      assert.match(http2[0]!, /^HEADERS 1 :status=413 /)
    })
  )
})

describe("HttpTrailers.send", () => {
  it.effect("sends fields behind a body that is there, and says so in the head", () =>
    Effect.gen(function* () {
      const { http1, http2 } = yield* answersTo(
        HttpTrailers.send({ "x-a": "1" }).pipe(
          Effect.andThen(HttpTrailers.send({ "x-b": "2" })),
          Effect.as(HttpServerResponse.text("hello"))
        )
      )
      assert.strictEqual(
        http1.replace("connection: close\r\n", ""),
        "HTTP/1.1 200 OK\r\ntrailer: x-a, x-b\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n" +
          "5\r\nhello\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n"
      )
      assert.deepStrictEqual(http2, [
        "HEADERS 1 :status=200 trailer=x-a, x-b content-type=text/plain content-length=5",
        "DATA 1 'hello'",
        "HEADERS 1 x-a=1 x-b=2 END_STREAM"
      ])
    })
  )

  it.effect("sends what a stream says in its end", () =>
    Effect.gen(function* () {
      const { http1, http2 } = yield* answersTo(
        Effect.map(request, (current) => {
          const send = Effect.provideService(HttpTrailers.send({ "x-a": "1" }), request, current)
          const body = Stream.make(new TextEncoder().encode("hello"))
          return HttpServerResponse.stream(Stream.concat(body, Stream.unwrap(Effect.as(send, Stream.empty))))
        })
      )
      assert.match(http1, /\r\n\r\n5\r\nhello\r\n0\r\nx-a: 1\r\n\r\n$/)
      assert.strictEqual(http2.at(-1), "HEADERS 1 x-a=1 END_STREAM")
    })
  )

  it.effect("a response without a body, or to HTTP/1.0, goes without them", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          yield* HttpTrailers.send({ "x-a": "1" })
          const { url } = yield* request
          return url === "/" ? HttpServerResponse.text("hello") : HttpServerResponse.empty()
        })
      )
      assert.strictEqual(
        yield* world.talk(WebWorld.get("/empty")),
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
      )
      const oldest = yield* world.talk("GET / HTTP/1.0\r\nhost: a\r\n\r\n")
      assert.match(oldest, /\r\ncontent-length: 5\r\n.*\r\n\r\nhello$/s)
      assert.notInclude(oldest, "x-a")
      assert.notInclude(yield* world.talk(WebWorld.get("/").replace("GET", "HEAD")), "x-a")
    })
  )

  it.effect("what cannot be a trailer is a defect, and nothing is sent of it", () =>
    Effect.gen(function* () {
      for (const fields of [{ "content-length": "1" }, { "x a": "1" }, { "x-a": "1\r\n" }, { Authorization: "1" }]) {
        const world = yield* WebWorld.serving(
          Effect.as(HttpTrailers.send(fields as unknown as Record<string, string>), HttpServerResponse.text("hello"))
        )
        assert.match(yield* world.talk(WebWorld.get("/")), /^HTTP\/1\.1 500 /)
      }
    })
  )

  it.effect("a request of another server is a defect", () =>
    Effect.gen(function* () {
      const other = HttpServerRequest.fromWeb(new Request("http://a.test/"))
      for (const effect of [HttpTrailers.received, HttpTrailers.send({ "x-a": "1" })]) {
        const exit = yield* Effect.exit(Effect.provideService(effect as typeof HttpTrailers.received, request, other))
        assert.include(String(exit), "Sluice's server")
      }
    })
  )
})
