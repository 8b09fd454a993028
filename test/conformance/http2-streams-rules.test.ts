/**
 * RFC 9113 §5, §6.4, §6.8, §6.9 and §7: streams and their states, errors,
 * GOAWAY and flow control. Where each MUST has its test says
 * http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import * as Hex from "../harness/Hex.ts"
import { ask, client, heard, Recorded, server } from "../harness/Http2Recorded.ts"
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
  priority,
  rstStream,
  settings,
  settingsAck,
  status,
  windowUpdate
} from "../harness/Http2Wire.ts"
import { accepted, connectionErrors, streamErrors } from "./Http2Rows.ts"

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(0x61)

/** A server whose responses have a body of so many bytes. */
const serving = (byteCount: number) => () =>
  server({ onWhole: ({ engine }, stream) => engine.respond(stream, 200, {}, bytes(byteCount), 0) })

/** A server that uses nothing up of what it receives. */
const holding = () => server({ onData: () => {} })

const whole = (id: number, path = "/"): Uint8Array => headers(id, get(path), "END_STREAM")
const waiting = whole(1, "/wait")
const closed = whole(1)
const opened = headers(1, post("/wait"))

/** Lengths of DATA on one stream. */
const dataOf = (sent: ReadonlyArray<string>, id: number): ReadonlyArray<number> =>
  sent
    .filter((line) => line.startsWith(`DATA ${id} `))
    .map((line) => Number(/^DATA \d+ (\d+) bytes/.exec(line)?.[1] ?? (/'(.*)'/.exec(line)?.[1] ?? "").length))

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, one) => total + one, 0)

describe("RFC 9113 §5.1: idle streams", () => {
  connectionErrors("both", [
    ["RFC 9113 §5.1: DATA", "PROTOCOL_ERROR", data(101, "a")],
    ["RFC 9113 §6.4: RST_STREAM", "PROTOCOL_ERROR", rstStream(101, "CANCEL")],
    ["RFC 9113 §5.1: WINDOW_UPDATE", "PROTOCOL_ERROR", windowUpdate(101, 1)],
    ["RFC 9113 §5.1: CONTINUATION", "PROTOCOL_ERROR", continuation(101, get())],
    ["RFC 9113 §5.1: DATA on a stream of the server", "PROTOCOL_ERROR", data(2, "a")],
    ["RFC 9113 §5.1: WINDOW_UPDATE on a stream of the server", "PROTOCOL_ERROR", windowUpdate(2, 1)],
    ["RFC 9113 §5.1: RST_STREAM on a stream of the server", "PROTOCOL_ERROR", rstStream(2, "CANCEL")]
  ])
  connectionErrors("client", [
    ["RFC 9113 §5.1: a response to what was not asked", "PROTOCOL_ERROR", headers(5, status(200), "END_STREAM")],
    ["RFC 9113 §5.1.1: a server that opens a stream", "PROTOCOL_ERROR", headers(2, status(200), "END_STREAM")]
  ])
})

describe("RFC 9113 §5.1: half-closed (remote)", () => {
  streamErrors("server", [
    ["RFC 9113 §5.1: DATA behind a request without a body", "STREAM_CLOSED", waiting, data(1, "a")],
    ["RFC 9113 §5.1: empty DATA", "STREAM_CLOSED", waiting, data(1, "", "END_STREAM")],
    ["RFC 9113 §5.1: HEADERS", "STREAM_CLOSED", waiting, headers(1, [["x", "y"]], "END_STREAM")],
    [
      "RFC 9113 §5.1: HEADERS in two frames",
      "STREAM_CLOSED",
      waiting,
      headers(1, [["x", "y"]], "MORE"),
      continuation(1, [])
    ],
    ["RFC 9113 §5.1: DATA behind the end of DATA", "STREAM_CLOSED", opened, data(1, "a", "END_STREAM"), data(1, "b")],
    [
      "RFC 9113 §5.1: DATA behind trailers",
      "STREAM_CLOSED",
      opened,
      headers(1, [["x", "y"]], "END_STREAM"),
      data(1, "b")
    ],
    [
      "RFC 9113 §5.1: trailers behind the end of DATA",
      "STREAM_CLOSED",
      opened,
      data(1, "a", "END_STREAM"),
      headers(1, [["x", "y"]], "END_STREAM")
    ]
  ])
  streamErrors("client", [
    [
      "RFC 9113 §5.1: DATA behind a response, before the request is at its end",
      "STREAM_CLOSED",
      headers(3, status(200), "END_STREAM"),
      data(3, "a")
    ],
    [
      "RFC 9113 §5.1: HEADERS behind a response",
      "STREAM_CLOSED",
      headers(3, status(200), "END_STREAM"),
      headers(3, [["x", "y"]], "END_STREAM")
    ]
  ])
  accepted("server", [
    [
      "RFC 9113 §5.1: WINDOW_UPDATE and PRIORITY",
      [waiting, windowUpdate(1, 1), priority(1), windowUpdate(1, 2)],
      ["request 1 GET http a /wait ended"],
      []
    ],
    [
      "RFC 9113 §5.1: RST_STREAM",
      [waiting, rstStream(1, "CANCEL")],
      ["request 1 GET http a /wait ended", "closed 1 PeerReset CANCEL"],
      []
    ]
  ])
})

