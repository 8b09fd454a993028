import { assert, describe, it } from "@effect/vitest"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import type { RequestParts } from "@sluice/core/protocol/http2/Http2Connection"
import { InvalidMessage } from "@sluice/core/protocol/http2/Http2Error"
import { Http2HeaderBlock } from "@sluice/core/protocol/http2/Http2HeaderBlock"
import * as Http2HeadWriter from "@sluice/core/protocol/http2/Http2HeadWriter"
import { Http2PreparedFields, ofTrailers, unannounced } from "@sluice/core/protocol/http2/Http2PreparedFields"

type Result = number | InvalidMessage | undefined

/** One side that writes, and what the other reads of it. */
class Pair {
  readonly encoder = new HpackEncoder()
  readonly decoder = new HpackDecoder()
  readonly block = new HpackBlock()
  result: Result = undefined

  /** The fields that come, each as `name=value`; `!` before those that nobody may index. The reason for a refusal. */
  write(write: (block: HpackBlock, encoder: HpackEncoder) => Result): ReadonlyArray<string> | string {
    this.block.begin(9)
    const before = this.encoder.tableBytes
    this.result = write(this.block, this.encoder)
    if (this.result instanceof InvalidMessage) {
      assert.deepStrictEqual([this.block.length, this.encoder.tableBytes], [9, before])
      return this.result.message
    }
    const lines: Array<string> = []
    const violation = this.decoder.decode(this.block.copy(9), {
      onField: (name, value, never) => lines.push(`${never ? "!" : ""}${name}=${value}`)
    })
    assert.isUndefined(violation)
    return lines
  }

  response(status: number, fields: FieldsInput, lengthBytes?: number, dateText?: string) {
    return this.write((block, encoder) =>
      Http2HeadWriter.response(block, encoder, status, fields, lengthBytes, dateText)
    )
  }
  request(parts: Partial<RequestParts>, lengthBytes?: number) {
    const whole: RequestParts = { method: "GET", scheme: "https", authority: "a", path: "/", headers: {}, ...parts }
    return this.write((block, encoder) => Http2HeadWriter.request(block, encoder, whole, lengthBytes))
  }
  trailers(fields: FieldsInput) {
    return this.write((block, encoder) => Http2HeadWriter.trailers(block, encoder, fields))
  }
}

const response = (...args: Parameters<Pair["response"]>) => new Pair().response(...args)
const request = (...args: Parameters<Pair["request"]>) => new Pair().request(...args)
const trailers = (...args: Parameters<Pair["trailers"]>) => new Pair().trailers(...args)

// First of all: before any authority was found valid.
it("RFC 9113 §8.3.1: an authority is not empty", () => {
  assert.strictEqual(request({ authority: "" }), '"" is no authority for GET')
})

