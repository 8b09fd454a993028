import { assert, describe, it } from "@effect/vitest"
import type * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { answering, answerTo, atEverySplit, bytes, type Conduct, refusal, ServerSide, sent } from "./Recorder.ts"

const host = "Host: a\r\n"
const get = `GET / HTTP/1.1\r\n${host}\r\n`

/** What a server hears and sends for `wire`, the same at every split. */
const serve = (wire: string, conduct: Conduct = answering, options: Http1Options.Options = {}) => {
  const [first, ...others] = atEverySplit(() => new ServerSide(conduct, options), wire).map((side) => ({
    calls: side.calls,
    sent: sent(side.engine),
    closing: side.engine.output.closing
  }))
  for (const other of others) assert.deepStrictEqual(other, first)
  return first!
}

describe("requests that are handed over", () => {
  const cases: ReadonlyArray<readonly [rule: string, wire: string, calls: ReadonlyArray<string>]> = [
    ["RFC 9112 §3: a request without fields but Host", get, ["GET / Empty"]],
    ["RFC 9112 §2.2: one empty line before a request line is passed over", `\r\n${get}`, ["GET / Empty"]],
    [
      "RFC 9112 §9.3.2: pipelined requests come in order",
      `${get}GET /b HTTP/1.1\r\n${host}\r\n${get}`,
      ["GET / Empty", "GET /b Empty", "GET / Empty"]
    ],
    [
      "RFC 9112 §6.2: a body by Content-Length",
      `POST /p HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello${get}`,
      ["POST /p Length 5", "body hello", "end", "GET / Empty"]
    ],
    [
      "RFC 9112 §6.2: a Content-Length of zeros",
      `POST /p HTTP/1.1\r\n${host}Content-Length: 000\r\n\r\n${get}`,
      ["POST /p Empty 0", "GET / Empty"]
    ],
    [
      "RFC 9112 §7.1: a body in chunks",
      `POST /p HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n, world, i\r\n0\r\n\r\n${get}`,
      ["POST /p Chunked", "body hello, world, i", "end", "GET / Empty"]
    ],
    [
      "RFC 9112 §7.1.2: trailers are kept apart from the head",
      `POST /p HTTP/1.1\r\n${host}Transfer-Encoding: Chunked\r\n\r\n0\r\nX-Sum: 1\r\nx-sum: 2 \r\n\r\n`,
      ["POST /p Chunked", 'end {"x-sum":"1, 2"}']
    ],
    [
      "RFC 9112 §3.2.2: the absolute form",
      `GET http://b:80/x?y HTTP/1.1\r\n${host}\r\n`,
      ["GET http://b:80/x?y Empty"]
    ],
    ["RFC 9112 §3.2.4: the asterisk form", `OPTIONS * HTTP/1.1\r\n${host}\r\n`, ["OPTIONS * Empty"]],
    ["RFC 9110 §2.5: HTTP/1.2 is taken for HTTP/1.1", `GET / HTTP/1.2\r\n${host}\r\n`, ["GET / Empty"]]
  ]
  for (const [rule, wire, calls] of cases) {
    it(rule, () => {
      const heard = serve(wire)
      assert.deepStrictEqual(heard.calls, calls)
      assert.strictEqual(heard.closing, "open")
      const requests = calls.filter((call) => /^[A-Z]/.test(call)).map((call) => call.split(" ").slice(0, 2).join(" "))
      assert.strictEqual(heard.sent, requests.map(answerTo).join(""))
    })
  }
  it("RFC 9112 §3.2.2: the authority of an absolute target counts, not that of Host", () => {
    const side = new ServerSide()
    side.engine.receive(bytes(`GET http://b:80/x HTTP/1.1\r\n${host}\r\n`), 0)
    assert.strictEqual(side.heads[0]?.authority, "b:80")
    assert.deepStrictEqual({ ...side.heads[0]?.headers() }, { host: "b:80" })
  })
})

