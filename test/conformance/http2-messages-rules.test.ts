/**
 * RFC 9113 §8 and RFC 8441: messages, their fields and their order. Where each
 * MUST has its test says http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import { type Conduct, client, heard, Recorded, type Role, server } from "../harness/Http2Recorded.ts"
import {
  continuation,
  data,
  type Fields,
  get,
  headers,
  ping,
  post,
  preface,
  requestOf,
  rstStream,
  settings,
  status,
  windowUpdate
} from "../harness/Http2Wire.ts"
import { accepted, connectionErrors, type Frames, streamErrors } from "./Http2Rows.ts"

/** Heads, or trailers behind a head, that are a stream error PROTOCOL_ERROR and are never handed over. */
const malformed = (role: Role, rows: ReadonlyArray<readonly [rule: string, fields: Fields]>): void => {
  streamErrors(
    role,
    rows.map(([rule, fields]) => [rule, "PROTOCOL_ERROR", headers(role === "server" ? 1 : 3, fields)] as const)
  )
  for (const [rule, fields] of rows) {
    it(`${rule}, is not handed over`, () => {
      const make = role === "server" ? () => server() : () => client()
      const id = role === "server" ? 1 : 3
      const { calls } = heard(make, headers(id, fields, "MORE", "END_STREAM"), continuation(id, []))
      assert.isFalse(
        calls.some((call) => /^(?:request|response|interim|end|data) /.test(call)),
        calls.join()
      )
    })
  }
}

const without = (name: string, fields: Fields): Fields => fields.filter(([each]) => each !== name)
const replaced = (name: string, value: string, fields: Fields = get()): Fields =>
  fields.map(([each, before]) => [each, each === name ? value : before])

describe("RFC 9113 §8.3.1: the pseudo-header fields of a request", () => {
  malformed("server", [
    ["RFC 9113 §8.3.1: no :method", without(":method", get())],
    ["RFC 9113 §8.3.1: no :scheme", without(":scheme", get())],
    ["RFC 9113 §8.3.1: no :path", without(":path", get())],
    ["RFC 9113 §8.3.1 (stricter): no :authority, and no Host", without(":authority", get())],
    ["RFC 9113 §8.3.1: an empty :path", replaced(":path", "")],
    ["RFC 9113 §8.3.1: an empty :method", replaced(":method", "")],
    ["RFC 9113 §8.3.1: an empty :scheme", replaced(":scheme", "")],
    ["RFC 9113 §8.3.1: an empty :authority", replaced(":authority", "")],
    ["RFC 9113 §8.3.1: a :path without a slash", replaced(":path", "index")],
    ["RFC 9113 §8.3.1: a :path of an absolute target", replaced(":path", "http://b/")],
    ["RFC 9113 §8.3.1: a :path with a space", replaced(":path", "/ HTTP/1.1")],
    ["RFC 9113 §8.3.1: a :path with a line end", replaced(":path", "/\r\nx: y")],
    ["RFC 9113 §8.3.1: a :path with a fragment", replaced(":path", "/#a")],
    ["RFC 9113 §8.3.1: * of GET", replaced(":path", "*")],
    ["RFC 9113 §8.3.1: a :method that is no token", replaced(":method", "GET /admin HTTP/1.1\r\nx:")],
    ["RFC 9113 §8.3.1: a :method with a space", replaced(":method", "G ET")],
    ["RFC 9113 §8.3.1: a :scheme that is none", replaced(":scheme", "http://b/?")],
    ["RFC 9113 §8.3.1: userinfo in :authority", replaced(":authority", "user@a")],
    ["RFC 9113 §8.3.1: a path in :authority", replaced(":authority", "a/b")],
    ["RFC 9113 §8.3.1: a line end in :authority", replaced(":authority", "a\r\nx: y")],
    ["RFC 9113 §8.3.1: Host is another than :authority", get("/", ["host", "b"])],
    ["RFC 9113 §8.3.1: two Hosts", get("/", ["host", "a"], ["host", "a"])],
    ["RFC 9113 §8.3.1: Host is no host", [...without(":authority", get()), ["host", "a b"]]],
    ["RFC 9113 §8.3.1: Host has userinfo", [...without(":authority", get()), ["host", "u@a"]]],
    ["RFC 9113 §8.3: :method twice", [...get(), [":method", "GET"]]],
    ["RFC 9113 §8.3: :scheme twice", [...get(), [":scheme", "http"]]],
    ["RFC 9113 §8.3: :path twice", [...get(), [":path", "/"]]],
    ["RFC 9113 §8.3: :authority twice", [...get(), [":authority", "a"]]],
    ["RFC 9113 §8.3: :status in a request", [[":status", "200"], ...get()]],
    ["RFC 9113 §8.3: an unknown one", [...get(), [":test", "x"]]],
    ["RFC 9113 §8.3: an empty one", [...get(), [":", "x"]]],
    ["RFC 9113 §8.3: one in upper case", [...without(":method", get()), [":METHOD", "GET"]]],
    ["RFC 9113 §8.3: one behind a field", [...without(":path", get()), ["x", "y"], [":path", "/"]]],
    ["RFC 9113 §8.3: all behind a field", [["x", "y"], ...get()]],
    ["RFC 9113 §8.3: nothing at all", []],
    ["RFC 9113 §8.3: only fields", [["x", "y"]]]
  ])
  accepted("server", [
    [
      "RFC 9113 §8.3.1: Host in place of :authority",
      [headers(1, [...without(":authority", get("/wait")), ["host", "b"]], "END_STREAM")],
      ["request 1 GET http b /wait host=b ended"],
      []
    ],
    [
      "RFC 9113 §8.3.1: Host beside the same :authority, in other letters and with the port of the scheme",
      [headers(1, get("/wait", ["host", "A:80"]), "END_STREAM")],
      ["request 1 GET http a /wait host=A:80 ended"],
      []
    ],
    [
      "RFC 9113 §8.3.1: OPTIONS of the whole server",
      [headers(1, requestOf("OPTIONS", "*"))],
      ["request 1 OPTIONS http a *"],
      []
    ],
    [
      "RFC 9113 §8.3: in another order",
      [headers(1, [...get("/wait")].reverse(), "END_STREAM")],
      ["request 1 GET http a /wait ended"],
      []
    ],
    [
      "RFC 9113 §8.3.1: another scheme, and another method",
      [
        headers(
          1,
          [
            [":method", "PRI!"],
            [":scheme", "coap"],
            [":authority", "a"],
            [":path", "/wait"]
          ],
          "END_STREAM"
        )
      ],
      ["request 1 PRI! coap a /wait ended"],
      []
    ]
  ])
})