describe("RFC 9113 §5.1: half-closed (local)", () => {
  accepted("client", [
    [
      "RFC 9113 §5.1: any frame may come",
      [
        windowUpdate(1, 9),
        priority(1),
        headers(1, status(103)),
        headers(1, status(200)),
        data(1, "abc"),
        windowUpdate(1, 9),
        headers(1, [["x", "y"]], "END_STREAM")
      ],
      ["interim 1 103", "response 1 200", "data 1 abc", "end 1 x=y", "closed 1"],
      []
    ],
    ["RFC 9113 §5.1: RST_STREAM", [rstStream(1, "REFUSED_STREAM")], ["closed 1 PeerReset REFUSED_STREAM"], []]
  ])
})

describe("RFC 9113 §5.1: closed streams", () => {
  // RFC 9113 §5.4: PROTOCOL_ERROR can always stand for a code that says more.
  connectionErrors("server", [
    ["RFC 9113 §5.1: DATA behind both ends", "STREAM_CLOSED", closed, data(1, "a")],
    ["RFC 9113 §5.1: HEADERS behind both ends", "STREAM_CLOSED", closed, headers(1, get(), "END_STREAM")],
    [
      "RFC 9113 §5.1: CONTINUATION behind both ends",
      ["PROTOCOL_ERROR", "STREAM_CLOSED"],
      closed,
      continuation(1, get())
    ]
  ])
  connectionErrors("client", [
    ["RFC 9113 §5.1: DATA behind both ends", "STREAM_CLOSED", headers(1, status(200), "END_STREAM"), data(1, "a")],
    [
      "RFC 9113 §5.1: HEADERS behind both ends",
      "STREAM_CLOSED",
      headers(1, status(200), "END_STREAM"),
      headers(1, status(200), "END_STREAM")
    ]
  ])
  accepted("server", [
    [
      "RFC 9113 §5.1 and §6.9: WINDOW_UPDATE, RST_STREAM and PRIORITY behind both ends",
      [closed, windowUpdate(1, 1), rstStream(1, "CANCEL"), priority(1), windowUpdate(1, 1), rstStream(1, "NO_ERROR")],
      ["request 1 GET http a / ended", "closed 1"],
      undefined
    ],
    [
      "RFC 9113 §5.1: the same behind the peer's RST_STREAM",
      [opened, rstStream(1, "CANCEL"), windowUpdate(1, 1), rstStream(1, "CANCEL"), priority(1)],
      ["request 1 POST http a /wait", "closed 1 PeerReset CANCEL"],
      []
    ]
  ])
  for (const [rule, late] of [
    ["DATA", data(1, "a", "END_STREAM")],
    ["HEADERS", headers(1, [["x", "y"]], "END_STREAM")]
  ] as const) {
    it(`RFC 9113 §5.1: ${rule} behind the peer's own RST_STREAM is STREAM_CLOSED, of the stream or the connection`, () => {
      const { calls, sent } = heard(() => server(), opened, rstStream(1, "CANCEL"), late)
      assert.deepStrictEqual(calls.slice(0, 2), ["request 1 POST http a /wait", "closed 1 PeerReset CANCEL"])
      assert.match(sent.at(-1) ?? "", /^(RST_STREAM 1|GOAWAY 1) STREAM_CLOSED$/)
    })
  }
  connectionErrors("server", [
    [
      "RFC 9113 §5.1: CONTINUATION behind the peer's RST_STREAM",
      ["PROTOCOL_ERROR", "STREAM_CLOSED"],
      opened,
      rstStream(1, "CANCEL"),
      continuation(1, get())
    ]
  ])
  it("RFC 9113 §5.1: what was in flight behind our RST_STREAM is ignored, but for compression and the connection's window", () => {
    const make = () => {
      const side = server(undefined, { connectionWindow: 65_535 }).receive(opened, headers(3, post("/wait")))
      side.engine.reset(streamOf(side), 8, 0)
      side.sent()
      side.calls.length = 0
      return side
    }
    const late = [
      data(1, bytes(16_000)),
      windowUpdate(1, 5),
      priority(1),
      data(1, bytes(16_000), "PADDED 200"),
      headers(1, Hex.hex("40 0178 0179"), "END_STREAM"),
      rstStream(1, "CANCEL"),
      headers(5, Wire.wire(Wire.block(get("/wait")), Hex.hex("be")), "END_STREAM")
    ]
    const { calls, closing, sent } = heard(make, ...late)
    assert.deepStrictEqual(calls, ["request 5 GET http a /wait x=y ended"])
    assert.strictEqual(closing, "open")
    assert.isTrue(
      sent.every((line) => line.startsWith("WINDOW_UPDATE 0 ")),
      sent.join()
    )
    const returned = sum(sent.map((line) => Number(line.split(" ")[2])))
    // All but what is not worth a frame yet.
    assert.isAbove(returned, 32_200 - 32_768)
    const more = heard(make, ...late, ...Array.from({ length: 12 }, () => data(1, bytes(16_000))))
    assert.deepStrictEqual(
      more.calls.filter((call) => call.startsWith("violation")),
      []
    )
    assert.isAbove(sum(more.sent.map((line) => Number(line.split(" ")[2] ?? 0))), 12 * 16_000 - 33_000)
  })
  it("RFC 9113 §5.4.2: one RST_STREAM, however much comes behind", () => {
    const { sent } = heard(
      () => server(),
      opened,
      windowUpdate(1, 0),
      windowUpdate(1, 0),
      data(1, "a"),
      headers(1, [["X", "y"]], "END_STREAM"),
      windowUpdate(1, 0)
    )
    assert.deepStrictEqual(sent, ["RST_STREAM 1 PROTOCOL_ERROR"])
  })
  it("RFC 9113 §5.4.2: no RST_STREAM in response to RST_STREAM", () => {
    for (const before of [opened, waiting, closed]) {
      const { sent } = heard(() => server(), before, rstStream(1, "PROTOCOL_ERROR"), rstStream(1, "PROTOCOL_ERROR"))
      assert.isFalse(
        sent.some((line) => line.startsWith("RST_STREAM")),
        sent.join()
      )
    }
  })
})

