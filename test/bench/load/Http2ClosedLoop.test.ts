/** The loop against a server of frames that answers what it is told to. */
import { assert, describe, it } from "vitest"
import { Histogram } from "../../../bench/src/load/Histogram.ts"
import { Http2ClosedLoop } from "../../../bench/src/load/Http2ClosedLoop.ts"
import { Http2FrameReader } from "../../../bench/src/load/Http2FrameReader.ts"
import * as Http2Frames from "../../../bench/src/load/Http2Frames.ts"
import type { Http2Load } from "../../../bench/src/load/Http2Load.ts"
import * as Chunkings from "../../harness/Chunkings.ts"
import { hex } from "../../harness/Hex.ts"

const { frame } = Http2Frames

const load: Http2Load = {
  connections: 1,
  inFlight: 2,
  request: { method: "GET", path: "/" },
  replyBodyBytes: 5,
  replyBodyBegins: "hello",
  counts: "replies"
}

const head = (streamId: number, block = "88", flags = 4): Buffer =>
  frame(Http2Frames.headers, flags, streamId, hex(block))
const body = (streamId: number, text = "hello", flags = 1): Buffer =>
  frame(Http2Frames.data, flags, streamId, Buffer.from(text))
const reply = (streamId: number): Buffer => Buffer.concat([head(streamId), body(streamId)])

/** A loop that has said its opening; `said` has the frames after it: `1 3` for HEADERS of stream 3. */
const open = (change: Partial<Http2Load> = {}) => {
  const said: Array<string> = []
  const errors: Array<string> = []
  let destroyed = false
  let prefaceBytes = 24
  const latencies = new Histogram()
  const reader = new Http2FrameReader({
    onData: () => assert.fail("a body"),
    onFrame: (type, _flags, streamId) => void said.push(`${type} ${streamId}`)
  })
  const loop = new Http2ClosedLoop({
    load: { ...load, ...change },
    latencies,
    onError: (error) => errors.push(error.message)
  })
  loop.open({
    write: (bytes: Uint8Array) => {
      reader.receive(Buffer.from(bytes.subarray(prefaceBytes)), bytes.length - prefaceBytes)
      prefaceBytes = 0
    },
    destroy: () => {
      destroyed = true
    }
  })
  const hear = (...chunks: ReadonlyArray<Uint8Array>): void => {
    for (const chunk of chunks) loop.receive(Buffer.from(chunk), chunk.length)
  }
  return { loop, said, errors, latencies, hear, isDestroyed: () => destroyed }
}

/** The same after its first reply. */
const started = (change: Partial<Http2Load> = {}) => {
  const all = open(change)
  all.hear(reply(1))
  all.loop.start()
  all.said.length = 0
  return all
}

describe("the first request", () => {
  it("goes alone, behind SETTINGS and the window", () => {
    assert.deepStrictEqual(open().said, ["4 0", "8 0", "1 1"])
  })

  it("is verified by a right reply, however it is cut", async () => {
    for (const chunks of Chunkings.everySplit(reply(1))) {
      const { loop, errors, hear } = open()
      hear(...chunks)
      await loop.verified
      assert.deepStrictEqual(errors, [])
    }
  })

  const wrong: ReadonlyArray<readonly [what: string, replies: ReadonlyArray<Buffer>]> = [
    ["another status", [head(1, "8d"), body(1)]],
    ["a status in full, which no server sends", [head(1, "08 03 '200'"), body(1)]],
    ["another body", [head(1), body(1, "hallo")]],
    ["another body in pieces", [head(1), body(1, "he", 0), body(1, "llO")]],
    ["a short body", [head(1), body(1, "hell")]],
    ["a long body", [head(1), body(1, "hello!")]],
    ["no body", [head(1, "88", 5)]],
    ["no head", [body(1)]],
    ["two heads", [head(1), head(1), body(1)]],
    ["a head in pieces", [head(1, "88", 0), frame(Http2Frames.continuation, 4, 1, hex("88")), body(1)]],
    ["padding", [head(1, "88", 12), body(1)]],
    ["a reply to nothing", [head(3), body(3)]],
    ["a reset", [head(1), frame(Http2Frames.rstStream, 0, 1, hex("00000002"))]],
    [
      "a reset without an error in a body",
      [head(1), body(1, "he", 0), frame(Http2Frames.rstStream, 0, 1, hex("00000000"))]
    ],
    [
      "a reset with an error behind a whole body",
      [head(1), body(1, "hello", 0), frame(Http2Frames.rstStream, 0, 1, hex("00000002"))]
    ],
    ["the end of the connection", [frame(Http2Frames.goAway, 0, 0, hex("00000000 00000001"))]]
  ]
  for (const [what, replies] of wrong) {
    it(`is not verified by ${what}`, async () => {
      const { loop, errors, hear } = open()
      hear(...replies)
      assert.isNotEmpty(errors)
      assert.instanceOf(await loop.verified.catch((error: unknown) => error), Error)
    })
  }

  it("is verified by a status behind table sizes", async () => {
    const { loop, hear } = open()
    hear(head(1, "3fe11f 20 88"), body(1))
    await loop.verified
  })

  it("is verified by a whole body and a reset without an error", async () => {
    const { loop, errors, hear } = open()
    hear(head(1), body(1, "hello", 0), frame(Http2Frames.rstStream, 0, 1, hex("00000000")))
    await loop.verified
    assert.deepStrictEqual(errors, [])
  })
})