describe("RFC 9113 §8.3.2: the pseudo-header field of a response", () => {
  malformed("client", [
    ["RFC 9113 §8.3.2: no :status", [["x", "y"]]],
    ["RFC 9113 §8.3.2: nothing", []],
    ["RFC 9113 §8.3.2: an empty :status", status("")],
    ["RFC 9113 §8.3.2: a :status of two digits", status("20")],
    ["RFC 9113 §8.3.2: a :status of four digits", status("2000")],
    ["RFC 9113 §8.3.2: a :status below 100", status("099")],
    ["RFC 9113 §8.3.2: a :status with a reason", status("200 OK")],
    ["RFC 9113 §8.3.2: a :status with a sign", status("+20")],
    ["RFC 9113 §8.3.2: a :status that is no number", status("2xx")],
    ["RFC 9113 §8.3: :status twice", [...status(200), [":status", "200"]]],
    [
      "RFC 9113 §8.3: :status behind a field",
      [
        ["x", "y"],
        [":status", "200"]
      ]
    ],
    ["RFC 9113 §8.3: :method in a response", [[":method", "GET"], ...status(200)]],
    ["RFC 9113 §8.3: :path in a response", [...status(200), [":path", "/"]]],
    ["RFC 9113 §8.3: an unknown one in a response", [...status(200), [":test", "x"]]],
    ["RFC 9113 §8.6: 101", status(101)]
  ])
})