const streamOf = (side: Recorded) => side.streams.get(1)!

describe("RFC 9113 §5.1.1: identifiers", () => {
  connectionErrors("server", [
    ["RFC 9113 §5.1.1: an even one from a client", "PROTOCOL_ERROR", headers(2, get(), "END_STREAM")],
    [
      "RFC 9113 §5.1.1: one that was skipped",
      ["PROTOCOL_ERROR", "STREAM_CLOSED"],
      whole(5, "/wait"),
      headers(3, get(), "END_STREAM")
    ]
  ])
  accepted("server", [
    // RFC 9113 §5.1: an endpoint can ignore frames on every stream that is closed; which one was skipped is not kept.
    [
      "RFC 9113 §5.1.1: DATA, WINDOW_UPDATE and RST_STREAM on one that was skipped",
      [whole(5, "/wait"), data(3, "a"), windowUpdate(3, 1), rstStream(3, "CANCEL")],
      ["request 5 GET http a /wait ended"],
      undefined
    ],
    [
      "RFC 9113 §5.1.1: streams may be skipped, and the highest is the last",
      [whole(7, "/wait"), whole(1001, "/wait"), headers(2 ** 31 - 1, get("/wait"), "END_STREAM")],
      [
        "request 7 GET http a /wait ended",
        "request 1001 GET http a /wait ended",
        "request 2147483647 GET http a /wait ended"
      ],
      []
    ]
  ])
  it("RFC 9113 §5.1.1: ours are odd, and rise", () => {
    const side = client()
    const third = ask(side, "GET")
    assert.strictEqual(third.id, 5)
    assert.deepStrictEqual(side.sent(), ["HEADERS 5 :method=GET :scheme=http :path=/ :authority=a END_STREAM"])
  })
})

