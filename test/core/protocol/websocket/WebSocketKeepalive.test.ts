import { assert, describe, it } from "@effect/vitest"
import { WebSocketKeepalive } from "@sluice/core/protocol/websocket/WebSocketKeepalive"

const limits = { keepaliveIdleMillis: 30_000, keepaliveTimeoutMillis: 20_000 }
const make = (nowMillis = 0) => new WebSocketKeepalive(limits, nowMillis)

describe("RFC 6455 §5.5.2: a Ping as a keepalive", () => {
  it("after the silence, and not before", () => {
    const keepalive = make(1_000)
    assert.strictEqual(keepalive.deadlineMillis, 31_000)
    assert.strictEqual(keepalive.advance(30_999), "nothing")
    assert.strictEqual(keepalive.advance(31_000), "ping")
    assert.strictEqual(keepalive.deadlineMillis, 51_000)
  })
  it("the end, when nothing answers it", () => {
    const keepalive = make()
    keepalive.advance(30_000)
    assert.strictEqual(keepalive.advance(49_999), "nothing")
    assert.strictEqual(keepalive.advance(50_000), "timeout")
    assert.strictEqual(keepalive.deadlineMillis, Number.POSITIVE_INFINITY)
    assert.strictEqual(keepalive.advance(1e9), "nothing")
  })
  it("any byte answers it", () => {
    const keepalive = make()
    keepalive.advance(30_000)
    keepalive.heard(49_999)
    assert.strictEqual(keepalive.advance(50_000), "nothing")
    assert.strictEqual(keepalive.deadlineMillis, 79_999)
    assert.strictEqual(keepalive.advance(79_999), "ping")
  })
  it("what comes moves the Ping, but not the deadline before it is due", () => {
    const keepalive = make()
    for (const now of [10_000, 20_000, 29_000]) {
      keepalive.heard(now)
      assert.strictEqual(keepalive.deadlineMillis, 30_000)
    }
    assert.strictEqual(keepalive.advance(30_000), "nothing")
    assert.strictEqual(keepalive.deadlineMillis, 59_000)
  })
  it("a late advance asks before it gives up", () => {
    const keepalive = make()
    assert.strictEqual(keepalive.advance(500_000), "ping")
    assert.strictEqual(keepalive.advance(519_999), "nothing")
    assert.strictEqual(keepalive.advance(520_000), "timeout")
  })
  it("never, where it is unbounded", () => {
    const keepalive = new WebSocketKeepalive({ ...limits, keepaliveIdleMillis: Number.POSITIVE_INFINITY }, 0)
    assert.strictEqual(keepalive.deadlineMillis, Number.POSITIVE_INFINITY)
    assert.strictEqual(keepalive.advance(1e12), "nothing")
  })
})
