/**
 * RFC 9113 §3.4, §4 and §6: prefaces, frames and their layouts, header blocks.
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
import { accepted, connectionErrors, type Frames, streamErrors } from "./Http2Rows.ts"

const fresh = { server: () => emptied(new Recorded("server")), client: () => emptied(new Recorded("client")) }

/** What is sent of its own accord is looked at elsewhere. */
function emptied(side: Recorded): Recorded {
  side.sent()
  return side
}

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(0x61)

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

describe("RFC 9113 §4.3: header blocks", () => {
  const open = headers(1, Wire.block(get()).slice(0, 8), "MORE", "END_STREAM")
  const between: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["DATA", data(1, "a")],
    ["DATA of another stream", data(3, "a")],
    ["HEADERS", headers(1, get())],
    ["HEADERS of another stream", headers(3, get())],
    ["PRIORITY", priority(1)],
    ["RST_STREAM", rstStream(1, "CANCEL")],
    ["SETTINGS", settings()],
    ["an acknowledgement", settingsAck],
    ["PUSH_PROMISE", pushPromise(1, 2, get())],
    ["PING", ping()],
    ["GOAWAY", goAway(0)],
    ["WINDOW_UPDATE", windowUpdate(0, 1)],
    ["CONTINUATION of another stream", continuation(3, Wire.block(get()).slice(8))],
    ["CONTINUATION of stream 0", continuation(0, Wire.block(get()).slice(8))],
    ["an unknown frame (§5.5)", frame(0xfa, 0, 1)],
    ["an unknown frame of the connection (§5.5)", frame(0xfa, 0, 0)]
  ]
  connectionErrors("server", [
    ...between.map(
      ([name, one]) => [`RFC 9113 §4.3: within a header block: ${name}`, "PROTOCOL_ERROR", open, one] as const
    ),
    ...between.map(
      ([name, one]) =>
        [
          `RFC 9113 §6.10: behind a CONTINUATION: ${name}`,
          "PROTOCOL_ERROR",
          open,
          continuation(1, [], "MORE"),
          one
        ] as const
    )
  ])
  const answer = headers(1, status(200), "MORE")
  connectionErrors(
    "client",
    between.map(
      ([name, one]) => [`RFC 9113 §4.3: within a response's block: ${name}`, "PROTOCOL_ERROR", answer, one] as const
    )
  )
  connectionErrors("both", [
    ["RFC 9113 §6.10: CONTINUATION behind nothing", "PROTOCOL_ERROR", continuation(1, [])],
    ["RFC 9113 §6.10: CONTINUATION of stream 0", "PROTOCOL_ERROR", continuation(0, [])],
    ["RFC 9113 §6.10: CONTINUATION on an idle stream", "PROTOCOL_ERROR", continuation(101, get())]
  ])
  connectionErrors("server", [
    [
      "RFC 9113 §6.10: CONTINUATION behind END_HEADERS",
      "PROTOCOL_ERROR",
      headers(1, get("/wait")),
      continuation(1, [["x", "y"]])
    ],
    [
      "RFC 9113 §6.10: CONTINUATION behind a block of two",
      "PROTOCOL_ERROR",
      headers(1, get("/wait"), "MORE"),
      continuation(1, [["x", "y"]]),
      continuation(1, [["x", "y"]])
    ],
    [
      "RFC 9113 §6.10: CONTINUATION behind DATA",
      "PROTOCOL_ERROR",
      headers(1, post("/wait")),
      data(1, "a"),
      continuation(1, [["x", "y"]])
    ]
  ])
  accepted("server", [
    [
      "RFC 9113 §6.10: a block in HEADERS and two CONTINUATION frames, cut within fields",
      [
        headers(1, Wire.block(get("/wait")).slice(0, 5), "MORE", "END_STREAM"),
        continuation(1, Wire.block(get("/wait")).slice(5, 31), "MORE"),
        continuation(1, Wire.block(get("/wait")).slice(31))
      ],
      ["request 1 GET http a /wait ended"],
      []
    ],
    [
      "RFC 9113 §6.2: HEADERS with padding and priority, whose block goes on",
      [headers(1, get("/wait"), "MORE", "PADDED 7", "PRIORITY", "END_STREAM"), continuation(1, [["x", "y"]])],
      ["request 1 GET http a /wait x=y ended"],
      []
    ],
    [
      "RFC 9113 §4.3: an empty HEADERS, and the block in CONTINUATION",
      [headers(1, [], "MORE", "END_STREAM"), continuation(1, get("/wait"))],
      ["request 1 GET http a /wait ended"],
      []
    ]
  ])
  const broken: ReadonlyArray<readonly [string, string]> = [
    ["RFC 7541 §2.3.3: an index above both tables", "ff00"],
    ["RFC 7541 §6.1: index 0", "80"],
    ["RFC 7541 §4.2: a table size above the limit", "3fe220"],
    ["RFC 7541 §4.2: a table size behind a field", "82 20"],
    ["RFC 7541 §5.1: an integer without an end", "ff ffffffffffff 00"],
    ["RFC 7541 §5.2: padding of more than 7 bits", "00 0161 84 49509fff"],
    ["RFC 7541 §5.2: padding that is not of EOS", "00 0161 83 495090"],
    ["RFC 7541 §5.2: EOS within a string", "00 0161 84 ffffffff"],
    ["RFC 7541 §5.2: a string that is cut off", "00 0161 05 6162"],
    ["RFC 9113 §4.3: a field that is cut off", "00 01"],
    ["RFC 9113 §4.3: an integer that is cut off", "ff"]
  ]
  connectionErrors("server", [
    ...broken.map(
      ([rule, block]) =>
        [rule, "COMPRESSION_ERROR", headers(1, Wire.wire(Wire.block(get()), Hex.hex(block)), "END_STREAM")] as const
    ),
    ...broken.map(
      ([rule, block]) =>
        [
          `${rule}, in trailers`,
          "COMPRESSION_ERROR",
          headers(1, post("/wait")),
          headers(1, Hex.hex(block), "END_STREAM")
        ] as const
    ),
    [
      "RFC 9113 §4.3: also in a block of a stream that was reset",
      "COMPRESSION_ERROR",
      headers(1, post("/wait", [":bad", ""])),
      headers(1, Hex.hex("80"), "END_STREAM")
    ]
  ])
  connectionErrors(
    "client",
    broken.map(
      ([rule, block]) =>
        [rule, "COMPRESSION_ERROR", headers(1, Wire.wire(Wire.block(status(200)), Hex.hex(block)))] as const
    )
  )
  accepted("server", [
    [
      "RFC 9113 §4.3: the block of a stream that was refused changes the table all the same",
      [
        headers(1, [...get("/wait"), ["Bad", "1"]], "END_STREAM"),
        headers(3, Wire.wire(Wire.block(get("/wait")), Hex.hex("40 0178 0179")), "END_STREAM"),
        headers(5, Wire.wire(Wire.block([...get("/wait"), ["Bad", "1"]]), Hex.hex("40 0161 0162")), "END_STREAM"),
        headers(7, Wire.wire(Wire.block(get("/wait")), Hex.hex("be bf")), "END_STREAM")
      ].slice(1),
      ["request 3 GET http a /wait x=y ended", "request 7 GET http a /wait a=b x=y ended"],
      undefined
    ]
  ])
})

