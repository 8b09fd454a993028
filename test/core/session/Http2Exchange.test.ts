import { assert, describe, it } from "@effect/vitest"
import type { HttpExchange } from "@sluice/core/session/HttpExchange"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Http2Peer from "../../harness/Http2Peer.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const { get, headers, post } = Wire

const settle = Effect.forEach(Array(10), () => Effect.yieldNow, { discard: true })

const connectTo = (path: string): Wire.Fields => [
  [":method", "CONNECT"],
  [":protocol", "chat"],
  [":scheme", "http"],
  [":authority", "a:80"],
  [":path", path]
]

/** What comes back when `act` has the exchange of a request to itself. */
const linesOf = (act: (exchange: HttpExchange) => void, ...request: ReadonlyArray<Uint8Array>) =>
  Effect.gen(function* () {
    const world = yield* WebWorld.serving(
      Effect.gen(function* () {
        act((yield* HttpServerRequest.HttpServerRequest).source as HttpExchange)
        return HttpServerResponse.text("after")
      })
    )
    const peer = yield* Http2Peer.connect(world)
    peer.send(...(request.length > 0 ? request : [headers(1, get("/path?query"), "END_STREAM")]))
    yield* settle
    return peer.lines()
  })

describe("Http2Exchange", () => {
  it.effect("shows the request", () =>
    Effect.gen(function* () {
      let seen: unknown
      yield* linesOf(
        (exchange) => {
          const { authority, body, method, scheme, target, upgradeProtocol, version } = exchange
          const fields = { one: exchange.header("x-one"), host: exchange.headers().host }
          seen = { authority, body, method, scheme, target, upgradeProtocol, version, ...fields }
        },
        headers(1, get("/path?query", ["x-one", "1"], ["x-one", "2"]), "END_STREAM")
      )
      assert.deepStrictEqual(seen, {
        authority: "a",
        body: undefined,
        method: "GET",
        scheme: "http",
        target: "/path?query",
        upgradeProtocol: undefined,
        version: "2",
        one: "1, 2",
        host: "a"
      })
    })
  )

  it.effect("answers once; what comes later does nothing", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf((exchange) => {
        assert.isTrue(exchange.isAnswerable)
        assert.isUndefined(exchange.respond({ status: 201, headers: { "x-a": ["1", "2"] } }, "body"))
        assert.isFalse(exchange.isAnswerable)
        assert.strictEqual(exchange.phase, "completed")
        assert.strictEqual(exchange.respond({ status: 200, headers: {} }, "again")?._tag, "StreamEnded")
        assert.strictEqual(exchange.begin({ status: 200, headers: {} })?._tag, "StreamEnded")
        assert.strictEqual(exchange.write("more")?._tag, "StreamEnded")
        assert.strictEqual(exchange.end()?._tag, "StreamEnded")
        assert.strictEqual(exchange.interim(103, {})?._tag, "StreamEnded")
        exchange.abort()
      })
      assert.deepStrictEqual(lines, ["HEADERS 1 :status=201 x-a=1 x-a=2 content-length=4", "DATA 1 'body' END_STREAM"])
    })
  )

  it.effect("a response that cannot be sent is refused, and another one can be", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf((exchange) => {
        const refusal = exchange.respond({ status: 200, headers: { "x-a": "1\r\n" } }, "body")
        assert.strictEqual(refusal?.fault, "caller")
        assert.isTrue(exchange.isAnswerable)
      })
      assert.deepStrictEqual(lines, [
        "HEADERS 1 :status=200 content-type=text/plain content-length=5",
        "DATA 1 'after' END_STREAM"
      ])
    })
  )

  it.effect("sends a body in parts, with trailers behind it", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf((exchange) => {
        exchange.interim(103, { link: "</a.css>" })
        exchange.begin({ status: 200, statusText: "Fine", headers: {} })
        exchange.write("ab")
        exchange.write(new Uint8Array([99]))
        assert.isUndefined(exchange.end({ "x-sum": "3" }))
      })
      assert.deepStrictEqual(lines, [
        "HEADERS 1 :status=103 link=</a.css>",
        "HEADERS 1 :status=200",
        "DATA 1 'ab'",
        "DATA 1 'c'",
        "HEADERS 1 x-sum=3 END_STREAM"
      ])
    })
  )

  it.effect("an end that is refused can be made good", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf((exchange) => {
        exchange.begin({ status: 200, headers: { "content-length": "2" } })
        exchange.write("a")
        assert.strictEqual(exchange.end()?.fault, "caller")
        assert.strictEqual(exchange.phase, "begun")
        exchange.write("b")
        assert.isUndefined(exchange.end())
      })
      assert.strictEqual(lines.at(-1), "DATA 1 '' END_STREAM")
    })
  )

  it.effect("breaks a response off by RST_STREAM", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf((exchange) => {
        exchange.begin({ status: 200, headers: {} })
        exchange.abort()
        assert.strictEqual(exchange.phase, "over")
        assert.isTrue(exchange.isWritable)
      })
      assert.deepStrictEqual(lines, ["HEADERS 1 :status=200", "RST_STREAM 1 INTERNAL_ERROR"])
    })
  )

  it.effect("writers wait when much is queued, and go on when it has left, or the stream is over", () =>
    Effect.gen(function* () {
      const resumed: Array<string> = []
      let exchange: HttpExchange | undefined
      const world = yield* WebWorld.serving(
        Effect.gen(function* () {
          exchange = (yield* HttpServerRequest.HttpServerRequest).source as HttpExchange
          return yield* Effect.never
        })
      )
      const peer = yield* Http2Peer.connect(world)
      peer.send(headers(1, get(), "END_STREAM"))
      yield* settle
      exchange!.begin({ status: 200, headers: {} })
      exchange!.write(new Uint8Array(200_000))
      yield* settle
      // 65,535 bytes are the window, so more than the 128 KiB that may wait are left.
      assert.isFalse(exchange!.isWritable)
      exchange!.onWritable(() => resumed.push("first"))
      const forget = exchange!.onWritable(() => resumed.push("forgotten"))
      forget()
      peer.send(Wire.windowUpdate(0, 70_000), Wire.windowUpdate(1, 70_000))
      yield* settle
      assert.deepStrictEqual(resumed, ["first"])
      assert.isTrue(exchange!.isWritable)
      exchange!.write(new Uint8Array(100_000))
      exchange!.onWritable(() => resumed.push("over"))
      peer.send(Wire.rstStream(1, "CANCEL"))
      yield* settle
      assert.deepStrictEqual(resumed, ["first", "over"])
      assert.strictEqual(exchange!.write("more")?._tag, "StreamEnded")
    })
  )

  it.effect("RFC 9110 §9.3.6: a 2xx that nobody has upgraded does not open a tunnel", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf(() => {}, headers(1, connectTo("/")))
      assert.deepStrictEqual(lines, ["HEADERS 1 :status=501 END_STREAM", "RST_STREAM 1 NO_ERROR"])
    })
  )

  it.effect("RFC 8441 §4: only a CONNECT is upgraded, and only by a 2xx", () =>
    Effect.gen(function* () {
      const never = () => assert.fail("handed over")
      yield* linesOf((exchange) => {
        assert.strictEqual(exchange.upgrade({ status: 200, headers: {} }, never)?.fault, "caller")
        assert.isTrue(exchange.isAnswerable)
      })
      yield* linesOf(
        (exchange) => {
          assert.strictEqual(exchange.upgradeProtocol, "chat")
          assert.strictEqual(exchange.begin({ status: 200, headers: {} })?.fault, "caller")
          assert.strictEqual(exchange.upgrade({ status: 101, headers: {} }, never)?.fault, "caller")
        },
        headers(1, connectTo("/"))
      )
    })
  )

  it.effect("an upgrade hands over the stream, with what has come already", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const lines = yield* linesOf(
        (exchange) => {
          exchange.upgrade({ status: 200, headers: { "x-a": "1" } }, (transport, rest) => {
            assert.strictEqual(rest.length, 0)
            transport.attach({
              onBytes: (chunk) => heard.push(Buffer.from(chunk).toString()),
              onDrain: () => {},
              onEnd: () => {
                heard.push("end")
                transport.write(Buffer.from("bye"))
                transport.end()
              },
              onClose: (error) => heard.push(`close ${error}`)
            })
            transport.resume()
            return { drain: () => {}, cut: () => transport.destroy() }
          })
          assert.strictEqual(exchange.phase, "upgraded")
        },
        headers(1, connectTo("/")),
        Wire.data(1, "early"),
        Wire.data(1, "late", "END_STREAM")
      )
      assert.deepStrictEqual(lines, ["HEADERS 1 :status=200 x-a=1", "DATA 1 'bye'", "DATA 1 '' END_STREAM"])
      assert.deepStrictEqual(heard, ["early", "late", "end", "close undefined"])
    })
  )

  it.effect("RFC 9113 §8.5: a CONNECT has an authority for its target", () =>
    Effect.gen(function* () {
      let target: string | undefined
      yield* linesOf(
        (exchange) => {
          target = exchange.target
        },
        headers(1, [
          [":method", "CONNECT"],
          [":authority", "a:80"]
        ])
      )
      assert.strictEqual(target, "a:80")
    })
  )

  it.effect("nobody who reads on behind the response waits for ever", () =>
    Effect.gen(function* () {
      let lost: string | undefined
      yield* linesOf(
        (exchange) => {
          Effect.runFork(
            Effect.match(exchange.body!.pull, { onFailure: (failure) => (lost = failure._tag), onSuccess: () => {} })
          )
          exchange.respond({ status: 200, headers: {} }, undefined)
        },
        headers(1, post())
      )
      assert.strictEqual(lost, "BodyLost")
    })
  )
})
