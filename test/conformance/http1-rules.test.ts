/**
 * The rules of messages that every HTTP/1.1 endpoint is held to (RFC 9112, and
 * RFC 9110 where it is about messages), as tables of wire bytes at every split,
 * for both roles: what the tests of the engine's parts do not have already, and
 * the attacks of the last years by their names.
 *
 * The table at the end says where each MUST has its test.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "vitest"
import {
  answering,
  answerTo,
  atEverySplit,
  bytes,
  ClientSide,
  refusal,
  ServerSide,
  sent
} from "../core/protocol/http1/Recorder.ts"

const host = "Host: a\r\n"
const get = `GET / HTTP/1.1\r\n${host}\r\n`
const head = `POST / HTTP/1.1\r\n${host}`
const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`
/** What a smuggled request would be. */
const admin = `GET /admin HTTP/1.1\r\n${host}\r\n`

/** What each split gives, which must be the same. */
const agreed = <A>(outcomes: ReadonlyArray<A>): A => {
  for (const outcome of outcomes) assert.deepStrictEqual(outcome, outcomes[0])
  return outcomes[0]!
}

const serve = (wire: string) =>
  agreed(
    atEverySplit(() => new ServerSide(answering), wire).map((side) => ({
      calls: side.calls,
      sent: sent(side.engine),
      closing: side.engine.output.closing
    }))
  )

const ask = (wire: string, method = "GET") =>
  agreed(
    atEverySplit(() => {
      const side = new ClientSide()
      side.engine.request({ method, target: "/", headers: { host: "a" } }, undefined, 0)
      sent(side.engine)
      return side
      // Whether something behind a response was there already when it ended is for the network to say.
    }, wire).map((side) => side.calls.map((call) => (call === "reusable" ? "closing" : call)))
  )

type Refused = readonly [rule: string, wire: string, violation: string, status?: number]

/** Refused with its status and `Connection: close`; nothing of it, and nothing behind it, is a request. */
const refuses = (rows: ReadonlyArray<Refused>): void => {
  for (const [rule, wire, violation, status = 400] of rows) {
    it(rule, () => {
      const heard = serve(wire + admin)
      assert.deepStrictEqual(heard.calls.at(-1), `violation ${violation}`)
      assert.isFalse(heard.calls.some((call) => call.includes("/admin")))
      assert.strictEqual(heard.sent, refusal(status, { 400: "Bad Request", 501: "Not Implemented" }[status] ?? ""))
      assert.strictEqual(heard.closing, "end")
    })
  }
}

