/**
 * RFC 9113 §8.1: the frames of a message and their order, its length, and what
 * is wrong in more than one way. Where each MUST has its test says
 * http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import { type Conduct, client, heard, Recorded, server } from "../harness/Http2Recorded.ts"
import {
  continuation,
  data,
  get,
  headers,
  ping,
  post,
  preface,
  rstStream,
  status,
  windowUpdate
} from "../harness/Http2Wire.ts"
import { accepted, connectionErrors, type Frames, malformed, streamErrors } from "./Http2Rows.ts"

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
  it("RFC 9113 §8.1: a response before the request is at its end: the client is asked to stop, and goes on with others", () => {
    const leaving: Conduct = {
      onHead: ({ engine }, stream) => {
        engine.abandon(stream, 0)
        engine.respond(stream, 200, {}, undefined, 0)
      }
    }
    const { calls, closing, sent } = heard(
      () => server(leaving),
      headers(1, post()),
      data(1, "abc"),
      headers(3, post())
    )
    assert.deepStrictEqual(
      sent.map((line) => line.replace(" content-length=0", "")),
      [
        "HEADERS 1 :status=200 END_STREAM",
        "RST_STREAM 1 NO_ERROR",
        "HEADERS 3 :status=200 END_STREAM",
        "RST_STREAM 3 NO_ERROR"
      ]
    )
    assert.deepStrictEqual(calls, ["request 1 POST http a /", "closed 1", "request 3 POST http a /", "closed 3"])
    assert.strictEqual(closing, "open")
    // Not so where the user still reads.
    const reading: Conduct = { onHead: ({ engine }, stream) => engine.respond(stream, 200, {}, undefined, 0) }
    const still = heard(() => server(reading), headers(1, post()), data(1, "abc"), data(1, "d", "END_STREAM"))
    assert.strictEqual(still.sent.length, 1)
    assert.deepStrictEqual(still.calls.slice(1), ["data 1 abc", "data 1 d", "end 1", "closed 1"])
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