describe("RFC 9113 §5.1.2: concurrency", () => {
  const two = () => server(undefined, { maxConcurrentStreams: 2 })
  it("RFC 9113 §5.1.2: a stream above the limit is refused, the connection goes on, and so does compression", () => {
    const { calls, closing, sent } = heard(
      two,
      waiting,
      whole(3, "/wait"),
      headers(5, Wire.wire(Wire.block(get()), Hex.hex("40 0178 0179")), "END_STREAM"),
      rstStream(1, "CANCEL"),
      headers(7, Wire.wire(Wire.block(get("/wait")), Hex.hex("be")), "END_STREAM")
    )
    assert.deepStrictEqual(calls, [
      "request 1 GET http a /wait ended",
      "request 3 GET http a /wait ended",
      "closed 1 PeerReset CANCEL",
      "request 7 GET http a /wait x=y ended"
    ])
    assert.deepStrictEqual(sent, ["RST_STREAM 5 REFUSED_STREAM"])
    assert.strictEqual(closing, "open")
  })
  it("RFC 9113 §5.1.2: what comes for a stream that was refused is ignored", () => {
    const { calls, sent } = heard(
      two,
      waiting,
      whole(3, "/wait"),
      headers(5, post()),
      data(5, "abc"),
      headers(5, [["x", "y"]], "END_STREAM")
    )
    assert.strictEqual(calls.length, 2)
    assert.deepStrictEqual(sent, ["RST_STREAM 5 REFUSED_STREAM"])
  })
  it("RFC 9113 §5.1.2: a client does not exceed the peer's limit, also one that is lowered", () => {
    const side = client().receive(settings({ MAX_CONCURRENT_STREAMS: 3 }))
    ask(side, "GET")
    assert.throws(() => ask(side, "GET"), /StreamsExhausted/)
    side.receive(settings({ MAX_CONCURRENT_STREAMS: 1 }), headers(1, status(204), "END_STREAM"))
    assert.throws(() => ask(side, "GET"), /StreamsExhausted/)
    side.receive(headers(5, status(204), "END_STREAM"), rstStream(3, "CANCEL"))
    assert.strictEqual(ask(side, "GET").id, 7)
  })
})

describe("RFC 9113 §5.4.1: connection errors", () => {
  it("RFC 9113 §5.4.1: GOAWAY has the last stream that was processed, and the transport is ended", () => {
    const { calls, closing, sent } = heard(() => server(), waiting, whole(7, "/wait"), frame("PING", 0, 0))
    assert.strictEqual(sent.at(-1), "GOAWAY 7 FRAME_SIZE_ERROR")
    assert.strictEqual(closing, "end")
    assert.deepStrictEqual(calls.slice(2), [
      "violation ConnectionViolation FRAME_SIZE_ERROR",
      "closed 1 ConnectionLost INTERNAL_ERROR",
      "closed 7 ConnectionLost INTERNAL_ERROR"
    ])
  })
  it("RFC 9113 §5.4.1: a client has processed no stream of the server", () => {
    assert.strictEqual(heard(() => client(), frame("PING", 0, 0)).sent.at(-1), "GOAWAY 0 FRAME_SIZE_ERROR")
  })
  it("RFC 9113 §5.4.1: nothing is sent behind GOAWAY, also where much of what came was not read", () => {
    const side = holding().receive(opened, ...Array.from({ length: 15 }, () => data(1, bytes(16_000))))
    side.receive(headers(3, post("/wait")), ...Array.from({ length: 15 }, () => data(3, bytes(16_000))))
    side.receive(headers(5, post("/wait")), ...Array.from({ length: 15 }, () => data(5, bytes(16_000))))
    side.receive(frame("PING", 0, 0))
    assert.deepStrictEqual(side.sent(), ["GOAWAY 5 FRAME_SIZE_ERROR"])
    for (const id of [1, 3, 5]) side.engine.consume(side.streams.get(id)!, 240_000, 0)
    side.engine.reset(side.streams.get(1)!, 8, 0)
    side.engine.ping(0)
    side.engine.fill(0)
    side.receive(ping())
    assert.deepStrictEqual(side.sent(), [])
  })
  it("RFC 9113 §5.4.1: behind GOAWAY the transport is closed, if the peer does not do it", () => {
    const side = server().receive(frame("PING", 0, 0))
    assert.isBelow(side.engine.deadlineMillis, 60_000)
    side.engine.advance(side.engine.deadlineMillis)
    assert.strictEqual(side.engine.output.closing, "abort")
  })
})

