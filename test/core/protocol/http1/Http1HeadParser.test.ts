import { assert, it } from "@effect/vitest"
import { Http1HeadParser, type Section } from "@sluice/core/protocol/http1/Http1HeadParser"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import * as Chunkings from "../../../harness/Chunkings.ts"
import { bytes } from "./Recorder.ts"

const limits = Http1Options.resolve({ maxStartLineSize: 16, maxHeaderSize: 40, maxFieldCount: 2, maxTrailerSize: 20 })

/** What the parser makes of `wire`, the same at every split; how many bytes it took, where it came to an end. */
const parse = (section: Section, wire: string) => {
  const [first, ...others] = Chunkings.everySplit(bytes(wire)).map((chunks) => {
    const parser = new Http1HeadParser(limits)
    parser.begin(section)
    let taken = 0
    for (const chunk of chunks) {
      let at = 0
      while (at < chunk.length && !parser.complete && parser.violation === undefined) at = parser.receive(chunk, at)
      taken += at
      if (parser.complete || parser.violation !== undefined) break
    }
    const { text, violation, complete, fieldCount, host } = parser
    return { taken, complete, violation: violation?._tag, fieldCount, text, host: text.slice(host.start, host.end) }
  })
  for (const other of others) assert.deepStrictEqual(other, first)
  return first!
}

it("takes a section and not a byte more", () => {
  const wire = "GET / HTTP/1.1\r\nHost: \ta \r\nX: b\r\n\r\n"
  assert.deepStrictEqual(parse("request", `${wire}rest`), {
    taken: wire.length,
    complete: true,
    violation: undefined,
    fieldCount: 2,
    text: wire,
    host: "a"
  })
})
it("a response, and trailers", () => {
  assert.strictEqual(parse("response", "HTTP/1.1 200 O K\r\nA: b\r\n\r\nrest").fieldCount, 1)
  assert.strictEqual(parse("trailers", "A: b\r\n\r\nrest").taken, 8)
  assert.strictEqual(parse("trailers", "\r\nrest").taken, 2)
})
it("a section that is not complete is neither", () => {
  const heard = parse("request", "GET / HTTP/1.1\r\nHost: a\r\n")
  assert.deepStrictEqual([heard.complete, heard.violation], [false, undefined])
})
it("limits are reached at the same byte, and not before", () => {
  const line = "GET /12 HTTP/1.1"
  assert.strictEqual(line.length, 16)
  assert.isUndefined(parse("request", `${line}\r\n`).violation)
  const long = parse("request", `GET /123 HTTP/1.1\r\n${"x".repeat(10)}`)
  assert.deepStrictEqual([long.violation, long.taken], ["StartLineTooLong", 18])
  assert.strictEqual(parse("request", "x".repeat(40)).violation, "StartLineTooLong")
  const full = `${line}\r\nA: ${"b".repeat(33)}\r\n\r\n`
  assert.isTrue(parse("request", full).complete)
  assert.strictEqual(parse("request", full.replace("b", "bb")).violation, "FieldSectionTooLarge")
  assert.strictEqual(parse("request", `${line}\r\nA:\r\nB:\r\nC:\r\n\r\n`).violation, "FieldSectionTooLarge")
  assert.strictEqual(parse("trailers", `A: ${"b".repeat(20)}\r\n\r\n`).violation, "TrailerSectionTooLarge")
})
