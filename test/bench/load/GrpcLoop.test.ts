/** The loop against a server of frames that answers what it is told to. */
import { assert, describe, it } from "vitest"
import type { GrpcLoad } from "../../../bench/src/load/GrpcLoad.ts"
import { GrpcLoop } from "../../../bench/src/load/GrpcLoop.ts"
import * as GrpcMessages from "../../../bench/src/load/GrpcMessages.ts"
import { Histogram } from "../../../bench/src/load/Histogram.ts"
import { Http2FrameReader } from "../../../bench/src/load/Http2FrameReader.ts"
import * as Http2Frames from "../../../bench/src/load/Http2Frames.ts"
import * as Chunkings from "../../harness/Chunkings.ts"
import { hex } from "../../harness/Hex.ts"

const { frame } = Http2Frames

const load: GrpcLoad = { connections: 1, inFlight: 2, call: { method: "Hello", name: "Ada" } }
const message = GrpcMessages.reply(load.call)

const text = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)])
const rightHead = Buffer.concat([Buffer.from([0x88]), text("content-type", "application/grpc")])
const rightTrailers = text("grpc-status", "0")

const head = (streamId: number, block: Uint8Array = rightHead, flags = 4): Buffer =>
  frame(Http2Frames.headers, flags, streamId, block)
const trailers = (streamId: number, block: Uint8Array = rightTrailers): Buffer => head(streamId, block, 5)
const body = (streamId: number, bytes = message, flags = 0): Buffer => frame(Http2Frames.data, flags, streamId, bytes)
/** The message with another byte at `at`. */
const changed = (at: number, byte: number): Buffer => Buffer.from(message).fill(byte, at, at + 1)
const reply = (streamId: number): Buffer => Buffer.concat([head(streamId), body(streamId), trailers(streamId)])

/** A loop that has said its opening; `said` has the frames after it: `1 3` for HEADERS of stream 3, `DATA 3`. */
const open = (change: Partial<GrpcLoad> = {}) => {
  const said: Array<string> = []
  const errors: Array<string> = []
  let destroyed = false
  let prefaceBytes = 24
  const latencies = new Histogram()
  const messages = { count: 0 }
  const reader = new Http2FrameReader({
    onData: (streamId) => void said.push(`DATA ${streamId}`),
    onFrame: (type, _flags, streamId) => void said.push(`${type} ${streamId}`)
  })
  const onError = (error: Error): void => void errors.push(error.message)
  const loop = new GrpcLoop({ load: { ...load, ...change }, latencies, messages, onError })
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
  return { loop, said, errors, latencies, messages, hear, isDestroyed: () => destroyed }
}

/** The same after its first reply. */
const started = (change: Partial<GrpcLoad> = {}) => {
  const all = open(change)
  all.hear(reply(1))
  all.loop.start()
  all.said.length = 0
  return all
}

