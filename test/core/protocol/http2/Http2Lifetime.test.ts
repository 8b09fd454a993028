import { assert, describe, it } from "@effect/vitest"
import type * as Options from "@sluice/core/protocol/http2/Http2Options"
import * as Wire from "../../../harness/Http2Wire.ts"
import { answering, body, get, Side, server } from "./Recorder.ts"

const { ping, windowUpdate } = Wire

const never = Number.POSITIVE_INFINITY

/** Only what a test is about has a time. */
const unbounded: Options.Options = {
  headTimeout: "unbounded",
  settingsTimeout: "unbounded",
  pingInterval: "unbounded",
  idleTimeout: "unbounded"
}

const closing = ({ engine }: Side) => engine.output.closing

describe("without streams", () => {
  it("the time counts from the start, and from the end of the last stream", () => {
    const side = server(answering, { ...unbounded, idleTimeout: 1_000 })
    assert.deepStrictEqual(side.advance(999).taken(), [])
    side.at(999).receive(get(1))
    side.taken()
    assert.strictEqual(side.engine.deadlineMillis, 1_000)
    assert.deepStrictEqual(side.advance(1_000).taken(), [])
    assert.strictEqual(side.engine.deadlineMillis, 1_999)
    assert.deepStrictEqual(side.advance(1_999).taken(), ["GOAWAY 2147483647 NO_ERROR", "PING 00 00 00 00 00 00 00 01"])
  })
  it("no time counts while a stream is open", () => {
    const side = server({}, { ...unbounded, idleTimeout: 1_000 }).receive(get(1))
    side.taken()
    assert.deepStrictEqual(side.advance(5_000).taken(), [])
    assert.strictEqual(side.engine.deadlineMillis, never)
  })
})

describe("a transport that is full", () => {
  const stuck = (options: Options.Options = unbounded) => {
    const side = server({}, options).receive(get(1))
    side.taken()
    side.engine.output.blocked = true
    assert.isTrue(side.engine.deadlineMillis < never)
    return side
  }
  it("has sendTimeout, from when it was seen", () => {
    const side = stuck()
    assert.strictEqual(side.engine.deadlineMillis, 30_000)
    assert.strictEqual(closing(side.advance(29_999)), "open")
    assert.strictEqual(closing(side.advance(30_000)), "abort")
    assert.include(side.calls, "violation SendStalled NO_ERROR")
    assert.strictEqual(side.engine.deadlineMillis, never)
  })
  it("begins anew when all was taken", () => {
    const side = stuck().at(20_000)
    side.engine.output.blocked = false
    side.engine.resumeSending(20_000)
    side.engine.output.blocked = true
    assert.strictEqual(side.engine.deadlineMillis, 50_000)
  })
})

describe("after the end of this side", () => {
  const ended = (peer: "reads" | "has ended") => {
    const side = server(
      { onHead: (stream, { engine }) => void engine.respond(stream, 200, {}, body(50_000), 0) },
      unbounded
    )
    side.receive(windowUpdate(0, 2 ** 20), get(1))
    side.sent()
    side.engine.output.blocked = true
    if (peer === "reads") side.engine.close(0, "", 0)
    else side.engine.receiveEnd(0)
    side.taken()
    return side
  }
  it("the peer has closeTimeout to end its own", () => {
    const side = ended("reads")
    side.engine.output.blocked = false
    assert.strictEqual(side.engine.deadlineMillis, 5_000)
    assert.strictEqual(closing(side.advance(4_999)), "end")
    assert.strictEqual(closing(side.advance(5_000)), "abort")
    assert.strictEqual(side.engine.deadlineMillis, never)
  })
  it("who still reads what was sent before is waited for, up to sendTimeout", () => {
    const side = ended("reads")
    assert.deepStrictEqual(side.wakes(29_999), [5_000, 10_000, 15_000, 20_000, 25_000])
    assert.strictEqual(closing(side), "end")
    assert.strictEqual(closing(side.advance(30_000)), "abort")
  })
  it("and closeTimeout counts from when it has read all", () => {
    const side = ended("reads").advance(5_000)
    side.at(6_000).engine.output.blocked = false
    side.engine.resumeSending(6_000)
    assert.strictEqual(closing(side.advance(9_999)), "end")
    assert.strictEqual(closing(side.advance(10_000)), "abort")
  })
  it("a peer that has ended, and reads no more, is not waited for so long", () => {
    const side = ended("has ended")
    assert.strictEqual(closing(side.advance(5_000)), "abort")
  })
  it("RFC 9113 §6.8: a GOAWAY goes before it, also where the peer has said its own", () => {
    const side = new Side("client", {}, unbounded)
    side.receive(Wire.settings(), Wire.settingsAck, Wire.goAway(0, "NO_ERROR"))
    assert.deepStrictEqual(side.taken().slice(-1), ["GOAWAY 0 NO_ERROR"])
    assert.strictEqual(closing(side), "end")
  })
})

it("a PING does not keep a connection without streams", () => {
  const side = server({}, { ...unbounded, idleTimeout: 1_000 })
  for (let millis = 100; millis < 1_000; millis += 100) side.at(millis).receive(ping())
  side.taken()
  assert.strictEqual(side.advance(1_000).taken()[0], "GOAWAY 2147483647 NO_ERROR")
})
