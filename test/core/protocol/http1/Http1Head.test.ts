import { assert, describe, it } from "@effect/vitest"
import { RequestHead, ResponseHead, requestOf, responseOf } from "@sluice/core/protocol/http1/Http1Head"
import { Http1HeadParser, type Section } from "@sluice/core/protocol/http1/Http1HeadParser"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { bytes } from "./Recorder.ts"

const parsed = (section: Section, wire: string) => {
  const parser = new Http1HeadParser(Http1Options.resolve())
  parser.begin(section)
  parser.receive(bytes(wire), 0)
  assert.isTrue(parser.complete)
  return parser
}
const request = (fields: string, line = "POST / HTTP/1.1") => {
  const head = requestOf(parsed("request", `${line}\r\nHost: a\r\n${fields}\r\n`))
  if (!(head instanceof RequestHead)) throw new Error(head.message)
  return head
}
const response = (wire: string, method = "GET") => {
  const head = responseOf(parsed("response", wire), method)
  if (!(head instanceof ResponseHead)) throw new Error(head.message)
  return head
}

describe("requestOf", () => {
  it("what stands in the first line and in Host", () => {
    const head = request("", "gEt /a?b HTTP/1.0")
    assert.deepStrictEqual(
      [head.method, head.target, head.form, head.authority, head.minorVersion, head.delimiter, head.persistent],
      ["gEt", "/a?b", "origin", "a", 0, "Empty", false]
    )
  })
  it("RFC 9110 §7.8: an upgrade wants both fields, which may be lists in more than one line", () => {
    assert.strictEqual(request("Connection: x\r\nConnection: Upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n").upgrade, "a, b")
    assert.isUndefined(request("Upgrade: a\r\n").upgrade)
    assert.isUndefined(request("Connection: upgrade\r\n").upgrade)
    assert.isUndefined(request("Connection: upgrade\r\nUpgrade: a\r\n", "GET / HTTP/1.0").upgrade)
  })
  it("RFC 9110 §10.1.1: an expectation is for a body, and not in HTTP/1.0", () => {
    assert.isTrue(request("Expect: 100-Continue\r\nContent-Length: 1\r\n").expectsContinue)
    assert.isTrue(request("Expect: 100-continue\r\nExpect: , 100-Continue\r\nContent-Length: 1\r\n").expectsContinue)
    assert.isFalse(request("Expect:\r\nContent-Length: 1\r\n").expectsContinue)
    assert.isFalse(request("Expect: 100-continue\r\n").expectsContinue)
    assert.isFalse(request("Expect: x\r\nContent-Length: 1\r\n", "POST / HTTP/1.0").expectsContinue)
  })
  it("RFC 9112 §9.3: persistence", () => {
    const of = (connection: string, version: string) =>
      request(`Connection: ${connection}\r\n`, `GET / HTTP/${version}`).persistent
    assert.deepStrictEqual(
      ["keep-alive", "close", "keep-alive, close", "x", "closed"].map((one) => [of(one, "1.1"), of(one, "1.0")]),
      [
        [true, true],
        [false, false],
        [false, false],
        [true, false],
        [true, false]
      ]
    )
  })
  it("why not", () => {
    assert.strictEqual(requestOf(parsed("request", "GET / HTTP/1.1\r\n\r\n")).constructor.name, "InvalidHost")
  })
})

describe("responseOf", () => {
  it("what stands in the first line", () => {
    const head = response("HTTP/1.1 404 Not here\r\nContent-Length: 3\r\n\r\n")
    assert.deepStrictEqual(
      [head.status, head.reason, head.delimiter, head.lengthBytes, head.persistent],
      [404, "Not here", "Length", 3, true]
    )
  })
  it("RFC 9112 §4: a phrase that did not come is the registered one", () => {
    assert.strictEqual(response("HTTP/1.1 404 \r\n\r\n").reason, "Not Found")
    assert.strictEqual(response("HTTP/1.1 404\r\n\r\n").reason, "Not Found")
  })
  it("RFC 9112 §6.3: by the method that was asked", () => {
    assert.strictEqual(response("HTTP/1.1 200 \r\n\r\n", "HEAD").delimiter, "Empty")
    assert.strictEqual(response("HTTP/1.1 200 \r\n\r\n").delimiter, "UntilClose")
  })
})