describe("two lengths, or none that can be trusted", () => {
  refuses([
    [
      "RFC 9112 §6.3: CL.TE, a Content-Length that hides a request in chunks",
      `${head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "InvalidFraming"
    ],
    [
      "RFC 9112 §6.3: TE.CL, chunks that hide a request in a Content-Length",
      `${head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n`,
      "InvalidFraming"
    ],
    [
      "RFC 9112 §6.3: both, with one in other letters",
      `${head}content-length: 4\r\nTRANSFER-ENCODING: chunked\r\n\r\n0\r\n\r\n`,
      "InvalidFraming"
    ],
    [
      "RFC 9112 §6.3: both, and the length is 0",
      `${head}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "InvalidFraming"
    ],
    [
      "RFC 9112 §6.3: both, and neither is any good",
      `${head}Content-Length: x\r\nTransfer-Encoding: y\r\n\r\n`,
      "InvalidFraming"
    ],
    [
      "RFC 9112 §6.3: two lengths, in other letters",
      `${head}Content-Length: 0\r\ncontent-length: 5\r\n\r\n`,
      "InvalidFraming"
    ],
    [
      "RFC 9112 §6.3: two lengths, far apart",
      `${head}Content-Length: 5\r\nX: y\r\nContent-Length: 0\r\n\r\n`,
      "InvalidFraming"
    ],
    ["RFC 9110 §8.6: a length with a tab in it", `${head}Content-Length: 1\t0\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a length with NBSP before it", `${head}Content-Length: \xa05\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a length with an underscore", `${head}Content-Length: 1_0\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a length with a fraction", `${head}Content-Length: 5.0\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a length with an exponent", `${head}Content-Length: 1e1\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a length in octal", `${head}Content-Length: 0o7\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a length in quotes", `${head}Content-Length: "5"\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a length with a parameter", `${head}Content-Length: 5;a\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a list that ends in a comma", `${head}Content-Length: 5,\r\n\r\n`, "InvalidFraming"],
    ["RFC 9110 §8.6: a length of nothing but white space", `${head}Content-Length: \t\r\n\r\n`, "InvalidFraming"],
    [
      "RFC 9110 §9.3.6: CONNECT with chunks",
      "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "InvalidFraming"
    ]
  ])
  it("RFC 9112 §6.3: CL.0, a body where none is expected is a body all the same", () => {
    const heard = serve(`GET / HTTP/1.1\r\n${host}Content-Length: ${admin.length}\r\n\r\n${admin}${get}`)
    assert.deepStrictEqual(heard.calls, [`GET / Length ${admin.length}`, `body ${admin}`, "end", "GET / Empty"])
    assert.strictEqual(heard.sent, answerTo("GET /") + answerTo("GET /"))
  })
  it("RFC 9112 §6.3: TE.0, chunks where none are expected are chunks all the same", () => {
    const wire = `OPTIONS / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${admin.length.toString(16)}\r\n${admin}\r\n0\r\n\r\n${get}`
    assert.deepStrictEqual(serve(wire).calls, ["OPTIONS / Chunked", `body ${admin}`, "end", "GET / Empty"])
  })
  it("RFC 9112 §6.3: 0.CL, bytes behind a body of no length are the next request", () => {
    const heard = serve(`${head}Content-Length: 0\r\n\r\nhello\r\n${admin}`)
    assert.deepStrictEqual(heard.calls, ["POST / Empty 0", "violation MalformedHead"])
  })
  it("RFC 9112 §6.3: a HEAD with a body has one", () => {
    const heard = serve(`HEAD / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello${get}`)
    assert.deepStrictEqual(heard.calls, ["HEAD / Length 5", "body hello", "end", "GET / Empty"])
  })
  it("RFC 9110 §5.1: a name with an underscore is another field", () => {
    const heard = serve(`${head}Transfer_Encoding: chunked\r\nContent_Length: 9\r\n\r\n${get}`)
    assert.deepStrictEqual(heard.calls, ["POST / Empty", "GET / Empty"])
  })
})

describe("TE.TE: one coding that only some understand", () => {
  const coded = (line: string): string => `${head}${line}\r\n\r\n0\r\n\r\n`
  refuses([
    ["RFC 9112 §7: chunked in quotes", coded('Transfer-Encoding: "chunked"'), "InvalidFraming"],
    ["RFC 9112 §7: chunked and a space and more", coded("Transfer-Encoding: chunked x"), "InvalidFraming"],
    ["RFC 9112 §7: chunked and a semicolon", coded("Transfer-Encoding: chunked;"), "InvalidFraming"],
    ["RFC 9112 §7: chunked and a comma", coded("Transfer-Encoding: chunked,"), "InvalidFraming"],
    ["RFC 9112 §7: chunked behind NBSP", coded("Transfer-Encoding: \xa0chunked"), "InvalidFraming"],
    ["RFC 9112 §7: chunked behind a byte above 7F", coded("Transfer-Encoding: \xffchunked"), "InvalidFraming"],
    ["RFC 9112 §6.1: chunked and identity", coded("Transfer-Encoding: chunked, identity"), "InvalidFraming"],
    ["RFC 9112 §6.1: identity and chunked", coded("Transfer-Encoding: identity, chunked"), "UnsupportedCoding", 501],
    [
      "RFC 9112 §6.1: chunked in two lines",
      coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
      "InvalidFraming"
    ],
    [
      "RFC 9112 §6.1: chunked, and an empty second line",
      coded("Transfer-Encoding: chunked\r\nTransfer-Encoding:"),
      "InvalidFraming"
    ],
    ["RFC 9110 §5.5: NUL behind chunked", coded("Transfer-Encoding: chunked\0"), "MalformedHead"],
    ["RFC 9110 §5.5: a form feed before chunked", coded("Transfer-Encoding: \fchunked"), "MalformedHead"],
    ["RFC 9110 §5.1: NUL in the name", coded("Transfer\0-Encoding: chunked"), "MalformedHead"],
    ["RFC 9112 §5: a colon alone", coded(":Transfer-Encoding: chunked"), "MalformedHead"],
    ["RFC 9112 §5.1: NBSP before the colon", coded("Transfer-Encoding\xa0: chunked"), "MalformedHead"],
    ["RFC 9112 §2.2: a bare LF before the field", coded("X: y\nTransfer-Encoding: chunked"), "MalformedHead"],
    ["RFC 9112 §2.2: a bare CR before the field", coded("X: y\rTransfer-Encoding: chunked"), "MalformedHead"],
    ["RFC 9112 §2.2: a bare LF before the colon", coded("Transfer-Encoding\n: chunked"), "MalformedHead"],
    ["RFC 9112 §5.2: a name that is folded", coded("Transfer-Encoding\r\n : chunked"), "MalformedHead"],
    ["RFC 9112 §5.2: a line that begins with a space", coded(" Transfer-Encoding: chunked"), "MalformedHead"],
    ["RFC 9112 §5.2: a line of nothing but a space", coded(" "), "MalformedHead"]
  ])
  it("RFC 9112 §5.1: white space around the value is not its own", () => {
    assert.deepStrictEqual(serve(`${head}Transfer-Encoding:\t chunked\t \r\n\r\n0\r\n\r\n${get}`).calls, [
      "POST / Chunked",
      "end",
      "GET / Empty"
    ])
  })
})

describe("chunks that some read otherwise", () => {
  const rows: ReadonlyArray<readonly [rule: string, wire: string, violation?: string]> = [
    ["RFC 9112 §7.1: a last chunk with a sign", "+0\r\n\r\n"],
    ["RFC 9112 §7.1: a last chunk behind a space", " 0\r\n\r\n"],
    ["RFC 9112 §7.1: a last chunk before a space", "0 \r\n\r\n"],
    ["RFC 9112 §7.1: a last chunk with 0x", "0x0\r\n\r\n"],
    ["RFC 9112 §7.1: an empty line before the size", "\r\n0\r\n\r\n"],
    ["RFC 9112 §7.1: a bare LF behind the last chunk", "0\n\r\n"],
    ["RFC 9112 §7.1: a bare CR behind the last chunk", "0\r\r\n\r\n"],
    ["RFC 9112 §7.1: a comma behind the size", "5,\r\nhello\r\n0\r\n\r\n"],
    ["RFC 9112 §7.1: NUL behind the size", "5\0\r\nhello\r\n0\r\n\r\n"],
    ["RFC 9112 §7.1: a byte above 7F in the size", "5\xb2\r\nhello\r\n0\r\n\r\n"],
    ["RFC 9112 §7.1: two bytes behind the data that are not CR LF", "5\r\nhelloXX0\r\n\r\n"],
    ["RFC 9112 §7.1: LF CR behind the data", "5\r\nhello\n\r0\r\n\r\n"],
    ["RFC 9112 §7.1: no line end behind the data", "5\r\nhello0\r\n\r\n"],
    ["RFC 9112 §7.1.1: TERM.EXT, a bare LF that ends an extension", "5;\nhello\r\n0\r\n\r\n"],
    ["RFC 9112 §7.1.1: EXT.TERM, a bare LF within a quoted value", '5;a="\n"\r\nhello\r\n0\r\n\r\n'],
    ["RFC 9112 §7.1.1: an escaped LF within a quoted value", '5;a="\\\n"\r\nhello\r\n0\r\n\r\n'],
    ["RFC 9112 §7.1.1: a quoted value that does not end", '5;a="b\r\nhello\r\n0\r\n\r\n'],
    ["RFC 9112 §7.1.1: something behind a quoted value", '5;a="b"c\r\nhello\r\n0\r\n\r\n'],
    ["RFC 9112 §7.1.1: two semicolons", "5;;a\r\nhello\r\n0\r\n\r\n"],
    ["RFC 9112 §7.1.1: a byte above 7F that is not quoted", "5;\xe9\r\nhello\r\n0\r\n\r\n"],
    ["RFC 9112 §7.1.2: a request in place of the trailers", `0\r\n${get}`, "MalformedHead"],
    ["RFC 9112 §7.1.2: a bare LF in place of the last line", "0\r\n\n", "MalformedHead"],
    ["RFC 9112 §7.1.2: a bare CR in place of the last line", "0\r\n\rX", "MalformedHead"],
    ["RFC 9112 §5.2: a folded trailer", "0\r\nX: a\r\n b\r\n\r\n", "MalformedHead"],
    ["RFC 9110 §5.5: NUL in a trailer", "0\r\nX: a\0\r\n\r\n", "MalformedHead"]
  ]
  for (const [rule, wire, violation = "MalformedChunk"] of rows) {
    it(rule, () => {
      const heard = serve(chunked + wire + admin)
      assert.deepStrictEqual(
        heard.calls.filter((call) => !call.startsWith("body ")),
        ["POST / Chunked", `violation ${violation}`]
      )
      assert.strictEqual(heard.sent, refusal(400, "Bad Request"))
    })
  }
  it("RFC 9112 §7.1: a last chunk of many zeros, with an extension", () => {
    assert.deepStrictEqual(serve(`${chunked}000;a=b\r\n\r\n${get}`).calls, ["POST / Chunked", "end", "GET / Empty"])
  })
  it("RFC 9112 §7.1: data that looks like framing is data", () => {
    const data = `0\r\n\r\n${admin}`
    assert.deepStrictEqual(serve(`${chunked}${data.length.toString(16)}\r\n${data}\r\n0\r\n\r\n`).calls, [
      "POST / Chunked",
      `body ${data}`,
      "end"
    ])
  })
})

describe("RFC 9112 §3.2: who is asked", () => {
  const asked = (line: string): string => `GET / HTTP/1.1\r\n${line}\r\n\r\n`
  refuses([
    ["Host twice, in other letters", asked("Host: a\r\nhOST: a"), "InvalidHost"],
    ["Host twice, the second one empty", asked("Host: a\r\nHost:"), "InvalidHost"],
    ["Host twice, beside an absolute target", `GET http://a/ HTTP/1.1\r\n${host}${host}\r\n`, "InvalidHost"],
    ["no Host beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", "InvalidHost"],
    ["a Host with a space in it", asked("Host: a b"), "InvalidHost"],
    ["a Host with a tab in it", asked("Host: a\tb"), "InvalidHost"],
    ["a Host with a fragment", asked("Host: a#b"), "InvalidHost"],
    ["a Host with a question mark", asked("Host: a?b"), "InvalidHost"],
    ["a Host with a backslash", asked("Host: a\\b"), "InvalidHost"],
    ["a Host with two ports", asked("Host: a:80:80"), "InvalidHost"],
    ["a Host with a negative port", asked("Host: a:-1"), "InvalidHost"],
    ["a Host with a port above 65535", asked("Host: a:65536"), "InvalidHost"],
    ["a Host with a scheme", asked("Host: http://a"), "InvalidHost"],
    ["a Host with a bracket that does not close", asked("Host: [::1"), "InvalidHost"],
    ["a Host that is not ASCII", asked("Host: \xe9"), "InvalidHost"],
    ["a Host that is folded", asked("Host:\r\n a"), "MalformedHead"],
    ["a Host with a space before the colon", asked("Host : a"), "MalformedHead"],
    ["a Host with NUL", asked("Host: a\0b"), "MalformedHead"],
    ["a target with user information", `GET http://a@b/ HTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["a target with a port that is none", `GET http://a:b/ HTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["a target with a backslash for a host", `GET http:\\\\a/ HTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["a target of a question mark", `GET ?a HTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["CONNECT to a path", `CONNECT /admin HTTP/1.1\r\n${host}\r\n`, "MalformedHead"]
  ])
})

describe("RFC 9112 §2.2 and §3: lines", () => {
  refuses([
    ["RFC 9112 §2.2: CR alone for every line end", "GET / HTTP/1.1\rHost: a\r\r", "MalformedHead"],
    ["RFC 9112 §2.2: LF alone for every line end", "GET / HTTP/1.1\nHost: a\n\n", "MalformedHead"],
    ["RFC 9112 §2.2: CR CR LF", `GET / HTTP/1.1\r\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §2.2: a bare LF before a request", `\n${get}`, "MalformedHead"],
    ["RFC 9112 §2.2: a bare CR before a request", `\r${get}`, "MalformedHead"],
    ["RFC 9112 §2.2: a bare LF for the last line", `GET / HTTP/1.1\r\n${host}\n`, "MalformedHead"],
    ["RFC 9112 §2.2: a tab before the first field", `GET / HTTP/1.1\r\n\t${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §3: NUL before the method", `\0${get}`, "MalformedHead"],
    ["RFC 9112 §3: NUL in the target", `GET /\0 HTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §3: a vertical tab for a space", `GET /\vHTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §3: two spaces before the version", `GET /  HTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §3: three targets", `GET / /admin HTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §3: no target", `GET HTTP/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §2.3: a space within the version", `GET / HTTP/ 1.1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §2.3: a comma within the version", `GET / HTTP/1,1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §2.3: a version without a minor one", `GET / HTTP/1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §2.3: another protocol", `GET / ICY/1.1\r\n${host}\r\n`, "MalformedHead"],
    ["RFC 9112 §2.3: NUL behind the version", `GET / HTTP/1.1\0\r\n${host}\r\n`, "MalformedHead"]
  ])
})

describe("what others were attacked with", () => {
  refuses([
    ["CVE-2018-7159: a space within a Content-Length", `${head}Content-Length: 1 2\r\n\r\n`, "InvalidFraming"],
    [
      "CVE-2019-15605: a vertical tab before chunked",
      `${head}Content-Length: 5\r\nTransfer-Encoding: \vchunked\r\n\r\n`,
      "MalformedHead"
    ],
    ["CVE-2019-16276: a space before the colon", `${head}Content-Length : 5\r\n\r\n`, "MalformedHead"],
    ["CVE-2020-8201: CR for a hyphen", `${head}Transfer\rEncoding: chunked\r\n\r\n`, "MalformedHead"],
    [
      "CVE-2020-8287: two Transfer-Encodings, of which the first is chunked",
      `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked-false\r\n\r\n0\r\n\r\n`,
      "InvalidFraming"
    ],
    [
      "CVE-2021-22959: a space before the colon of a coding",
      `${head}Transfer-Encoding : chunked\r\n\r\n`,
      "MalformedHead"
    ],
    ["CVE-2021-22960: CR within a chunk extension", `${chunked}1;a\rb\r\nx\r\n0\r\n\r\n`, "MalformedChunk"],
    [
      "CVE-2022-32213: a coding that only begins with chunked",
      `${head}Transfer-Encoding: chunkedchunked\r\n\r\n`,
      "InvalidFraming"
    ],
    ["CVE-2022-32214: a field that ends in LF", `${head}X: y\nContent-Length: 5\r\n\r\n`, "MalformedHead"],
    [
      "CVE-2022-32215: a coding in more than one line",
      `${head}Transfer-Encoding: chunked\r\n , identity\r\n\r\n`,
      "MalformedHead"
    ],
    ["CVE-2022-35256: a field that ends in CR", `${head}X: y\rContent-Length: 5\r\n\r\n`, "MalformedHead"],
    ["CVE-2023-30589: CR ends the head", `${head}X: y\r\r\n\r\n`, "MalformedHead"],
    ["CVE-2024-27982: a space before Content-Length", `${head} Content-Length: 5\r\n\r\n`, "MalformedHead"],
    ["CVE-2025-23167: CR LF CR and another byte end the head", `${head}\r${get}`, "MalformedHead"]
  ])
  it("CVE-2018-12116: a character above U+00FF is not cut down to CR, LF or a space", () => {
    const bad = [
      { method: "GET", target: "/\u010d\u010aX:y", headers: { host: "a" } },
      { method: "GET", target: "/\u0120HTTP", headers: { host: "a" } },
      { method: "GE\u010a", target: "/", headers: { host: "a" } },
      { method: "GET", target: "/", headers: { host: "a\u010d" } },
      { method: "GET", target: "/", headers: { host: "a", x: "y\u010d\u010az: 1" } },
      { method: "GET", target: "/", headers: { host: "a", "x\u010a": "y" } }
    ]
    for (const parts of bad) {
      const side = new ClientSide()
      assert.strictEqual(side.engine.request(parts, undefined, 0)?._tag, "InvalidMessage", JSON.stringify(parts))
      assert.strictEqual(sent(side.engine), "")
    }
  })
})

describe("responses", () => {
  const ok = "HTTP/1.1 200 OK\r\n"
  const inChunks = `${ok}Transfer-Encoding: chunked\r\n\r\n`
  const rows: ReadonlyArray<readonly [rule: string, wire: string, violation: string]> = [
    ["RFC 9112 §2.2: a bare LF behind the status line", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", "MalformedHead"],
    ["RFC 9112 §2.2: a bare LF behind a field", `${ok}Content-Length: 0\n\r\n`, "MalformedHead"],
    ["RFC 9112 §2.2: a bare CR in a value", `${ok}X: a\rb\r\n\r\n`, "MalformedHead"],
    ["RFC 9112 §4: no status", "HTTP/1.1 \r\n\r\n", "MalformedHead"],
    ["RFC 9112 §4: two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n", "MalformedHead"],
    ["RFC 9112 §4: a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "MalformedHead"],
    ["RFC 9112 §4: a status with a sign", "HTTP/1.1 +20 OK\r\n\r\n", "MalformedHead"],
    ["RFC 9112 §4: NUL in the phrase", "HTTP/1.1 200 O\0K\r\n\r\n", "MalformedHead"],
    ["RFC 9112 §2.3: another protocol", "ICY/1.1 200 OK\r\n\r\n", "MalformedHead"],
    ["RFC 9112 §2.3: no protocol", "200 OK\r\n\r\n", "MalformedHead"],
    ["RFC 9112 §5.1: a space before the colon", `${ok}Content-Length : 0\r\n\r\n`, "MalformedHead"],
    ["RFC 9112 §5.2 (stricter): a folded line", `${ok}X: a\r\n b\r\n\r\n`, "MalformedHead"],
    ["RFC 9110 §5.5: NUL in a value", `${ok}X: a\0b\r\n\r\n`, "MalformedHead"],
    ["RFC 9112 §6.1: a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "InvalidFraming"],
    [
      "RFC 9112 §6.1: a coding twice",
      `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "InvalidFraming"
    ],
    ["RFC 9112 §6.1: chunked and something else", `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n`, "InvalidFraming"],
    ["RFC 9112 §6.1: something else and chunked", `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, "UnsupportedCoding"],
    ["RFC 9112 §6.3: a length that is none", `${ok}Content-Length: 1x\r\n\r\n`, "InvalidFraming"],
    ["RFC 9112 §6.3 (stricter): a list of lengths", `${ok}Content-Length: 5, 5\r\n\r\n`, "InvalidFraming"],
    [
      "RFC 9112 §6.3 (stricter): two equal lengths",
      `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`,
      "InvalidFraming"
    ],
    ["RFC 9112 §7.1: a chunk size that is none", `${inChunks}x\r\n`, "MalformedChunk"],
    ["RFC 9112 §7.1: a bare LF behind a chunk size", `${inChunks}1\nx\r\n`, "MalformedChunk"],
    ["RFC 9112 §7.1: data longer than its chunk", `${inChunks}1\r\nxy\r\n`, "MalformedChunk"],
    ["RFC 9112 §7.1: a chunk size that wraps", `${inChunks}ffffffffffffffff0\r\n`, "MalformedChunk"],
    ["RFC 9110 §6.5.1: framing in a trailer", `${inChunks}0\r\nContent-Length: 5\r\n\r\n`, "InvalidFraming"],
    ["RFC 9112 §5: a trailer that is no field", `${inChunks}0\r\nabc\r\n\r\n`, "MalformedHead"]
  ]
  for (const [rule, wire, violation] of rows) {
    it(rule, () => {
      const calls = ask(wire)
      assert.strictEqual(calls.at(-1), `violation ${violation}`)
      assert.isFalse(calls.includes("end"))
    })
  }
  it("RFC 9112 §6.3: fields do not frame a response that has no body", () => {
    const fields = "Content-Length: 5\r\n\r\n"
    assert.deepStrictEqual(ask(`HTTP/1.1 204 \r\n${fields}`), ["204 Empty 5", "closing"])
    assert.deepStrictEqual(ask(`HTTP/1.1 304 \r\nTransfer-Encoding: chunked\r\n${fields}`), ["304 Empty 5", "closing"])
    assert.deepStrictEqual(ask(`${ok}Transfer-Encoding: chunked\r\n\r\n`, "HEAD"), ["200 Empty", "closing"])
    assert.deepStrictEqual(ask(`HTTP/1.1 103 \r\n${fields}HTTP/1.1 204 \r\n\r\n`), [
      "interim 103",
      "204 Empty",
      "closing"
    ])
  })
  it("RFC 9112 §9.6: the close of an interim response is not that of the final one", () => {
    const side = new ClientSide()
    side.engine.request({ method: "GET", target: "/", headers: { host: "a" } }, undefined, 0)
    side.engine.receive(bytes("HTTP/1.1 103 \r\nConnection: close\r\n\r\nHTTP/1.1 204 \r\n\r\n"), 0)
    assert.deepStrictEqual(side.calls, ["interim 103", "204 Empty", "reusable"])
  })
})

describe("what is sent", () => {
  const answered = (wire: string, run: (side: ServerSide) => unknown): string => {
    const side = new ServerSide()
    side.engine.receive(bytes(wire), 0)
    assert.isUndefined(run(side))
    return sent(side.engine)
  }
  it("RFC 9112 §6.2: no Content-Length beside Transfer-Encoding", () => {
    const headers = { "transfer-encoding": "chunked", "content-length": "1" }
    assert.strictEqual(
      answered(get, ({ engine }) => engine.beginResponse({ status: 200, headers }, 0)),
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n"
    )
  })
  it("RFC 9112 §6.1: no Transfer-Encoding in 1xx, 204 and 304, nor to HEAD, nor to HTTP/1.0", () => {
    const headers = { "transfer-encoding": "chunked" }
    const interim = answered(get, ({ engine }) => engine.writeInterim(103, headers, 0))
    assert.strictEqual(interim, "HTTP/1.1 103 Early Hints\r\n\r\n")
    for (const status of [204, 304]) {
      assert.notInclude(
        answered(get, ({ engine }) => engine.beginResponse({ status, headers }, 0)),
        "transfer-encoding"
      )
    }
    for (const wire of [`HEAD / HTTP/1.1\r\n${host}\r\n`, "GET / HTTP/1.0\r\n\r\n"]) {
      assert.notInclude(
        answered(wire, ({ engine }) => engine.beginResponse({ status: 200, headers }, 0)),
        "transfer-encoding"
      )
    }
  })
  it("RFC 9110 §8.6: no Content-Length in 1xx and 204, nor in a tunnel", () => {
    const headers = { "content-length": "0" }
    const connect = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
    for (const wire of [
      answered(get, ({ engine }) => engine.writeInterim(103, headers, 0)),
      answered(get, ({ engine }) => engine.respond({ status: 204, headers }, undefined, 0)),
      answered(connect, ({ engine }) => engine.upgrade({ status: 200, headers }, 0))
    ]) {
      assert.notInclude(wire, "content-length")
    }
  })
  it("RFC 9110 §7.8: 101 names the protocol, in Upgrade and in Connection", () => {
    const wire = `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`
    const side = new ServerSide()
    side.engine.receive(bytes(wire), 0)
    assert.strictEqual(side.engine.upgrade({ status: 101, headers: {} }, 0)?._tag, "InvalidMessage")
    assert.isUndefined(side.engine.upgrade({ status: 101, headers: { upgrade: "echo" } }, 0))
    assert.include(sent(side.engine), "\r\nupgrade: echo\r\nconnection: upgrade\r\n")
  })
  it("RFC 9112 §9.6: behind its own close a client sends no more", () => {
    const side = new ClientSide()
    const parts = { method: "GET", target: "/", headers: { host: "a", connection: "close" } }
    assert.isUndefined(side.engine.request(parts, undefined, 0))
    side.engine.receive(bytes("HTTP/1.1 204 \r\n\r\n"), 0)
    assert.strictEqual(side.calls.at(-1), "closing")
    assert.strictEqual(side.engine.request(parts, undefined, 0)?._tag, "ConnectionEnded")
  })
})

/** The MUSTs, and the test of each: a file beside the sources' tests, or this one; and the words of its name. */
const server = "Http1Server"
const client = "Http1Client"
const writer = "Http1HeadWriter"
const here = "http1-rules"
const musts: ReadonlyArray<readonly [must: string, file: string, test: string]> = [
  ["RFC 9112 §2.2: a message is parsed as octets", "Http1Fields", "white space around a value is not its own; NBSP is"],
  ["RFC 9112 §2.2: a bare CR is invalid, or replaced", server, "RFC 9112 §2.2: a bare CR in a value (CVE-2023-30589)"],
  [
    "RFC 9112 §2.2: white space before the first field is refused, or passed over",
    server,
    "RFC 9112 §2.2: white space before the first field"
  ],
  [
    "RFC 9112 §2.2: a client sends no empty lines around a request",
    client,
    "RFC 9112 §3.2: Host is first, and has to be known"
  ],
  ["RFC 9112 §2.3: the version is in upper case", server, "RFC 9112 §2.3: a version in lower case"],
  ["RFC 9112 §3: a target above what is parsed is answered with 414", server, "the request line above its limit"],
  ["RFC 9112 §3.2: Host is sent with every request", client, "RFC 9112 §3.2: Host is first, and has to be known"],
  ["RFC 9112 §3.2: a request without Host is answered with 400", server, "RFC 9112 §3.2: no Host"],
  ["RFC 9112 §3.2: one with two is, too", server, "RFC 9112 §3.2: Host twice"],
  ["RFC 9112 §3.2: one with an invalid value is, too", server, "RFC 9112 §3.2: Host with a path"],
  ["RFC 9112 §3.2.2: a server takes the absolute form", server, "RFC 9112 §3.2.2: the absolute form"],
  [
    "RFC 9112 §3.2.2: and ignores Host then",
    server,
    "RFC 9112 §3.2.2: the authority of an absolute target counts, not that of Host"
  ],
  ["RFC 9112 §3.2.3: CONNECT has a host and a port", server, "RFC 9112 §3.2.3: CONNECT without a port"],
  ["RFC 9112 §4: there is a space behind the status without a phrase", writer, "RFC 9112 §4: status lines"],
  [
    "RFC 9112 §5.1: white space before a colon is answered with 400",
    server,
    "RFC 9112 §5.1: a space before the colon (CVE-2021-22959)"
  ],
  [
    "RFC 9112 §5.1: white space around a value is excluded",
    here,
    "RFC 9112 §5.1: white space around the value is not its own"
  ],
  ["RFC 9112 §5.2: no folded line is sent", writer, "RFC 9112 §11.1: what could split a message is refused"],
  ["RFC 9112 §5.2: a folded line is answered with 400, or joined", server, "RFC 9112 §5.2: a folded line"],
  ["RFC 9112 §6.1: chunked is applied once, and last", server, "RFC 9112 §6.1: chunked twice"],
  [
    "RFC 9112 §6.1: no coding in 1xx, 204 and 2xx to CONNECT",
    here,
    "RFC 9112 §6.1: no Transfer-Encoding in 1xx, 204 and 304, nor to HEAD, nor to HTTP/1.0"
  ],
  ["RFC 9112 §6.1: no coding to HTTP/1.0", server, "RFC 9112 §6.1: to HTTP/1.0 until the close"],
  ["RFC 9112 §6.1: both lengths end the connection", server, "nothing behind a refused request is read (smuggling)"],
  [
    "RFC 9112 §6.1: a coding in HTTP/1.0 is faulty, and ends the connection",
    server,
    "RFC 9112 §6.1: Transfer-Encoding in HTTP/1.0"
  ],
  [
    "RFC 9112 §6.2: no Content-Length beside Transfer-Encoding",
    here,
    "RFC 9112 §6.2: no Content-Length beside Transfer-Encoding"
  ],
  [
    "RFC 9112 §6.3 rule 1: HEAD, 1xx, 204 and 304 have no body",
    here,
    "RFC 9112 §6.3: fields do not frame a response that has no body"
  ],
  ["RFC 9112 §6.3 rule 2: a 2xx to CONNECT is a tunnel, whatever its fields say", client, "RFC 9110 §9.3.6: a tunnel"],
  [
    "RFC 9112 §6.3 rule 3: the lengths are not mixed",
    here,
    "RFC 9112 §6.3: CL.TE, a Content-Length that hides a request in chunks"
  ],
  [
    "RFC 9112 §6.3 rule 4: a request that does not end in chunked is answered with 400",
    server,
    "RFC 9112 §6.3: chunked is not the last coding"
  ],
  [
    "RFC 9112 §6.3 rule 5: an invalid length is answered with 400",
    server,
    "RFC 9112 §6.3: two different Content-Lengths"
  ],
  ["RFC 9112 §6.3 rule 5: a client gives an invalid one up", client, "RFC 9112 §6.3: two lengths"],
  [
    "RFC 9112 §6.3 rule 6: less than the length is incomplete",
    client,
    "a response that does not come to its end says what had come"
  ],
  ["RFC 9112 §6.3 rule 8: until the close", client, "RFC 9112 §6.3 rule 8: until the connection closes"],
  ["RFC 9112 §7.1: chunked is understood", server, "RFC 9112 §7.1: a body in chunks"],
  ["RFC 9112 §7.1: large sizes do not overflow", server, "RFC 9112 §7.1: a chunk size that wraps at 2^64"],
  [
    "RFC 9112 §7.1.1: extensions that are not known are ignored",
    server,
    "RFC 9112 §7.1.1: extensions of the grammar are passed over"
  ],
  [
    "RFC 9112 §7.1.1: their size is limited",
    server,
    "CVE-2024-22019: chunk extensions are counted over the whole body"
  ],
  ["RFC 9112 §7.1.2: trailers are not merged", server, "RFC 9112 §7.1.2: trailers are kept apart from the head"],
  [
    "RFC 9112 §8: an incomplete request is answered with an error, or dropped",
    "Http1Connection",
    "RFC 9112 §8: the peer ends in a head, or in a body: 400"
  ],
  [
    "RFC 9112 §8: an incomplete response is told as such",
    client,
    "RFC 9112 §6.3 rule 8: a transport that is lost is no end of a body"
  ],
  ["RFC 9112 §9.2: a response without a request ends the connection", client, "bytes on an idle connection"],
  ["RFC 9112 §9.3: close, version and keep-alive say whether it goes on", "Http1Head", "RFC 9112 §9.3: persistence"],
  [
    "RFC 9112 §9.3: a server reads all of a request, or closes",
    server,
    "a rest that turns out to be too large ends the connection"
  ],
  [
    "RFC 9112 §9.3: a client reads all of a response, or closes",
    client,
    "bytes behind a response are not the answer to the next request"
  ],
  [
    "RFC 9112 §9.3.2: answers come in the order of the requests",
    server,
    "RFC 9112 §9.3.2: pipelined requests come in order"
  ],
  ["RFC 9112 §9.6: behind close no request is read", server, "HTTP/1.1 with close ends"],
  [
    "RFC 9112 §9.6: behind close no request is sent",
    here,
    "RFC 9112 §9.6: behind its own close a client sends no more"
  ],
  [
    "RFC 9112 §9.6: what was sent last is not lost in a reset",
    "Http1Connection",
    "after its end a connection waits 5 s for the peer's"
  ],
  [
    "RFC 9112 §11.1: no value splits a response",
    server,
    "RFC 9112 §11.1: what could split a response is refused, and nothing of it is sent"
  ],
  ["RFC 9112 §11.1: nor a request", client, "what cannot be sent is refused, and nothing of it is sent"],
  ["RFC 9110 §2.5: a higher minor version is taken for 1", server, "RFC 9110 §2.5: HTTP/1.2 is taken for HTTP/1.1"],
  ["RFC 9110 §4.2.4: user information is an error", server, "RFC 9110 §4.2.4: user information in the target"],
  ["RFC 9110 §5.3: lines of Set-Cookie are not joined", "Http1Fields", "RFC 9110 §5.3: Set-Cookie is kept apart"],
  ["RFC 9110 §5.4: fields above the limit are answered with 4xx", server, "a header section above its limit"],
  ["RFC 9110 §5.5: CR, LF and NUL are refused, or replaced", server, "RFC 9110 §5.5: NUL in a value"],
  [
    "RFC 9110 §5.6.1.2: empty members of a list are ignored",
    "HttpField",
    "RFC 9110 §5.6.1.2: a list of nothing but one token, or empty members"
  ],
  [
    "RFC 9110 §6.5.1: no framing, routing or authentication in trailers",
    "Http1BodyWriter",
    "RFC 9110 §6.5.1: fields that cannot be trailers, or would split them, are refused"
  ],
  [
    "RFC 9110 §6.6.1: Date is sent by a server that has a clock",
    server,
    "RFC 9110 §6.6.1: Date from the engine's time, unless there is one"
  ],
  [
    "RFC 9110 §7.8: no upgrade that was not asked for",
    server,
    "is refused where the request did not ask, or goes on, or is HTTP/1.0"
  ],
  ["RFC 9110 §7.8: a client takes none either", client, "RFC 9110 §15.2.2: an upgrade that nobody asked for"],
  [
    "RFC 9110 §7.8: Upgrade comes with its connection option",
    here,
    "RFC 9110 §7.8: 101 names the protocol, in Upgrade and in Connection"
  ],
  [
    "RFC 9110 §8.6: no Content-Length in 1xx, 204 and 2xx to CONNECT",
    here,
    "RFC 9110 §8.6: no Content-Length in 1xx and 204, nor in a tunnel"
  ],
  ["RFC 9110 §8.6: none that is not true", server, "a body that is not as long as announced is refused"],
  ["RFC 9110 §8.6: large numbers do not overflow", server, "RFC 9112 §6.3: a Content-Length that wraps at 2^64"],
  ["RFC 9110 §9.3.2: no content to HEAD", server, "RFC 9110 §9.3.2: to HEAD the head alone"],
  [
    "RFC 9110 §9.3.6: what follows a refused CONNECT is no request",
    server,
    "what follows a CONNECT that was refused is not a request"
  ],
  [
    "RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored",
    "Http1Head",
    "RFC 9110 §10.1.1: an expectation is for a body, and not in HTTP/1.0"
  ],
  [
    "RFC 9110 §10.1.1: a final answer without 100 closes, or reads on",
    server,
    "RFC 9110 §10.1.1: a client that still waits for 100 may send the body or not: close"
  ],
  [
    "RFC 9110 §15: a status that is not known is that of its class",
    client,
    "RFC 9110 §15: a status above 599, and the reason phrase"
  ],
  ["RFC 9110 §15.2: interim responses are understood", client, "RFC 9110 §15.2: interim responses"],
  ["RFC 9110 §15.2: none to HTTP/1.0", server, "RFC 9110 §15.2: interim responses, and none to HTTP/1.0"],
  ["RFC 9110 §15.3.6: no content with 205", server, "whole responses without a body"]
]

describe("each MUST has its test", () => {
  const folders = ["../core/protocol/http1", "../core/protocol/http", "."]
  const textOf = (file: string): string => {
    const paths = folders.map((folder) => Path.join(import.meta.dirname, folder, `${file}.test.ts`))
    return Fs.readFileSync(paths.find((path) => Fs.existsSync(path)) ?? "", "utf8").split("const musts")[0]!
  }
  for (const [must, file, test] of musts) {
    it(must, () => assert.include(textOf(file), test, `${file}.test.ts has no test of this name`))
  }
})