describe("a load that runs", () => {
  it("has a new stream for each that ends, also for those that end at once", () => {
    const { said, hear, latencies } = started()
    hear(reply(5))
    assert.deepStrictEqual(said, ["1 7"])
    hear(Buffer.concat([reply(7), reply(3)]))
    assert.deepStrictEqual(said, ["1 7", "1 9", "1 11"])
    assert.strictEqual(latencies.count, 4)
  })

  it("begins with as many streams as are in flight", () => {
    const { loop, said, hear } = open()
    hear(reply(1))
    loop.start()
    assert.deepStrictEqual(said.slice(3), ["1 3", "1 5"])
  })

  it("replaces a stream that was reset, and counts an error and no reply", () => {
    const { said, errors, latencies, hear } = started()
    hear(frame(Http2Frames.rstStream, 0, 3, hex("00000007")))
    assert.deepStrictEqual(said, ["1 7"])
    assert.strictEqual(errors.length, 1)
    assert.strictEqual(latencies.count, 1)
  })

  it("gives up a connection that leaves a stream waiting", () => {
    const { errors, hear, isDestroyed } = started()
    for (let streamId = 5; !isDestroyed() && streamId < 1_000; streamId += 2) hear(reply(streamId))
    assert.strictEqual(errors.length, 1)
    assert.match(errors[0]!, /stream 3 waits/)
  })

  it("answers SETTINGS and PING, and not their answers", () => {
    const { said, hear } = started()
    hear(frame(Http2Frames.settings, 0, 0, hex("0004 00010000")), frame(Http2Frames.ping, 0, 0, Buffer.alloc(8)))
    hear(frame(Http2Frames.settings, 1, 0, hex("")), frame(Http2Frames.ping, 1, 0, Buffer.alloc(8)))
    assert.deepStrictEqual(said, ["4 0", "6 0"])
  })

  it("refuses a server that takes fewer streams", () => {
    const { errors, hear } = started()
    hear(frame(Http2Frames.settings, 0, 0, hex("0003 00000001")))
    assert.strictEqual(errors.length, 1)
  })
})

describe("a load of large bodies", () => {
  const large = { replyBodyBytes: 4 * 1_048_576, counts: "mebibytes", inFlight: 1 } as const
  const piece = frame(Http2Frames.data, 0, 1, Buffer.alloc(16_384, "hello"))

  it("counts each MiB", () => {
    const { latencies, hear } = open({ ...large, replyBodyBegins: "" })
    hear(head(1))
    for (let sent = 0; sent < 64 + 63; sent++) hear(piece)
    assert.strictEqual(latencies.count, 1)
    hear(piece)
    assert.strictEqual(latencies.count, 2)
  })

  it("RFC 9113 §6.9: gives windows back when half of them is used", () => {
    const { said, errors, hear } = open({ ...large, replyBodyBytes: 100 * 1_048_576, replyBodyBegins: "" })
    said.length = 0
    hear(head(1))
    const pieces = (bytes: number) => {
      for (let sent = 0; sent < bytes; sent += 16_384) hear(piece)
    }
    pieces(3 * 1_048_576 - 16_384)
    assert.deepStrictEqual(said, [])
    pieces(16_384)
    assert.deepStrictEqual(said, ["8 1"])
    pieces(4.5 * 1_048_576)
    assert.deepStrictEqual(said, ["8 1", "8 1", "8 0"])
    pieces(1_048_576)
    assert.deepStrictEqual(said, ["8 1", "8 1", "8 0"])
    assert.deepStrictEqual(errors, [])
  })
})