const invalid: ReadonlyArray<readonly [rule: string, ...Fields[number]]> = [
  ["RFC 9113 §8.2: a name in upper case", "Bad", "x"],
  ["RFC 9113 §8.2.1: a name with one capital at its end", "baD", "x"],
  ["RFC 9113 §8.2.1: an empty name", "", "x"],
  ["RFC 9113 §8.2.1: a name with a space", "a b", "x"],
  ["RFC 9113 §8.2.1: a name that begins with a space", " a", "x"],
  ["RFC 9113 §8.2.1: a name with a tab", "a\tb", "x"],
  ["RFC 9113 §8.2.1: a name with a colon", "a:b", "x"],
  ["RFC 9113 §8.2.1: a name with a line end", "a\r\nb", "x"],
  ["RFC 9113 §8.2.1: a name with NUL", "a\0", "x"],
  ["RFC 9113 §8.2.1: a name with DEL", "a\x7f", "x"],
  ["RFC 9113 §8.2.1: a name with a byte above 7F", "a\xe9", "x"],
  ["RFC 9113 §8.2.1: a name with a byte of FF", "\xff", "x"],
  ["RFC 9110 §5.1: a name with a slash", "a/b", "x"],
  ["RFC 9113 §8.2.1: a value with NUL", "x", "a\0b"],
  ["RFC 9113 §8.2.1: a value with LF", "x", "a\nb"],
  ["RFC 9113 §8.2.1: a value with CR", "x", "a\rb"],
  ["RFC 9113 §8.2.1: a value with CR LF and a field", "x", "a\r\ny: z"],
  ["RFC 9113 §8.2.1: a value that begins with a space", "x", " a"],
  ["RFC 9113 §8.2.1: a value that ends with a space", "x", "a "],
  ["RFC 9113 §8.2.1: a value that begins with a tab", "x", "\ta"],
  ["RFC 9113 §8.2.1: a value that ends with a tab", "x", "a\t"],
  ["RFC 9113 §8.2.1: a value of a space", "x", " "],
  ["RFC 9110 §5.5: a value with a control character", "x", "a\x01b"],
  ["RFC 9110 §5.5: a value with DEL", "x", "a\x7fb"],
  ["RFC 9113 §8.2.2: connection", "connection", "keep-alive"],
  ["RFC 9113 §8.2.2: proxy-connection", "proxy-connection", "close"],
  ["RFC 9113 §8.2.2: keep-alive", "keep-alive", "timeout=5"],
  ["RFC 9113 §8.2.2: transfer-encoding", "transfer-encoding", "chunked"],
  ["RFC 9113 §8.2.2: transfer-encoding of nothing", "transfer-encoding", ""],
  ["RFC 9113 §8.2.2: upgrade", "upgrade", "websocket"]
]

describe("RFC 9113 §8.2: fields", () => {
  malformed("server", [
    ...invalid.map(([rule, name, value]) => [rule, get("/", ["a", "b"], [name, value], ["c", "d"])] as const),
    ["RFC 9113 §8.2.2: te of more than trailers", get("/", ["te", "trailers, deflate"])],
    ["RFC 9113 §8.2.2: te of another", get("/", ["te", "gzip"])]
  ])
  malformed(
    "client",
    invalid.map(([rule, name, value]) => [`${rule}, in a response`, status(200, ["a", "b"], [name, value])] as const)
  )
  malformed(
    "client",
    invalid.map(([rule, name, value]) => [`${rule}, in an interim response`, status(103, [name, value])] as const)
  )
  streamErrors(
    "server",
    invalid.map(
      ([rule, name, value]) =>
        [
          `${rule}, in trailers`,
          "PROTOCOL_ERROR",
          headers(1, post("/wait")),
          headers(
            1,
            [
              ["a", "b"],
              [name, value]
            ],
            "END_STREAM"
          )
        ] as const
    )
  )
  accepted("server", [
    [
      "RFC 9113 §8.2.2: te of trailers",
      [headers(1, get("/wait", ["te", "trailers"]))],
      ["request 1 GET http a /wait te=trailers"],
      []
    ],
    [
      "RFC 9113 §8.2.1: values of any other bytes, and none",
      [headers(1, get("/wait", ["x", ""], ["y", "a \t b\x80\xff"], ["!#$%&'*+-.^_`|~09az", "z"]))],
      ["request 1 GET http a /wait x= y=a \t b\x80\xff !#$%&'*+-.^_`|~09az=z"],
      []
    ]
  ])
  it("RFC 9113 §8.2.3: crumbs of a cookie are one", () => {
    let cookie: unknown
    const onHead: Conduct["onHead"] = (_side, _stream, head) => {
      cookie = head.headers().cookie
    }
    const make = () => server({ onHead })
    heard(make, headers(1, get("/wait", ["cookie", "a=b"], ["x", "y"], ["cookie", "c=d"], ["cookie", "e=f"])))
    assert.strictEqual(cookie, "a=b; c=d; e=f")
  })
})

