/**
 * RFC 9113 §8.2 and §8.3: the fields and pseudo-header fields of what is
 * received. Where each MUST has its test says http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import { type Conduct, client, heard, Recorded, server } from "../harness/Http2Recorded.ts"
import {
  data,
  type Fields,
  get,
  headers,
  post,
  requestOf,
  settings,
  status,
  windowUpdate
} from "../harness/Http2Wire.ts"
import { accepted, malformed, streamErrors } from "./Http2Rows.ts"

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
  malformed("client", [
    ["RFC 9113 §8.2.2: te in a response", status(200, ["te", "trailers"])],
    ["RFC 9110 §8.6: two lengths in a response", status(200, ["content-length", "1"], ["content-length", "2"])]
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

describe("RFC 9113 §8.5: CONNECT", () => {
  const connect = (...fields: Fields): Fields => [[":method", "CONNECT"], ...fields]
  malformed("server", [
    ["RFC 9113 §8.5: with :scheme", connect([":scheme", "http"], [":authority", "a:1"])],
    ["RFC 9113 §8.5: with :path", connect([":path", "/"], [":authority", "a:1"])],
    ["RFC 9113 §8.5: with both", connect([":scheme", "http"], [":path", "/"], [":authority", "a:1"])],
    ["RFC 9113 §8.5: without :authority", connect()],
    ["RFC 9113 §8.5: with Host in place of :authority", connect(["host", "a:1"])],
    ["RFC 9110 §9.3.6 (stricter): with content-length", connect([":authority", "a:1"], ["content-length", "1"])],
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
    const answered = (code: number) => heard(make, headers(5, status(code, ["content-length", "2"])), data(5, "abcd"))
    for (const code of [200, 299]) {
      assert.deepStrictEqual(answered(code).calls, [`response 5 ${code} content-length=2`, "data 5 abcd"])
    }
    // Where there is no tunnel, it counts.
    for (const code of [300, 404]) assert.deepStrictEqual(answered(code).sent, ["RST_STREAM 5 PROTOCOL_ERROR"])
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
