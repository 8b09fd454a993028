import { assert, it } from "@effect/vitest"
import { Output } from "@sluice/core/protocol/Engine"
import type { Delimiter } from "@sluice/core/protocol/http1/Http1BodyLength"
import { Http1BodyWriter } from "@sluice/core/protocol/http1/Http1BodyWriter"
import { bytes, text } from "./Recorder.ts"

const make = (delimiter: Delimiter, lengthBytes?: number) => {
  const output = new Output()
  const writer = new Http1BodyWriter(output)
  writer.begin(delimiter, lengthBytes)
  return { writer, sent: () => output.take().map(text).join("") }
}

it("each delimiter frames in its own way", () => {
  const cases: ReadonlyArray<readonly [Delimiter, string]> = [
    ["Empty", ""],
    ["Length", "abé".replace("é", "\xc3\xa9")],
    ["UntilClose", "ab\xc3\xa9"],
    ["Chunked", "2\r\nab\r\n2\r\n\xc3\xa9\r\n0\r\nt: 1\r\n\r\n"]
  ]
  for (const [delimiter, expected] of cases) {
    const { writer, sent } = make(delimiter, 4)
    assert.isUndefined(writer.write(bytes("ab")))
    assert.isUndefined(writer.write("é"))
    if (delimiter === "Empty") writer.begin("Empty", undefined)
    assert.isUndefined(writer.end({ t: "1" }))
    assert.strictEqual(sent(), expected)
  }
})
it("RFC 9110 §8.6: not more and not less than was announced", () => {
  const { writer, sent } = make("Length", 2)
  assert.strictEqual(writer.write("abc")?._tag, "InvalidMessage")
  assert.isUndefined(writer.write("a"))
  assert.strictEqual(writer.end(undefined)?._tag, "InvalidMessage")
  assert.isFalse(writer.isSatisfied)
  assert.isUndefined(writer.write("b"))
  assert.isTrue(writer.isSatisfied)
  assert.isUndefined(writer.end(undefined))
  assert.strictEqual(sent(), "ab")
})
it("RFC 9110 §6.5.1: fields that cannot be trailers, or would split them, are refused", () => {
  for (const trailers of [
    { "Content-Length": "1" },
    { host: "a" },
    { authorization: "a" },
    { x: "a\r\nb: c" },
    { "a b": "" }
  ]) {
    const { writer, sent } = make("Chunked")
    assert.strictEqual(writer.end(trailers)?._tag, "InvalidMessage", JSON.stringify(trailers))
    assert.strictEqual(sent(), "")
  }
})