describe("RFC 9113 §8.1: the order of a message's frames", () => {
  const begun = headers(1, post("/wait"))
  streamErrors("server", [
    [
      "RFC 9113 §8.1: HEADERS behind HEADERS that do not end the stream",
      "PROTOCOL_ERROR",
      begun,
      headers(1, [["x", "y"]])
    ],
    [
      "RFC 9113 §8.1: HEADERS behind DATA that do not end the stream",
      "PROTOCOL_ERROR",
      begun,
      data(1, "a"),
      headers(1, [["x", "y"]])
    ],
    ["RFC 9113 §8.1: a second request on the stream", "PROTOCOL_ERROR", begun, headers(1, get(), "END_STREAM")],
    [
      "RFC 9113 §8.1: a pseudo-header field in trailers",
      "PROTOCOL_ERROR",
      begun,
      data(1, "a"),
      headers(
        1,
        [
          ["x", "y"],
          [":path", "/"]
        ],
        "END_STREAM"
      )
    ],
    [
      "RFC 9113 §8.1: a pseudo-header field alone in trailers",
      "PROTOCOL_ERROR",
      begun,
      headers(1, [[":status", "200"]], "END_STREAM")
    ]
  ])
  accepted("server", [
    [
      "RFC 9113 §8.1: HEADERS, DATA, HEADERS",
      [
        begun,
        data(1, "a"),
        data(1, ""),
        data(1, "b"),
        headers(
          1,
          [
            ["x", "y"],
            ["z", ""]
          ],
          "END_STREAM"
        )
      ],
      ["request 1 POST http a /wait", "data 1 a", "data 1 b", "end 1 x=y z="],
      []
    ],
    ["RFC 9113 §8.1: trailers of nothing", [begun, headers(1, [], "END_STREAM")], undefined, []],
    [
      "RFC 9113 §8.1: trailers right behind the head",
      [begun, headers(1, [["x", "y"]], "END_STREAM")],
      ["request 1 POST http a /wait", "end 1 x=y"],
      []
    ],
    [
      "RFC 9110 §6.5.1: fields that cannot be trailers are passed over",
      [
        begun,
        headers(
          1,
          [
            ["x", "y"],
            ["content-length", "9"],
            ["host", "b"]
          ],
          "END_STREAM"
        )
      ],
      ["request 1 POST http a /wait", "end 1 x=y"],
      []
    ],
    [
      "RFC 9113 §8.1: END_STREAM counts with the last CONTINUATION",
      [begun, data(1, "a"), headers(1, [["x", "y"]], "MORE", "END_STREAM"), continuation(1, [["z", ""]])],
      ["request 1 POST http a /wait", "data 1 a", "end 1 x=y z="],
      []
    ]
  ])
  streamErrors("client", [
    ["RFC 9113 §8.1: DATA before the response", "PROTOCOL_ERROR", data(3, "a")],
    ["RFC 9113 §8.1: DATA behind an interim response", "PROTOCOL_ERROR", headers(3, status(103)), data(3, "a")],
    [
      "RFC 9113 §8.1: an interim response that ends the stream",
      "PROTOCOL_ERROR",
      headers(3, status(103), "END_STREAM")
    ],
    [
      "RFC 9113 §8.1: an interim response behind the final one",
      "PROTOCOL_ERROR",
      headers(3, status(200)),
      headers(3, status(103))
    ],
    [
      "RFC 9113 §8.1: a second final response",
      "PROTOCOL_ERROR",
      headers(3, status(200)),
      headers(3, status(200), "END_STREAM")
    ],
    [
      "RFC 9113 §8.1: trailers that do not end the stream",
      "PROTOCOL_ERROR",
      headers(3, status(200)),
      headers(3, [["x", "y"]])
    ],
    [
      "RFC 9113 §8.1: a pseudo-header field in trailers",
      "PROTOCOL_ERROR",
      headers(3, status(200)),
      headers(3, [[":status", "200"]], "END_STREAM")
    ]
  ])
  accepted("client", [
    [
      "RFC 9113 §8.1: three interim responses, DATA and trailers",
      [
        headers(1, status(100)),
        headers(1, status(103, ["a", "b"])),
        headers(1, status(199)),
        headers(1, status(200)),
        data(1, "abc"),
        headers(1, [["x", "y"]], "END_STREAM")
      ],
      ["interim 1 100", "interim 1 103 a=b", "interim 1 199", "response 1 200", "data 1 abc", "end 1 x=y", "closed 1"],
      []
    ]
  ])
  it("RFC 9113 §8.1: a response that is whole is not lost by RST_STREAM with NO_ERROR", () => {
    const { calls, sent } = heard(
      () => client(),
      headers(3, status(200)),
      data(3, "abc", "END_STREAM"),
      rstStream(3, "NO_ERROR")
    )
    assert.deepStrictEqual(calls, ["response 3 200", "data 3 abc", "end 3", "closed 3"])
    assert.deepStrictEqual(sent, [])
  })
  it("RFC 9113 §8.1: a response before the request is at its end, and RST_STREAM with NO_ERROR behind it", () => {
    const answering: Conduct = { onHead: ({ engine }, stream) => engine.respond(stream, 200, {}, undefined, 0) }
    const { calls, sent } = heard(() => server(answering), headers(1, post()), data(1, "abc"))
    assert.match(sent[0] ?? "", /^HEADERS 1 :status=200.* END_STREAM$/)
    assert.isFalse(
      sent.some((line) => /^RST_STREAM 1 (?!NO_ERROR)/.test(line)),
      sent.join()
    )
    assert.strictEqual(calls[0], "request 1 POST http a /")
  })
})

