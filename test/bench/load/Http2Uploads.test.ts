/** Bodies of three frames against a wire that only remembers. */
import { assert, describe, it } from "vitest"
import { Http2FrameReader } from "../../../bench/src/load/Http2FrameReader.ts"
import * as Http2Frames from "../../../bench/src/load/Http2Frames.ts"
import { Http2Uploads } from "../../../bench/src/load/Http2Uploads.ts"

const { payloadBytes, initialWindowBytes } = Http2Frames

/** `said` has what was written since it was last asked: `HEADERS 1`, `DATA 1 16384`, `DATA 1 16384 END`. */
const start = (inFlight: number, bodyBytes = 3 * payloadBytes) => {
  let heard: Array<string> = []
  const reader = new Http2FrameReader({
    onData: (streamId, _bytes, begin, end, ended) =>
      void heard.push(`DATA ${streamId} ${end - begin}${ended ? " END" : ""}`),
    onFrame: (_type, _flags, streamId) => void heard.push(`HEADERS ${streamId}`)
  })
  const wire = {
    write: (bytes: Uint8Array) => reader.receive(Buffer.from(bytes), bytes.length),
    destroy: () => assert.fail("destroyed")
  }
  const blocks = Http2Frames.blocksOf({ method: "POST", path: "/upload", bodyBytes })
  const uploads = new Http2Uploads(wire, blocks, Buffer.alloc(bodyBytes), inFlight)
  const said = (): ReadonlyArray<string> => {
    const lines = heard
    heard = []
    return lines
  }
  return { uploads, said }
}

const whole = (streamId: number) => [
  `HEADERS ${streamId}`,
  `DATA ${streamId} ${payloadBytes}`,
  `DATA ${streamId} ${payloadBytes}`,
  `DATA ${streamId} ${payloadBytes} END`
]

it("a body that the windows take goes out whole", () => {
  const { uploads, said } = start(1)
  uploads.begin(1, 1)
  assert.deepStrictEqual(said(), whole(1))
})

it("a lane serves the next stream when its own is over, with its identifier", () => {
  const { uploads, said } = start(1)
  uploads.begin(1, 1)
  uploads.onEnd(1)
  uploads.onWindow(0, initialWindowBytes)
  said()
  uploads.begin(3, 1)
  assert.deepStrictEqual(said(), whole(3))
})

describe("a body waits for", () => {
  it("the window of the connection, and goes on with whole frames", () => {
    const { uploads, said } = start(2)
    uploads.begin(1, 2)
    assert.deepStrictEqual(said(), [...whole(1), "HEADERS 3"])
    uploads.onWindow(0, 1)
    assert.deepStrictEqual(said(), [`DATA 3 ${payloadBytes}`])
    uploads.onWindow(0, payloadBytes - 1)
    assert.deepStrictEqual(said(), [])
    uploads.onWindow(0, payloadBytes + 1)
    assert.deepStrictEqual(said(), [`DATA 3 ${payloadBytes}`, `DATA 3 ${payloadBytes} END`])
  })

  it("the window of its stream", () => {
    const { uploads, said } = start(1)
    uploads.onInitialWindow(payloadBytes)
    uploads.begin(1, 1)
    assert.deepStrictEqual(said(), whole(1).slice(0, 2))
    uploads.onWindow(3, 2 * payloadBytes)
    assert.deepStrictEqual(said(), [])
    uploads.onWindow(1, payloadBytes)
    assert.deepStrictEqual(said(), whole(1).slice(2, 3))
    uploads.onWindow(1, payloadBytes)
    assert.deepStrictEqual(said(), whole(1).slice(3))
  })

  it("RFC 9113 §6.9.2: a larger first window, which counts for streams that are open", () => {
    const { uploads, said } = start(1)
    uploads.onInitialWindow(payloadBytes)
    uploads.begin(1, 1)
    said()
    uploads.onInitialWindow(3 * payloadBytes)
    assert.deepStrictEqual(said(), whole(1).slice(2))
  })
})

it("streams take turns at what the connection gives", () => {
  const { uploads, said } = start(3)
  uploads.begin(1, 3)
  said()
  const streams = () => said().map((line) => line.split(" ")[1])
  uploads.onWindow(0, 4 * payloadBytes)
  assert.deepStrictEqual(streams(), ["3", "3", "3", "5"])
  // The next stream of the first lane waits until the others had their turn.
  uploads.onEnd(1)
  uploads.begin(7, 1)
  said()
  uploads.onWindow(0, 2 * payloadBytes)
  assert.deepStrictEqual(streams(), ["5", "5"])
  uploads.onWindow(0, payloadBytes)
  assert.deepStrictEqual(streams(), ["7"])
})

describe("a body whose last frame is shorter", () => {
  it("goes out whole", () => {
    const { uploads, said } = start(1, payloadBytes + 1)
    uploads.begin(1, 1)
    assert.deepStrictEqual(said(), ["HEADERS 1", `DATA 1 ${payloadBytes}`, "DATA 1 1 END"])
  })

  it("waits for no more than that takes", () => {
    const { uploads, said } = start(1, payloadBytes + 1)
    uploads.onInitialWindow(payloadBytes)
    uploads.begin(1, 1)
    assert.deepStrictEqual(said(), ["HEADERS 1", `DATA 1 ${payloadBytes}`])
    uploads.onWindow(1, 1)
    assert.deepStrictEqual(said(), ["DATA 1 1 END"])
  })
})

it("a request without a body is refused", () => {
  assert.throws(() => start(1, 0), /takes a body/)
})
