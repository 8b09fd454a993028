import { assert, describe, it } from "@effect/vitest"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import { Http2RequestHead, Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"
import { Http2MessageRules } from "@sluice/core/protocol/http2/Http2MessageRules"

type Line = readonly [name: string, value: string]
type Row = readonly [lines: ReadonlyArray<Line>, detail: string | undefined]

const read = <A extends Http2Fields>(rules: Http2MessageRules, section: A, lines: ReadonlyArray<Line>): A | string => {
  rules.begin()
  for (const [name, value] of lines) {
    const detail = rules.add(section, name, value)
    if (detail !== undefined) return detail
  }
  return rules.end(section) ?? section
}

const detailOf = (section: Http2Fields, lines: ReadonlyArray<Line>, rules = new Http2MessageRules(true)) => {
  const result = read(rules, section, lines)
  return typeof result === "string" ? result : undefined
}

const request = (lines: ReadonlyArray<Line>) => read(new Http2MessageRules(true), new Http2RequestHead(), lines)
const requestHead = (lines: ReadonlyArray<Line>): Http2RequestHead => {
  const head = request(lines)
  if (typeof head === "string") throw new Error(head)
  return head
}

const checkRequests = (rows: ReadonlyArray<Row>) => {
  for (const [lines, detail] of rows) {
    assert.strictEqual(detailOf(new Http2RequestHead(), lines), detail, JSON.stringify(lines))
  }
}
const checkResponses = (rows: ReadonlyArray<Row>) => {
  for (const [lines, detail] of rows) {
    assert.strictEqual(detailOf(new Http2ResponseHead(), lines), detail, JSON.stringify(lines))
  }
}
/** What is wrong with the same fields in a request, a response and trailers. */
const everywhere = (...lines: ReadonlyArray<Line>) => [
  detailOf(new Http2RequestHead(), [...get, ...lines]),
  detailOf(new Http2ResponseHead(), [[":status", "200"], ...lines]),
  detailOf(new Http2Fields(), lines)
]

const method: Line = [":method", "GET"]
const scheme: Line = [":scheme", "https"]
const path: Line = [":path", "/"]
const authority: Line = [":authority", "a.example"]
const get = [method, scheme, path, authority]
const connect: Line = [":method", "CONNECT"]
const to: Line = [":authority", "a.example:443"]

// First of all: before any authority was found valid.
it("RFC 9113 §8.3.1: an authority is not empty", () => {
  checkRequests([
    [[method, scheme, path, [":authority", ""]], ":authority is no host"],
    [[method, scheme, path, ["host", ""]], ":authority is no host"]
  ])
})

describe("fields", () => {
  it("RFC 9113 §8.2: names are in lower case, with what makes tokens", () => {
    for (const name of ["a", "x-a1", "!#$%&'*+-.^_`|~", "__proto__", "a".repeat(100)]) {
      assert.deepStrictEqual(everywhere([name, "b"]), [undefined, undefined, undefined], name)
    }
  })
  it("RFC 9113 §8.2.1: names with other characters, among them upper case and colons, are malformed", () => {
    const detail = "a field name is no token in lower case"
    for (const name of [
      "",
      "A",
      "x-A",
      "a b",
      " a",
      "a ",
      "a\0",
      "a\r",
      "a\n",
      "a\x1f",
      "a\x7f",
      "\x80",
      "a\xff",
      "a:",
      "a:b"
    ]) {
      assert.deepStrictEqual(everywhere([name, "b"]), [detail, detail, detail], JSON.stringify(name))
      // Whatever was remembered.
      assert.deepStrictEqual(everywhere([name, "b"]), [detail, detail, detail], JSON.stringify(name))
    }
    for (let code = 0; code < 256; code++) {
      const isName = /^[!#$%&'*+\-.^_`|~0-9a-z]$/.test(String.fromCharCode(code))
      const [ofRequest] = everywhere([`a${String.fromCharCode(code)}`, ""])
      assert.strictEqual(ofRequest, isName ? undefined : detail, `${code}`)
    }
  })
  it("RFC 9113 §8.2.1: values with NUL, CR, LF or (stricter) other control characters are malformed", () => {
    const detail = "a control character in a field value"
    for (let code = 0; code < 256; code++) {
      const isControl = (code < 0x20 && code !== 0x09) || code === 0x7f
      const expected = isControl ? detail : undefined
      assert.deepStrictEqual(
        everywhere(["x-a", `b${String.fromCharCode(code)}c`]),
        [expected, expected, expected],
        `${code}`
      )
    }
    assert.deepStrictEqual(everywhere(["x-a", "\n"]), [detail, detail, detail])
    assert.deepStrictEqual(everywhere(["x-a", "b\r"]), [detail, detail, detail])
  })
  it("RFC 9113 §8.2.1: values do not begin or end with a space or tab; NBSP is content", () => {
    const detail = "white space around a field value"
    for (const value of [" ", "\t", " a", "\ta", "a ", "a\t"]) {
      assert.deepStrictEqual(everywhere(["x-a", value]), [detail, detail, detail], JSON.stringify(value))
    }
    for (const value of ["", "a b", "a\tb", "\xa0"]) {
      assert.deepStrictEqual(everywhere(["x-a", value]), [undefined, undefined, undefined], JSON.stringify(value))
    }
  })
  it("RFC 9113 §8.2.2: connection-specific fields are malformed, in trailers too", () => {
    for (const name of ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]) {
      const detail = `${name} in HTTP/2`
      assert.deepStrictEqual(everywhere([name, "a"]), [detail, detail, detail])
      assert.deepStrictEqual(everywhere([name, ""]), [detail, detail, detail])
    }
  })
  it("RFC 9113 §8.2.2: te in a request has nothing but trailers", () => {
    const detail = "te has more than trailers"
    checkRequests([
      [[...get, ["te", "trailers"]], undefined],
      [[...get, ["te", "Trailers"]], undefined],
      [[...get, ["te", "gzip"]], detail],
      [[...get, ["te", "trailers, deflate;q=0.5"]], detail],
      [[...get, ["te", "trailers;q=1"]], detail]
    ])
  })
  it("RFC 9113 §8.2.2: te is only in requests", () => {
    checkResponses([
      [
        [
          [":status", "200"],
          ["te", "trailers"]
        ],
        "te in a response"
      ]
    ])
    assert.isUndefined(detailOf(new Http2Fields(), [["te", "trailers"]]))
  })
  it("RFC 9113 §8.2.3: crumbs of cookie are one field for the application", () => {
    const head = requestHead([...get, ["cookie", "a=1"], ["x", "y"], ["cookie", "b=2"]])
    assert.strictEqual(head.header("cookie"), "a=1; b=2")
  })
})

describe("pseudo-header fields", () => {
  it("RFC 9113 §8.3: those that are not known are malformed", () => {
    const detail = "an unknown pseudo-header field"
    for (const name of [":", ":foo", ":Method", ":status", "::path", ":host"]) {
      checkRequests([[[...get, [name, "200"]], detail]])
    }
    for (const name of [":method", ":scheme", ":path", ":authority", ":protocol", ":foo", ":"]) {
      checkResponses([
        [
          [
            [":status", "200"],
            [name, "GET"]
          ],
          detail
        ]
      ])
    }
  })
  it("RFC 9113 §8.3: all come before other fields", () => {
    checkRequests([
      [[method, scheme, path, ["a", "b"], authority], ":authority came behind a field"],
      [[["a", "b"], ...get], ":method came behind a field"],
      [[connect, scheme, path, authority, ["a", "b"], [":protocol", "p"]], ":protocol came behind a field"]
    ])
    checkResponses([
      [
        [
          ["a", "b"],
          [":status", "200"]
        ],
        ":status came behind a field"
      ]
    ])
  })
  it("RFC 9113 §8.3: none comes twice", () => {
    for (const line of [...get, [":protocol", "a"] as const]) {
      checkRequests([[[...get, [":protocol", "a"], line], `${line[0]} came more than once`]])
    }
    checkResponses([
      [
        [
          [":status", "200"],
          [":status", "200"]
        ],
        ":status came more than once"
      ]
    ])
  })
  it("RFC 9113 §8.1: trailers have none", () => {
    for (const name of [":status", ":path", ":foo", ":"]) {
      assert.strictEqual(detailOf(new Http2Fields(), [[name, "200"]]), "a pseudo-header field in trailers")
    }
  })
})

describe("requests", () => {
  it("RFC 9113 §8.3.1: what was asked", () => {
    const head = requestHead([
      [":authority", "a.example:80"],
      [":path", "/a?b"],
      [":scheme", "http"],
      [":method", "PUT"],
      ["content-length", "12"],
      ["a", "b"]
    ])
    const { authority, lengthBytes, method, path, protocol, scheme } = head
    assert.deepStrictEqual(
      [method, scheme, authority, path, protocol, lengthBytes],
      [...["PUT", "http", "a.example:80", "/a?b"], ...[undefined, 12]]
    )
    assert.deepStrictEqual(head.list, ["content-length", "12", "a", "b"])
  })
  it("RFC 9113 §8.3.1: method, scheme and path are there", () => {
    checkRequests([
      [[], ":method is missing"],
      [[scheme, path, authority], ":method is missing"],
      [[method, path, authority], ":scheme is missing"],
      [[method, scheme, authority], ":path is missing"],
      [[method, scheme, path], ":authority is missing"],
      [get, undefined]
    ])
  })
  it("RFC 9113 §8.3.1: the method is a token", () => {
    for (const value of ["", "G T", "GET ", "G\0", "G\xe9"]) {
      checkRequests([[[[":method", value], scheme, path, authority], ":method is no token"]])
    }
    for (const value of ["POST", "get", "M-SEARCH"])
      checkRequests([[[[":method", value], scheme, path, authority], undefined]])
  })
  it("RFC 9113 §8.3.1: the scheme is one of RFC 3986, in lower case for the application", () => {
    for (const value of ["", "1a", "h\0", "ht tp", "http:", "-a", "\xe9", "h\xe9"]) {
      checkRequests([[[method, [":scheme", value], path, authority], ":scheme is malformed"]])
    }
    for (const [value, lower] of [
      ["HTTPS", "https"],
      ["coap+tcp", "coap+tcp"],
      ["a", "a"]
    ] as const) {
      assert.strictEqual(requestHead([method, [":scheme", value], path, authority]).scheme, lower)
    }
  })
  it("RFC 9113 §8.3.1: the path is not empty, and begins with a slash or is * of OPTIONS", () => {
    const options: Line = [":method", "OPTIONS"]
    const detail = ":path is malformed"
    checkRequests([
      [[method, scheme, [":path", ""], authority], detail],
      [[method, scheme, [":path", "*"], authority], detail],
      [[method, scheme, [":path", "a"], authority], detail],
      [[method, scheme, [":path", "?a"], authority], detail],
      [[method, scheme, [":path", "https://a.example/"], authority], detail],
      [[options, scheme, [":path", "*"], authority], undefined],
      [[options, scheme, [":path", "**"], authority], detail],
      [[options, scheme, [":path", "/a"], authority], undefined],
      [[method, scheme, [":path", "/a?b=%20&c|{}"], authority], undefined]
    ])
    for (const bad of [" ", "#", "\t", "\0", "\r", "\n", "\x7f", "\x80", "\xff"]) {
      checkRequests([[[method, scheme, [":path", `/a${bad}b`], authority], detail]])
    }
  })
  it("RFC 9113 §8.3.1: the authority has a host, and no user", () => {
    for (const value of [
      "",
      "user@a.example",
      "u:p@a.example",
      ":80",
      "a b",
      "a/b",
      "a:x",
      "a:65536",
      "a,b",
      "[::1",
      "a@"
    ]) {
      checkRequests([[[method, scheme, path, [":authority", value]], ":authority is no host"]])
      checkRequests([[[method, scheme, path, ["host", value]], ":authority is no host"]])
    }
    for (const value of ["a", "a:80", "127.0.0.1", "[::1]:443"]) {
      assert.strictEqual(requestHead([method, scheme, path, [":authority", value]]).authority, value)
    }
  })
  it("RFC 9113 §8.3.1: Host stands for an authority that did not come", () => {
    const head = requestHead([method, scheme, path, ["host", "b.example"]])
    assert.deepStrictEqual([head.authority, head.header("host"), head.headers().host], Array(3).fill("b.example"))
  })
  it("RFC 9113 §8.3.1: Host and authority ask for the same, compared in their normal form", () => {
    const detail = "host is another than :authority"
    const rows: ReadonlyArray<readonly [scheme: string, authority: string, host: string, detail: string | undefined]> =
      [
        ["https", "a.example", "a.example", undefined],
        ["https", "a.example", "A.Example", undefined],
        ["https", "a.example:443", "a.example", undefined],
        ["http", "a.example", "a.example:80", undefined],
        ["http", "a.example", "a.example:", undefined],
        ["https", "[::1]", "[::1]:443", undefined],
        ["https", "a.example:80", "a.example", detail],
        ["http", "a.example:443", "a.example", detail],
        ["https", "a.example", "b.example", detail],
        ["https", "a.example", "", detail],
        ["https", "a.example", "u@a.example", detail]
      ]
    for (const [scheme, authority, host, expected] of rows) {
      checkRequests([[[method, [":scheme", scheme], path, [":authority", authority], ["host", host]], expected]])
    }
    const head = requestHead([...get, ["host", "A.Example"]])
    assert.deepStrictEqual([head.authority, head.header("host"), head.headers().host], Array(3).fill("a.example"))
  })
  it("RFC 9110 §7.2 (stricter): Host comes once", () => {
    checkRequests([
      [[...get, ["host", "a.example"], ["host", "a.example"]], "host came more than once"],
      [[method, scheme, path, ["host", "a"], ["host", "a"]], "host came more than once"]
    ])
  })
  it("RFC 9110 §8.6: content-length is a number, and comes once", () => {
    assert.strictEqual(requestHead([...get, ["content-length", "0"]]).lengthBytes, 0)
    assert.isUndefined(requestHead(get).lengthBytes)
    for (const value of ["", "a", "-1", "+1", "1, 1", "9007199254740992"]) {
      checkRequests([[[...get, ["content-length", value]], "content-length is no number"]])
    }
    checkRequests([
      [[...get, ["content-length", "1"], ["content-length", "1"]], "content-length came more than once"],
      [[...get, ["content-length", "0"], ["content-length", "5"]], "content-length came more than once"]
    ])
  })
  it("RFC 9110 §10.1.1: 100-continue is understood, other expectations are left to the application", () => {
    const expects = (...values: ReadonlyArray<string>) =>
      requestHead([...get, ...values.map((value): Line => ["expect", value])]).expectsContinue
    assert.deepStrictEqual(
      [expects(), expects("100-continue"), expects("100-Continue"), expects("a", "100-continue"), expects("a=b")],
      [false, true, true, true, false]
    )
  })
})

describe("CONNECT", () => {
  it("RFC 9113 §8.5: a host and a port, and neither scheme nor path", () => {
    const detail = "CONNECT with :scheme or :path"
    const noPort = ":authority of CONNECT has no host and port"
    checkRequests([
      [[connect, to], undefined],
      [[connect, to, scheme], detail],
      [[connect, to, path], detail],
      [[connect, scheme, path, to], detail],
      [[connect], noPort],
      [[connect, ["host", "a.example:443"]], noPort],
      [[connect, [":authority", "a.example"]], noPort],
      [[connect, [":authority", ":443"]], noPort],
      [[connect, to, ["host", "a.example:443"]], undefined],
      [[connect, to, ["host", "b.example:443"]], "host is another than :authority"]
    ])
    const { authority, path: target, scheme: none } = requestHead([connect, to])
    assert.deepStrictEqual([authority, target, none], ["a.example:443", "", ""])
  })
  it("RFC 9110 §9.3.6 (stricter): without content", () => {
    checkRequests([
      [[connect, to, ["content-length", "0"]], "CONNECT has no content"],
      [
        [connect, scheme, path, authority, [":protocol", "websocket"], ["content-length", "1"]],
        "CONNECT has no content"
      ]
    ])
  })
  it("RFC 8441 §4: with a protocol it has scheme, path and authority", () => {
    const protocol: Line = [":protocol", "websocket"]
    checkRequests([
      [[connect, protocol, path, authority], ":scheme is missing"],
      [[connect, protocol, scheme, authority], ":path is missing"],
      [[connect, protocol, scheme, path], ":authority is missing"],
      [[connect, protocol, scheme, path, ["host", "a"]], ":authority is missing"],
      [[connect, protocol, scheme, [":path", "*"], authority], ":path is malformed"],
      [[connect, protocol, scheme, path, [":authority", "u@a"]], ":authority is no host"],
      [[connect, [":protocol", ""], scheme, path, authority], ":protocol is no token"],
      [[connect, [":protocol", "a b"], scheme, path, authority], ":protocol is no token"]
    ])
    const head = requestHead([connect, protocol, scheme, [":path", "/chat"], authority])
    assert.deepStrictEqual(
      [head.protocol, head.scheme, head.path, head.authority],
      ["websocket", "https", "/chat", "a.example"]
    )
  })
  it("RFC 8441 §4: no other method has a protocol", () => {
    checkRequests([[[...get, [":protocol", "websocket"]], ":protocol without CONNECT"]])
  })
  it("RFC 8441 §3: the protocol is not known to whoever has not announced it", () => {
    const rules = new Http2MessageRules(false)
    const lines: ReadonlyArray<Line> = [connect, scheme, path, authority, [":protocol", "websocket"]]
    assert.strictEqual(detailOf(new Http2RequestHead(), lines, rules), "an unknown pseudo-header field")
    assert.isUndefined(detailOf(new Http2RequestHead(), get, rules))
  })
})

describe("responses", () => {
  it("RFC 9113 §8.3.2: a status is there, of three digits", () => {
    const detail = ":status is no number of three digits"
    checkResponses([
      [[], ":status is missing"],
      [[["a", "b"]], ":status is missing"]
    ])
    for (const value of ["", "20", "2000", "099", "000", "2x0", "+20", " 200", "2.0", "٢٠٠"]) {
      checkResponses([[[[":status", value]], detail]])
    }
    for (const status of [100, 103, 199, 200, 404, 599, 999]) {
      const head = read(new Http2MessageRules(false), new Http2ResponseHead(), [[":status", `${status}`]])
      assert.strictEqual(typeof head === "string" ? head : head.status, status)
    }
  })
  it("RFC 9113 §8.6: there is no 101", () => {
    checkResponses([[[[":status", "101"]], "101 in HTTP/2"]])
  })
  it("RFC 9110 §8.6: content-length is a number, and comes once", () => {
    const ok: Line = [":status", "200"]
    const head = read(new Http2MessageRules(false), new Http2ResponseHead(), [ok, ["content-length", "7"]])
    assert.strictEqual(typeof head === "string" ? head : head.lengthBytes, 7)
    checkResponses([
      [[ok, ["content-length", "7a"]], "content-length is no number"],
      [[ok, ["content-length", "7"], ["content-length", "7"]], "content-length came more than once"]
    ])
  })
  it("a request's fields mean nothing there", () => {
    checkResponses([
      [
        [
          [":status", "200"],
          ["host", "a"],
          ["host", "b c"],
          ["expect", "100-continue"]
        ],
        undefined
      ]
    ])
  })
})

describe("trailers", () => {
  it("RFC 9110 §6.5.1: fields that are no trailers are passed over", () => {
    const lines: ReadonlyArray<Line> = [
      ["grpc-status", "0"],
      ["content-length", "x"],
      ["content-length", "y"],
      ["host", "a"],
      ["authorization", "b"],
      ["te", "gzip"],
      ["expect", "100-continue"],
      ["x", "z"]
    ]
    const section = read(new Http2MessageRules(false), new Http2Fields(), lines)
    assert.deepStrictEqual(typeof section === "string" ? section : section.list, ["grpc-status", "0", "x", "z"])
  })
})

describe("one section after the other", () => {
  it("nothing of the one counts for the next", () => {
    const rules = new Http2MessageRules(true)
    assert.isUndefined(detailOf(new Http2RequestHead(), [...get, ["host", "a.example"]], rules))
    assert.isUndefined(detailOf(new Http2RequestHead(), get, rules))
    assert.strictEqual(detailOf(new Http2RequestHead(), [method, scheme, path], rules), ":authority is missing")
    assert.isUndefined(detailOf(new Http2Fields(), [["a", "b"]], rules))
    assert.isUndefined(detailOf(new Http2RequestHead(), [...get, ["host", "a.example"]], rules))
  })
  it("values that were valid are known by their place, and others are checked", () => {
    const rules = new Http2MessageRules(true)
    const fields: ReadonlyArray<Line> = [...get, ["a", "1"], ["b", "2"], ["content-length", "3"]]
    for (let round = 0; round < 2; round++) {
      const head = read(rules, new Http2RequestHead(), fields)
      assert.strictEqual(typeof head === "string" ? head : head.lengthBytes, 3)
      assert.strictEqual(
        detailOf(new Http2RequestHead(), [...get, ["a", "1"], ["b", "2\n"]], rules),
        "a control character in a field value"
      )
      assert.strictEqual(detailOf(new Http2RequestHead(), [...get, ["connection", "1"]], rules), "connection in HTTP/2")
      assert.strictEqual(detailOf(new Http2RequestHead(), [...get, ["te", "1"]], rules), "te has more than trailers")
      assert.strictEqual(
        detailOf(
          new Http2Fields(),
          [
            ["a", "1"],
            ["b", "\0"]
          ],
          rules
        ),
        "a control character in a field value"
      )
    }
    // A value of a malformed head is not known.
    const bad: ReadonlyArray<Line> = [...get, ["a", "1"], ["b", "2\n"]]
    for (let round = 0; round < 2; round++) assert.isDefined(detailOf(new Http2RequestHead(), bad, rules))
  })
  it("more names than are remembered", () => {
    for (let name = 0; name < 1200; name++) {
      assert.deepStrictEqual(everywhere([`x-${name}`, "b"]), [undefined, undefined, undefined])
      assert.strictEqual(everywhere([`X-${name}`, "b"])[0], "a field name is no token in lower case")
    }
    assert.strictEqual(everywhere(["upgrade", "b"])[0], "upgrade in HTTP/2")
  })
})
