import { assert, describe, it } from "@effect/vitest"
import * as WebSocketServerOptions from "@sluice/core/server/WebSocketServerOptions"
import * as WebSocketUpgrade from "@sluice/core/server/WebSocketUpgrade"
import * as Timers from "@sluice/core/session/Timers"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Effect from "effect/Effect"
import * as Exchange from "../../harness/FakeExchange.ts"

const { FakeExchange, webSocketFields } = Exchange

const codec = NodeDeflate.make()

const open = (exchange: Exchange.FakeExchange, options?: WebSocketServerOptions.Options) =>
  Effect.map(Timers.make, (timers) =>
    WebSocketUpgrade.openUnsafe(exchange, WebSocketServerOptions.resolve(options), timers, codec)
  )

/** `undefined`: opened. */
const reasonOf = (options: Exchange.Options) => {
  const checked = WebSocketUpgrade.check(new FakeExchange(options), WebSocketServerOptions.resolve(), codec)
  return checked._tag === "Opened" ? undefined : { tag: checked._tag, status: checked.status }
}

describe("openUnsafe", () => {
  it.effect("RFC 6455 §4.2.2: answers with 101, and takes over the stream and what came behind the request", () =>
    Effect.gen(function* () {
      const rest = Uint8Array.from(Buffer.from("818537fa213d7f9f4d5158", "hex"))
      const exchange = new FakeExchange({ headers: webSocketFields, rest })
      const opened = yield* open(exchange)
      assert.isFalse("_tag" in opened)
      assert.deepStrictEqual(exchange.upgradedWith, {
        status: 101,
        headers: {
          upgrade: "websocket",
          "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
          "sec-websocket-protocol": undefined,
          "sec-websocket-extensions": undefined
        }
      })
      assert.strictEqual(exchange.upgraded, opened as never)
      if (!("_tag" in opened)) assert.strictEqual(yield* opened.receive, "Hello")
    })
  )

  it.effect("RFC 8441 §5: over HTTP/2 with 200, and no key", () =>
    Effect.gen(function* () {
      const exchange = new FakeExchange({
        method: "CONNECT",
        version: "2",
        upgradeProtocol: "websocket",
        headers: { "sec-websocket-version": "13", "sec-websocket-protocol": "a" }
      })
      const opened = yield* open(exchange, { protocols: ["a"] })
      assert.isFalse("_tag" in opened)
      assert.strictEqual(exchange.upgradedWith?.status, 200)
      assert.isUndefined(exchange.upgradedWith?.headers.upgrade)
      assert.strictEqual(exchange.upgradedWith?.headers["sec-websocket-protocol"], "a")
    })
  )

  it.effect("negotiates compression only where it is wanted", () =>
    Effect.gen(function* () {
      const headers = { ...webSocketFields, "sec-websocket-extensions": "permessage-deflate" }
      const without = new FakeExchange({ headers })
      yield* open(without)
      assert.isUndefined(without.upgradedWith?.headers["sec-websocket-extensions"])
      const compressing = new FakeExchange({ headers })
      const opened = yield* open(compressing, { compression: "permessage-deflate" })
      assert.match(String(compressing.upgradedWith?.headers["sec-websocket-extensions"]), /^permessage-deflate/)
      assert.isTrue(!("_tag" in opened) && opened.compression === "permessage-deflate")
    })
  )

  it.effect("says why it is too late", () =>
    Effect.gen(function* () {
      const exchange = new FakeExchange({ headers: webSocketFields })
      exchange.phase = "over"
      assert.deepInclude(yield* open(exchange), { _tag: "ExchangeOver", fault: "transport" })
    })
  )
})

describe("check", () => {
  it("says what is wrong, and leaves the exchange as it is", () => {
    const headers = webSocketFields
    assert.isUndefined(reasonOf({ headers }))
    assert.deepStrictEqual(reasonOf({}), { tag: "HandshakeInvalid", status: 426 })
    assert.deepStrictEqual(reasonOf({ headers, version: "1.0" }), { tag: "HandshakeInvalid", status: 426 })
    // RFC 9220 §3.
    assert.deepStrictEqual(reasonOf({ headers, version: "2", upgradeProtocol: "other" }), {
      tag: "ProtocolUnknown",
      status: 501
    })
    assert.deepStrictEqual(reasonOf({ headers: { ...headers, origin: "null" } }), { tag: "OriginRefused", status: 403 })
  })
})