describe("RFC 9113 §6.4 and §7: RST_STREAM", () => {
  accepted("server", [
    [
      "RFC 9113 §7: a code that is unknown",
      [opened, rstStream(1, 0xdeadbeef)],
      ["request 1 POST http a /wait", "closed 1 PeerReset 0xdeadbeef"],
      []
    ],
    [
      "RFC 9113 §6.4: NO_ERROR of a client",
      [opened, rstStream(1, "NO_ERROR")],
      ["request 1 POST http a /wait", "closed 1 PeerReset NO_ERROR"],
      []
    ]
  ])
  it("RFC 9113 §6.4: nothing is sent behind the peer's RST_STREAM", () => {
    const make = () => server({ onHead: ({ engine }, stream) => void engine.beginResponse(stream, 200, {}, 0) })
    const side = make().receive(opened)
    const stream = streamOf(side)
    side.engine.write(stream, "before", 0)
    assert.deepStrictEqual(side.sent(), ["HEADERS 1 :status=200", "DATA 1 'before'"])
    side.engine.write(stream, bytes(50_000), 0)
    side.receive(rstStream(1, "CANCEL"))
    assert.strictEqual(side.engine.write(stream, "behind", 0)?._tag, "StreamEnded")
    assert.strictEqual(side.engine.end(stream, { x: "y" }, 0)?._tag, "StreamEnded")
    side.engine.reset(stream, 8, 0)
    assert.isFalse(side.sent().some((line) => / 1 'behind'|RST_STREAM|x=y/.test(line)))
  })
})

describe("RFC 9113 §6.8: GOAWAY", () => {
  it("RFC 9113 §6.8: streams above the last one were not processed; the others go on", () => {
    const { calls } = heard(() => client(), goAway(1, "NO_ERROR", "bye"), headers(1, status(200), "END_STREAM"))
    assert.deepStrictEqual(calls, [
      "closed 3 Unprocessed NO_ERROR",
      "goAway 1 NO_ERROR",
      "response 1 200 ended",
      "closed 1"
    ])
  })
  it("RFC 9113 §6.8: no new streams behind it", () => {
    for (const frames of [[goAway(2 ** 31 - 1)], [goAway(3), goAway(1)], [goAway(3, 0xabc)]]) {
      const side = client().receive(...frames)
      assert.throws(() => ask(side, "GET"), /GoingAway/)
    }
  })
  it("RFC 9113 §6.8: a second one with a lower last stream ends those above it; one with a higher saves none", () => {
    const { calls } = heard(
      () => client(),
      goAway(2 ** 31 - 1),
      goAway(1),
      goAway(3),
      headers(1, status(200)),
      goAway(0)
    )
    assert.deepStrictEqual(calls, [
      "goAway 2147483647 NO_ERROR",
      "closed 3 Unprocessed NO_ERROR",
      "goAway 1 NO_ERROR",
      "goAway 1 NO_ERROR",
      "response 1 200",
      "closed 1 Unprocessed NO_ERROR",
      "goAway 0 NO_ERROR"
    ])
  })
  it("RFC 9113 §6.8: a server goes on with what a client that goes away has asked", () => {
    const { calls, closing } = heard(() => server(), opened, goAway(0), data(1, "abc", "END_STREAM"), whole(3))
    assert.includeMembers([...calls], ["data 1 abc", "end 1", "request 3 GET http a / ended"])
    assert.notStrictEqual(closing, "abort")
  })
  it("RFC 9113 §6.8: a drain ends in two steps, and the last stream never rises", () => {
    const side = server().receive(opened)
    side.engine.drain(0)
    const [first, probe, ...rest] = side.sent()
    assert.strictEqual(first, "GOAWAY 2147483647 NO_ERROR")
    assert.match(probe ?? "", /^PING /)
    assert.deepStrictEqual(rest, [])
    // In flight before the client has seen it.
    side.receive(whole(3, "/wait"))
    assert.include(side.calls, "request 3 GET http a /wait ended")
    side.engine.advance(5_000)
    assert.include(side.sent(), "GOAWAY 3 NO_ERROR")
    side.receive(headers(5, Wire.wire(Wire.block(post()), Hex.hex("40 0178 0179"))), data(5, bytes(100)))
    assert.notInclude(side.calls.join(), "request 5")
    side.receive(data(1, "abc"), headers(1, Hex.hex("be"), "END_STREAM"))
    assert.include(side.calls, "end 1 x=y")
    side.receive(frame("PING", 0, 0))
    assert.strictEqual(side.sent().at(-1), "GOAWAY 3 FRAME_SIZE_ERROR")
  })
  it("RFC 9113 §6.8: a connection that is drained and has no streams ends", () => {
    const side = server().receive(closed)
    side.engine.drain(0)
    side.engine.advance(5_000)
    assert.strictEqual(side.sent().at(-1), "GOAWAY 1 NO_ERROR")
    assert.strictEqual(side.engine.output.closing, "end")
  })
})

