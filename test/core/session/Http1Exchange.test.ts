import { assert, describe, it } from "@effect/vitest"
import type { HttpExchange } from "@sluice/core/session/HttpExchange"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as WebWorld from "../../harness/WebWorld.ts"

/** What goes over the wire when `act` has the exchange of a request to itself. */
const wireOf = (
  act: (exchange: HttpExchange) => void,
  request = WebWorld.get("/path?query", "last", "X-One: 1\r\nx-one: 2\r\n")
) =>
  Effect.gen(function* () {
    const world = yield* WebWorld.serving(
      Effect.gen(function* () {
        act((yield* HttpServerRequest.HttpServerRequest).source as HttpExchange)
        return HttpServerResponse.text("after")
      })
    )
    return yield* world.talk(request)
  })

describe("Http1Exchange", () => {
  it.effect("shows the request", () =>
    Effect.gen(function* () {
      let seen: unknown
      yield* wireOf((exchange) => {
        const { authority, body, method, scheme, target, upgradeProtocol, version } = exchange
        seen = { authority, body, method, scheme, target, upgradeProtocol, version, one: exchange.header("x-one") }
      })
      assert.deepStrictEqual(seen, {
        authority: "server.test",
        body: undefined,
        method: "GET",
        scheme: "http",
        target: "/path?query",
        upgradeProtocol: undefined,
        version: "1.1",
        one: "1, 2"
      })
    })
  )

  it.effect("answers once; what comes later does nothing", () =>
    Effect.gen(function* () {
      const wire = yield* wireOf((exchange) => {
        assert.isTrue(exchange.isAnswerable)
        assert.isUndefined(exchange.respond({ status: 201, headers: { "x-a": ["1", "2"] } }, "body"))
        assert.isFalse(exchange.isAnswerable)
        assert.strictEqual(exchange.respond({ status: 200, headers: {} }, "again")?._tag, "ConnectionEnded")
        assert.strictEqual(exchange.begin({ status: 200, headers: {} })?._tag, "ConnectionEnded")
        assert.strictEqual(exchange.write("more")?._tag, "ConnectionEnded")
        assert.strictEqual(exchange.end()?._tag, "ConnectionEnded")
        assert.strictEqual(exchange.interim(103, {})?._tag, "ConnectionEnded")
        exchange.abort()
      })
      assert.strictEqual(
        wire,
        "HTTP/1.1 201 Created\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody"
      )
    })
  )

  it.effect("sends a body in parts, with trailers behind it", () =>
    Effect.gen(function* () {
      const wire = yield* wireOf((exchange) => {
        exchange.interim(103, { link: "</a.css>" })
        exchange.begin({ status: 200, statusText: "Fine", headers: {} })
        exchange.write("ab")
        exchange.write(new Uint8Array([99]))
        exchange.end({ "x-sum": "3" })
        assert.strictEqual(exchange.phase, "completed")
      })
      assert.strictEqual(
        wire,
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n" +
          "HTTP/1.1 200 Fine\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n" +
          "2\r\nab\r\n1\r\nc\r\n0\r\nx-sum: 3\r\n\r\n"
      )
    })
  )

  it.effect("a head that is not valid is refused, and another one can be sent", () =>
    Effect.gen(function* () {
      const wire = yield* wireOf((exchange) => {
        assert.strictEqual(
          exchange.respond({ status: 200, headers: { "x-a": "1\r\nx-b: 2" } }, "")?._tag,
          "InvalidMessage"
        )
        assert.strictEqual(exchange.respond({ status: 99, headers: {} }, "")?._tag, "InvalidMessage")
        assert.strictEqual(exchange.begin({ status: 200, headers: { "x a": "1" } })?._tag, "InvalidMessage")
        assert.isTrue(exchange.isAnswerable)
      })
      assert.match(wire, /^HTTP\/1.1 200 OK\r\n.*after$/s)
    })
  )

  it.effect("the same record of fields is checked once, and sent each time", () =>
    Effect.gen(function* () {
      const headers = { "x-a": "1" }
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const exchange = (yield* HttpServerRequest.HttpServerRequest).source as HttpExchange
          exchange.respond({ status: 204, headers }, undefined)
          return HttpServerResponse.empty()
        })
      )
      const wire = yield* world.talk(WebWorld.get("/", "more").repeat(3) + WebWorld.get("/"))
      assert.strictEqual(wire.split("x-a: 1\r\n").length, 5)
    })
  )

  it.effect("a body that is cut off ends the connection in the midst of it", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          const exchange = (yield* HttpServerRequest.HttpServerRequest).source as HttpExchange
          exchange.begin({ status: 200, headers: {} })
          exchange.write("ab")
          yield* Effect.yieldNow
          exchange.abort()
          return HttpServerResponse.empty()
        })
      )
      const peer = yield* world.peer()
      peer.write(WebWorld.get("/"))
      yield* peer.heard.saw("close")
      assert.match(peer.heard.text, /2\r\nab\r\n$/)
      assert.strictEqual((yield* world.server.stats).requests.cut, 1)
    })
  )
})
