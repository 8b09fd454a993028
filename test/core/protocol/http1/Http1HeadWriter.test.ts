import { assert, it } from "@effect/vitest"
import * as Http1HeadWriter from "@sluice/core/protocol/http1/Http1HeadWriter"

const prepared = (fields: Parameters<typeof Http1HeadWriter.prepare>[0]) => {
  const result = Http1HeadWriter.prepare(fields)
  if (!(result instanceof Http1HeadWriter.PreparedFields)) throw new Error(result.message)
  return result
}

it("prepare sorts out what is the engine's", () => {
  const fields = prepared({
    Accept: "a",
    "Content-Length": "5",
    HOST: "h",
    Connection: "Close, X-Own, keep-alive",
    "Transfer-Encoding": "chunked",
    upgrade: "u",
    Date: "d",
    list: ["1", "2"],
    none: undefined
  })
  assert.strictEqual(fields.lines, "Accept: a\r\nupgrade: u\r\nDate: d\r\nlist: 1\r\nlist: 2\r\n")
  assert.deepStrictEqual(
    [fields.lengthBytes, fields.host, fields.options, fields.closes, fields.hasDate, fields.hasUpgrade],
    [5, "h", ", X-Own", true, true, true]
  )
})
it("RFC 9112 §11.1: what could split a message is refused", () => {
  for (const fields of [
    { a: "b\r\nc: d" },
    { a: "b\n" },
    { a: "\0" },
    { a: "€" },
    { "a:": "b" },
    { " a": "b" },
    { "": "b" }
  ]) {
    assert.notInstanceOf(Http1HeadWriter.prepare(fields), Http1HeadWriter.PreparedFields, JSON.stringify(fields))
  }
})
it("names and values that were seen before, in any order, are written as they are and checked as ever", () => {
  const lines = (fields: Parameters<typeof Http1HeadWriter.prepare>[0]) => prepared(fields).lines
  for (let round = 0; round < 2; round++) {
    assert.strictEqual(lines({ "x-a": "1", "X-A": "1" }), "x-a: 1\r\nX-A: 1\r\n")
    assert.strictEqual(
      lines({ "x-a": ["1", "2", "1"], "set-cookie": "a=1" }),
      "x-a: 1\r\nx-a: 2\r\nx-a: 1\r\nset-cookie: a=1\r\n"
    )
    assert.strictEqual(lines({ "x-a": "", "x-b": "y".repeat(300) }), `x-a: \r\nx-b: ${"y".repeat(300)}\r\n`)
    assert.notInstanceOf(Http1HeadWriter.prepare({ "x-a": "1\r\nx-b: 2" }), Http1HeadWriter.PreparedFields)
    assert.strictEqual(prepared({ "content-length": "5" }).lengthBytes, 5)
  }
  // More names than are kept.
  for (let name = 0; name < 600; name++) assert.strictEqual(lines({ [`x-${name}`]: "1" }), `x-${name}: 1\r\n`)
})
it("RFC 9112 §4: status lines", () => {
  assert.strictEqual(Http1HeadWriter.statusLine(200, undefined), "HTTP/1.1 200 OK\r\n")
  assert.strictEqual(Http1HeadWriter.statusLine(200, ""), "HTTP/1.1 200 OK\r\n")
  assert.strictEqual(Http1HeadWriter.statusLine(299, undefined), "HTTP/1.1 299 \r\n")
  assert.strictEqual(Http1HeadWriter.statusLine(200, "Fine"), "HTTP/1.1 200 Fine\r\n")
  assert.notTypeOf(Http1HeadWriter.statusLine(200, "a\r\nb"), "string")
  assert.notTypeOf(Http1HeadWriter.statusLine(99, undefined), "string")
  assert.notTypeOf(Http1HeadWriter.statusLine(600, "a"), "string")
})
it("RFC 9112 §3: request lines", () => {
  assert.strictEqual(Http1HeadWriter.requestLine("GET", "/a?b"), "GET /a?b HTTP/1.1\r\n")
  assert.notTypeOf(Http1HeadWriter.requestLine("GET", "/a b"), "string")
  assert.notTypeOf(Http1HeadWriter.requestLine("G T", "/"), "string")
  assert.notTypeOf(Http1HeadWriter.requestLine("GET", "a:1"), "string")
})
it("RFC 9112 §9: the Connection line", () => {
  const none = prepared({})
  assert.strictEqual(Http1HeadWriter.connectionLine(none, ""), "")
  assert.strictEqual(Http1HeadWriter.connectionLine(none, "close"), "connection: close\r\n")
  const more = prepared({ connection: "x", upgrade: "u" })
  assert.strictEqual(Http1HeadWriter.connectionLine(more, ""), "connection: upgrade, x\r\n")
  assert.strictEqual(Http1HeadWriter.connectionLine(more, "keep-alive"), "connection: keep-alive, upgrade, x\r\n")
})