describe("RFC 9113 §8.1.1: content-length", () => {
  const long = (text: string) => headers(1, post("/wait", ["content-length", text]))
  streamErrors("server", [
    ["RFC 9113 §8.1.1: DATA is shorter", "PROTOCOL_ERROR", long("5"), data(1, "abcd", "END_STREAM")],
    ["RFC 9113 §8.1.1: DATA is longer", "PROTOCOL_ERROR", long("5"), data(1, "abcdef")],
    [
      "RFC 9113 §8.1.1: DATA is longer in its second frame",
      "PROTOCOL_ERROR",
      long("5"),
      data(1, "abcde"),
      data(1, "f", "END_STREAM")
    ],
    [
      "RFC 9113 §8.1.1: no DATA, and the end of the stream in HEADERS",
      "PROTOCOL_ERROR",
      headers(1, post("/", ["content-length", "5"]), "END_STREAM")
    ],
    ["RFC 9113 §8.1.1: no DATA, and trailers", "PROTOCOL_ERROR", long("5"), headers(1, [["x", "y"]], "END_STREAM")],
    [
      "RFC 9113 §8.1.1: DATA is shorter, and trailers",
      "PROTOCOL_ERROR",
      long("5"),
      data(1, "abcd"),
      headers(1, [["x", "y"]], "END_STREAM")
    ],
    ["RFC 9113 §8.1.1: DATA where none was announced", "PROTOCOL_ERROR", long("0"), data(1, "a", "END_STREAM")]
  ])
  malformed("server", [
    ["RFC 9110 §8.6: no number", post("/", ["content-length", "abc"])],
    ["RFC 9110 §8.6: a sign", post("/", ["content-length", "+5"])],
    ["RFC 9110 §8.6: a negative one", post("/", ["content-length", "-5"])],
    ["RFC 9110 §8.6: nothing", post("/", ["content-length", ""])],
    ["RFC 9110 §8.6: two that differ", post("/", ["content-length", "5"], ["content-length", "6"])],
    ["RFC 9110 §8.6: two in one", post("/", ["content-length", "5, 6"])],
    ["RFC 9110 §8.6: above 2^53", post("/", ["content-length", "9".repeat(20)])],
    ["RFC 9110 §8.6: hexadecimal", post("/", ["content-length", "0x5"])]
  ])
  accepted("server", [
    [
      "RFC 9113 §8.1.1: as announced; padding does not count",
      [long("5"), data(1, "abc", "PADDED 9"), data(1, "de"), data(1, "", "END_STREAM")],
      ["request 1 POST http a /wait content-length=5", "data 1 abc", "data 1 de", "end 1"],
      undefined
    ],
    [
      "RFC 9113 §8.1.1: 0",
      [headers(1, post("/wait", ["content-length", "0"]), "END_STREAM")],
      ["request 1 POST http a /wait content-length=0 ended"],
      []
    ]
  ])
  streamErrors("client", [
    [
      "RFC 9113 §8.1.1: a response that is shorter",
      "PROTOCOL_ERROR",
      headers(3, status(200, ["content-length", "5"])),
      data(3, "abcd", "END_STREAM")
    ],
    [
      "RFC 9113 §8.1.1: a response that is longer",
      "PROTOCOL_ERROR",
      headers(3, status(200, ["content-length", "5"])),
      data(3, "abcdef")
    ],
    [
      "RFC 9113 §8.1.1: a response without DATA",
      "PROTOCOL_ERROR",
      headers(3, status(200, ["content-length", "5"]), "END_STREAM")
    ]
  ])
  it("RFC 9113 §8.1.1: a response that has no content may have a length", () => {
    const asking = (method: string) => () => {
      const side = client()
      side.engine.request(
        { method, scheme: "http", authority: "a", path: "/", headers: {} },
        undefined,
        "whole",
        undefined,
        0
      )
      side.sent()
      return side
    }
    for (const [method, code] of [
      ["HEAD", 200],
      ["GET", 304],
      ["HEAD", 404]
    ] as const) {
      const { calls, sent } = heard(asking(method), headers(5, status(code, ["content-length", "5"]), "END_STREAM"))
      assert.deepStrictEqual(calls, [`response 5 ${code} content-length=5 ended`, "closed 5"])
      assert.deepStrictEqual(sent, [])
    }
    // And with a frame of nothing.
    const { calls } = heard(asking("HEAD"), headers(5, status(200, ["content-length", "5"])), data(5, "", "END_STREAM"))
    assert.strictEqual(calls.at(-1), "closed 5")
  })
  it("RFC 9113 §8.1.1: DATA in a response that has no content", () => {
    const make = () => {
      const side = client()
      side.engine.request(
        { method: "HEAD", scheme: "http", authority: "a", path: "/", headers: {} },
        undefined,
        "whole",
        undefined,
        0
      )
      side.sent()
      return side
    }
    const { sent } = heard(make, headers(5, status(200)), data(5, "abc", "END_STREAM"))
    assert.deepStrictEqual(sent, ["RST_STREAM 5 PROTOCOL_ERROR"])
    for (const code of [204, 304]) {
      const other = heard(() => client(), headers(3, status(code)), data(3, "abc", "END_STREAM"))
      assert.deepStrictEqual(other.sent, ["RST_STREAM 3 PROTOCOL_ERROR"])
    }
  })
})

