import { assert, describe, it } from "@effect/vitest"
import { AwaitingHead, Http2Stream, unknownLength } from "@sluice/core/protocol/http2/Http2Stream"
import * as State from "@sluice/core/protocol/http2/Http2StreamState"

const make = (sendBufferBytes = 100) => new Http2Stream(7, State.Open, 10, 20, sendBufferBytes)

describe("a new stream", () => {
  it("has the windows it was given", () => {
    const stream = make()
    assert.deepStrictEqual([stream.id, stream.sendBytes, stream.receiveBytes], [7, 10, 20])
  })
  it("has said and heard nothing, and holds no memory of a body", () => {
    const stream = make()
    assert.deepStrictEqual(
      [stream.sending, stream.receiving, stream.expectedBytes, stream.declaredBytes],
      [AwaitingHead, AwaitingHead, unknownLength, unknownLength]
    )
    assert.isUndefined(stream.queue)
    assert.deepStrictEqual([stream.queuedBytes, stream.unreadBytes], [0, 0])
    assert.strictEqual(stream.awaitedMillis, Number.POSITIVE_INFINITY)
  })
})

describe("isWritable", () => {
  it("below the mark, and not at it", () => {
    const stream = make(100)
    for (const [queuedBytes, expected] of [
      [0, true],
      [99, true],
      [100, false],
      [101, false]
    ] as const) {
      stream.queuedBytes = queuedBytes
      assert.strictEqual(stream.isWritable, expected, String(queuedBytes))
    }
  })
  it("a mark of 1 lets only an empty queue be written to", () => {
    const stream = make(1)
    assert.isTrue(stream.isWritable)
    stream.queuedBytes = 1
    assert.isFalse(stream.isWritable)
  })
})
