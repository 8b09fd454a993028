import { assert, describe, it } from "@effect/vitest"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import { announceMillis, Http2GoAway, maxStreamId } from "@sluice/core/protocol/http2/Http2GoAway"

const never = Number.POSITIVE_INFINITY

describe("RFC 9113 §6.8: the two steps of a drain", () => {
  it("the second when the PING is answered", () => {
    const goAway = new Http2GoAway()
    assert.strictEqual(goAway.dueMillis, never)
    assert.isFalse(goAway.isDraining)
    assert.isTrue(goAway.begin(100))
    assert.isTrue(goAway.isDraining)
    assert.deepStrictEqual(goAway.sending, { _tag: "Announced", sinceMillis: 100 })
    assert.isTrue(goAway.onPong())
    assert.strictEqual(goAway.finish(7), 7)
    assert.deepStrictEqual(goAway.sending, { _tag: "Final", lastStreamId: 7 })
    assert.strictEqual(goAway.dueMillis, never)
  })
  it("the second when nobody answers", () => {
    const goAway = new Http2GoAway()
    goAway.begin(100)
    assert.strictEqual(goAway.dueMillis, 100 + announceMillis)
    assert.isFalse(goAway.advance(99 + announceMillis))
    assert.isTrue(goAway.advance(100 + announceMillis))
    goAway.finish(7)
    assert.isFalse(goAway.advance(1e12))
  })
  it("each once", () => {
    const goAway = new Http2GoAway()
    assert.isFalse(goAway.onPong())
    assert.isFalse(goAway.advance(1e12))
    goAway.begin(0)
    assert.isFalse(goAway.begin(500))
    assert.strictEqual(goAway.dueMillis, announceMillis)
    goAway.finish(7)
    assert.isFalse(goAway.begin(600))
    assert.isFalse(goAway.onPong())
  })
  it("streams that are on their way are accepted until the second", () => {
    const goAway = new Http2GoAway()
    for (const _ of ["Open", "Announced"]) {
      assert.isTrue(goAway.accepts(maxStreamId))
      goAway.begin(0)
    }
    goAway.finish(7)
    assert.isTrue(goAway.accepts(7))
    assert.isFalse(goAway.accepts(9))
  })
})

describe("RFC 9113 §6.8: what is sent does not rise", () => {
  it("at once, without an announcement", () => {
    const goAway = new Http2GoAway()
    assert.strictEqual(goAway.finish(5), 5)
    assert.isFalse(goAway.accepts(7))
  })
  it("when the connection fails behind its drain", () => {
    const goAway = new Http2GoAway()
    goAway.begin(0)
    assert.strictEqual(goAway.finish(5), 5)
    assert.strictEqual(goAway.finish(9), 5)
    assert.strictEqual(goAway.finish(3), 3)
    assert.strictEqual(goAway.finish(5), 3)
    assert.isFalse(goAway.accepts(5))
  })
})

describe("RFC 9113 §6.8: what is received only sinks", () => {
  it("of two steps, the second", () => {
    const goAway = new Http2GoAway()
    assert.strictEqual(goAway.received(maxStreamId, Code.NoError, ""), maxStreamId)
    assert.isTrue(goAway.isDraining)
    assert.strictEqual(goAway.received(9, Code.NoError, ""), 9)
  })
  it("a rise is ignored, but not its reason", () => {
    const goAway = new Http2GoAway()
    goAway.received(5, Code.NoError, "bye")
    assert.strictEqual(goAway.received(9, Code.EnhanceYourCalm, "too much"), 5)
    assert.deepStrictEqual(goAway.peer, { lastStreamId: 5, errorCode: Code.EnhanceYourCalm, debug: "too much" })
  })
  it("has nothing to do with what is sent", () => {
    const goAway = new Http2GoAway()
    goAway.received(1, Code.NoError, "")
    assert.isTrue(goAway.accepts(9))
    assert.isTrue(goAway.begin(0))
    assert.strictEqual(goAway.finish(9), 9)
  })
})
