import { assert, it } from "@effect/vitest"
import { Http1BodyReader } from "@sluice/core/protocol/http1/Http1BodyReader"
import { Http1HeadParser } from "@sluice/core/protocol/http1/Http1HeadParser"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { bytes, text } from "./Recorder.ts"

const make = (maxBodySize?: number) => {
  const limits = Http1Options.resolve({ maxBodySize })
  return new Http1BodyReader(limits, new Http1HeadParser(limits))
}

it("RFC 9112 §6.2: so many bytes as were announced, and no more", () => {
  const reader = make()
  reader.begin("Length", 3)
  assert.strictEqual(reader.leftBytes, 3)
  assert.strictEqual(reader.receive(bytes("ab"), 0), 2)
  assert.deepStrictEqual([text(reader.data!), reader.complete, reader.leftBytes], ["ab", false, 1])
  assert.strictEqual(reader.receive(bytes("xcd"), 1), 2)
  assert.deepStrictEqual([text(reader.data!), reader.complete, reader.leftBytes], ["c", true, 0])
})
it("RFC 9112 §6.3 rule 8: until the close", () => {
  const reader = make()
  reader.begin("UntilClose", undefined)
  const chunk = bytes("ab")
  assert.strictEqual(reader.receive(chunk, 0), 2)
  assert.strictEqual(reader.data, chunk)
  reader.receiveEnd()
  assert.isTrue(reader.complete)
})
it("RFC 9112 §8: an end within any other body is too early", () => {
  for (const delimiter of ["Length", "Chunked"] as const) {
    const reader = make()
    reader.begin(delimiter, 3)
    reader.receiveEnd()
    assert.strictEqual(reader.violation?._tag, "Truncated")
  }
})
it("a body above its limit: announced, and as it comes", () => {
  const announced = make(2)
  announced.begin("Length", 3)
  assert.strictEqual(announced.violation?._tag, "BodyTooLarge")
  for (const sizes of [[3], [1, 2], [2, 1], [1, 1, 1]]) {
    const reader = make(2)
    reader.begin("UntilClose", undefined)
    let data = ""
    for (const size of sizes) {
      reader.receive(bytes("x".repeat(size)), 0)
      data += reader.data === undefined ? "" : text(reader.data)
    }
    assert.deepStrictEqual([data, reader.violation?._tag], ["xx", "BodyTooLarge"])
  }
})
it("trailers are those of this body", () => {
  const reader = make()
  reader.begin("Chunked", undefined)
  const wire = bytes("0\r\nA: b\r\n\r\n")
  reader.receive(wire, 0)
  assert.strictEqual(reader.trailers?.header("a"), "b")
  reader.begin("Length", 1)
  assert.isUndefined(reader.trailers)
  reader.begin("Chunked", undefined)
  reader.receive(bytes("0\r\n\r\n"), 0)
  assert.isUndefined(reader.trailers)
})
