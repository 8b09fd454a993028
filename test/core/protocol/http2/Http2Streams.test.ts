import { assert, describe, it } from "@effect/vitest"
import { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as State from "@sluice/core/protocol/http2/Http2StreamState"
import { forgotten, Http2Streams } from "@sluice/core/protocol/http2/Http2Streams"

const streamOf = (id: number, state: number = State.Open) => new Http2Stream(id, state, 100, 100, 100)

const opened = (streams: Http2Streams, id: number): Http2Stream => {
  const stream = streamOf(id)
  streams.add(stream)
  return stream
}

const ended = (streams: Http2Streams, id: number, state: number = State.Closed): Http2Stream => {
  const stream = opened(streams, id)
  stream.state = state
  streams.remove(stream)
  return stream
}

describe("RFC 9113 §5.1.1: identifiers", () => {
  it("a client's are odd, and rise up to 2^31 - 1", () => {
    const streams = new Http2Streams("client")
    assert.strictEqual(streams.nextLocalId(), 1)
    // What was not sent uses none up.
    assert.strictEqual(streams.nextLocalId(), 1)
    opened(streams, 1)
    assert.strictEqual(streams.nextLocalId(), 3)
    opened(streams, 2 ** 31 - 3)
    assert.strictEqual(streams.nextLocalId(), 2 ** 31 - 1)
    opened(streams, 2 ** 31 - 1)
    assert.isUndefined(streams.nextLocalId())
  })
  it("whose they are", () => {
    const server = new Http2Streams("server")
    const client = new Http2Streams("client")
    for (const id of [1, 3, 2 ** 31 - 1])
      assert.deepStrictEqual([server.isLocal(id), client.isLocal(id)], [false, true])
    for (const id of [2, 4, 2 ** 31 - 2])
      assert.deepStrictEqual([server.isLocal(id), client.isLocal(id)], [true, false])
  })
  it("those of each side are counted by themselves", () => {
    const streams = new Http2Streams("client")
    opened(streams, 5)
    assert.deepStrictEqual([streams.lastLocalId, streams.lastPeerId], [5, 0])
    assert.strictEqual(streams.stateOf(2), State.Idle)
    assert.strictEqual(streams.stateOf(7), State.Idle)
    const server = new Http2Streams("server")
    opened(server, 5)
    assert.deepStrictEqual([server.lastLocalId, server.lastPeerId], [0, 5])
    assert.strictEqual(server.stateOf(2), State.Idle)
  })
})

describe("RFC 9113 §5.1: what a stream that is not there was", () => {
  it("idle, closed by both, reset by this side, or forgotten", () => {
    const streams = new Http2Streams("server")
    assert.strictEqual(streams.stateOf(1), State.Idle)
    ended(streams, 1)
    ended(streams, 3, State.ResetSent)
    ended(streams, 5, State.ResetReceived)
    streams.refuse(9)
    assert.deepStrictEqual(
      [1, 3, 5, 7, 9, 11].map((id) => streams.stateOf(id)),
      [State.Closed, State.ResetSent, State.Closed, forgotten, State.ResetSent, State.Idle]
    )
  })
  it("ends are remembered for 64 streams, resets for 256, each by themselves", () => {
    const streams = new Http2Streams("server")
    ended(streams, 1)
    ended(streams, 3, State.ResetSent)
    for (let count = 0; count < 63; count++) ended(streams, 5 + count * 2)
    assert.strictEqual(streams.stateOf(1), State.Closed)
    ended(streams, 1_001)
    assert.strictEqual(streams.stateOf(1), forgotten)
    assert.strictEqual(streams.stateOf(3), State.ResetSent)
    for (let count = 0; count < 255; count++) streams.refuse(1_003 + count * 2)
    assert.strictEqual(streams.stateOf(3), State.ResetSent)
    assert.strictEqual(streams.stateOf(1_001), State.Closed)
    streams.refuse(3_001)
    assert.strictEqual(streams.stateOf(3), forgotten)
  })
  it("a stream is removed once", () => {
    const streams = new Http2Streams("server")
    const stream = opened(streams, 1)
    assert.strictEqual(streams.count, 1)
    assert.isTrue(streams.remove(stream))
    assert.isFalse(streams.remove(stream))
    assert.deepStrictEqual([streams.count, streams.placeCount], [0, 0])
    assert.isUndefined(streams.get(1))
  })
})

describe("places", () => {
  /** What happens to a stream, and how many places are taken behind each. */
  const paths: ReadonlyArray<readonly [path: string, placeCounts: ReadonlyArray<number>]> = [
    ["remove", [0]],
    ["retain release remove", [1, 1, 0]],
    ["retain remove release", [1, 1, 0]],
    ["release remove", [1, 0]],
    ["remove release release", [0, 0, 0]],
    ["remove retain release", [0, 0, 0]],
    ["retain remove release release retain release", [1, 1, 0, 0, 0, 0]],
    ["retain retain release remove release", [1, 1, 1, 0, 0]],
    ["retain release retain remove release", [1, 1, 1, 1, 0]],
    ["retain remove retain release", [1, 1, 1, 0]]
  ]
  for (const [path, placeCounts] of paths) {
    it(path, () => {
      const streams = new Http2Streams("server")
      const stream = opened(streams, 1)
      const seen = path.split(" ").map((step) => {
        if (step === "retain") streams.retain(stream)
        else if (step === "release") streams.release(stream)
        else streams.remove(stream)
        return streams.placeCount
      })
      assert.deepStrictEqual(seen, placeCounts)
    })
  }
})
