import { assert, describe, it } from "@effect/vitest"
import { KeepaliveTimeout } from "@sluice/core/protocol/http2/Http2Error"
import { Http2Ping } from "@sluice/core/protocol/http2/Http2Ping"
import { hex, show } from "../../../harness/Hex.ts"

const never = Number.POSITIVE_INFINITY
const limits = { intervalMillis: 30_000, timeoutMillis: 20_000 }
const make = (nowMillis = 0) => new Http2Ping(limits, "whileStreams", nowMillis)

describe("RFC 9113 §6.7: a PING as a keepalive", () => {
  it("after the silence, and not before", () => {
    const ping = make(1_000)
    assert.strictEqual(ping.dueMillis(true), 31_000)
    assert.strictEqual(ping.advance(30_999, true), "none")
    assert.strictEqual(ping.advance(31_000, true), "send")
    assert.strictEqual(ping.dueMillis(true), 51_000)
    assert.strictEqual(ping.advance(31_000, true), "none")
  })
  it("only while there are streams", () => {
    const ping = make()
    assert.strictEqual(ping.dueMillis(false), never)
    assert.strictEqual(ping.advance(1e9, false), "none")
  })
  it("always, where that is wanted", () => {
    const ping = new Http2Ping(limits, "always", 0)
    assert.strictEqual(ping.dueMillis(false), 30_000)
    assert.strictEqual(ping.advance(30_000, false), "send")
  })
  it("the end, when nothing answers it, also if the streams have ended", () => {
    for (const hasStreams of [true, false]) {
      const ping = make()
      ping.advance(30_000, true)
      assert.strictEqual(ping.advance(49_999, hasStreams), "none")
      const due = ping.advance(50_000, hasStreams)
      assert.instanceOf(due, KeepaliveTimeout)
      assert.strictEqual((due as KeepaliveTimeout).limitMillis, 20_000)
      assert.strictEqual(ping.dueMillis(true), never)
      assert.strictEqual(ping.advance(1e9, true), "none")
    }
  })
  it("its answer ends the wait", () => {
    const ping = make()
    ping.advance(30_000, true)
    ping.heard(30_100)
    assert.deepStrictEqual(ping.answered(ping.opaque, 0, 30_100), { purpose: "keepalive", roundTripMillis: 100 })
    assert.strictEqual(ping.dueMillis(true), 60_100)
    assert.strictEqual(ping.dueMillis(false), never)
    assert.strictEqual(ping.advance(60_100, true), "send")
  })
  it("any byte puts off the end, and there is no second PING meanwhile", () => {
    const ping = make()
    ping.advance(30_000, true)
    ping.heard(49_999)
    assert.strictEqual(ping.advance(50_000, true), "none")
    assert.strictEqual(ping.dueMillis(true), 69_999)
    assert.instanceOf(ping.advance(69_999, true), KeepaliveTimeout)
  })
  it("any byte moves the PING, which a timer that is early sees", () => {
    const ping = make()
    ping.heard(29_000)
    assert.strictEqual(ping.advance(30_000, true), "none")
    assert.strictEqual(ping.advance(59_000, true), "send")
  })
  it("the silence of a client counts from its first stream", () => {
    const ping = make()
    ping.heard(500_000)
    assert.strictEqual(ping.dueMillis(true), 530_000)
  })
  it("a late advance asks before it gives up", () => {
    const ping = make()
    assert.strictEqual(ping.advance(500_000, true), "send")
    assert.strictEqual(ping.advance(519_999, true), "none")
    assert.instanceOf(ping.advance(520_000, true), KeepaliveTimeout)
  })
  it("never, where it is unbounded", () => {
    const ping = new Http2Ping({ ...limits, intervalMillis: never }, "always", 0)
    assert.strictEqual(ping.dueMillis(true), never)
    assert.strictEqual(ping.advance(1e12, true), "none")
  })
})

describe("RFC 9113 §6.7: answers", () => {
  it("the bytes are a number of each PING's own", () => {
    const ping = make()
    assert.strictEqual(show(ping.ask("user", 0)), "00 00 00 00 00 00 00 01")
    for (let count = 2; count < 258; count++) ping.ask("user", 0)
    assert.strictEqual(show(ping.ask("user", 0)), "00 00 00 00 00 00 01 02")
    assert.strictEqual(show(ping.opaque), "00 00 00 00 00 00 01 02")
  })
  it("say who asked, and how long it took, in any order", () => {
    const ping = make()
    const first = ping.ask("user", 10)
    const second = ping.ask("drain", 20)
    assert.deepStrictEqual(ping.answered(second, 0, 50), { purpose: "drain", roundTripMillis: 30 })
    assert.deepStrictEqual(ping.answered(first, 0, 55), { purpose: "user", roundTripMillis: 45 })
  })
  it("are found in the middle of bytes", () => {
    const ping = make()
    ping.ask("user", 0)
    assert.isDefined(ping.answered(hex("ffff 0000000000000001 ff"), 2, 1))
  })
  it("count once, and only for what was asked", () => {
    const ping = make()
    const opaque = ping.ask("user", 0)
    for (const other of ["0000000000000000", "0000000000000002", "ffffffffffffffff", "0100000000000001"]) {
      assert.isUndefined(ping.answered(hex(other), 0, 1), other)
    }
    assert.isDefined(ping.answered(opaque, 0, 1))
    assert.isUndefined(ping.answered(opaque, 0, 1))
  })
  it("the user's PING is waited for as well, also without streams", () => {
    const ping = make()
    ping.ask("user", 5_000)
    assert.strictEqual(ping.dueMillis(false), 25_000)
    assert.strictEqual(ping.advance(24_999, false), "none")
    assert.instanceOf(ping.advance(25_000, false), KeepaliveTimeout)
  })
})