describe("RFC 9113 §8.5: CONNECT", () => {
  const connect = (...fields: Fields): Fields => [[":method", "CONNECT"], ...fields]
  malformed("server", [
    ["RFC 9113 §8.5: with :scheme", connect([":scheme", "http"], [":authority", "a:1"])],
    ["RFC 9113 §8.5: with :path", connect([":path", "/"], [":authority", "a:1"])],
    ["RFC 9113 §8.5: with both", connect([":scheme", "http"], [":path", "/"], [":authority", "a:1"])],
    ["RFC 9113 §8.5: without :authority", connect()],
    ["RFC 9113 §8.5: with Host in place of :authority", connect(["host", "a:1"])],
    ["RFC 9113 §8.5: without a port", connect([":authority", "a"])]
  ])
  accepted("server", [
    [
      "RFC 9113 §8.5: with a host and a port",
      [headers(1, connect([":authority", "a:1"])), data(1, "abc")],
      ["request 1 CONNECT   a:1".replace("   ", " "), "data 1 abc"],
      undefined
    ]
  ])
  const tunnel = (id = 1) => headers(id, connect([":authority", "a:1"]))
  const accepting = () => server({ onHead: ({ engine }, stream) => void engine.beginResponse(stream, 200, {}, 0) })
  it("RFC 9113 §8.5: HEADERS on a connected stream", () => {
    const { calls, sent } = heard(accepting, tunnel(), data(1, "abc"), headers(1, [["x", "y"]], "END_STREAM"))
    assert.match(sent.at(-1) ?? "", /^RST_STREAM 1 /, calls.join())
  })
  it("RFC 9113 §8.5: DATA with END_STREAM is the end of one direction", () => {
    const { calls, sent } = heard(accepting, tunnel(), data(1, "abc", "END_STREAM"), windowUpdate(1, 5))
    assert.deepStrictEqual(calls.slice(1), ["data 1 abc", "end 1"])
    assert.deepStrictEqual(sent, ["HEADERS 1 :status=200"])
  })
  it("RFC 9110 §9.3.6: a client ignores the length of a 2xx response to CONNECT", () => {
    const make = () => {
      const side = client()
      side.engine.request(
        { method: "CONNECT", scheme: "http", authority: "a:1", path: undefined, headers: {} },
        undefined,
        "open",
        undefined,
        0
      )
      side.sent()
      return side
    }
    const { calls } = heard(make, headers(5, status(200, ["content-length", "2"])), data(5, "abcd"))
    assert.deepStrictEqual(calls, ["response 5 200 content-length=2", "data 5 abcd"])
  })
})