describe("fields", () => {
  it("RFC 9113 §8.2: names are sent in lower case, and lists as a field for each value", () => {
    assert.deepStrictEqual(response(200, { "Content-Type": "a", LIST: ["1", "2"], none: undefined, empty: "" }), [
      ":status=200",
      "content-type=a",
      "list=1",
      "list=2",
      "empty="
    ])
  })
  it("RFC 9113 §8.2.1: what no field can have is refused, wherever it is", () => {
    const rows: ReadonlyArray<readonly [fields: FieldsInput, reason: string]> = [
      [{ a: "b\r\nc: d" }, "the value of a has a character that no field can have"],
      [{ ok: "1", a: "b\n" }, "the value of a has a character that no field can have"],
      [{ a: "\0" }, "the value of a has a character that no field can have"],
      [{ A: ["b", "€"] }, "the value of a has a character that no field can have"],
      [{ "a:": "b" }, '"a:" is no field name'],
      [{ ok: "1", ":path": "/" }, '":path" is no field name'],
      [{ " a": "b" }, '" a" is no field name'],
      [{ "": "b" }, '"" is no field name']
    ]
    for (const [fields, reason] of rows) {
      // Also behind a valid one, and when the record comes again.
      for (let round = 0; round < 3; round++) {
        assert.strictEqual(response(200, fields), reason)
        assert.strictEqual(request({ headers: fields }), reason)
        assert.strictEqual(trailers(fields), reason)
      }
    }
  })
  it("RFC 9113 §8.2.1: white space around a value is not sent", () => {
    for (let round = 0; round < 2; round++) {
      assert.deepStrictEqual(response(200, { a: " \tb c\t ", d: " " }), [":status=200", "a=b c", "d="])
    }
  })
  it("RFC 9113 §8.2.2: connection-specific fields are left out of heads", () => {
    const fields: FieldsInput = {
      Connection: "close",
      "keep-alive": "a",
      "proxy-connection": "b",
      "Transfer-Encoding": "chunked",
      Upgrade: ["c", "d"],
      x: "y"
    }
    assert.deepStrictEqual(response(200, fields), [":status=200", "x=y"])
    assert.deepStrictEqual(request({ headers: fields }), [
      ...[":method=GET", ":scheme=https", ":path=/", ":authority=a", "x=y"]
    ])
  })
  it("RFC 9113 §8.2.2: te is only in requests, and says only trailers", () => {
    const te = (value: string) => request({ headers: { TE: value } }).slice(4)
    assert.deepStrictEqual(te("trailers"), ["te=trailers"])
    assert.deepStrictEqual(te("gzip, Trailers"), ["te=trailers"])
    assert.deepStrictEqual(te("gzip"), [])
    assert.deepStrictEqual(response(200, { te: "trailers" }), [":status=200"])
  })
  it("RFC 7541 §7.1.3: nobody keeps secrets in tables", () => {
    const fields = { authorization: "Basic abc", "set-cookie": ["a=1", "b=2"] }
    const pair = new Pair()
    for (let round = 0; round < 3; round++) {
      const secrets = ["!authorization=Basic abc", "!set-cookie=a=1", "!set-cookie=b=2"]
      assert.deepStrictEqual(pair.response(200, fields), [":status=200", ...secrets])
      assert.deepStrictEqual(pair.request({ headers: fields }).slice(4), secrets)
    }
  })
  it("names and values that were seen before are checked as ever", () => {
    for (let round = 0; round < 2; round++) {
      assert.deepStrictEqual(response(200, { "x-a": "1", "X-A": "1" }), [":status=200", "x-a=1", "x-a=1"])
      assert.deepStrictEqual(response(200, { "x-a": ["1", "2", "1"] }), [":status=200", "x-a=1", "x-a=2", "x-a=1"])
      assert.deepStrictEqual(response(200, { "x-b": "y".repeat(300) }), [":status=200", `x-b=${"y".repeat(300)}`])
      assert.isString(response(200, { "x-a": "1\r\n" }))
    }
    for (let name = 0; name < 600; name++) {
      assert.deepStrictEqual(response(200, { [`X-${name}`]: "1" }), [":status=200", `x-${name}=1`])
    }
  })
})

describe("responses", () => {
  it("RFC 9113 §8.3.2: a status", () => {
    for (const status of [100, 103, 200, 204, 304, 404, 418, 599]) {
      // The second time from memory.
      for (let round = 0; round < 2; round++) assert.deepStrictEqual(response(status, {}), [`:status=${status}`])
    }
    for (const status of [0, 99, 600, 200.5, Number.NaN]) {
      assert.strictEqual(response(status, {}), `${status} is no status of HTTP/2`)
    }
  })
  it("RFC 9113 §8.6: there is no 101", () => {
    assert.strictEqual(response(101, {}), "101 is no status of HTTP/2")
  })
  it("RFC 9110 §8.6: content-length once, of the body or of the fields, which are true", () => {
    const rows: ReadonlyArray<
      readonly [status: number, own: string | undefined, lengthBytes: number | undefined, result: number | string]
    > = [
      [200, undefined, undefined, unannounced],
      [200, undefined, 0, 0],
      [200, undefined, 12, 12],
      [200, "12", undefined, 12],
      [200, "012", 12, 12],
      [200, "12", 13, "Content-Length is not true"],
      [200, "x", 12, "Content-Length is no number"],
      [304, "12", undefined, 12],
      // "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx or 204".
      [204, "12", 0, unannounced],
      [103, "12", undefined, unannounced]
    ]
    for (const [status, own, lengthBytes, result] of rows) {
      const pair = new Pair()
      const fields = { "Content-Length": own, a: "b" }
      for (let round = 0; round < 3; round++) {
        const lines = pair.response(status, fields, lengthBytes)
        if (typeof result === "string") assert.strictEqual(lines, result)
        else {
          const length = result === unannounced ? [] : [`content-length=${result}`]
          assert.deepStrictEqual([pair.result, lines], [result, [`:status=${status}`, "a=b", ...length]])
        }
      }
    }
    assert.strictEqual(response(200, { "content-length": ["1", "1"] }), "Content-Length is there twice")
    assert.strictEqual(response(200, { "content-length": "1", "Content-Length": "1" }), "Content-Length is there twice")
  })
  it("RFC 9110 §6.6.1: a date, where the fields have none", () => {
    for (const date of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"]) {
      for (let round = 0; round < 2; round++) {
        assert.deepStrictEqual(response(200, { a: "b" }, 1, date), [
          ...[":status=200", "a=b", "content-length=1", `date=${date}`]
        ])
      }
      assert.deepStrictEqual(response(200, { Date: "mine" }, undefined, date), [":status=200", "date=mine"])
    }
  })
  it("host is no field of a response", () => {
    assert.deepStrictEqual(response(200, { host: "a" }), [":status=200"])
  })
  it("a record that comes again is the same fields, on any connection, and smaller on none", () => {
    const fields = { "content-type": "text/plain", "x-a": "1", "content-length": "3" }
    const expected = [":status=200", "content-type=text/plain", "x-a=1", "content-length=3"]
    const pair = new Pair()
    for (let round = 0; round < 5; round++) {
      assert.deepStrictEqual(pair.response(200, fields, 3), expected)
      assert.deepStrictEqual(response(200, fields, undefined), expected)
    }
    // The same record in the other places.
    assert.deepStrictEqual(pair.request({ headers: fields }).slice(4), expected.slice(1))
    assert.strictEqual(pair.trailers(fields), "content-length cannot be a trailer")
  })
  it("a record that comes again takes nothing of the peer's table, others fill it", () => {
    const constant = { "x-long": "a value that is sent often" }
    response(200, constant)
    response(200, constant)
    response(200, {})
    const pair = new Pair()
    pair.response(200, constant)
    assert.strictEqual(pair.encoder.tableBytes, 0)
    pair.response(200, { "x-long": "a value that is sent once" })
    const first = pair.block.length
    pair.response(200, { "x-long": "a value that is sent once" })
    assert.isBelow(pair.block.length, first - 20)
  })
})