describe("RFC 9113 §4.3.1: the table of header compression", () => {
  const make = () => emptied(new Recorded("server", undefined, { headerTableSize: 100 }))
  const wait = Wire.block(get("/wait"))
  it("RFC 9113 §4.3.1: behind the acknowledgement of a smaller table, a block begins with a size", () => {
    const start = [preface, settings()]
    const plain = headers(1, wait, "END_STREAM")
    assert.strictEqual(heard(make, ...start, plain).closing, "open")
    assert.strictEqual(heard(make, ...start, settingsAck, plain).sent.at(-1), "GOAWAY 0 COMPRESSION_ERROR")
    const sized = (size: string) => headers(1, Wire.wire(Hex.hex(size), wait), "END_STREAM")
    assert.deepStrictEqual(heard(make, ...start, settingsAck, sized("3f45")).calls, [
      "request 1 GET http a /wait ended"
    ])
    assert.deepStrictEqual(heard(make, ...start, settingsAck, sized("20")).calls, ["request 1 GET http a /wait ended"])
    assert.strictEqual(heard(make, ...start, settingsAck, sized("3f46")).sent.at(-1), "GOAWAY 0 COMPRESSION_ERROR")
  })
  it("RFC 9113 §4.3.1: our encoder keeps to the table of the peer, and says so first", () => {
    const respond = (...frames: Frames) => {
      const side = new Recorded("server", {
        onWhole: ({ engine }, stream) => engine.respond(stream, 200, { "x-a": "b", "x-c": "d" }, undefined, 0)
      })
      side.receive(preface, ...frames, headers(1, wait, "END_STREAM"), headers(3, wait, "END_STREAM"))
      return blocksOf(side)
    }
    const [first, second] = respond(settings({ HEADER_TABLE_SIZE: 0 }))
    assert.strictEqual(first![0], 0x20)
    // The same once more: nothing was kept, so nothing is an index of the dynamic table.
    assert.strictEqual(second!.length, first!.length - 1)
    const [reduced] = respond(settings({ HEADER_TABLE_SIZE: 8192 }), settings({ HEADER_TABLE_SIZE: 64 }))
    assert.strictEqual(reduced![0], 0x3f)
    assert.strictEqual(reduced![1], 64 - 31)
  })
})