describe("RFC 8441 §4: extended CONNECT", () => {
  const extended: Fields = [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "http"],
    [":authority", "a"],
    [":path", "/wait"]
  ]
  malformed("server", [
    ["RFC 8441 §4: without :scheme", without(":scheme", extended)],
    ["RFC 8441 §4: without :path", without(":path", extended)],
    ["RFC 8441 §4: without :authority", without(":authority", extended)],
    ["RFC 8441 §4: :protocol twice", [...extended, [":protocol", "websocket"]]],
    ["RFC 8441 §4: :protocol with another method", replaced(":method", "GET", extended)],
    ["RFC 8441 §4: an empty :protocol", replaced(":protocol", "", extended)],
    [
      "RFC 8441 §4: :protocol behind a field",
      [...without(":protocol", extended), ["x", "y"], [":protocol", "websocket"]]
    ]
  ])
  malformed("client", [["RFC 8441 §4: :protocol in a response", [...status(200), [":protocol", "websocket"]]]])
  it("RFC 8441 §3: a server that announces it takes it; no client does", () => {
    const announced = new Recorded("server").sent()[0]!
    assert.include(announced, "ENABLE_CONNECT_PROTOCOL=1")
    assert.notInclude(new Recorded("client").sent()[1]!, "ENABLE_CONNECT_PROTOCOL")
    assert.deepStrictEqual(heard(() => server(), headers(1, extended)).calls, [
      "request 1 CONNECT http a /wait websocket"
    ])
  })
  it("RFC 8441 §4: a client does not ask for it before the server has announced it", () => {
    const ask = (side: Recorded) =>
      side.engine.request(
        { method: "CONNECT", scheme: "http", authority: "a", path: "/", protocol: "websocket", headers: {} },
        undefined,
        "open",
        undefined,
        0
      )
    assert.strictEqual((ask(client()) as { readonly _tag: string })._tag, "InvalidMessage")
    const side = client().receive(settings({ ENABLE_CONNECT_PROTOCOL: 1 }))
    side.sent()
    ask(side)
    assert.deepStrictEqual(side.sent(), [
      "HEADERS 5 :method=CONNECT :scheme=http :path=/ :authority=a :protocol=websocket"
    ])
  })
})

describe("RFC 9113 §8.2 and §8.3: what we send", () => {
  const answer = (fields: Readonly<Record<string, string>>, code = 200, body?: string) => {
    let refusal: unknown
    const side = server({
      onWhole: ({ engine }, stream) => {
        refusal = engine.respond(stream, code, fields, body, 0)?._tag
      }
    })
    side.receive(headers(1, get(), "END_STREAM"))
    return { sent: side.sent(), refusal }
  }
  it("RFC 9113 §8.2: names in lower case, behind :status", () => {
    assert.match(answer({ "X-A": "B" }).sent[0]!, /^HEADERS 1 :status=200 (?:content-length=0 )?x-a=B/)
  })
  it("RFC 9113 §8.2.2: no connection-specific fields", () => {
    for (const name of ["Connection", "keep-alive", "Proxy-Connection", "transfer-encoding", "Upgrade"]) {
      const { sent, refusal } = answer({ [name]: "x", "x-a": "b" })
      assert.notInclude(sent.join().toLowerCase(), name.toLowerCase())
      assert.isUndefined(refusal)
      assert.include(sent[0], "x-a=b")
    }
  })
  it("RFC 9113 §8.2.1 and §8.3: nothing is sent of what is invalid", () => {
    for (const [name, value] of [
      ["a b", "c"],
      ["", "c"],
      [":status", "c"],
      [":a", "c"],
      ["a", "b\r\nc: d"],
      ["a", "b\0"],
      ["a:b", "c"],
      ["é", "x"],
      ["a", "Ā"]
    ] as const) {
      const { sent, refusal } = answer({ [name]: value })
      assert.strictEqual(refusal, "InvalidMessage", `${name}: ${value}`)
      assert.deepStrictEqual(sent, [])
    }
  })
  it("RFC 9113 §8.1.1 and RFC 9110 §6.4.1: no content behind 204, 304 and HEAD", () => {
    for (const code of [204, 304])
      assert.isFalse(answer({}, code, "body").sent.some((line) => line.startsWith("DATA 1 'b")))
    const side = server({ onWhole: ({ engine }, stream) => engine.respond(stream, 200, {}, "body", 0) })
    side.receive(headers(1, requestOf("HEAD", "/"), "END_STREAM"))
    assert.deepStrictEqual(side.sent(), ["HEADERS 1 :status=200 content-length=4 END_STREAM"])
  })
  it("RFC 9113 §8.1.1: not another body than content-length says", () => {
    const { sent, refusal } = answer({ "content-length": "5" }, 200, "abc")
    assert.isTrue(refusal === "InvalidMessage" ? sent.length === 0 : sent[0]!.includes("content-length=3"), sent.join())
  })
  it("RFC 9113 §8.6: no 101, and no final status in an interim response", () => {
    const side = server({ onWhole: () => {} })
    side.receive(headers(1, get(), "END_STREAM"))
    const stream = side.streams.get(1)!
    assert.strictEqual(side.engine.interim(stream, 101, {}, 0)?._tag, "InvalidMessage")
    assert.strictEqual(side.engine.interim(stream, 200, {}, 0)?._tag, "InvalidMessage")
    assert.strictEqual(side.engine.respond(stream, 100, {}, undefined, 0)?._tag, "InvalidMessage")
    assert.deepStrictEqual(side.sent(), [])
    assert.isUndefined(side.engine.interim(stream, 103, { link: "</a>" }, 0))
    assert.deepStrictEqual(side.sent(), ["HEADERS 1 :status=103 link=</a>"])
  })
  it("RFC 9113 §8.1: trailers have no pseudo-header fields, and end the stream", () => {
    const side = server({ onWhole: ({ engine }, stream) => void engine.beginResponse(stream, 200, {}, 0) })
    side.receive(headers(1, get(), "END_STREAM"))
    side.sent()
    const stream = side.streams.get(1)!
    assert.strictEqual(side.engine.end(stream, { ":status": "200" }, 0)?._tag, "InvalidMessage")
    assert.deepStrictEqual(side.sent(), [])
    side.engine.end(stream, { "X-A": "b" }, 0)
    assert.deepStrictEqual(side.sent(), ["HEADERS 1 x-a=b END_STREAM"])
  })
  it("RFC 9113 §8.3.1: a client's requests", () => {
    const side = client()
    const request = (parts: object) =>
      side.engine.request(
        { method: "GET", scheme: "https", authority: "a:1", path: "/b?c", headers: {}, ...parts },
        undefined,
        "whole",
        undefined,
        0
      )
    request({ headers: { "X-A": "b", connection: "close", te: "trailers" } })
    assert.deepStrictEqual(side.sent(), [
      "HEADERS 5 :method=GET :scheme=https :path=/b?c :authority=a:1 x-a=b te=trailers END_STREAM"
    ])
    for (const wrong of [
      { method: "" },
      { method: "A B" },
      { path: "" },
      { path: "b" },
      { path: "/ b" },
      { path: "*" },
      { authority: "u@a" },
      { authority: "a/b" },
      { headers: { "a b": "c" } },
      { headers: { ":path": "/c" } },
      { headers: { a: "b\n" } },
      { headers: { host: "u@a" } }
    ]) {
      const refused = request(wrong)
      assert.strictEqual("_tag" in refused ? refused._tag : "sent", "InvalidMessage", JSON.stringify(wrong))
      assert.deepStrictEqual(side.sent(), [])
    }
  })
})