describe("RFC 9112 §9.3: persistence", () => {
  const cases: ReadonlyArray<readonly [rule: string, head: string, connection: string, closing: "open" | "end"]> = [
    ["HTTP/1.1 goes on", `GET / HTTP/1.1\r\n${host}`, "", "open"],
    ["HTTP/1.1 with close ends", `GET / HTTP/1.1\r\n${host}Connection: x, Close\r\n`, "connection: close\r\n", "end"],
    [
      "close wins",
      `GET / HTTP/1.1\r\n${host}Connection: keep-alive\r\nConnection: close\r\n`,
      "connection: close\r\n",
      "end"
    ],
    ["HTTP/1.0 ends", "GET / HTTP/1.0\r\n", "connection: close\r\n", "end"],
    ["HTTP/1.0 that asks goes on", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", "connection: keep-alive\r\n", "open"]
  ]
  for (const [rule, head, connection, closing] of cases) {
    it(rule, () => {
      const heard = serve(`${head}\r\n${closing === "end" ? get : ""}`)
      assert.deepStrictEqual(heard.calls, ["GET / Empty"])
      assert.strictEqual(heard.sent, `HTTP/1.1 200 OK\r\ncontent-length: 5\r\n${connection}\r\nGET /`)
      assert.strictEqual(heard.closing, closing)
    })
  }
})

describe("requests that are refused", () => {
  const post = `POST / HTTP/1.1\r\n${host}`
  const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`
  const big = "x".repeat(8192)
  const cases: ReadonlyArray<readonly [rule: string, wire: string, tag: string, status: number, phrase?: string]> = [
    ["RFC 9112 §2.2: a second empty line", `\r\n\r\n${get}`, "MalformedHead", 400],
    ["RFC 9112 §2.2: a bare LF behind the request line", `GET / HTTP/1.1\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §2.2: a bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "MalformedHead", 400],
    [
      "RFC 9112 §2.2: a bare CR in a value (CVE-2023-30589)",
      "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
      "MalformedHead",
      400
    ],
    [
      "RFC 9112 §2.2: a bare CR that ends a field (CVE-2023-30589)",
      `${post}X:\rTransfer-Encoding: chunked\r\n\r\n`,
      "MalformedHead",
      400
    ],
    ["RFC 9112 §2.2: white space before the first field", `GET / HTTP/1.1\r\n ${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3: two spaces", `GET  / HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3: a tab", `GET\t/ HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3: a space before the method", ` GET / HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3: a space behind the version", `GET / HTTP/1.1 \r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3: no version (HTTP/0.9)", "GET /\r\n", "MalformedHead", 400],
    ["RFC 9112 §3.1: a method that is no token", `G(T / HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §2.3: a version in lower case", `GET / http/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §2.3: a version with two digits", `GET / HTTP/1.10\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9110 §15.6.6: HTTP/2.0", "PRI * HTTP/2.0\r\n\r\n", "UnsupportedVersion", 505, "HTTP Version Not Supported"],
    [
      "RFC 9110 §15.6.6: HTTP/0.9",
      `GET / HTTP/0.9\r\n${host}\r\n`,
      "UnsupportedVersion",
      505,
      "HTTP Version Not Supported"
    ],
    ["RFC 9112 §3.2: a fragment", `GET /#a HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3.2: a target that is not ASCII", `GET /\xe9 HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3.2: a control character in the target", `GET /\x01 HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3.2: a target of no form", `GET a HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3.2.3: CONNECT without a port", `CONNECT a HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3.2.3: the authority form without CONNECT", `GET a:80 HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    ["RFC 9112 §3.2.4: the asterisk form without OPTIONS", `GET * HTTP/1.1\r\n${host}\r\n`, "MalformedHead", 400],
    [
      "RFC 9110 §4.2.4: user information in the target",
      `GET http://u@a/ HTTP/1.1\r\n${host}\r\n`,
      "MalformedHead",
      400
    ],
    ["RFC 9112 §3.2: no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", "InvalidHost", 400],
    ["RFC 9112 §3.2: Host twice", `GET / HTTP/1.1\r\n${host}${host}\r\n`, "InvalidHost", 400],
    ["RFC 9112 §3.2: Host twice in HTTP/1.0", `GET / HTTP/1.0\r\n${host}${host}\r\n`, "InvalidHost", 400],
    ["RFC 9112 §3.2: Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "InvalidHost", 400],
    ["RFC 9112 §3.2: Host with user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "InvalidHost", 400],
    ["RFC 9112 §3.2 (stricter): an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "InvalidHost", 400],
    ["RFC 9112 §3.2 (stricter): Host as a list", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "InvalidHost", 400],
    ["RFC 9112 §3.2: a port that is none", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", "InvalidHost", 400],
    [
      "RFC 9112 §5.1: a space before the colon (CVE-2021-22959)",
      `${post}Content-Length : 5\r\n\r\nhello`,
      "MalformedHead",
      400
    ],
    [
      "RFC 9112 §5.1: a tab before the colon (CVE-2021-22959)",
      `${post}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n`,
      "MalformedHead",
      400
    ],
    ["RFC 9112 §5: a field without a colon", `${post}Content-Length\r\n\r\n`, "MalformedHead", 400],
    ["RFC 9112 §5: a field without a name", `${post}: a\r\n\r\n`, "MalformedHead", 400],
    ["RFC 9110 §5.1: a name that is no token", `${post}X[1]: a\r\n\r\n`, "MalformedHead", 400],
    ["RFC 9110 §5.1: a name that is not ASCII", `${post}X\xe9: a\r\n\r\n`, "MalformedHead", 400],
    ["RFC 9110 §5.5: NUL in a value", `${post}X: a\0b\r\n\r\n`, "MalformedHead", 400],
    ["RFC 9110 §5.5: DEL in a value", `${post}X: a\x7f\r\n\r\n`, "MalformedHead", 400],
    [
      "RFC 9110 §5.5: a vertical tab before a value",
      `${post}Transfer-Encoding:\x0bchunked\r\n\r\n`,
      "MalformedHead",
      400
    ],
    ["RFC 9112 §5.2: a folded line", `${post}X: a\r\n b\r\n\r\n`, "MalformedHead", 400],
    [
      "RFC 9112 §5.2: a folded line with a tab, hiding a coding",
      `${post}Transfer-Encoding:\r\n\tchunked\r\n\r\n`,
      "MalformedHead",
      400
    ],
    [
      "RFC 9112 §6.3: Content-Length with Transfer-Encoding",
      `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    [
      "RFC 9112 §6.3: Transfer-Encoding with Content-Length",
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    [
      "RFC 9112 §6.3: two different Content-Lengths",
      `${post}Content-Length: 4\r\nContent-Length: 5\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    [
      "RFC 9112 §6.3 (stricter): two equal Content-Lengths",
      `${post}Content-Length: 4\r\nContent-Length: 4\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    [
      "RFC 9112 §6.3 (stricter): a list of Content-Lengths",
      `${post}Content-Length: 4, 4\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    ["RFC 9112 §6.3: an empty Content-Length", `${post}Content-Length:\r\n\r\n`, "InvalidFraming", 400],
    ["RFC 9112 §6.3: a signed Content-Length", `${post}Content-Length: +4\r\n\r\n`, "InvalidFraming", 400],
    ["RFC 9112 §6.3: a negative Content-Length", `${post}Content-Length: -1\r\n\r\n`, "InvalidFraming", 400],
    ["RFC 9112 §6.3: a hexadecimal Content-Length", `${post}Content-Length: 0x4\r\n\r\n`, "InvalidFraming", 400],
    ["RFC 9112 §6.3: a Content-Length with a space in it", `${post}Content-Length: 1 0\r\n\r\n`, "InvalidFraming", 400],
    [
      "RFC 9112 §6.3: a Content-Length above 2^53 - 1",
      `${post}Content-Length: 9007199254740992\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    [
      "RFC 9112 §6.3: a Content-Length that wraps at 2^64",
      `${post}Content-Length: 18446744073709551620\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    [
      "RFC 9112 §6.1: Transfer-Encoding twice (CVE-2020-8287)",
      `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: eee\r\n\r\n0\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    [
      "RFC 9112 §6.1: Transfer-Encoding twice, chunked last (CVE-2020-8287)",
      `${post}Transfer-Encoding: eee\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    ["RFC 9112 §6.1: chunked twice", `${post}Transfer-Encoding: chunked, chunked\r\n\r\n`, "InvalidFraming", 400],
    [
      "RFC 9112 §6.1: Transfer-Encoding in HTTP/1.0",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "InvalidFraming",
      400
    ],
    [
      "RFC 9112 §6.3: chunked is not the last coding",
      `${post}Transfer-Encoding: chunked, gzip\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    ["RFC 9112 §6.3: no chunked at all", `${post}Transfer-Encoding: identity\r\n\r\n`, "InvalidFraming", 400],
    ["RFC 9112 §6.3: an empty Transfer-Encoding", `${post}Transfer-Encoding:\r\n\r\n`, "InvalidFraming", 400],
    [
      "RFC 9112 §6.3: a name that only looks like chunked",
      `${post}Transfer-Encoding: xchunked\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    [
      "RFC 9110 §5.6.1 (stricter): an empty member of the list",
      `${post}Transfer-Encoding: , chunked\r\n\r\n`,
      "InvalidFraming",
      400
    ],
    ["RFC 9112 §7.1: chunked with a parameter", `${post}Transfer-Encoding: chunked;a=b\r\n\r\n`, "InvalidFraming", 400],
    [
      "RFC 9112 §6.1: a coding below chunked",
      `${post}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      "UnsupportedCoding",
      501,
      "Not Implemented"
    ],
    [
      "RFC 9110 §9.3.6: CONNECT with a body",
      "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 4\r\n\r\n",
      "InvalidFraming",
      400
    ],
    [
      "RFC 9110 §10.1.1: another expectation",
      `${post}Expect: 200-ok\r\nContent-Length: 1\r\n\r\n`,
      "UnmetExpectation",
      417,
      "Expectation Failed"
    ],
    ["the request line above its limit", `GET /${big.slice(13)} HTTP/1.1\r\n`, "StartLineTooLong", 414, "URI Too Long"],
    [
      "a header section above its limit",
      `${get.slice(0, -2)}X: ${big}\r\nY: ${big}`,
      "FieldSectionTooLarge",
      431,
      "Request Header Fields Too Large"
    ],
    [
      "too many fields",
      `GET / HTTP/1.1\r\n${host}${"X: 1\r\n".repeat(100)}`,
      "FieldSectionTooLarge",
      431,
      "Request Header Fields Too Large"
    ]
  ]
  for (const [rule, wire, tag, status, phrase = "Bad Request"] of cases) {
    it(rule, () => {
      const long = wire.length > 2000
      const heard = long ? once(wire) : serve(wire)
      assert.deepStrictEqual(heard.calls, [`violation ${tag}`])
      assert.strictEqual(heard.sent, refusal(status, phrase))
      assert.strictEqual(heard.closing, "end")
    })
  }

  const bodies: ReadonlyArray<readonly [rule: string, wire: string, tag?: string]> = [
    ["RFC 9112 §7.1: a chunk size that is not hexadecimal", "5g\r\nhello\r\n"],
    ["RFC 9112 §7.1: an empty chunk size", "\r\nhello\r\n"],
    ["RFC 9112 §7.1: a chunk size behind a space", " 5\r\nhello\r\n"],
    ["RFC 9112 §7.1: a space behind a chunk size", "5 \r\nhello\r\n"],
    ["RFC 9112 §7.1: a signed chunk size", "+5\r\nhello\r\n"],
    ["RFC 9112 §7.1: a negative chunk size", "-5\r\nhello\r\n"],
    ["RFC 9112 §7.1: a chunk size with 0x", "0x5\r\nhello\r\n"],
    ["RFC 9112 §7.1: a chunk size with an underscore", "1_0\r\nhello\r\n"],
    ["RFC 9112 §7.1: a chunk size above 2^53 - 1", "20000000000000\r\nhello\r\n"],
    ["RFC 9112 §7.1: a chunk size that wraps at 2^64", "10000000000000005\r\nhello\r\n"],
    ["RFC 9112 §7.1: a bare LF behind a chunk size", "5\nhello\r\n"],
    ["RFC 9112 §7.1: a bare CR behind a chunk size", "5\rhello\r\n"],
    ["RFC 9112 §7.1.1: a bare semicolon", "5;\r\nhello\r\n"],
    ["RFC 9112 §7.1.1: an extension without its value", "5;a=\r\nhello\r\n"],
    ["RFC 9112 §7.1.1: an extension without its name", "5;=a\r\nhello\r\n"],
    ["RFC 9112 §7.1.1: a bare LF in an extension", "5;a\nb\r\nhello\r\n"],
    ["RFC 9112 §7.1.1: a bare CR in an extension", "5;a\rb\r\nhello\r\n"],
    ["RFC 9112 §7.1.1: CR LF in a quoted value", '5;a="\r\n"\r\nhello\r\n'],
    ["RFC 9112 §7.1.1: NUL in an extension", "5;a\0\r\nhello\r\n"],
    ["RFC 9112 §7.1.1: white space behind an extension", "5;a \r\nhello\r\n"]
  ]
  for (const [rule, wire] of bodies) {
    it(rule, () => {
      const heard = serve(chunked + wire)
      assert.deepStrictEqual(heard.calls, ["POST / Chunked", "violation MalformedChunk"])
      assert.strictEqual(heard.sent, refusal(400, "Bad Request"))
    })
  }
  it("RFC 9112 §7.1: data longer and shorter than its size", () => {
    for (const wire of ["4\r\nhello\r\n", "6\r\nhello\r\n0\r\n\r\n"]) {
      assert.deepStrictEqual(serve(chunked + wire).calls.at(-1), "violation MalformedChunk")
    }
  })
  it("RFC 9112 §7.1.1: extensions of the grammar are passed over", () => {
    const wire = '5 ; a\t;b = c;d="e\\"\xff;" \t;f\r\nhello\r\n0;z\r\n\r\n'
    assert.deepStrictEqual(serve(chunked + wire).calls, ["POST / Chunked", "body hello", "end"])
  })
  it("RFC 9110 §6.5.1: framing and routing in a trailer", () => {
    for (const field of ["Content-Length: 5", "Transfer-Encoding: chunked", "Host: b"]) {
      const heard = serve(`${chunked}0\r\n${field}\r\n\r\n`)
      assert.deepStrictEqual(heard.calls, ["POST / Chunked", "violation InvalidFraming"])
      assert.strictEqual(heard.sent, refusal(400, "Bad Request"))
    }
  })
  it("RFC 9112 §5: a trailer that is no field", () => {
    for (const field of [" a: b", "a : b", "a", "a: b\n"]) {
      assert.deepStrictEqual(serve(`${chunked}0\r\n${field}\r\n\r\n`).calls.at(-1), "violation MalformedHead")
    }
  })
  it("CVE-2024-22019: chunk extensions are counted over the whole body", () => {
    const wire = `${chunked}${`1;${"a".repeat(1000)}\r\nx\r\n`.repeat(20)}`
    const heard = once(wire)
    assert.deepStrictEqual(heard.calls, [
      "POST / Chunked",
      `body ${"x".repeat(16)}`,
      "violation ChunkExtensionsTooLarge"
    ])
    assert.strictEqual(heard.sent, refusal(400, "Bad Request"))
  })
  it("a trailer section above its limit", () => {
    assert.strictEqual(once(`${chunked}0\r\nA: ${"a".repeat(20_000)}`).calls.at(-1), "violation TrailerSectionTooLarge")
    assert.strictEqual(
      once(`${chunked}0\r\n${"A: a\r\n".repeat(101)}`).calls.at(-1),
      "violation TrailerSectionTooLarge"
    )
  })
  it("a body above its limit: announced, and in chunks", () => {
    const options = { maxBodySize: 4 }
    const announced = serve(`${post}Content-Length: 5\r\n\r\nhello`, answering, options)
    assert.deepStrictEqual(announced.calls, ["violation BodyTooLarge"])
    assert.strictEqual(announced.sent, refusal(413, "Content Too Large"))
    const inChunks = serve(`${chunked}3\r\nabc\r\n2\r\nde\r\n`, answering, options)
    assert.strictEqual(inChunks.calls.at(-1), "violation BodyTooLarge")
    assert.strictEqual(inChunks.sent, refusal(413, "Content Too Large"))
  })
  it("a peer that sends on behind its limits is given up at the same byte, however they are cut", () => {
    const early: Conduct = { onRequest: (_, { engine }) => void engine.respond({ status: 200, headers: {} }, "", 0) }
    // All of a chunk's data is one piece; of it, what is above the limit counts as received for nothing.
    for (const [size, closing] of [
      [9, "end"],
      [11, "abort"]
    ] as const) {
      const large = serve(`${chunked}${size.toString(16)}\r\n${"x".repeat(size)}`, answering, {
        maxBodySize: 4,
        maxDiscardSize: 4
      })
      assert.deepStrictEqual(large.calls, ["POST / Chunked", "body xxxx", "violation BodyTooLarge"])
      assert.strictEqual(large.closing, closing)
      const unwanted = serve(`${chunked}${size.toString(16)}\r\n${"x".repeat(size)}`, early, { maxDiscardSize: 6 })
      assert.deepStrictEqual(unwanted.calls, ["POST / Chunked"])
      assert.strictEqual(unwanted.closing, closing)
    }
  })
  it("a request line, a header section and fields at their limits", () => {
    const target = `/${"x".repeat(8192 - 14)}`
    assert.deepStrictEqual(once(`GET ${target} HTTP/1.1\r\n${host}\r\n`).calls, [`GET ${target} Empty`])
    const filled = `${host}X: ${"x".repeat(16384 - host.length - 5 - 2)}\r\n\r\n`
    assert.strictEqual(filled.length, 16384)
    assert.deepStrictEqual(once(`GET / HTTP/1.1\r\n${filled}`).calls, ["GET / Empty"])
    assert.deepStrictEqual(once(`GET / HTTP/1.1\r\n${host}${"X: 1\r\n".repeat(99)}\r\n`).calls, ["GET / Empty"])
  })
  it("nothing behind a refused request is read (smuggling)", () => {
    const heard = serve(`${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG${get}`)
    assert.deepStrictEqual(heard.calls, ["violation InvalidFraming"])
  })
  it("requests before a refused one are answered", () => {
    const heard = serve(`${get}GET / HTTP/1.1\r\n\r\n${get}`)
    assert.deepStrictEqual(heard.calls, ["GET / Empty", "violation InvalidHost"])
    assert.strictEqual(heard.sent, answerTo("GET /") + refusal(400, "Bad Request"))
  })
})

describe("commands", () => {
  const headers = {}
  /** A server that has received one request. */
  const asked = (wire: string, options: Http1Options.Options = {}) => {
    const side = new ServerSide({}, options)
    side.engine.receive(bytes(wire), 0)
    return side
  }
  const head = `HEAD / HTTP/1.1\r\n${host}\r\n`
  const old = "GET / HTTP/1.0\r\n\r\n"

  it("a whole response is one write", () => {
    const side = asked(get)
    side.engine.respond({ status: 200, headers: { "content-type": "text/plain" } }, "hi é", 0)
    const [only, ...others] = side.engine.output.take()
    assert.deepStrictEqual(others, [])
    assert.strictEqual(
      Buffer.from(only!).toString(),
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhi é"
    )
  })
  it("a large body is not copied", () => {
    const side = asked(get)
    const body = new Uint8Array(20_000)
    side.engine.respond({ status: 200, headers }, body, 0)
    assert.strictEqual(side.engine.output.take()[1], body)
  })
  it("RFC 9110 §6.6.1: Date from the engine's time, unless there is one", () => {
    const options = { epochOffsetMillis: 784_111_777_000 }
    const side = asked(get, options)
    side.engine.respond({ status: 200, headers }, "", 999)
    assert.include(sent(side.engine), "\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
    const own = asked(get, options)
    own.engine.respond({ status: 200, headers: { Date: "x" } }, "", 0)
    assert.strictEqual(sent(own.engine), "HTTP/1.1 200 OK\r\nDate: x\r\ncontent-length: 0\r\n\r\n")
    assert.include(
      asked("x\r\n", options)
        .engine.output.take()
        .map((one) => Buffer.from(one).toString())
        .join(""),
      "date: "
    )
  })
  const streamed: ReadonlyArray<
    readonly [
      rule: string,
      wire: string,
      parts: Parameters<ServerSide["engine"]["respond"]>[0],
      sent: string,
      closing: string
    ]
  > = [
    [
      "RFC 9112 §7.1: in chunks",
      get,
      { status: 200, headers },
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nt: 1\r\n\r\n",
      "open"
    ],
    [
      "RFC 9112 §6.2: by Content-Length, trailers dropped",
      get,
      { status: 200, headers: { "content-length": "3" } },
      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
      "open"
    ],
    [
      "RFC 9112 §6.1: to HTTP/1.0 until the close",
      old,
      { status: 200, headers },
      "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc",
      "end"
    ],
    [
      "RFC 9110 §9.3.2: to HEAD the head alone",
      head,
      { status: 200, headers: { "content-length": "3" } },
      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
      "open"
    ],
    [
      "RFC 9110 §15.3.5: 204 has neither body nor length",
      get,
      { status: 204, headers: { "content-length": "3" } },
      "HTTP/1.1 204 No Content\r\n\r\n",
      "open"
    ],
    [
      "RFC 9110 §15.4.5: 304 may have a length",
      get,
      { status: 304, headers: { "content-length": "3" } },
      "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n",
      "open"
    ],
    [
      "the caller's close",
      get,
      { status: 200, headers: { connection: "close, x", "content-length": "3" } },
      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close, x\r\n\r\nabc",
      "end"
    ]
  ]
  for (const [rule, wire, parts, expected, closing] of streamed) {
    it(rule, () => {
      const side = asked(wire)
      assert.isUndefined(side.engine.beginResponse(parts, 0))
      assert.isUndefined(side.engine.writeBody("ab", 0))
      assert.isUndefined(side.engine.writeBody(bytes("c"), 0))
      assert.isUndefined(side.engine.endBody({ t: "1" }, 0))
      assert.strictEqual(sent(side.engine), expected)
      assert.strictEqual(side.engine.output.closing, closing)
    })
  }
  it("whole responses without a body", () => {
    const wireOf = (wire: string, status: number, body?: string) => {
      const side = asked(wire)
      assert.isUndefined(side.engine.respond({ status, headers }, body, 0))
      return sent(side.engine)
    }
    assert.strictEqual(wireOf(head, 200, "abc"), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n")
    assert.strictEqual(wireOf(head, 200), "HTTP/1.1 200 OK\r\n\r\n")
    assert.strictEqual(wireOf(get, 204, "abc"), "HTTP/1.1 204 No Content\r\n\r\n")
    assert.strictEqual(wireOf(get, 205), "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n")
    assert.strictEqual(wireOf(get, 200), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
  })
  it("RFC 9112 §11.1: what could split a response is refused, and nothing of it is sent", () => {
    const bad = [
      { status: 200, headers: { x: "a\r\nset-cookie: b" } },
      { status: 200, headers: { x: ["a", "b\n"] } },
      { status: 200, headers: { "x: y\r\nz": "a" } },
      { status: 200, headers: { "": "a" } },
      { status: 200, headers: { x: "\u0100" } },
      { status: 200, statusText: "OK\r\nx: y", headers },
      { status: 200, headers: { "content-length": "7" } },
      { status: 200, headers: { "content-length": "x" } },
      { status: 200, headers: { "transfer-encoding": "gzip, chunked" } },
      { status: 200, headers: { connection: "a b" } },
      { status: 100, headers },
      { status: 600, headers },
      { status: 200.5, headers },
      { status: 205, headers }
    ]
    for (const parts of bad) {
      const side = asked(get)
      assert.strictEqual(side.engine.respond(parts, "a", 0)?._tag, "InvalidMessage", JSON.stringify(parts))
      assert.strictEqual(sent(side.engine), "")
      assert.isUndefined(side.engine.respond({ status: 500, headers }, "", 0))
    }
  })
  it("a body that is not as long as announced is refused", () => {
    const side = asked(get)
    side.engine.beginResponse({ status: 200, headers: { "content-length": "3" } }, 0)
    assert.strictEqual(side.engine.writeBody("abcd", 0)?._tag, "InvalidMessage")
    assert.isUndefined(side.engine.writeBody("ab", 0))
    assert.strictEqual(side.engine.endBody(undefined, 0)?._tag, "InvalidMessage")
    assert.strictEqual(side.engine.endBody({ host: "b" }, 0)?._tag, "InvalidMessage")
  })
  it("commands out of order are refused", () => {
    const side = asked("")
    assert.strictEqual(side.engine.respond({ status: 200, headers }, "", 0)?._tag, "OutOfOrder")
    side.engine.receive(bytes(get), 0)
    assert.strictEqual(side.engine.writeBody("a", 0)?._tag, "OutOfOrder")
    assert.strictEqual(side.engine.endBody(undefined, 0)?._tag, "OutOfOrder")
    assert.strictEqual(side.engine.sendRaw(bytes("a"), 0)?._tag, "OutOfOrder")
    side.engine.beginResponse({ status: 200, headers }, 0)
    assert.strictEqual(side.engine.beginResponse({ status: 200, headers }, 0)?._tag, "OutOfOrder")
    assert.strictEqual(side.engine.writeInterim(103, {}, 0)?._tag, "OutOfOrder")
  })
  it("Set-Cookie as a list is a field for each", () => {
    const side = asked(get)
    side.engine.respond({ status: 204, headers: { "set-cookie": ["a=1", "b=2"], x: undefined } }, undefined, 0)
    assert.strictEqual(sent(side.engine), "HTTP/1.1 204 No Content\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\n")
  })
  it("RFC 9110 §15.2: interim responses, and none to HTTP/1.0", () => {
    const side = asked(get)
    side.engine.writeInterim(103, { link: "</a>" }, 0)
    assert.strictEqual(sent(side.engine), "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
    assert.strictEqual(side.engine.writeInterim(101, {}, 0)?._tag, "InvalidMessage")
    assert.strictEqual(side.engine.writeInterim(200, {}, 0)?._tag, "InvalidMessage")
    const plain = asked(old)
    assert.isUndefined(plain.engine.writeInterim(103, {}, 0))
    assert.strictEqual(sent(plain.engine), "")
  })
})

describe("RFC 9110 §7.8: upgrades", () => {
  const upgrading = `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`
  const echo = { status: 101, headers: { upgrade: "echo" } }
  it("the rest of the bytes is handed over raw, at every split", () => {
    for (const side of atEverySplit(() => new ServerSide({}), `${upgrading}rest`)) {
      assert.isUndefined(side.engine.upgrade(echo, 0))
      assert.deepStrictEqual(side.calls, ["GET / Empty", "upgrade rest"])
      assert.strictEqual(
        sent(side.engine),
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n"
      )
      side.engine.receive(bytes("GET"), 0)
      assert.deepStrictEqual(side.calls.slice(2), ["raw GET"])
    }
  })
  it("RFC 9110 §9.3.6: CONNECT", () => {
    const connect = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
    const side = new ServerSide({})
    side.engine.receive(bytes(`${connect}rest`), 0)
    assert.strictEqual(side.engine.respond({ status: 200, headers: {} }, "", 0)?._tag, "InvalidMessage")
    assert.isUndefined(side.engine.upgrade({ status: 200, headers: {} }, 0))
    assert.strictEqual(sent(side.engine), "HTTP/1.1 200 OK\r\n\r\n")
    assert.deepStrictEqual(side.calls.at(-1), "upgrade rest")
  })
  it("what follows a CONNECT that was refused is not a request", () => {
    const heard = serve(`CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n${get}`, {
      onWhole: (_, { engine }) => engine.respond({ status: 403, headers: {} }, "", 0)
    })
    assert.deepStrictEqual(heard.calls, ["CONNECT a:1 Empty"])
    assert.strictEqual(heard.closing, "end")
  })
  it("is refused where the request did not ask, or goes on, or is HTTP/1.0", () => {
    const tagOf = (wire: string) => {
      const side = new ServerSide({})
      side.engine.receive(bytes(wire), 0)
      return side.engine.upgrade(echo, 0)?._tag
    }
    assert.strictEqual(tagOf(get), "InvalidMessage")
    assert.strictEqual(tagOf(`GET / HTTP/1.1\r\n${host}Upgrade: echo\r\n\r\n`), "InvalidMessage")
    assert.strictEqual(tagOf(upgrading.replace("1.1", "1.0")), "InvalidMessage")
    assert.strictEqual(tagOf(upgrading.replace("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\n")), "OutOfOrder")
  })
})

describe("an answer before the request is complete", () => {
  const post = (fields: string) => `POST / HTTP/1.1\r\n${host}${fields}\r\n`
  const early: Conduct = {
    onRequest: ({ target }, { engine }) => void engine.respond({ status: 200, headers: {} }, target, 0)
  }
  it("the rest is dropped, and the next request is handed over", () => {
    const heard = serve(`${post("Content-Length: 5\r\n")}hello${get}`, early)
    assert.deepStrictEqual(heard.calls, ["POST / Length 5", "GET / Empty"])
    assert.strictEqual(heard.closing, "open")
    const inChunks = serve(`${post("Transfer-Encoding: chunked\r\n")}5\r\nhello\r\n0\r\n\r\n${get}`, early)
    assert.deepStrictEqual(inChunks.calls, ["POST / Chunked", "GET / Empty"])
  })
  it("a rest that is announced as too large is not waited for", () => {
    const heard = serve(`${post("Content-Length: 11\r\n")}hello`, early, { maxDiscardSize: 10 })
    assert.include(heard.sent, "connection: close\r\n")
    assert.strictEqual(heard.closing, "end")
  })
  it("a rest that turns out to be too large ends the connection", () => {
    const heard = serve(`${post("Transfer-Encoding: chunked\r\n")}9\r\n${"x".repeat(9)}\r\n`, early, {
      maxDiscardSize: 10
    })
    assert.notInclude(heard.sent, "connection: close")
    assert.strictEqual(heard.closing, "end")
  })
  it("a rest that does not come ends the connection after 30 s", () => {
    const side = new ServerSide(early)
    side.engine.receive(bytes(`${post("Content-Length: 5\r\n")}h`), 0)
    side.engine.receive(bytes("e"), 20_000)
    side.engine.advance(29_999)
    assert.strictEqual(side.engine.output.closing, "open")
    side.engine.advance(30_000)
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("RFC 9110 §10.1.1: a client that still waits for 100 may send the body or not: close", () => {
    const heard = serve(post("Content-Length: 5\r\nExpect: 100-Continue\r\n"), early)
    assert.include(heard.sent, "connection: close\r\n")
    assert.strictEqual(heard.closing, "end")
  })
})

describe("drain", () => {
  it("a connection that has been idle for a while is closed at once", () => {
    for (const wire of ["", get]) {
      const side = new ServerSide(answering)
      if (wire !== "") side.engine.receive(bytes(wire), 0)
      side.engine.drain(1_001)
      assert.strictEqual(side.engine.output.closing, "end")
    }
  })
  it("one that was in use a moment ago is waited for: its next request may be on its way", () => {
    for (const wire of ["", get]) {
      const side = new ServerSide(answering)
      if (wire !== "") side.engine.receive(bytes(wire), 500)
      side.engine.drain(1_000)
      side.engine.advance(1_199)
      assert.strictEqual(side.engine.output.closing, "open")
      side.engine.advance(1_200)
      assert.strictEqual(side.engine.output.closing, "end")
    }
    const side = new ServerSide(answering)
    side.engine.drain(0)
    side.engine.receive(bytes(get), 100)
    assert.include(sent(side.engine), "connection: close\r\n")
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("a head that has begun, before or after, is waited for no longer than a second", () => {
    for (const begun of ["before", "after"]) {
      const side = new ServerSide(answering)
      if (begun === "before") side.engine.receive(bytes("GET"), 0)
      side.engine.drain(100)
      if (begun === "after") side.engine.receive(bytes("GET"), 100)
      side.engine.advance(1_099)
      assert.strictEqual(side.engine.output.closing, "open")
      side.engine.advance(1_100)
      assert.match(sent(side.engine), /^HTTP\/1.1 408 /)
      assert.strictEqual(side.engine.output.closing, "end")
    }
  })
  it("a request in flight is answered with close, and so is one whose head is coming", () => {
    for (const sofar of [get, "GET / HTTP/1.1\r\nHo"]) {
      const side = new ServerSide({})
      side.engine.receive(bytes(sofar), 0)
      side.engine.drain(0)
      assert.strictEqual(side.engine.output.closing, "open")
      if (sofar !== get) side.engine.receive(bytes(get.slice(sofar.length)), 0)
      side.engine.respond({ status: 204, headers: {} }, undefined, 0)
      assert.strictEqual(sent(side.engine), "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
      assert.strictEqual(side.engine.output.closing, "end")
    }
  })
})

/** Whole and byte by byte, for wires that are too long for every split. */
const once = (wire: string) => {
  const [whole, single] = [[bytes(wire)], Array.from(bytes(wire), (byte) => Uint8Array.of(byte))].map((chunks) => {
    const side = new ServerSide(answering)
    for (const chunk of chunks) side.engine.receive(chunk, 0)
    return { calls: side.calls, sent: sent(side.engine), closing: side.engine.output.closing }
  })
  assert.deepStrictEqual(single, whole)
  return whole!
}
