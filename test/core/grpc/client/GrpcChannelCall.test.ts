import { assert, describe, it } from "@effect/vitest"
import { GrpcChannelCall } from "@sluice/core/grpc/client/GrpcChannelCall"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import type { Http2Call } from "@sluice/core/session/Http2Call"
import { Heard } from "../../../harness/GrpcChannelWorld.ts"

/** A call on a connection, as what was asked of it. */
class FakeCall {
  readonly asked: Array<string> = []
  isWritable = true
  isOver = false
  write(data: string): void {
    this.asked.push(`write ${data}`)
  }
  end(): void {
    this.asked.push("end")
  }
  consume(byteCount: number): void {
    this.asked.push(`consume ${byteCount}`)
  }
  awaitBody(reader: string): void {
    this.asked.push(`awaitBody ${reader}`)
  }
  reset(errorCode: number): void {
    this.asked.push(`reset ${errorCode}`)
  }
  release(): void {
    this.asked.push("release")
  }
}

const make = (rest: "whole" | "open" = "whole") => {
  const heard = new Heard()
  const left: Array<GrpcChannelCall> = []
  const attempt = { path: "/a", headers: {}, body: undefined, rest, waitForReady: false }
  const call = new GrpcChannelCall(attempt, heard, (one) => left.push(one))
  return { call, heard, left }
}

const opened = (call: GrpcChannelCall) => {
  const fake = new FakeCall()
  call.opened(fake as never as Http2Call)
  return fake
}

describe("while it waits", () => {
  it("nothing can be written, and writing is a defect", () => {
    const { call, heard } = make("open")
    assert.isFalse(call.isWritable)
    assert.isFalse(call.isOver)
    assert.isUndefined(call.sent)
    assert.throws(() => call.write("a"), /before the call is on its way/)
    assert.throws(() => call.end(undefined), /before the call is on its way/)
    call.consume(3)
    assert.deepStrictEqual(heard.events, [])
  })

  for (const how of ["reset", "release"] as const) {
    it(`${how} leaves the queue: nothing was sent`, () => {
      const { call, heard, left } = make()
      for (let index = 0; index < 2; index++) call[how](8)
      assert.deepStrictEqual(left, [call])
      assert.deepStrictEqual(heard.events, ["closed"])
      assert.deepInclude(heard.failure, { _tag: "Cancelled", retry: "NotSent" })
      assert.isTrue(call.isOver)
    })
  }

  it("it fails once, and then nothing can be written any more", () => {
    const { call, heard } = make("open")
    const failure = GrpcError.unavailable("a")
    call.close(failure)
    call.close(GrpcError.internal("b"))
    assert.deepStrictEqual(heard.events, ["closed"])
    assert.strictEqual(heard.failure, failure)
    assert.strictEqual(call.write("a")?._tag, "StreamEnded")
    assert.strictEqual(call.end(undefined)?._tag, "StreamEnded")
  })
})

describe("once it is on its way", () => {
  it("all goes to the call on the connection", () => {
    const { call } = make()
    const fake = opened(call)
    call.write("a")
    call.end(undefined)
    call.consume(3)
    call.awaitBody("waiting")
    call.reset(8)
    call.release()
    assert.deepStrictEqual(fake.asked, ["write a", "end", "consume 3", "awaitBody waiting", "reset 8", "release"])
    assert.isTrue(call.isWritable)
    fake.isOver = true
    assert.isTrue(call.isOver)
    assert.strictEqual(call.sent, fake as never)
  })

  it("its writer hears of it, where there is one", () => {
    const open = make("open")
    opened(open.call)
    assert.deepStrictEqual(open.heard.events, ["writable"])
    const whole = make("whole")
    opened(whole.call)
    assert.deepStrictEqual(whole.heard.events, [])
  })

  it("that somebody waits for the reply is passed on", () => {
    const { call } = make()
    call.awaitBody("waiting")
    assert.deepStrictEqual(opened(call).asked, ["awaitBody waiting"])
  })

  it("the channel cannot fail it any more", () => {
    const { call, heard } = make()
    opened(call)
    call.close(GrpcError.unavailable("a"))
    assert.deepStrictEqual(heard.events, [])
  })
})
