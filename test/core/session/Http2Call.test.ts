import { assert, describe, it } from "@effect/vitest"
import type { Http2Connection } from "@sluice/core/protocol/http2/Http2Connection"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import { Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import type { EnginePump } from "@sluice/core/session/EnginePump"
import { Http2Call, type Owner, type Receiver, type Request } from "@sluice/core/session/Http2Call"
import * as Http2ClientError from "@sluice/core/session/Http2ClientError"

const request: Request = {
  method: "POST",
  scheme: "http",
  authority: "a",
  path: "/",
  headers: {},
  rest: "open"
}

const stream = { id: 1, isWritable: true } as Http2Stream

/** A session that writes down what its call asks for. */
class FakeSession implements Owner {
  readonly asked: Array<string> = []
  woken = 0
  outputBytes = 0
  readonly heard: Array<string> = []
  readonly engine = {
    output: { byteLength: 0 },
    write: (_: Http2Stream, data: string) => void this.asked.push(`write ${data}`),
    end: () => void this.asked.push("end"),
    reset: (_: Http2Stream, code: number) => {
      this.asked.push(`reset ${Code.nameOf(code)}`)
      this.call.close(new Http2ClientError.Cancelled("MaybeProcessed"))
    },
    consume: (_: Http2Stream, byteCount: number) => {
      this.asked.push(`consume ${byteCount}`)
      this.engine.output.byteLength = this.outputBytes
    },
    awaitBody: (_: Http2Stream, awaited: boolean) => void this.asked.push(`await ${awaited}`)
  } as unknown as Http2Connection & { output: { byteLength: number } }
  readonly pump = { now: () => 0, wake: () => this.woken++ } as unknown as EnginePump
  readonly call: Http2Call

  constructor() {
    const receiver: Receiver = {
      onInterim: () => this.heard.push("interim"),
      onHead: (_, ended) => this.heard.push(`head${ended ? " ended" : ""}`),
      onData: (data) => this.heard.push(`data ${data.length}`),
      onEnd: () => this.heard.push("end"),
      onWritable: () => this.heard.push("writable"),
      onClosed: (failure) => this.heard.push(`closed ${failure?._tag ?? ""}`)
    }
    this.call = new Http2Call(request, receiver, this)
  }

  leave(): void {
    this.asked.push("leave")
  }
}

const opened = () => {
  const session = new FakeSession()
  session.call.opened(stream)
  return session
}

const lost = new Http2ClientError.ConnectionLost("MaybeProcessed", undefined)

describe("Http2Call", () => {
  it("waits: it cannot be written, and given up it only leaves", () => {
    const { asked, call, heard } = new FakeSession()
    assert.strictEqual(call.request, request)
    assert.isFalse(call.isWritable)
    assert.throws(() => call.write("a"))
    assert.throws(() => call.end(undefined))
    call.awaitBody("waiting")
    call.consume(1)
    call.reset(Code.Cancel)
    assert.deepStrictEqual(asked, ["leave"])
    assert.deepStrictEqual(heard, ["closed Cancelled"])
    assert.isUndefined(call.request)
  })

  it("is open: commands go to its stream, and the pump is woken", () => {
    const session = opened()
    assert.isTrue(session.call.isWritable)
    assert.isUndefined(session.call.request)
    session.call.write("a")
    session.call.end(undefined)
    assert.deepStrictEqual(session.asked, ["write a", "end"])
    assert.strictEqual(session.woken, 2)
  })

  it("is over: it takes nothing more, and says so once", () => {
    const { asked, call, heard } = opened()
    call.close(lost)
    call.close(lost)
    assert.deepInclude(call.write("a"), { _tag: "StreamEnded" })
    assert.deepInclude(call.end(undefined), { _tag: "StreamEnded" })
    call.reset(Code.Cancel)
    call.awaitBody("waiting")
    assert.isFalse(call.isWritable)
    assert.isTrue(call.isOver)
    assert.deepStrictEqual(asked, [])
    assert.deepStrictEqual(heard, ["closed ConnectionLost"])
  })

  it("what ends it behind a whole response is no failure", () => {
    const { call, heard } = opened()
    call.response(new Http2ResponseHead(), false)
    assert.strictEqual(call.progress, "response")
    call.ended(undefined)
    assert.strictEqual(call.progress, "whole")
    call.close(lost)
    assert.deepStrictEqual(heard, ["head", "end", "closed "])
  })

  it("a head without a body is followed by the end; not where its receiver has given up", () => {
    const whole = opened()
    whole.call.response(new Http2ResponseHead(), true)
    assert.deepStrictEqual(whole.heard, ["head ended", "end"])
    const { call, heard } = opened()
    call.response(new Http2ResponseHead(), false)
    call.reset(Code.Cancel)
    call.ended(undefined)
    assert.deepStrictEqual(heard, ["head", "closed Cancelled"])
  })

  it("no byte is given back twice, and what was not used when it is released", () => {
    const session = opened()
    session.call.data(new Uint8Array(10))
    session.call.consume(4)
    session.call.consume(0)
    session.call.release()
    session.call.consume(3)
    session.call.release()
    assert.deepStrictEqual(session.asked, ["consume 4", "reset CANCEL", "consume 6"])
  })

  it("the server's window is sent when there is a frame, without a turn for nothing", () => {
    const session = opened()
    session.call.data(new Uint8Array(10))
    session.call.consume(4)
    assert.strictEqual(session.woken, 0)
    session.outputBytes = 13
    session.call.consume(4)
    assert.strictEqual(session.woken, 1)
  })

  it("says whether its body is waited for, when that changes", () => {
    const session = opened()
    for (const reader of ["none", "waiting", "waiting", "none"] as const) session.call.awaitBody(reader)
    assert.deepStrictEqual(session.asked, ["await true", "await false"])
  })
})
