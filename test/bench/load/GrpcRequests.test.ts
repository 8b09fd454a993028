/** Requests through a ring of four against a wire that only remembers. */
import { assert, it } from "vitest"
import { GrpcRequests } from "../../../bench/src/load/GrpcRequests.ts"
import { Http2FrameReader } from "../../../bench/src/load/Http2FrameReader.ts"
import * as Http2Frames from "../../../bench/src/load/Http2Frames.ts"

const blocks = Http2Frames.blocksOfFields([[":path", "/a/B"]])

const start = (messageBytes = 10) => {
  const message = Buffer.alloc(messageBytes, "m")
  const heard: Array<string> = []
  let writeCount = 0
  const reader = new Http2FrameReader({
    onData: (streamId, bytes, begin, end, ended) => {
      assert.isTrue(ended)
      assert.deepStrictEqual(Buffer.from(bytes.subarray(begin, end)), message)
      heard.push(`DATA ${streamId}`)
    },
    onFrame: (type, flags, streamId, bytes, begin, end) => {
      assert.deepStrictEqual([type, flags], [Http2Frames.headers, Http2Frames.endHeaders])
      assert.deepStrictEqual(Buffer.from(bytes.subarray(begin, end)), streamId === 1 ? blocks.first : blocks.next)
      heard.push(`HEADERS ${streamId}`)
    }
  })
  const wire = {
    write: (bytes: Uint8Array) => {
      writeCount++
      reader.receive(Buffer.from(bytes), bytes.length)
    },
    destroy: () => assert.fail("destroyed")
  }
  const said = (): ReadonlyArray<string> => heard.splice(0)
  return { requests: new GrpcRequests(wire, blocks, message, 4), said, writes: () => writeCount }
}

const calls = (...ids: ReadonlyArray<number>): ReadonlyArray<string> =>
  ids.flatMap((id) => [`HEADERS ${id}`, `DATA ${id}`])

it("the first one has all its fields in full, and those after it are one write", () => {
  const { requests, said, writes } = start()
  requests.begin(1, 3)
  assert.deepStrictEqual(said(), calls(1, 3, 5))
  assert.strictEqual(writes(), 2)
})

it("identifiers rise without gaps, also where the ring begins anew and where they take four bytes", () => {
  const { requests, said } = start(1)
  requests.begin(1, 1)
  requests.begin(3, 3)
  requests.begin(9, 4)
  assert.deepStrictEqual(said(), calls(1, 3, 5, 7, 9, 11, 13, 15))
  for (let id = 17; id < 70_000; id += 8) {
    requests.begin(id, 4)
    requests.onWindow(0, 4)
    assert.deepStrictEqual(said(), calls(id, id + 2, id + 4, id + 6))
  }
})

it("requests wait for the window of the connection, and take no more than it has", () => {
  const { requests, said } = start(20_000)
  requests.begin(1, 4)
  assert.deepStrictEqual(said(), calls(1, 3, 5))
  requests.onWindow(0, 14_464)
  assert.deepStrictEqual(said(), [])
  requests.onWindow(5, 20_000)
  assert.deepStrictEqual(said(), [])
  requests.onWindow(0, 1)
  assert.deepStrictEqual(said(), calls(7))
})

it("a server whose streams take less than a message is refused", () => {
  assert.throws(() => start(10).requests.onInitialWindow(9), /only 9 bytes/)
})
