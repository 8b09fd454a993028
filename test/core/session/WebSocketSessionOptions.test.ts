import { assert, describe, it } from "@effect/vitest"
import * as WebSocketSessionOptions from "@sluice/core/session/WebSocketSessionOptions"

describe("resolve", () => {
  it("has the defaults that its documentation says", () => {
    const { deflate, engine, receiveBytes, sendBytes, stall } = WebSocketSessionOptions.resolve()
    assert.strictEqual(deflate, "none")
    assert.strictEqual(engine.maxMessageBytes, 1024 * 1024)
    assert.deepStrictEqual([receiveBytes, sendBytes, stall.writeMillis], [65_536, 65_536, 30_000])
    assert.strictEqual(stall.idleMillis, Number.POSITIVE_INFINITY)
  })

  it("takes what is given, also in words", () => {
    const resolved = WebSocketSessionOptions.resolve({
      receiveBuffer: "1 KiB",
      sendBuffer: 1,
      writeTimeout: "unbounded",
      compression: "permessage-deflate",
      maxMessageSize: "2 KiB"
    })
    assert.deepStrictEqual([resolved.receiveBytes, resolved.sendBytes], [1024, 1])
    assert.strictEqual(resolved.stall.writeMillis, Number.POSITIVE_INFINITY)
    assert.deepStrictEqual(resolved.deflate, {})
    assert.strictEqual(resolved.engine.maxMessageBytes, 2048)
    const { deflate } = WebSocketSessionOptions.resolve({ compression: { serverContext: "keep" } })
    assert.deepStrictEqual(deflate, { serverContext: "keep" })
  })

  it("names what makes no sense", () => {
    assert.throws(() => WebSocketSessionOptions.resolve({ sendBuffer: 0 }), /sendBuffer/)
    assert.throws(() => WebSocketSessionOptions.resolve({ receiveBuffer: -1 }), /receiveBuffer/)
    assert.throws(() => WebSocketSessionOptions.resolve({ writeTimeout: 0 }), /writeTimeout/)
  })
})