describe("RFC 9113 §6.9: WINDOW_UPDATE", () => {
  connectionErrors("both", [
    ["RFC 9113 §6.9: an increment of 0 for the connection", "PROTOCOL_ERROR", windowUpdate(0, 0)],
    ["RFC 9113 §6.9.1: a connection's window above 2^31-1", "FLOW_CONTROL_ERROR", windowUpdate(0, 2 ** 31 - 1)],
    [
      "RFC 9113 §6.9.1: a connection's window above 2^31-1, in two steps",
      "FLOW_CONTROL_ERROR",
      windowUpdate(0, 2 ** 31 - 1 - 65_535),
      windowUpdate(0, 1)
    ]
  ])
  connectionErrors("server", [
    [
      "RFC 9113 §6.9.2: SETTINGS that raise a stream's window above 2^31-1",
      "FLOW_CONTROL_ERROR",
      waiting,
      windowUpdate(1, 2 ** 31 - 1 - 65_535),
      settings({ INITIAL_WINDOW_SIZE: 65_536 })
    ]
  ])
  streamErrors("server", [
    ["RFC 9113 §6.9: an increment of 0 for a stream", "PROTOCOL_ERROR", opened, windowUpdate(1, 0)],
    ["RFC 9113 §6.9.1: a stream's window above 2^31-1", "FLOW_CONTROL_ERROR", opened, windowUpdate(1, 2 ** 31 - 1)],
    [
      "RFC 9113 §6.9.1: a stream's window above 2^31-1, half-closed",
      "FLOW_CONTROL_ERROR",
      waiting,
      windowUpdate(1, 2 ** 31 - 1)
    ],
    [
      "RFC 9113 §6.9.1: a stream's window above 2^31-1, in two steps",
      "FLOW_CONTROL_ERROR",
      opened,
      windowUpdate(1, 2 ** 31 - 65_536),
      windowUpdate(1, 1)
    ]
  ])
  streamErrors("client", [
    ["RFC 9113 §6.9: an increment of 0 for a stream", "PROTOCOL_ERROR", windowUpdate(3, 0)],
    ["RFC 9113 §6.9.1: a stream's window above 2^31-1", "FLOW_CONTROL_ERROR", windowUpdate(3, 2 ** 31 - 1)]
  ])
  accepted("both", [
    ["RFC 9113 §6.9.1: a connection's window of 2^31-1", [windowUpdate(0, 2 ** 31 - 1 - 65_535)], [], []]
  ])
})

