import { assert, describe, it } from "@effect/vitest"
import { Output } from "@sluice/core/protocol/Engine"
import { ChunkedDecoder, writeChunk, writeLastChunk } from "@sluice/core/protocol/http1/Http1Chunked"
import { Http1HeadParser } from "@sluice/core/protocol/http1/Http1HeadParser"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import * as Chunkings from "../../../harness/Chunkings.ts"
import { bytes, text } from "./Recorder.ts"

const limits = Http1Options.resolve({ maxChunkExtensionSize: 6 })

/** Data, what was left behind the body, and how it ended; the same at every split. */
const decode = (wire: string): string => {
  const [first, ...others] = Chunkings.everySplit(bytes(wire)).map((chunks) => {
    const decoder = new ChunkedDecoder(limits, new Http1HeadParser(limits))
    decoder.begin()
    let data = ""
    let rest = ""
    for (const chunk of chunks) {
      let at = 0
      while (at < chunk.length && !decoder.complete && decoder.violation === undefined) {
        at = decoder.receive(chunk, at)
        if (decoder.data !== undefined) data += text(decoder.data)
      }
      if (decoder.complete) rest += text(chunk.subarray(at))
    }
    const trailers = decoder.trailers === undefined ? "" : JSON.stringify(decoder.trailers.headers())
    return `${data}|${decoder.violation?._tag ?? (decoder.complete ? `complete${trailers}|${rest}` : "open")}`
  })
  for (const other of others) assert.strictEqual(other, first)
  return first!
}

describe("RFC 9112 §7.1: received", () => {
  const cases: ReadonlyArray<readonly [wire: string, expected: string]> = [
    ["3\r\nabc\r\n0\r\n\r\nrest", "abc|complete|rest"],
    ["0003\r\nabc\r\n000\r\n\r\n", "abc|complete|"],
    ["A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789|complete|"],
    ["2\r\n\r\n\r\n0\r\n\r\n", "\r\n|complete|"],
    ["0\r\nA: b\r\n\r\nrest", '|complete{"a":"b"}|rest'],
    ["3\r\nab", "ab|open"],
    ["0\r\n", "|open"],
    ["1;a=b\r\nx\r\n0\r\n\r\n", "x|complete|"],
    ["1;a=b;c\r\nx\r\n0;\r\n\r\n", "x|ChunkExtensionsTooLarge"],
    ["1;a=b\r\nx\r\n1;c\r\ny\r\n0;d\r\n\r\n", "xy|ChunkExtensionsTooLarge"],
    ["1fffffffffffff\r\n", "|open"],
    ["20000000000000\r\n", "|MalformedChunk"],
    ["00000000000000001\r\n", "|MalformedChunk"],
    ["1\r\nxy\r\n", "x|MalformedChunk"],
    ["1\r\nx\n", "x|MalformedChunk"],
    ["1\r\nx\r1", "x|MalformedChunk"],
    ["0\r\nHost: b\r\n\r\n", "|InvalidFraming"]
  ]
  for (const [wire, expected] of cases) it(JSON.stringify(wire), () => assert.strictEqual(decode(wire), expected))
})

describe("RFC 9112 §7.1: sent", () => {
  const sentBy = (write: (output: Output) => void): string => {
    const output = new Output()
    write(output)
    return output.take().map(text).join("")
  }
  it("bytes and text, in one piece where they are small", () => {
    assert.strictEqual(
      sentBy((output) => writeChunk(output, bytes("abc"))),
      "3\r\nabc\r\n"
    )
    assert.strictEqual(
      sentBy((output) => writeChunk(output, "é")),
      "2\r\n\xc3\xa9\r\n"
    )
    const large = new Uint8Array(20_000)
    assert.strictEqual(
      sentBy((output) => writeChunk(output, large)),
      `4e20\r\n${text(large)}\r\n`
    )
  })
  it("no data is no chunk: that would be the last one", () => {
    assert.strictEqual(
      sentBy((output) => writeChunk(output, "")),
      ""
    )
  })
  it("the last chunk, with trailers", () => {
    assert.strictEqual(
      sentBy((output) => writeLastChunk(output, "")),
      "0\r\n\r\n"
    )
    assert.strictEqual(
      sentBy((output) => writeLastChunk(output, "a: b\r\n")),
      "0\r\na: b\r\n\r\n"
    )
  })
})