describe("the first call", () => {
  it("goes alone, behind SETTINGS and the window", () => {
    assert.deepStrictEqual(open().said, ["4 0", "8 0", "1 1", "DATA 1"])
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
    ["another status", [head(1, hex("8d")), body(1), trailers(1)]],
    ["another content type", [head(1, hex("88")), body(1), trailers(1)]],
    ["another message", [head(1), body(1, changed(message.length - 1, 0x7a)), trailers(1)]],
    ["a message that says it is compressed", [head(1), body(1, changed(0, 1)), trailers(1)]],
    ["a short message", [head(1), body(1, message.subarray(0, -1)), trailers(1)]],
    ["two messages", [head(1), body(1), body(1), trailers(1)]],
    ["no message", [head(1), trailers(1)]],
    ["no head", [body(1), trailers(1)]],
    ["two heads", [head(1), head(1), body(1), trailers(1)]],
    ["a body that ends the stream", [head(1), body(1, message, 1)]],
    ["another status of gRPC", [head(1), body(1), trailers(1, text("grpc-status", "2"))]],
    ["trailers without one", [head(1), body(1), trailers(1, text("grpc-message", "0"))]],
    ["trailers alone", [trailers(1)]],
    ["a head in pieces", [head(1, rightHead, 0)]],
    ["a reply to nothing", [reply(3)]],
    ["a reset", [head(1), frame(Http2Frames.rstStream, 0, 1, hex("00000000"))]],
    ["the end of the connection", [frame(Http2Frames.goAway, 0, 0, hex("00000000 00000001"))]]
  ]
  for (const [what, replies] of wrong) {
    it(`is not verified by ${what}`, () => {
      const { errors, latencies, hear } = open()
      hear(...replies)
      assert.isNotEmpty(errors)
      assert.strictEqual(latencies.count, 0)
    })
  }
})

describe("a load that runs", () => {
  it("has a new call for each that is over", () => {
    const { said, hear, latencies, messages } = started()
    hear(reply(5))
    assert.deepStrictEqual(said, ["1 7", "DATA 7"])
    hear(Buffer.concat([reply(7), reply(3)]))
    assert.deepStrictEqual(said.slice(2), ["1 9", "DATA 9", "1 11", "DATA 11"])
    assert.strictEqual(latencies.count, 4)
    assert.strictEqual(messages.count, 4)
  })

  it("sees a message of another length, and a status that is not 0, in each reply", () => {
    const long = started()
    long.hear(head(3), body(3, changed(4, 9)))
    assert.match(long.errors[0]!, /as long as/)
    const failed = started()
    failed.hear(head(3), body(3), trailers(3, text("grpc-status", "4")))
    assert.match(failed.errors[0]!, /is 4/)
  })

  it("replaces a call that was reset, and counts an error and no reply", () => {
    const { said, errors, latencies, hear } = started()
    hear(frame(Http2Frames.rstStream, 0, 3, hex("00000007")))
    assert.deepStrictEqual(said, ["1 7", "DATA 7"])
    assert.strictEqual(errors.length, 1)
    assert.strictEqual(latencies.count, 1)
  })

  it("gives up a connection that leaves a call waiting", () => {
    const { errors, hear, isDestroyed } = started()
    for (let streamId = 5; !isDestroyed() && streamId < 1_000; streamId += 2) hear(reply(streamId))
    assert.match(errors[0]!, /stream 3 waits/)
  })

  it("answers SETTINGS and PING, and refuses a server that takes fewer calls", () => {
    const { said, errors, hear } = started()
    hear(frame(Http2Frames.settings, 0, 0, hex("0004 00010000")), frame(Http2Frames.ping, 0, 0, Buffer.alloc(8)))
    assert.deepStrictEqual(said, ["4 0", "6 0"])
    hear(frame(Http2Frames.settings, 0, 0, hex("0003 00000001")))
    assert.match(errors[0]!, /only 1 streams/)
  })

  it("has larger requests wait for the windows of their streams", () => {
    const { said, hear } = open({ call: { method: "Unary", payloadBytes: 65_536 } })
    assert.deepStrictEqual(said.slice(2), ["1 1", "DATA 1", "DATA 1", "DATA 1"])
    hear(frame(Http2Frames.windowUpdate, 0, 0, hex("00010000")), frame(Http2Frames.windowUpdate, 0, 1, hex("00010000")))
    assert.deepStrictEqual(said.slice(6), ["DATA 1", "DATA 1"])
  })
})

describe("a stream", () => {
  const call = { method: "Stream", payloadBytes: 3, count: 4 } as const
  const one = GrpcMessages.reply(call)

  it("counts its messages, however they lie in frames", async () => {
    const { loop, errors, messages, latencies, hear } = open({ call })
    const all = Buffer.concat([one, one, one, one])
    hear(head(1), body(1, all.subarray(0, one.length + 3)))
    assert.strictEqual(messages.count, 1)
    hear(body(1, all.subarray(one.length + 3)), trailers(1))
    await loop.verified
    assert.deepStrictEqual([messages.count, latencies.count, errors.length], [4, 1, 0])
  })

  it("that ends early is an error", () => {
    const { errors, hear } = open({ call })
    hear(head(1), body(1, one), trailers(1))
    assert.match(errors[0]!, /a reply of/)
  })
})

it("at a fixed rate, calls above those that may be under way wait, and their time counts", () => {
  const { loop, said, hear, latencies } = open({ callsPerSecond: 1, inFlight: 2 })
  hear(reply(1))
  latencies.clear()
  const due = performance.now() - 5_000
  for (let call = 0; call < 3; call++) loop.begin(due)
  assert.deepStrictEqual(said.slice(4), ["1 3", "DATA 3", "1 5", "DATA 5"])
  hear(reply(3))
  assert.deepStrictEqual(said.slice(8), ["1 7", "DATA 7"])
  hear(reply(7), reply(5))
  assert.strictEqual(said.length, 10)
  assert.strictEqual(latencies.count, 3)
  assert.isAtLeast(latencies.quantile(0), 4_800_000)
})