/** Payloads of the HEADERS frames that a server has sent. */
const blocksOf = (side: Recorded): ReadonlyArray<Uint8Array> =>
  side.reader
    .frames(Hex.concat(side.engine.output.take()))
    .flatMap((one) => (one !== "PREFACE" && one.type === 1 ? [one.payload] : []))

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

describe("RFC 9113 §6.5: SETTINGS", () => {
  connectionErrors("both", [
    ["RFC 9113 §6.5.2: ENABLE_PUSH of 2", "PROTOCOL_ERROR", settings({ ENABLE_PUSH: 2 })],
    [
      "RFC 9113 §6.5.2: INITIAL_WINDOW_SIZE above 2^31-1",
      "FLOW_CONTROL_ERROR",
      settings({ INITIAL_WINDOW_SIZE: 2 ** 31 })
    ],
    ["RFC 9113 §6.5.2: MAX_FRAME_SIZE below 2^14", "PROTOCOL_ERROR", settings({ MAX_FRAME_SIZE: 16_383 })],
    ["RFC 9113 §6.5.2: MAX_FRAME_SIZE above 2^24-1", "PROTOCOL_ERROR", settings({ MAX_FRAME_SIZE: 2 ** 24 })],
    [
      "RFC 9113 §6.5.2: a wrong value among right ones",
      "PROTOCOL_ERROR",
      settings({ HEADER_TABLE_SIZE: 1, MAX_FRAME_SIZE: 0, ENABLE_PUSH: 0 })
    ],
    ["RFC 9113 §6.5.3 (stricter): an acknowledgement of nothing", "PROTOCOL_ERROR", settingsAck],
    ["RFC 8441 §3: ENABLE_CONNECT_PROTOCOL of 2", "PROTOCOL_ERROR", settings({ ENABLE_CONNECT_PROTOCOL: 2 })],
    [
      "RFC 8441 §3: ENABLE_CONNECT_PROTOCOL back from 1 to 0",
      "PROTOCOL_ERROR",
      settings({ ENABLE_CONNECT_PROTOCOL: 1 }),
      settings({ ENABLE_CONNECT_PROTOCOL: 0 })
    ]
  ])
  connectionErrors("client", [
    ["RFC 9113 §6.5.2: a server that enables push", "PROTOCOL_ERROR", settings({ ENABLE_PUSH: 1 })]
  ])
  accepted("both", [
    [
      "RFC 9113 §6.5.3: each SETTINGS is acknowledged",
      [settings(), settings({ MAX_CONCURRENT_STREAMS: 1 }), settings()],
      [],
      ["SETTINGS ACK", "SETTINGS ACK", "SETTINGS ACK"]
    ],
    [
      "RFC 9113 §6.5.2: values at their ends",
      [
        settings({
          HEADER_TABLE_SIZE: 0,
          ENABLE_PUSH: 0,
          MAX_CONCURRENT_STREAMS: 0,
          INITIAL_WINDOW_SIZE: 0,
          MAX_FRAME_SIZE: 16_384,
          MAX_HEADER_LIST_SIZE: 0
        }),
        settings({
          HEADER_TABLE_SIZE: 2 ** 32 - 1,
          MAX_CONCURRENT_STREAMS: 2 ** 32 - 1,
          INITIAL_WINDOW_SIZE: 2 ** 31 - 1,
          MAX_FRAME_SIZE: 2 ** 24 - 1,
          MAX_HEADER_LIST_SIZE: 2 ** 32 - 1
        })
      ],
      undefined,
      ["SETTINGS ACK", "SETTINGS ACK"]
    ]
  ])
  accepted("server", [
    ["RFC 9113 §6.5.2: a client that takes pushes", [settings({ ENABLE_PUSH: 1 })], [], ["SETTINGS ACK"]]
  ])
})

