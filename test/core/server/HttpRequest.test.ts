import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Http2Peer from "../../harness/Http2Peer.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

/** What `look` sees of the request that `wire` is. */
const seen = <A>(wire: string, look: (request: HttpServerRequest.HttpServerRequest) => A) =>
  Effect.gen(function* () {
    let result: A | undefined
    const world = yield* WebWorld.serving(
      Effect.gen(function* () {
        result = look(yield* HttpServerRequest.HttpServerRequest)
        return HttpServerResponse.empty()
      })
    )
    yield* world.talk(wire)
    return result as A
  })

const host = "host: server.test\r\nconnection: close\r\n"

describe("HttpRequest", () => {
  for (const [what, line, url, originalUrl] of [
    ["a path", "GET /a?b=c", "/a?b=c", "http://server.test/a?b=c"],
    ["RFC 9112 §3.2.2: a whole URL, whose host counts", "GET http://other.test/a?b", "/a?b", "http://other.test/a?b"],
    ["a whole URL without a path", "GET http://other.test?b", "/?b", "http://other.test?b"],
    ["an asterisk", "OPTIONS *", "*", "*"]
  ] as const) {
    it.effect(`url: ${what}`, () =>
      Effect.gen(function* () {
        const urls = yield* seen(`${line} HTTP/1.1\r\n${host}\r\n`, (request) => [request.url, request.originalUrl])
        assert.deepStrictEqual(urls, [url, originalUrl])
      })
    )
  }

  it.effect("RFC 8441: an extended CONNECT is routed as the GET that asks for the same over HTTP/1.1", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.map(HttpServerRequest.HttpServerRequest, ({ method, originalUrl }) =>
          HttpServerResponse.text(`${method} ${originalUrl}`, { status: 404 })
        )
      )
      const peer = yield* Http2Peer.connect(world)
      const connect = Wire.requestOf("CONNECT", "/ws")
      peer.send(Wire.headers(1, [...connect.slice(0, 1), [":protocol", "websocket"], ...connect.slice(1)]))
      yield* peer.saw("DATA 1 'GET http://a/ws'")
      peer.send(
        Wire.headers(3, [
          [":method", "CONNECT"],
          [":authority", "a:80"]
        ])
      )
      yield* peer.saw("DATA 3 'CONNECT a:80'")
    })
  )

  it.effect("headers are Effect's, by names in lower case, read once", () =>
    Effect.gen(function* () {
      yield* seen(`GET / HTTP/1.1\r\n${host}X-A: 1\r\nX-a: 2\r\n__proto__: 3\r\n\r\n`, (request) => {
        assert.deepStrictEqual(Headers.get(request.headers, "X-A"), Option.some("1, 2"))
        assert.deepStrictEqual(Object.keys(request.headers), ["host", "connection", "x-a", "__proto__"])
        assert.strictEqual(request.headers, request.headers)
        assert.isTrue(Headers.isHeaders(request.headers))
      })
    })
  )

  it.effect("RFC 9112 §3.2.2: the host of a whole URL takes the place of Host", () =>
    Effect.gen(function* () {
      const name = yield* seen(`GET http://other.test/ HTTP/1.1\r\n${host}\r\n`, ({ headers }) => headers.host)
      assert.strictEqual(name, "other.test")
    })
  )

  it.effect("cookies of several lines", () =>
    Effect.gen(function* () {
      const cookies = yield* seen(
        `GET / HTTP/1.1\r\n${host}cookie: a=1\r\ncookie: b=2\r\n\r\n`,
        (request) => request.cookies
      )
      assert.deepStrictEqual({ ...cookies }, { a: "1", b: "2" })
    })
  )

  it.effect("methods as they came, also unknown ones", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* seen(`PROPFIND / HTTP/1.1\r\n${host}\r\n`, ({ method }) => method), "PROPFIND")
    })
  )

  it.effect("a view with other words, of the same body", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          const text = yield* request.text
          const view = request.modify({
            url: "/other",
            headers: Headers.fromInput({ "x-a": "1" }),
            remoteAddress: Option.some("192.0.2.1"),
            peerAddress: Option.some("192.0.2.2"),
            protocol: "https"
          })
          const again = view.modify({ url: "/third" })
          assert.deepStrictEqual(
            [view.url, view.headers["x-a"], view.remoteAddress, view.peerAddress, view.protocol],
            ["/other", "1", Option.some("192.0.2.1"), Option.some("192.0.2.2"), "https"]
          )
          assert.deepStrictEqual([again.url, again.protocol, request.url], ["/third", "https", "/"])
          assert.strictEqual(view.source, request.source)
          return HttpServerResponse.text(text + (yield* view.text) + (yield* again.text))
        })
      )
      assert.match(yield* world.talk(WebWorld.post("/", "ab")), /ababab$/)
    })
  )

  it.effect("is told without its secrets", () =>
    Effect.gen(function* () {
      const told = yield* seen(`GET /a HTTP/1.1\r\n${host}authorization: secret\r\n\r\n`, (request) => [
        String(request),
        JSON.stringify(request)
      ])
      assert.strictEqual(told[0], "ServerRequest(GET /a)")
      assert.notInclude(told[1]!, "secret")
    })
  )
})