describe("requests", () => {
  it("RFC 9113 §8.3.1: pseudo-header fields first", () => {
    assert.deepStrictEqual(
      request({ method: "PUT", scheme: "http", authority: "a:80", path: "/b?c", headers: { d: "e" } }, 5),
      [...[":method=PUT", ":scheme=http", ":path=/b?c", ":authority=a:80", "d=e", "content-length=5"]]
    )
    assert.deepStrictEqual(request({ method: "OPTIONS", path: "*" })[2], ":path=*")
  })
  it("RFC 9113 §8.3.1: what is none is refused", () => {
    const rows: ReadonlyArray<readonly [parts: Partial<RequestParts>, reason: string]> = [
      [{ method: "" }, '"" is no method'],
      [{ method: "G T" }, '"G T" is no method'],
      [{ scheme: "ftp" as "http" }, 'the scheme "ftp"'],
      [{ authority: "u@a" }, '"u@a" is no authority for GET'],
      [{ authority: "a\r\n" }, '"a\\r\\n" is no authority for GET'],
      [{ path: undefined }, "undefined is no path for GET"],
      [{ path: "" }, '"" is no path for GET'],
      [{ path: "a" }, '"a" is no path for GET'],
      [{ path: "*" }, '"*" is no path for GET'],
      [{ path: "/a b" }, '"/a b" is no path for GET'],
      [{ path: "/#a" }, '"/#a" is no path for GET'],
      [{ path: "/\n" }, '"/\\n" is no path for GET'],
      [{ path: "/€" }, '"/€" is no path for GET']
    ]
    for (const [parts, reason] of rows) assert.strictEqual(request(parts), reason)
  })
  it("RFC 9113 §8.3.1: Host is sent as the authority, and not besides it", () => {
    for (let round = 0; round < 2; round++) {
      assert.deepStrictEqual(request({ headers: { Host: "b", x: "y" } }).slice(3), [":authority=b", "x=y"])
      assert.strictEqual(request({ headers: { host: "b c" } }), "Host is no host")
      assert.strictEqual(request({ headers: { host: ["b", "b"] } }), "Host is there twice")
    }
  })
  it("RFC 9113 §8.5: CONNECT has a host and a port, and nothing else", () => {
    const connect = { method: "CONNECT", path: undefined, authority: "a:1" }
    assert.deepStrictEqual(request({ ...connect, headers: { b: "c" } }, 0), [
      ":method=CONNECT",
      ":authority=a:1",
      "b=c"
    ])
    assert.strictEqual(request({ ...connect, authority: "a" }), '"a" is no authority for CONNECT')
    // An authority that is known to be valid without a port.
    request({ authority: "d" })
    assert.strictEqual(request({ ...connect, authority: "d" }), '"d" is no authority for CONNECT')
    assert.strictEqual(request({ ...connect, path: "/" }), "CONNECT has no path")
    assert.strictEqual(request({ ...connect, headers: { "content-length": "0" } }), "CONNECT has no content")
  })
  it("RFC 8441 §4: CONNECT with a protocol has scheme and path", () => {
    assert.deepStrictEqual(request({ method: "CONNECT", protocol: "websocket", path: "/chat" }), [
      ...[":method=CONNECT", ":scheme=https", ":path=/chat", ":authority=a", ":protocol=websocket"]
    ])
    const websocket = { method: "CONNECT", protocol: "websocket" }
    assert.strictEqual(request({ ...websocket, path: undefined }), "undefined is no path for CONNECT")
    assert.strictEqual(request({ ...websocket, path: "*" }), '"*" is no path for CONNECT')
    assert.strictEqual(request({ ...websocket, method: "GET" }), 'the protocol "websocket" with GET')
    assert.strictEqual(request({ ...websocket, protocol: "a b" }), 'the protocol "a b" with CONNECT')
  })
  it("a path that comes again is an index", () => {
    const pair = new Pair()
    pair.request({ path: "/grpc.Service/Method" })
    pair.request({ path: "/grpc.Service/Method" })
    assert.strictEqual(pair.block.length, 9 + 4)
  })
})