describe("RFC 9113 §6.6 and §8.4: PUSH_PROMISE", () => {
  connectionErrors("server", [
    [
      "RFC 9113 §8.4: a client cannot push",
      "PROTOCOL_ERROR",
      headers(1, get("/wait"), "END_STREAM"),
      pushPromise(1, 2, get())
    ],
    ["RFC 9113 §8.4: a client cannot push, on an idle stream neither", "PROTOCOL_ERROR", pushPromise(1, 2, get())]
  ])
  connectionErrors("client", [
    [
      "RFC 9113 §6.6: a push that was disabled, and its SETTINGS acknowledged",
      "PROTOCOL_ERROR",
      pushPromise(1, 2, get())
    ],
    ["RFC 9113 §6.6: on an idle stream", "PROTOCOL_ERROR", pushPromise(99, 2, get())],
    ["RFC 9113 §6.6: of a stream that cannot be pushed", "PROTOCOL_ERROR", pushPromise(1, 3, get())],
    [
      "RFC 9113 §5.1: frames on a stream that was never promised",
      "PROTOCOL_ERROR",
      headers(2, status(200), "END_STREAM")
    ]
  ])
  it("RFC 9113 §6.6 (stricter): a push that was disabled, before its SETTINGS are acknowledged", () => {
    const make = () => {
      const side = emptied(new Recorded("client"))
      side.engine.request(
        { method: "GET", scheme: "http", authority: "a", path: "/", headers: {} },
        undefined,
        "whole",
        undefined,
        0
      )
      side.sent()
      return side
    }
    assert.strictEqual(heard(make, settings(), pushPromise(1, 2, get())).sent.at(-1), "GOAWAY 0 PROTOCOL_ERROR")
  })
})

describe("RFC 9113 §6.7: PING", () => {
  accepted("both", [
    [
      "RFC 9113 §6.7: is answered with the same bytes",
      [frame("PING", 0, 0, "00ff0102030405fe")],
      [],
      ["PING 00 ff 01 02 03 04 05 fe ACK"]
    ],
    ["RFC 9113 §6.7: an answer is not answered, whoever asked", [ping("whoasked", "ACK")], [], []],
    [
      "RFC 9113 §6.7: three",
      [ping("first---"), ping("second--"), ping("third---")],
      [],
      ["PING 'first---' ACK", "PING 'second--' ACK", "PING 'third---' ACK"]
    ]
  ])
})
