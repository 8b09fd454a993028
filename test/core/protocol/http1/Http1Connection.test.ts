import { assert, describe, it } from "@effect/vitest"
import { byteLengthOf } from "@sluice/core/protocol/http1/Http1Connection"
import * as WireScript from "../../../harness/WireScript.ts"
import { answering, answerTo, bytes, type Conduct, refusal, ServerSide, sent } from "./Recorder.ts"

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
const post = (length: number) => `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`
const ok = { status: 200, headers: {} }

/** Lets time pass as a pump does: each deadline at its own time. */
const pass = (side: ServerSide, fromMillis: number, toMillis: number) => {
  const { engine } = side
  for (let at = engine.deadlineMillis; at <= toMillis; at = engine.deadlineMillis) {
    engine.advance(Math.max(at, fromMillis))
    if (engine.output.closing === "abort") return
  }
}

describe("deadlines of a server", () => {
  it("a connection on which nothing comes is closed after 65 s, without a word", () => {
    const side = new ServerSide(answering, {}, 1_000)
    pass(side, 1_000, 65_999)
    assert.strictEqual(side.engine.output.closing, "open")
    pass(side, 65_999, 66_000)
    assert.strictEqual(side.engine.output.closing, "end")
    assert.strictEqual(sent(side.engine), "")
    assert.deepStrictEqual(side.calls, [])
  })
  it("idle time begins with the end of each exchange", () => {
    const side = new ServerSide(answering)
    side.engine.receive(bytes(get), 10_000)
    side.engine.receive(bytes(get), 60_000)
    // The answers of this conduct are given at the time 0: a command moves the clock it brings.
    pass(side, 60_000, 64_999)
    assert.strictEqual(side.engine.output.closing, "open")
    pass(side, 64_999, 65_000)
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("a head has 30 s from its first byte, and more of it does not prolong them: 408", () => {
    const side = new ServerSide(answering)
    side.engine.receive(bytes("G"), 1_000)
    side.engine.receive(bytes("ET /"), 30_999)
    pass(side, 30_999, 30_999)
    assert.strictEqual(side.engine.output.closing, "open")
    pass(side, 30_999, 31_000)
    assert.strictEqual(sent(side.engine), refusal(408, "Request Timeout"))
    assert.deepStrictEqual(side.calls, ["violation ReceiveTimeout"])
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("a body has 30 s from its last byte: 408", () => {
    const side = new ServerSide(answering)
    side.engine.receive(bytes(`${post(3)}a`), 0)
    side.engine.receive(bytes("b"), 29_999)
    pass(side, 29_999, 59_998)
    assert.strictEqual(side.engine.output.closing, "open")
    pass(side, 59_998, 59_999)
    assert.strictEqual(sent(side.engine), refusal(408, "Request Timeout"))
    assert.strictEqual(side.calls.at(-1), "violation ReceiveTimeout")
  })
  it("a paused body has no deadline; a resumed one has a new one", () => {
    const side = new ServerSide({ onBody: (_, { engine }) => engine.pauseBody() })
    side.engine.receive(bytes(`${post(2)}a`), 0)
    pass(side, 0, 100_000)
    assert.strictEqual(side.engine.output.closing, "open")
    side.engine.resumeBody(100_000)
    pass(side, 100_000, 129_999)
    assert.strictEqual(side.engine.output.closing, "open")
    pass(side, 129_999, 130_000)
    assert.strictEqual(side.calls.at(-1), "violation ReceiveTimeout")
  })
  it("RFC 9110 §10.1.1: a client that waits for 100 is not late; after it, it has 30 s", () => {
    const side = new ServerSide()
    side.engine.receive(bytes(post(1).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")), 0)
    pass(side, 0, 100_000)
    assert.deepStrictEqual(side.violations, [])
    side.engine.writeInterim(100, {}, 100_000)
    assert.strictEqual(sent(side.engine), "HTTP/1.1 100 Continue\r\n\r\n")
    pass(side, 100_000, 129_999)
    assert.deepStrictEqual(side.violations, [])
    pass(side, 129_999, 130_000)
    assert.strictEqual(side.calls.at(-1), "violation ReceiveTimeout")
  })
  it("there is none while an answer is being made", () => {
    const side = new ServerSide()
    side.engine.receive(bytes(get), 0)
    pass(side, 0, 1e9)
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("a transport that is full for 30 s is given up, counted from the last write that it took", () => {
    const side = new ServerSide()
    side.engine.receive(bytes(get), 1_000)
    side.engine.beginResponse(ok, 2_000)
    side.engine.output.blocked = true
    side.engine.writeBody("x", 3_000)
    assert.isAtMost(side.engine.deadlineMillis, 32_000)
    pass(side, 3_000, 31_999)
    assert.strictEqual(side.engine.output.closing, "open")
    pass(side, 31_999, 32_000)
    assert.strictEqual(side.engine.output.closing, "abort")
    assert.strictEqual(side.calls.at(-1), "violation SendStalled")
    assert.strictEqual(side.engine.deadlineMillis, Number.POSITIVE_INFINITY)
  })
  it("a transport that became empty has its time anew", () => {
    const side = new ServerSide()
    side.engine.receive(bytes(get), 0)
    side.engine.beginResponse(ok, 0)
    side.engine.output.blocked = true
    side.engine.output.blocked = false
    side.engine.resumeSending(20_000)
    side.engine.writeBody("x", 25_000)
    side.engine.output.blocked = true
    pass(side, 25_000, 54_999)
    assert.strictEqual(side.engine.output.closing, "open")
    pass(side, 54_999, 55_000)
    assert.strictEqual(side.engine.output.closing, "abort")
  })
  it("after its end a connection waits 5 s for the peer's", () => {
    WireScript.run(
      () => new ServerSide(answering).engine,
      [
        WireScript.send(`'GET / HTTP/1.1' 0d0a 'Host: a' 0d0a 'Connection: close' 0d0a 0d0a`),
        WireScript.expect(`'HTTP/1.1 200 OK' 0d0a 'content-length: 5' 0d0a 'connection: close' 0d0a 0d0a 'GET /'`),
        WireScript.expectEnd,
        WireScript.advance(4_999),
        WireScript.expectEnd,
        WireScript.advance(1),
        WireScript.expectAbort
      ]
    )
  })
})

describe("backpressure", () => {
  it("a paused body waits, and resumes where it stopped", () => {
    const side = new ServerSide({ onBody: (_, { engine }) => engine.pauseBody(), onWhole: answering.onWhole! })
    side.engine.receive(bytes(`${post(4)}ab`), 0)
    side.engine.receive(bytes("c"), 0)
    side.engine.receive(bytes(`d${get}`), 0)
    assert.deepStrictEqual(side.calls, ["POST /p Length 4", "body ab"])
    side.engine.resumeBody(0)
    assert.deepStrictEqual(side.calls, ["POST /p Length 4", "body abc"])
    side.engine.resumeBody(0)
    assert.deepStrictEqual(side.calls, ["POST /p Length 4", "body abcd", "end", "GET / Empty"])
  })
  it("wantsPause while more waits than the limit: for a paused body", () => {
    const side = new ServerSide({ onBody: (_, { engine }) => engine.pauseBody() }, { maxWaitingSize: 10 })
    side.engine.receive(bytes(`${post(100)}a`), 0)
    side.engine.receive(new Uint8Array(10), 0)
    assert.isFalse(side.engine.wantsPause)
    side.engine.receive(new Uint8Array(1), 0)
    assert.isTrue(side.engine.wantsPause)
    side.engine.resumeBody(0)
    assert.isFalse(side.engine.wantsPause)
  })
  it("wantsPause while more waits than the limit: requests behind one that is not answered", () => {
    const side = new ServerSide({}, { maxWaitingSize: get.length })
    side.engine.receive(bytes(get), 0)
    side.engine.receive(bytes(get), 0)
    assert.isFalse(side.engine.wantsPause)
    side.engine.receive(bytes(get), 0)
    assert.isTrue(side.engine.wantsPause)
    assert.deepStrictEqual(side.calls, ["GET / Empty"])
    side.engine.respond(ok, "", 0)
    assert.isFalse(side.engine.wantsPause)
    assert.deepStrictEqual(side.calls, ["GET / Empty", "GET / Empty"])
  })
  it("a thousand pipelined requests in one chunk are answered in one turn", () => {
    const side = new ServerSide(answering)
    side.engine.receive(bytes(get.repeat(1000)), 0)
    assert.strictEqual(side.calls.length, 1000)
    assert.strictEqual(sent(side.engine), answerTo("GET /").repeat(1000))
  })
})

describe("ends", () => {
  it("the peer ends between requests: the connection ends", () => {
    const side = new ServerSide(answering)
    side.engine.receive(bytes(get), 0)
    side.engine.receiveEnd(0)
    assert.deepStrictEqual(side.calls, ["GET / Empty"])
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("RFC 9112 §8: the peer ends in a head, or in a body: 400", () => {
    for (const wire of ["GET / HT", `${post(5)}hell`]) {
      const side = new ServerSide(answering)
      side.engine.receive(bytes(wire), 0)
      side.engine.receiveEnd(0)
      assert.strictEqual(side.calls.at(-1), "violation Truncated")
      assert.strictEqual(sent(side.engine), refusal(400, "Bad Request"))
    }
  })
  it("RFC 9112 §9.6: a client that ended its side still gets its answer, with close", () => {
    const side = new ServerSide()
    side.engine.receive(bytes(get), 0)
    side.engine.receiveEnd(0)
    assert.deepStrictEqual(side.calls, ["GET / Empty", "peer end"])
    side.engine.respond(ok, "x", 0)
    assert.strictEqual(sent(side.engine), "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx")
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("requests that came before the peer's end are all answered", () => {
    const side = new ServerSide()
    side.engine.receive(bytes(get + get), 0)
    side.engine.receiveEnd(0)
    side.engine.respond(ok, "1", 0)
    side.engine.respond(ok, "2", 0)
    assert.strictEqual(
      sent(side.engine),
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n2"
    )
  })
  it("a violation in a body whose answer has begun breaks it off", () => {
    const side = new ServerSide({ onRequest: (_, { engine }) => engine.beginResponse(ok, 0) })
    side.engine.receive(bytes("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx"), 0)
    assert.strictEqual(side.calls.at(-1), "violation MalformedChunk")
    assert.strictEqual(side.engine.output.closing, "abort")
  })
  it("Closed is absorbing: bytes are dropped, commands are refused, nothing is told but the close", () => {
    const side = new ServerSide(answering)
    side.engine.receive(bytes("x\r\n\r\n"), 0)
    const calls = side.calls.length
    sent(side.engine)
    side.engine.receive(bytes(get), 0)
    side.engine.receiveEnd(0)
    side.engine.resumeBody(0)
    assert.strictEqual(side.engine.respond(ok, "", 0)?._tag, "ConnectionEnded")
    assert.strictEqual(side.engine.beginResponse(ok, 0)?._tag, "ConnectionEnded")
    assert.strictEqual(side.engine.writeBody("a", 0)?._tag, "ConnectionEnded")
    assert.strictEqual(side.engine.endBody(undefined, 0)?._tag, "ConnectionEnded")
    assert.strictEqual(side.engine.writeInterim(100, {}, 0)?._tag, "ConnectionEnded")
    assert.strictEqual(side.engine.upgrade({ status: 101, headers: {} }, 0)?._tag, "ConnectionEnded")
    assert.strictEqual(side.engine.sendRaw(bytes("a"), 0)?._tag, "ConnectionEnded")
    assert.strictEqual(side.engine.endRaw(0)?._tag, "ConnectionEnded")
    side.engine.drain(0)
    assert.strictEqual(sent(side.engine), "")
    assert.strictEqual(side.calls.length, calls)
    side.engine.receiveClose(0)
    assert.deepStrictEqual(side.calls.slice(calls), ["close"])
    assert.strictEqual(side.engine.deadlineMillis, Number.POSITIVE_INFINITY)
  })
  it("a peer that goes on sending after the end is given up after 256 KiB", () => {
    const side = new ServerSide(answering)
    side.engine.receive(bytes("x\r"), 0)
    side.engine.receive(new Uint8Array(256 * 1024), 0)
    assert.strictEqual(side.engine.output.closing, "end")
    side.engine.receive(new Uint8Array(1), 0)
    assert.strictEqual(side.engine.output.closing, "abort")
  })
  it("a handler that aborts within a call hears no more", () => {
    const conduct: Conduct = { onBody: (_, { engine }) => engine.abort() }
    const side = new ServerSide(conduct)
    side.engine.receive(bytes(`${post(1)}a${get}`), 0)
    assert.deepStrictEqual(side.calls, ["POST /p Length 1", "body a"])
    assert.strictEqual(side.engine.output.closing, "abort")
  })
})

it("byteLengthOf is the size on the wire", () => {
  assert.strictEqual(byteLengthOf(undefined), 0)
  assert.strictEqual(byteLengthOf("é€"), 5)
  assert.strictEqual(byteLengthOf(new Uint8Array(3)), 3)
})