describe("RFC 9113 §6.9: what is received", () => {
  connectionErrors(
    "server",
    [
      [
        "RFC 9113 §6.9: more than the connection's window",
        "FLOW_CONTROL_ERROR",
        headers(1, post("/wait")),
        headers(3, post("/wait")),
        ...Array.from({ length: 5 }, (_, index) => data(index % 2 ? 1 : 3, bytes(16_000)))
      ]
    ],
    { server: () => server({ onData: () => {} }, { connectionWindow: 65_535 }), client: () => client() }
  )
  it("RFC 9113 §6.9: more than the stream's window is FLOW_CONTROL_ERROR, of the stream or the connection", () => {
    const small = () => server({ onData: () => {} }, { streamWindow: 100 })
    const fits = heard(small, opened, data(1, bytes(60)), data(1, bytes(20), "PADDED 19"))
    assert.deepStrictEqual(
      fits.sent.filter((line) => !line.startsWith("WINDOW_UPDATE")),
      []
    )
    assert.strictEqual(fits.calls.length, 3)
    // Padding counts, and its length.
    for (const last of [data(1, bytes(41)), data(1, bytes(21), "PADDED 19"), data(1, "", "PADDED 40")]) {
      const { calls, sent } = heard(small, opened, data(1, bytes(60)), last)
      assert.match(sent.at(-1) ?? "", /^(RST_STREAM 1|GOAWAY 1) FLOW_CONTROL_ERROR$/)
      assert.strictEqual(calls.filter((call) => call.startsWith("data")).length, 1)
    }
    // Nothing needs no window.
    assert.include(heard(small, opened, data(1, bytes(100)), data(1, "", "END_STREAM")).calls, "end 1")
  })
  it("RFC 9113 §6.9.3: the initial window before SETTINGS are acknowledged", () => {
    // Not acknowledged: 65,535 for each stream; acknowledged, as above: 100.
    const early = () => fresh({ streamWindow: 100 })
    const { calls } = heard(early, opened, data(1, bytes(16_000)))
    assert.include(calls, "data 1 16000 bytes")
  })
  it("RFC 9113 §6.9.1: an empty end needs no window, also where SETTINGS have made it negative", () => {
    const early = () => fresh({ streamWindow: 100 })
    const { calls, sent } = heard(early, opened, data(1, bytes(16_000)), settingsAck, data(1, "", "END_STREAM"))
    assert.include(calls, "end 1", sent.join())
    // What needs a window has none.
    const more = heard(early, opened, data(1, bytes(16_000)), settingsAck, data(1, "a"))
    assert.match(more.sent.at(-1) ?? "", /FLOW_CONTROL_ERROR$/)
  })
  it("RFC 9113 §6.9: padding is given back at once, since nobody else can", () => {
    const make = () => server({ onData: () => {} }, { streamWindow: 1_000, connectionWindow: 65_535 })
    const padded = Array.from({ length: 20 }, () => data(1, "", "PADDED 200"))
    const { closing, sent } = heard(make, opened, ...padded)
    assert.strictEqual(closing, "open", sent.join())
    assert.isAbove(
      sum(sent.filter((line) => line.startsWith("WINDOW_UPDATE 1 ")).map((line) => Number(line.split(" ")[2]))),
      3_000
    )
  })
  it("RFC 9113 §6.9: the window comes back as data is used up", () => {
    const side = holding().receive(opened)
    const stream = streamOf(side)
    for (let count = 0; count < 15; count++) side.receive(data(1, bytes(16_000)))
    assert.deepStrictEqual(side.sent(), [])
    side.engine.consume(stream, 240_000, 0)
    assert.include(side.sent(), "WINDOW_UPDATE 1 240000")
  })
})

/** A server whose SETTINGS are not acknowledged. */
const fresh = (options: NonNullable<Parameters<typeof server>[1]>): Recorded => {
  const side = new Recorded("server", { onData: () => {} }, options).receive(Wire.preface, settings())
  side.sent()
  return side
}