describe("trailers", () => {
  it("are fields", () => {
    const pair = new Pair()
    const constant = { "Grpc-Status": "0" }
    for (let round = 0; round < 4; round++) {
      assert.deepStrictEqual(pair.trailers(constant), ["grpc-status=0"])
      assert.deepStrictEqual(pair.response(200, { a: `${round}` }), [":status=200", `a=${round}`])
    }
    assert.deepStrictEqual(pair.trailers({}), [])
  })
  it("that leave later are those that were checked, whatever became of the record", () => {
    const fields: Record<string, string> = { A: "b" }
    const prepared = ofTrailers(fields)
    if (!(prepared instanceof Http2PreparedFields)) throw new Error(prepared.message)
    fields.A = "\n"
    const pair = new Pair()
    const later = pair.write((block, encoder) => void Http2HeadWriter.preparedTrailers(block, encoder, prepared))
    assert.deepStrictEqual(later, ["a=b"])
  })
  it("RFC 9110 §6.5.1: what a trailer cannot be is refused", () => {
    for (const name of ["content-length", "Transfer-Encoding", "connection", "te", "Host", "date", "authorization"]) {
      const fields = { a: "b", [name]: "1", c: "d" }
      for (let round = 0; round < 3; round++) {
        assert.strictEqual(trailers(fields), `${name.toLowerCase()} cannot be a trailer`)
      }
    }
  })
})

it("a table size that is due is told once, and not by what is refused", () => {
  const pair = new Pair()
  pair.encoder.setPeerMaxTableBytes(100)
  assert.isString(pair.response(200, { a: "\n" }))
  assert.deepStrictEqual(pair.response(200, { a: "b" }), [":status=200", "a=b"])
  pair.decoder.setMaxTableBytes(100)
  assert.deepStrictEqual(pair.response(200, { a: "b" }), [":status=200", "a=b"])
})

it("what is written is what the other side takes", () => {
  const block = new HpackBlock()
  const encoder = new HpackEncoder()
  const reader = new Http2HeaderBlock({
    maxListBytes: 9999,
    fieldCount: 9,
    continuationCount: 9,
    connectProtocol: true
  })
  const read = (kind: "request" | "response" | "trailers") => {
    reader.begin(kind)
    reader.receive(block.bytes, 9, block.length, false)
    const result = reader.end()
    block.begin(9)
    return result !== undefined && "list" in result ? result.list : result
  }
  block.begin(9)
  const parts = {
    method: "CONNECT",
    scheme: "https",
    authority: "a",
    path: "/",
    protocol: "p",
    headers: { te: "trailers" }
  } as const
  Http2HeadWriter.request(block, encoder, parts, undefined)
  assert.deepStrictEqual(read("request"), ["te", "trailers"])
  Http2HeadWriter.response(block, encoder, 200, { a: " b " }, 5, "now")
  assert.deepStrictEqual(read("response"), ["a", "b", "content-length", "5", "date", "now"])
  Http2HeadWriter.trailers(block, encoder, { C: "d" })
  assert.deepStrictEqual(read("trailers"), ["c", "d"])
})
