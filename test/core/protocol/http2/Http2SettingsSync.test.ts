import { assert, describe, it } from "@effect/vitest"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import { Http2Settings } from "@sluice/core/protocol/http2/Http2Settings"
import { Http2SettingsSync } from "@sluice/core/protocol/http2/Http2SettingsSync"
import { hex } from "../../../harness/Hex.ts"

const never = Number.POSITIVE_INFINITY
const withWindow = (initialWindowBytes: number): Http2Settings =>
  Object.assign(new Http2Settings(), { initialWindowBytes })

describe("RFC 9113 §6.5.3: our settings", () => {
  it("are in force when they are acknowledged, in order", () => {
    const sync = new Http2SettingsSync("server", 10_000)
    sync.sent(withWindow(1), 0)
    sync.sent(withWindow(2), 0)
    assert.strictEqual(sync.local.initialWindowBytes, 65_535)
    assert.isUndefined(sync.acknowledged())
    assert.strictEqual(sync.local.initialWindowBytes, 1)
    assert.isUndefined(sync.acknowledged())
    assert.strictEqual(sync.local.initialWindowBytes, 2)
  })
  it("an acknowledgement of nothing is a violation", () => {
    const sync = new Http2SettingsSync("server", 10_000)
    assert.strictEqual(sync.acknowledged()?.errorCode, Code.ProtocolError)
    sync.sent(withWindow(1), 0)
    assert.isUndefined(sync.acknowledged())
    assert.strictEqual(sync.acknowledged()?.errorCode, Code.ProtocolError)
    assert.strictEqual(sync.local.initialWindowBytes, 1)
  })
  it("have to be acknowledged in time", () => {
    const sync = new Http2SettingsSync("server", 10_000)
    assert.strictEqual(sync.dueMillis, never)
    sync.sent(withWindow(1), 500)
    assert.strictEqual(sync.dueMillis, 10_500)
    assert.isUndefined(sync.advance(10_499))
    const timeout = sync.advance(10_500)
    assert.strictEqual(timeout?.errorCode, Code.SettingsTimeout)
    assert.strictEqual(timeout?.limitMillis, 10_000)
    assert.isUndefined(sync.advance(1e12))
  })
  it("are not waited for when the connection is over", () => {
    const sync = new Http2SettingsSync("server", 10_000)
    sync.sent(withWindow(1), 0)
    sync.sent(withWindow(2), 0)
    sync.stop()
    assert.strictEqual(sync.dueMillis, never)
    assert.isUndefined(sync.advance(1e12))
  })
  it("each has a time of its own", () => {
    const sync = new Http2SettingsSync("server", 10_000)
    sync.sent(withWindow(1), 0)
    sync.sent(withWindow(2), 4_000)
    assert.strictEqual(sync.dueMillis, 10_000)
    sync.acknowledged()
    assert.strictEqual(sync.dueMillis, 14_000)
    sync.acknowledged()
    assert.strictEqual(sync.dueMillis, never)
    assert.isUndefined(sync.advance(1e12))
  })
  it("without a limit there is nothing due", () => {
    const sync = new Http2SettingsSync("server", never)
    sync.sent(withWindow(1), 0)
    assert.strictEqual(sync.dueMillis, never)
    assert.isUndefined(sync.advance(1e12))
  })
})

describe("RFC 9113 §6.5.3: the peer's settings", () => {
  const receive = (sync: Http2SettingsSync, wire: string) => {
    const bytes = hex(wire)
    return sync.received(bytes, 0, bytes.length)
  }
  it("are in force at once, and add up", () => {
    const sync = new Http2SettingsSync("client", 10_000)
    assert.isFalse(sync.hasPeerSettings)
    assert.isUndefined(receive(sync, ""))
    assert.isTrue(sync.hasPeerSettings)
    assert.isUndefined(receive(sync, "0003 00000064"))
    assert.isUndefined(receive(sync, "0004 00000001"))
    assert.strictEqual(sync.peer.maxConcurrentStreams, 100)
    assert.strictEqual(sync.peer.initialWindowBytes, 1)
    assert.strictEqual(sync.local.initialWindowBytes, 65_535)
  })
  it("have the ranges of the peer's role", () => {
    assert.strictEqual(receive(new Http2SettingsSync("client", 10_000), "0002 00000001")?.errorCode, Code.ProtocolError)
    assert.isUndefined(receive(new Http2SettingsSync("server", 10_000), "0002 00000001"))
  })
})