describe("RFC 9113 §6.9: what is sent", () => {
  it("RFC 9113 §6.9.1: no more than the stream's window", () => {
    const make = () => serving(100)().receive(settings({ INITIAL_WINDOW_SIZE: 10 }))
    const side = make().receive(whole(1))
    assert.deepStrictEqual(dataOf(side.sent(), 1), [10])
    side.receive(windowUpdate(1, 1), windowUpdate(1, 1))
    assert.strictEqual(sum(dataOf(side.sent(), 1)), 2)
    side.receive(windowUpdate(1, 2 ** 31 - 11))
    const last = side.sent()
    assert.strictEqual(sum(dataOf(last, 1)), 88)
    assert.match(last.at(-1) ?? "", /END_STREAM$/)
  })
  it("RFC 9113 §6.9.1: no more than the connection's window, over all streams", () => {
    const side = serving(50_000)().receive(settings({ INITIAL_WINDOW_SIZE: 100_000 }), whole(1), whole(3))
    const first = side.sent()
    assert.strictEqual(sum(dataOf(first, 1)) + sum(dataOf(first, 3)), 65_535)
    side.receive(windowUpdate(1, 50_000), windowUpdate(3, 50_000))
    assert.deepStrictEqual(side.sent(), [])
    side.receive(windowUpdate(0, 34_465))
    const second = side.sent()
    assert.strictEqual(sum(dataOf(second, 1)) + sum(dataOf(second, 3)), 34_465)
    assert.strictEqual(second.filter((line) => line.endsWith("END_STREAM")).length, 2)
  })
  it("RFC 9113 §6.9.2: a window may become negative, and nothing is sent until it is positive", () => {
    const side = serving(100)().receive(settings({ INITIAL_WINDOW_SIZE: 60 }), whole(1))
    assert.strictEqual(sum(dataOf(side.sent(), 1)), 60)
    side.receive(settings({ INITIAL_WINDOW_SIZE: 20 }), windowUpdate(1, 40))
    assert.deepStrictEqual(side.sent(), ["SETTINGS ACK"])
    side.receive(windowUpdate(1, 1))
    assert.strictEqual(sum(dataOf(side.sent(), 1)), 1)
    side.receive(settings({ INITIAL_WINDOW_SIZE: 25 }))
    assert.strictEqual(sum(dataOf(side.sent(), 1)), 5)
    side.receive(settings({ INITIAL_WINDOW_SIZE: 1_000 }))
    assert.strictEqual(sum(dataOf(side.sent(), 1)), 34)
  })
  it("RFC 9113 §6.9.1: an empty end needs no window", () => {
    const side = serving(0)().receive(settings({ INITIAL_WINDOW_SIZE: 0 }), whole(1))
    assert.match(side.sent().at(-1) ?? "", /END_STREAM$/)
    const later = server({ onWhole: ({ engine }, stream) => void engine.beginResponse(stream, 200, {}, 0) })
    later.receive(settings({ INITIAL_WINDOW_SIZE: 3 }), whole(1))
    const stream = streamOf(later)
    later.engine.write(stream, "abc", 0)
    later.sent()
    later.engine.end(stream, undefined, 0)
    assert.deepStrictEqual(later.sent(), ["DATA 1 '' END_STREAM"])
  })
  it("RFC 9113 §6.9.2: SETTINGS do not change the connection's window", () => {
    const side = serving(100_000)().receive(settings({ INITIAL_WINDOW_SIZE: 200_000 }), whole(1))
    assert.strictEqual(sum(dataOf(side.sent(), 1)), 65_535)
    side.receive(settings({ INITIAL_WINDOW_SIZE: 300_000 }))
    assert.deepStrictEqual(side.sent(), ["SETTINGS ACK"])
  })
  it("RFC 9113 §4.2: no frame above the peer's maximum, and larger ones where it allows them", () => {
    for (const most of [16_384, 20_000]) {
      const side = serving(60_000)().receive(settings({ MAX_FRAME_SIZE: most }), whole(1))
      const sizes = dataOf(side.sent(), 1)
      assert.strictEqual(sum(sizes), 60_000)
      assert.isTrue(sizes.every((size) => size <= most))
    }
  })
  it("RFC 9113 §4.2: nor in HEADERS, which go on in CONTINUATION", () => {
    const side = server({
      onWhole: ({ engine }, stream) => engine.respond(stream, 200, { x: "y".repeat(40_000) }, undefined, 0)
    })
    side.receive(whole(1))
    const frames = side.reader.frames(Hex.concat(side.engine.output.take()))
    const sizes = frames.map((one) => (one === "PREFACE" ? 0 : one.payload.length))
    assert.isTrue(sizes.length >= 2 && sizes.every((size) => size <= 16_384), sizes.join())
    assert.deepStrictEqual(
      frames.map((one) => (one === "PREFACE" ? -1 : one.type)),
      [1, ...sizes.slice(1).map(() => 9)]
    )
    assert.deepStrictEqual(
      frames.map((one) => (one === "PREFACE" ? -1 : one.flags & 4)),
      [...sizes.slice(1).map(() => 0), 4]
    )
  })
})

describe("RFC 9113 §6.7: PING goes ahead", () => {
  it("RFC 9113 §6.7: while a stream's window is shut, and while a body waits", () => {
    const side = serving(100_000)().receive(whole(1), ping("in front"))
    assert.include(side.sent(), "PING 'in front' ACK")
    side.receive(ping("shut----"))
    assert.deepStrictEqual(side.sent(), ["PING 'shut----' ACK"])
  })
})
