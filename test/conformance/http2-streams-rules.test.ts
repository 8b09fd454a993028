/**
 * RFC 9113 §5, §6.4 and §7: streams, their states and their errors. Where each
 * MUST has its test says http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import * as Hex from "../harness/Hex.ts"
import { ask, client, heard, type Recorded, server } from "../harness/Http2Recorded.ts"
import * as Wire from "../harness/Http2Wire.ts"
import {
  continuation,
  data,
  frame,
  get,
  headers,
  ping,
  post,
  priority,
  rstStream,
  settings,
  status,
  windowUpdate
} from "../harness/Http2Wire.ts"
import { accepted, bytes, connectionErrors, streamErrors } from "./Http2Rows.ts"

/** A server that uses nothing up of what it receives. */
const holding = () => server({ onData: () => {} })

const whole = (id: number, path = "/"): Uint8Array => headers(id, get(path), "END_STREAM")

const waiting = whole(1, "/wait")

const closed = whole(1)

const opened = headers(1, post("/wait"))

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
