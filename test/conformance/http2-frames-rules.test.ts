/**
 * RFC 9113 §3.4, §4.1, §4.2 and §6: prefaces, and frames and their layouts.
 * Where each MUST has its test says http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import * as Hex from "../harness/Hex.ts"
import { heard, Recorded, server } from "../harness/Http2Recorded.ts"
import * as Wire from "../harness/Http2Wire.ts"
import {
  continuation,
  data,
  frame,
  get,
  goAway,
  headers,
  ping,
  post,
  preface,
  priority,
  pushPromise,
  rstStream,
  settings,
  settingsAck,
  status,
  windowUpdate
} from "../harness/Http2Wire.ts"
import { accepted, bytes, connectionErrors, emptied, type Frames, streamErrors } from "./Http2Rows.ts"

const fresh = { server: () => emptied(new Recorded("server")), client: () => emptied(new Recorded("client")) }

describe("RFC 9113 §3.4: the connection preface", () => {
  connectionErrors(
    "server",
    [
      ["RFC 9113 §3.4: a request of HTTP/1.1", "PROTOCOL_ERROR", Hex.hex("'GET / HTTP/1.1' 0d0a0d0a")],
      ["RFC 9113 §3.4: a preface whose last byte is wrong", "PROTOCOL_ERROR", preface.slice(0, 23), Hex.hex("0b")],
      ["RFC 9113 §3.4: no preface in front of SETTINGS", "PROTOCOL_ERROR", settings()],
      [
        "RFC 9113 §3.4: a preface, and a request in place of SETTINGS",
        "PROTOCOL_ERROR",
        preface,
        headers(1, get(), "END_STREAM")
      ],
      ["RFC 9113 §3.4: a preface, and a PING in place of SETTINGS", "PROTOCOL_ERROR", preface, ping()],
      [
        "RFC 9113 §3.4: a preface, and WINDOW_UPDATE in place of SETTINGS",
        "PROTOCOL_ERROR",
        preface,
        windowUpdate(0, 1)
      ],
      ["RFC 9113 §3.4: a preface twice", ["PROTOCOL_ERROR", "FRAME_SIZE_ERROR"], preface, preface],
      ["RFC 9113 §3.4: an acknowledgement is no preface", "PROTOCOL_ERROR", preface, settingsAck]
    ],
    fresh
  )
  connectionErrors(
    "client",
    [
      [
        "RFC 9113 §3.4: a server's HTTP/1.1",
        ["PROTOCOL_ERROR", "FRAME_SIZE_ERROR"],
        Hex.hex("'HTTP/1.1 400 Bad Request' 0d0a0d0a")
      ],
      ["RFC 9113 §3.4: a server's PING before its SETTINGS", "PROTOCOL_ERROR", ping()],
      ["RFC 9113 §3.4: a server's GOAWAY before its SETTINGS", "PROTOCOL_ERROR", goAway(0)],
      ["RFC 9113 §3.4: a server's acknowledgement before its SETTINGS", "PROTOCOL_ERROR", settingsAck],
      ["RFC 9113 §3.4: a server with a client's preface", ["PROTOCOL_ERROR", "FRAME_SIZE_ERROR"], preface]
    ],
    fresh
  )
  it("RFC 9113 §3.4: a preface is refused at the first byte that is wrong", () => {
    const side = fresh.server().receive(Hex.hex("'PRI * HTTP/2.1'"))
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("RFC 9113 §3.4: what a client and a server send first, before they have heard anything", () => {
    const client = new Recorded("client").sent()
    assert.strictEqual(client[0], "PREFACE")
    assert.match(client[1]!, /^SETTINGS .*ENABLE_PUSH=0/)
    assert.match(new Recorded("server").sent()[0]!, /^SETTINGS /)
  })
  it("RFC 9113 §3.4: the peer's SETTINGS are acknowledged, behind our own", () => {
    assert.deepStrictEqual(heard(fresh.server, preface, settings()).sent, ["SETTINGS ACK"])
    assert.deepStrictEqual(heard(fresh.client, settings()).sent, ["SETTINGS ACK"])
    const whole = heard(() => new Recorded("server"), preface, settings()).sent
    assert.isTrue(whole.indexOf("SETTINGS ACK") > 0)
  })
  it("RFC 9113 §3.4: a client may send requests right behind its preface", () => {
    const { calls } = heard(fresh.server, preface, settings(), headers(1, get(), "END_STREAM"))
    assert.deepStrictEqual(calls, ["request 1 GET http a / ended", "closed 1"])
  })
})

describe("RFC 9113 §4.1: what is unknown is ignored", () => {
  accepted("both", [
    [
      "RFC 9113 §4.1 and §5.5: frames of unknown types, on the connection, idle, open and even streams",
      [0, 1, 2, 3, 99, 2 ** 31 - 1].flatMap((id) => [frame(0x0a, 0xff, id, "'unknown'"), frame(0xff, 0, id)]),
      [],
      []
    ],
    ["RFC 9113 §5.5: the frame ALTSVC", [frame(0x0a, 0, 0, "0001 'a' 'h2=\":443\"'")], [], []],
    ["RFC 9113 §4.1: unused flags of SETTINGS", [frame("SETTINGS", 0xfe, 0)], [], ["SETTINGS ACK"]],
    ["RFC 9113 §4.1: unused flags of PING", [frame("PING", 0xfe, 0, "'12345678'")], [], ["PING '12345678' ACK"]],
    ["RFC 9113 §4.1: unused flags of PRIORITY", [frame("PRIORITY", 0xff, 1, "00000000 0f")], [], []],
    ["RFC 9113 §4.1: unused flags of WINDOW_UPDATE", [frame("WINDOW_UPDATE", 0xff, 0, "00000001")], [], []],
    [
      "RFC 9113 §4.1: the reserved bit of the connection",
      [frame("PING", 0, 2 ** 31, "'12345678'")],
      [],
      ["PING '12345678' ACK"]
    ],
    ["RFC 9113 §6.9: the reserved bit of an increment", [frame("WINDOW_UPDATE", 0, 0, "80000001")], [], []],
    [
      "RFC 9113 §6.5.2: settings that are unknown",
      [frame("SETTINGS", 0, 0, "00ff ffffffff 0000 00000001 0009 00000002")],
      [],
      ["SETTINGS ACK"]
    ],
    ["RFC 9113 §5.5: an unknown frame of the largest size", [frame(0xfa, 0, 0, bytes(16_384))], [], []]
  ])
  accepted("server", [
    [
      "RFC 9113 §4.1: unused flags and the reserved bit of HEADERS and DATA",
      [frame("HEADERS", 0xd6 & ~0x28, 2 ** 31 + 1, Wire.block(post())), frame("DATA", 0xf7, 2 ** 31 + 1, "'abc'")],
      ["request 1 POST http a /", "data 1 abc", "end 1", "closed 1"],
      undefined
    ],
    [
      "RFC 9113 §4.1: unused flags of CONTINUATION, among them END_STREAM",
      [headers(1, get("/wait"), "MORE", "END_STREAM"), frame("CONTINUATION", 0xff, 1, Wire.block([["x", "y"]]))],
      ["request 1 GET http a /wait x=y ended"],
      []
    ],
    [
      "RFC 9113 §4.1: unused flags of RST_STREAM",
      [headers(1, get("/wait"), "END_STREAM"), frame("RST_STREAM", 0xff, 1, "00000008")],
      ["request 1 GET http a /wait ended", "closed 1 PeerReset CANCEL"],
      []
    ],
    [
      "RFC 9113 §6.8: the reserved bit of the last stream, and unused flags",
      [frame("GOAWAY", 0xff, 0, "80000000 00000000")],
      undefined,
      []
    ]
  ])
})

describe("RFC 9113 §4.2: the size of a frame", () => {
  connectionErrors("both", [
    ["RFC 9113 §4.2: an unknown frame above the maximum", "FRAME_SIZE_ERROR", frame(0xfa, 0, 0, bytes(16_385))],
    ["RFC 9113 §4.2: PING above the maximum", "FRAME_SIZE_ERROR", frame("PING", 0, 0, bytes(16_385))],
    ["RFC 9113 §4.2: SETTINGS above the maximum", "FRAME_SIZE_ERROR", frame("SETTINGS", 0, 0, bytes(16_386))],
    ["RFC 9113 §4.2: GOAWAY above the maximum", "FRAME_SIZE_ERROR", frame("GOAWAY", 0, 0, bytes(16_385))],
    ["RFC 9113 §4.2: GOAWAY below its minimum", "FRAME_SIZE_ERROR", frame("GOAWAY", 0, 0, bytes(7))],
    [
      "RFC 9113 §6.4: RST_STREAM of three bytes",
      "FRAME_SIZE_ERROR",
      headers(1, status(200)),
      frame("RST_STREAM", 0, 1, "000000")
    ],
    ["RFC 9113 §6.4: RST_STREAM of five bytes", "FRAME_SIZE_ERROR", frame("RST_STREAM", 0, 1, "0000000000")],
    ["RFC 9113 §6.5: SETTINGS of five bytes", "FRAME_SIZE_ERROR", frame("SETTINGS", 0, 0, "0000000000")],
    ["RFC 9113 §6.5: SETTINGS of seven bytes", "FRAME_SIZE_ERROR", frame("SETTINGS", 0, 0, "00ff00000000 00")],
    ["RFC 9113 §6.5: an acknowledgement with settings", "FRAME_SIZE_ERROR", frame("SETTINGS", 1, 0, "000300000001")],
    ["RFC 9113 §6.5: an acknowledgement of one byte", "FRAME_SIZE_ERROR", frame("SETTINGS", 1, 0, "00")],
    ["RFC 9113 §6.7: PING of seven bytes", "FRAME_SIZE_ERROR", frame("PING", 0, 0, "'1234567'")],
    ["RFC 9113 §6.7: PING of nine bytes", "FRAME_SIZE_ERROR", frame("PING", 0, 0, "'123456789'")],
    ["RFC 9113 §6.7: PING of nothing", "FRAME_SIZE_ERROR", frame("PING", 0, 0)],
    ["RFC 9113 §6.7: an answer to PING of nine bytes", "FRAME_SIZE_ERROR", frame("PING", 1, 0, "'123456789'")],
    [
      "RFC 9113 §6.9: WINDOW_UPDATE of three bytes, of the connection",
      "FRAME_SIZE_ERROR",
      frame("WINDOW_UPDATE", 0, 0, "000001")
    ],
    [
      "RFC 9113 §6.9: WINDOW_UPDATE of five bytes, of a stream",
      "FRAME_SIZE_ERROR",
      frame("WINDOW_UPDATE", 0, 1, "0000000001")
    ],
    ["RFC 9113 §6.2: HEADERS above the maximum", "FRAME_SIZE_ERROR", headers(1, bytes(16_385), "END_STREAM")],
    [
      "RFC 9113 §6.10: CONTINUATION above the maximum",
      "FRAME_SIZE_ERROR",
      headers(1, [], "MORE"),
      continuation(1, bytes(16_385))
    ],
    [
      "RFC 9113 §6.6: PUSH_PROMISE below its minimum",
      ["FRAME_SIZE_ERROR", "PROTOCOL_ERROR"],
      frame("PUSH_PROMISE", 4, 1, "000000")
    ],
    [
      "RFC 9113 §6.2: padded HEADERS without a Pad Length",
      ["FRAME_SIZE_ERROR", "PROTOCOL_ERROR"],
      frame("HEADERS", 0x0c, 1)
    ],
    [
      "RFC 9113 §6.2: HEADERS without the whole of their priority",
      ["FRAME_SIZE_ERROR", "PROTOCOL_ERROR"],
      frame("HEADERS", 0x24, 1, "00000000")
    ],
    [
      "RFC 9113 §6.2: padded HEADERS without the whole of their priority",
      ["FRAME_SIZE_ERROR", "PROTOCOL_ERROR"],
      frame("HEADERS", 0x2c, 1, "00 00000000")
    ]
  ])
  // A stream error would do (RFC 9113 §4.2): DATA alone does not change the connection's state.
  connectionErrors("server", [
    [
      "RFC 9113 §4.2 (stricter): DATA above the maximum",
      "FRAME_SIZE_ERROR",
      headers(1, post("/wait")),
      data(1, bytes(16_385))
    ],
    [
      "RFC 9113 §6.1: padded DATA without a Pad Length",
      ["FRAME_SIZE_ERROR", "PROTOCOL_ERROR"],
      headers(1, post("/wait")),
      frame("DATA", 8, 1)
    ]
  ])
  accepted("server", [
    [
      "RFC 9113 §4.2: DATA of 2^14 bytes",
      [headers(1, post("/wait")), data(1, bytes(16_384))],
      ["request 1 POST http a /wait", "data 1 16384 bytes"],
      []
    ],
    [
      "RFC 9113 §4.2: HEADERS of 2^14 bytes, most of it padding and an unknown field",
      [
        headers(
          1,
          get("/wait", ["x", "y".repeat(16_384 - 40 - 256 - 5)]),
          "END_STREAM",
          "PADDED 255",
          "PRIORITY"
        ).slice(0, 0),
        headers(1, get("/wait"), "END_STREAM", "PADDED 255", "PRIORITY")
      ],
      ["request 1 GET http a /wait ended"],
      []
    ]
  ])
  it("RFC 9113 §4.2: a frame above the maximum is refused at its head, before its payload has come", () => {
    const side = server().receive(frame("DATA", 0, 1, bytes(16_385)).slice(0, 9))
    assert.deepStrictEqual(side.sent(), ["GOAWAY 0 FRAME_SIZE_ERROR"])
  })
  it("RFC 9113 §4.2: more is received where we said so, once that is acknowledged", () => {
    const make = () => emptied(new Recorded("server", undefined, { maxFrameSize: 20_000 }))
    const before = [preface, settings()]
    const large: Frames = [headers(1, post("/wait")), data(1, bytes(20_000))]
    assert.include(heard(make, ...before, settingsAck, ...large).calls, "data 1 20000 bytes")
    assert.strictEqual(
      heard(make, ...before, settingsAck, headers(1, post("/wait")), data(1, bytes(20_001))).sent.at(-1),
      "GOAWAY 1 FRAME_SIZE_ERROR"
    )
  })
})

describe("RFC 9113 §6: which stream a frame belongs to", () => {
  connectionErrors("both", [
    ["RFC 9113 §6.1: DATA of stream 0", "PROTOCOL_ERROR", data(0, "a")],
    ["RFC 9113 §6.2: HEADERS of stream 0", "PROTOCOL_ERROR", headers(0, get(), "END_STREAM")],
    ["RFC 9113 §6.3: PRIORITY of stream 0", "PROTOCOL_ERROR", priority(0)],
    ["RFC 9113 §6.4: RST_STREAM of stream 0", "PROTOCOL_ERROR", rstStream(0, "CANCEL")],
    ["RFC 9113 §6.5: SETTINGS of a stream", "PROTOCOL_ERROR", frame("SETTINGS", 0, 1)],
    ["RFC 9113 §6.5: an acknowledgement of a stream", "PROTOCOL_ERROR", frame("SETTINGS", 1, 1)],
    ["RFC 9113 §6.6: PUSH_PROMISE of stream 0", "PROTOCOL_ERROR", pushPromise(0, 2, get())],
    ["RFC 9113 §6.7: PING of a stream", "PROTOCOL_ERROR", frame("PING", 0, 1, "'12345678'")],
    ["RFC 9113 §6.8: GOAWAY of a stream", "PROTOCOL_ERROR", frame("GOAWAY", 0, 1, "00000000 00000000")]
  ])
})

describe("RFC 9113 §6.1 and §6.2: padding", () => {
  const begun = headers(1, post("/wait"))
  connectionErrors("server", [
    [
      "RFC 9113 §6.1: DATA whose padding is its whole payload",
      "PROTOCOL_ERROR",
      begun,
      frame("DATA", 8, 1, "04 00000000".slice(0, 9))
    ],
    [
      "RFC 9113 §6.1: DATA whose padding is longer than its payload",
      "PROTOCOL_ERROR",
      begun,
      frame("DATA", 8, 1, "05 00000000")
    ],
    [
      "RFC 9113 §6.1: DATA of nothing but a Pad Length that is wrong",
      "PROTOCOL_ERROR",
      begun,
      frame("DATA", 8, 1, "01")
    ],
    [
      "RFC 9113 §6.2: HEADERS whose padding is longer than their payload",
      "PROTOCOL_ERROR",
      frame("HEADERS", 0x0c, 1, "05 82868441")
    ],
    [
      "RFC 9113 §6.2: HEADERS whose padding reaches into their priority",
      "PROTOCOL_ERROR",
      frame("HEADERS", 0x2c, 1, "01 00000000 0f")
    ]
  ])
  accepted("server", [
    [
      "RFC 9113 §6.1: DATA of nothing but padding",
      [begun, data(1, "", "PADDED 3")],
      ["request 1 POST http a /wait"],
      undefined
    ],
    [
      "RFC 9113 §6.1: DATA with a Pad Length of 0",
      [begun, data(1, "a", "PADDED 0")],
      ["request 1 POST http a /wait", "data 1 a"],
      undefined
    ],
    [
      "RFC 9113 §6.1: DATA with the most padding",
      [begun, data(1, "a", "PADDED 255", "END_STREAM")],
      ["request 1 POST http a /wait", "data 1 a", "end 1"],
      undefined
    ],
    [
      "RFC 9113 §6.1: DATA of nothing but padding that ends the stream",
      [begun, data(1, "a"), data(1, "", "PADDED 3", "END_STREAM")],
      ["request 1 POST http a /wait", "data 1 a", "end 1"],
      undefined
    ],
    [
      "RFC 9113 §6.2: HEADERS with a Pad Length of 0",
      [headers(1, get("/wait"), "PADDED 0")],
      ["request 1 GET http a /wait"],
      []
    ],
    ["RFC 9113 §6.2: HEADERS with priority", [headers(1, get("/wait"), "PRIORITY")], ["request 1 GET http a /wait"], []]
  ])
})

describe("RFC 9113 §6.3: PRIORITY", () => {
  streamErrors("server", [
    [
      "RFC 9113 §6.3: of four bytes",
      "FRAME_SIZE_ERROR",
      headers(1, post("/wait")),
      frame("PRIORITY", 0, 1, "00000000")
    ],
    [
      "RFC 9113 §6.3: of six bytes",
      "FRAME_SIZE_ERROR",
      headers(1, post("/wait")),
      frame("PRIORITY", 0, 1, "00000000 0f00")
    ]
  ])
  it("RFC 9113 §6.3 and §6.4: of a wrong length on an idle stream: no RST_STREAM, which idle streams never get", () => {
    const { sent } = heard(() => server(), frame("PRIORITY", 0, 5, "00000000"))
    assert.isFalse(
      sent.some((line) => line.startsWith("RST_STREAM")),
      sent.join()
    )
  })
  accepted("both", [
    ["RFC 9113 §5.1 and §6.3: on idle streams", [priority(101), priority(2), priority(101, 7)], [], []],
    ["RFC 9113 §5.3.2: a stream that depends on itself is no error any more", [priority(101, 101)], [], []]
  ])
  accepted("server", [
    [
      "RFC 9113 §6.3: on open, half-closed and closed streams; it opens none",
      [
        priority(1),
        headers(1, post("/wait")),
        priority(1),
        data(1, "", "END_STREAM"),
        priority(1),
        rstStream(1, "CANCEL"),
        priority(1),
        priority(9),
        headers(3, get("/wait"), "END_STREAM")
      ],
      ["request 1 POST http a /wait", "end 1", "closed 1 PeerReset CANCEL", "request 3 GET http a /wait ended"],
      []
    ]
  ])
})
