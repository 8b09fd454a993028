import { assert, describe, it } from "vitest"
import { type FrameReceiver, Http2FrameReader } from "../../../bench/src/load/Http2FrameReader.ts"
import * as Chunkings from "../../harness/Chunkings.ts"
import { hex } from "../../harness/Hex.ts"

/** What is heard of a connection; pieces of a body are joined. */
const callsOf = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<string> => {
  const calls: Array<string> = []
  const bodies = new Map<number, string>()
  const receiver: FrameReceiver = {
    onData: (streamId, bytes, start, end, ended) => {
      bodies.set(streamId, (bodies.get(streamId) ?? "") + bytes.toString("latin1", start, end))
      if (ended) calls.push(`body of ${streamId}: ${bodies.get(streamId)}`)
    },
    onFrame: (type, flags, streamId, bytes, start, end) =>
      void calls.push(`${type} ${flags} ${streamId} ${bytes.toString("hex", start, end)}`)
  }
  const reader = new Http2FrameReader(receiver)
  for (const chunk of chunks) {
    // As sockets do: bytes lie at the beginning of a longer buffer, which is used again.
    const buffer = Buffer.alloc(64, 0xff)
    buffer.set(chunk)
    reader.receive(buffer, chunk.length)
    buffer.fill(0xff)
  }
  return calls
}

const cases: ReadonlyArray<readonly [rule: string, wire: string, calls: ReadonlyArray<string>]> = [
  ["frames without a payload", "000000 04 01 00000000 000000 06 00 00000000", ["4 1 0 ", "6 0 0 "]],
  ["a frame with a payload", "000003 01 04 00000003 88bebf", ["1 4 3 88bebf"]],
  ["a body in one frame", "000003 00 01 00000001 'abc'", ["body of 1: abc"]],
  ["a body in two frames", "000001 00 00 00000001 'a' 000002 00 01 00000001 'bc'", ["body of 1: abc"]],
  ["a body that ends with an empty frame", "000001 00 00 00000001 'a' 000000 00 01 00000001", ["body of 1: a"]],
  [
    "a reply behind another one",
    "000001 01 04 00000001 88 000001 00 01 00000001 'a' 000001 01 05 00000003 88",
    ["1 4 1 88", "body of 1: a", "1 5 3 88"]
  ],
  ["the reserved bit of an identifier is not read", "000000 04 01 80000001", ["4 1 1 "]]
]

describe("whatever the cuts, it finds", () => {
  for (const [rule, wire, expected] of cases) {
    it(rule, () => {
      for (const chunks of Chunkings.everySplit(hex(wire))) {
        assert.deepStrictEqual(callsOf(chunks), expected, Chunkings.show(chunks))
      }
    })
  }
})
