/** Requests through a ring of four against a wire that only remembers. */
import { assert, it } from "vitest"
import { Http2FrameReader } from "../../../bench/src/load/Http2FrameReader.ts"
import * as Http2Frames from "../../../bench/src/load/Http2Frames.ts"
import { Http2Gets } from "../../../bench/src/load/Http2Gets.ts"

const request = { method: "GET", path: "/" } as const
const { first, next } = Http2Frames.blocksOf(request)

const start = () => {
  const heard: Array<number> = []
  const writes: Array<number> = []
  const reader = new Http2FrameReader({
    onData: () => assert.fail("a body"),
    onFrame: (type, flags, streamId, bytes, begin, end) => {
      assert.deepStrictEqual([type, flags], [Http2Frames.headers, Http2Frames.endHeaders | Http2Frames.endStream])
      assert.deepStrictEqual(Buffer.from(bytes.subarray(begin, end)), streamId === 1 ? first : next)
      heard.push(streamId)
    }
  })
  const wire = {
    write: (bytes: Uint8Array) => {
      writes.push(bytes.length)
      reader.receive(Buffer.from(bytes), bytes.length)
    },
    destroy: () => assert.fail("destroyed")
  }
  return { gets: new Http2Gets(wire, request, 4), heard, writes }
}

it("the first one has all its fields in full, and those after it are one write", () => {
  const { gets, heard, writes } = start()
  gets.begin(1, 3)
  assert.deepStrictEqual(heard, [1, 3, 5])
  assert.deepStrictEqual(writes, [9 + first.length, 2 * (9 + next.length)])
})

it("identifiers rise without gaps, also where the ring begins anew", () => {
  const { gets, heard, writes } = start()
  gets.begin(1, 1)
  gets.begin(3, 2)
  gets.begin(7, 3)
  gets.begin(13, 4)
  assert.deepStrictEqual(heard, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19])
  assert.strictEqual(writes.length, 6)
})