describe("several rules at once", () => {
  connectionErrors("server", [
    [
      "RFC 9113 §5.4: a connection error behind a stream error",
      "PROTOCOL_ERROR",
      headers(1, get("/", ["Bad", "x"])),
      ping(),
      data(0, "")
    ]
  ])
  it("RFC 9113 §5.4.2: other streams go on behind a stream error", () => {
    const { calls, sent } = heard(
      () => server(),
      headers(1, post()),
      headers(3, get("/", ["Bad", "x"]), "END_STREAM"),
      data(1, "abc", "END_STREAM"),
      windowUpdate(0, 1)
    )
    assert.includeMembers([...calls], ["request 1 POST http a /", "data 1 abc", "end 1", "closed 1"])
    assert.include(sent, "RST_STREAM 3 PROTOCOL_ERROR")
    assert.isTrue(sent.some((line) => line.startsWith("HEADERS 1 :status=200")))
  })
  it("RFC 9113 §10.5.1: a header section above the limit costs its stream, one above four times that the connection", () => {
    const small = () => server(undefined, { maxHeaderSize: 1024 })
    const above: Frames = [
      headers(1, get("/", ["x", "y".repeat(1024)]), "END_STREAM"),
      headers(3, get("/wait"), "END_STREAM")
    ]
    const { calls, sent } = heard(small, ...above)
    assert.deepStrictEqual(calls, ["request 3 GET http a /wait ended"])
    assert.isTrue(
      sent.some((line) => /^HEADERS 1 :status=431|^RST_STREAM 1 /.test(line)),
      sent.join()
    )
    const far = heard(
      small,
      headers(1, get("/", ["x", "y".repeat(10_000)], ["z", "y".repeat(6_000)]), "MORE"),
      continuation(1, [["x", "y".repeat(16_000)]], "MORE"),
      ...Array.from({ length: 6 }, () => continuation(1, [["x", "y".repeat(16_000)]], "MORE"))
    )
    assert.match(far.sent.at(-1) ?? "", /^GOAWAY 0 ENHANCE_YOUR_CALM$/)
  })
  it("RFC 9113 §3.4: nothing is heard of a peer that ends before its preface", () => {
    const side = new Recorded("server").receive(preface.slice(0, 10))
    side.engine.receiveEnd(0)
    side.engine.receiveClose(0)
    assert.deepStrictEqual(
      side.calls.filter((call) => !call.startsWith("violation")),
      []
    )
  })
})
