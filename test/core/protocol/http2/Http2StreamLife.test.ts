import { assert, describe, it } from "@effect/vitest"
import type * as Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as State from "@sluice/core/protocol/http2/Http2StreamState"
import * as Wire from "../../../harness/Http2Wire.ts"
import { answering, ask, body, type Conduct, client, get, post, type Side, server } from "./Recorder.ts"

const { data, headers, rstStream } = Wire

/** Commands on streams, by name: whether they did something. */
const commands: ReadonlyArray<readonly [name: string, run: (side: Side, stream: Http2Stream) => unknown]> = [
  ["respond", ({ engine, nowMillis }, stream) => engine.respond(stream, 200, {}, "late", nowMillis)],
  ["beginResponse", ({ engine, nowMillis }, stream) => engine.beginResponse(stream, 200, {}, nowMillis)],
  ["interim", ({ engine, nowMillis }, stream) => engine.interim(stream, 103, {}, nowMillis)],
  ["write", ({ engine, nowMillis }, stream) => engine.write(stream, "late", nowMillis)],
  ["end", ({ engine, nowMillis }, stream) => engine.end(stream, undefined, nowMillis)],
  ["end with trailers", ({ engine, nowMillis }, stream) => engine.end(stream, { late: "1" }, nowMillis)]
]

/** Commands that refuse nothing, since they may come at any time. */
const silent: ReadonlyArray<readonly [name: string, run: (side: Side, stream: Http2Stream) => void]> = [
  ["reset", ({ engine, nowMillis }, stream) => engine.reset(stream, 8, nowMillis)],
  ["abandon", ({ engine, nowMillis }, stream) => engine.abandon(stream, nowMillis)],
  ["consume", ({ engine, nowMillis }, stream) => engine.consume(stream, 1_000, nowMillis)],
  ["awaitBody", ({ engine, nowMillis }, stream) => engine.awaitBody(stream, true, nowMillis)],
  ["retain", ({ engine }, stream) => engine.retain(stream)],
  ["release", ({ engine, nowMillis }, stream) => engine.release(stream, nowMillis)]
]

/** Whatever is done with a stream that is over does nothing, and says so. */
const isOver = (side: Side, stream: Http2Stream): void => {
  side.taken()
  const heard = side.calls.length
  for (const [name, run] of commands) {
    assert.strictEqual((run(side, stream) as { _tag: string } | undefined)?._tag, "StreamEnded", name)
  }
  for (const [, run] of silent) run(side, stream)
  assert.deepStrictEqual(side.sent(), [])
  assert.strictEqual(side.calls.length, heard, side.calls.slice(heard).join())
  assert.strictEqual(side.closedCount(stream.id), 1)
}

/** Everything that a handler could still try in `onClosed`. */
const desperate: Conduct = {
  onClosed: (stream, side) => {
    for (const [name, run] of commands) {
      assert.strictEqual((run(side, stream) as { _tag: string } | undefined)?._tag, "StreamEnded", name)
    }
    for (const [, run] of silent) run(side, stream)
  }
}

const endings: ReadonlyArray<
  readonly [way: string, failure: string, end: (side: Side) => void, options?: Options.Options]
> = [
  [
    "both sides",
    "",
    (side) => {
      side.engine.respond(side.stream(1), 200, {}, "x", 0)
      side.receive(data(1, "abc", "END_STREAM"))
    }
  ],
  [
    "both sides, the peer first",
    "",
    (side) => {
      side.receive(data(1, "", "END_STREAM"))
      side.engine.respond(side.stream(1), 200, {}, body(70_000), 0)
      side.sent()
      side.receive(Wire.windowUpdate(0, 100_000), Wire.windowUpdate(1, 100_000))
      side.sent()
    }
  ],
  [
    "both sides, with trailers",
    "",
    (side) => {
      side.receive(headers(1, [["x", "y"]], "END_STREAM"))
      side.engine.beginResponse(side.stream(1), 200, {}, 0)
      side.engine.end(side.stream(1), { a: "b" }, 0)
    }
  ],
  ["RST_STREAM of the peer", "PeerReset CANCEL", (side) => void side.receive(rstStream(1, "CANCEL"))],
  [
    "RST_STREAM of the peer, twice",
    "PeerReset CANCEL",
    (side) => void side.receive(rstStream(1, "CANCEL"), rstStream(1, "NO_ERROR"))
  ],
  ["RST_STREAM of this side", "LocalReset INTERNAL_ERROR", (side) => side.engine.reset(side.stream(1), 2, 0)],
  [
    "RST_STREAM of both at once",
    "LocalReset CANCEL",
    (side) => {
      side.engine.reset(side.stream(1), 8, 0)
      side.receive(rstStream(1, "CANCEL"))
    }
  ],
  ["a mistake of the peer", "StreamViolation PROTOCOL_ERROR", (side) => void side.receive(Wire.windowUpdate(1, 0))],
  [
    "PRIORITY of a wrong length",
    "StreamViolation FRAME_SIZE_ERROR",
    (side) => void side.receive(Wire.frame("PRIORITY", 0, 1, "0000"))
  ],
  [
    "trailers that do not end it",
    "MalformedMessage PROTOCOL_ERROR",
    (side) => void side.receive(headers(1, [["x", "y"]]))
  ],
  [
    "malformed trailers",
    "MalformedMessage PROTOCOL_ERROR",
    (side) => void side.receive(headers(1, [["X", "y"]], "END_STREAM"))
  ],
  ["a body above its limit", "BodyTooLarge CANCEL", (side) => void side.receive(data(1, body(6))), { maxBodySize: 5 }],
  [
    "a pause in its body",
    "BodyTimeout CANCEL",
    (side) => {
      side.engine.awaitBody(side.stream(1), true, 0)
      side.advance(29_000).receive(Wire.ping())
      side.advance(40_000)
    }
  ],
  [
    "a window that stays shut",
    "StreamStalled CANCEL",
    (side) => {
      side.engine.respond(side.stream(1), 200, {}, body(70_000), 0)
      side.sent()
      side.advance(29_000).receive(Wire.ping())
      side.advance(40_000)
    }
  ],
  [
    "it is abandoned behind its response",
    "",
    (side) => {
      side.engine.respond(side.stream(1), 200, {}, "x", 0)
      side.engine.abandon(side.stream(1), 0)
    }
  ],
  [
    "it is abandoned before its response",
    "",
    (side) => {
      side.engine.abandon(side.stream(1), 0)
      side.engine.abandon(side.stream(1), 0)
      side.receive(data(1, "abc"))
      side.engine.respond(side.stream(1), 200, {}, "x", 0)
    }
  ],
  [
    "a violation of the connection",
    "ConnectionLost INTERNAL_ERROR",
    (side) => void side.receive(Wire.windowUpdate(0, 0))
  ],
  ["GOAWAY of this side", "ConnectionLost INTERNAL_ERROR", (side) => side.engine.close(0, "bye", 0)],
  ["the end of the peer", "ConnectionLost INTERNAL_ERROR", (side) => side.engine.receiveEnd(0)],
  ["the end of the transport", "ConnectionLost INTERNAL_ERROR", (side) => side.engine.receiveClose(0)],
  [
    "all of these",
    "ConnectionLost INTERNAL_ERROR",
    (side) => {
      side.engine.close(0, "", 0)
      side.engine.close(0, "", 0)
      side.engine.receiveEnd(0)
      side.engine.advance(100_000)
      side.engine.receiveClose(100_000)
      side.engine.receiveClose(100_000)
    }
  ]
]

describe("a stream ends once, and then nothing can be done with it", () => {
  for (const [way, failure, end, options] of endings) {
    for (const [name, conduct] of [
      ["", {}],
      [", with an owner that gives no peace", desperate]
    ] as const) {
      it(`${way}${name}`, () => {
        const side = server(conduct, options).receive(post(1))
        const stream = side.stream(1)
        side.taken()
        end(side)
        assert.strictEqual(side.closedCount(1), 1, side.calls.join())
        assert.strictEqual(side.calls.filter((call) => call.startsWith("closed")).join(), `closed 1 ${failure}`.trim())
        assert.isTrue(State.isOver(stream.state))
        assert.strictEqual(side.engine.streamCount, 0)
        isOver(side, stream)
        assert.strictEqual(side.link.streams.placeCount, 0)
      })
    }
  }
})

describe("streams that end within a call of their own", () => {
  /** Ends the stream when it hears the call, in each way. */
  const leaves: ReadonlyArray<readonly [way: string, leave: (stream: Http2Stream, side: Side) => void]> = [
    ["reset", (stream, { engine }) => engine.reset(stream, 8, 0)],
    [
      "reset twice",
      (stream, { engine }) => {
        engine.reset(stream, 8, 0)
        engine.reset(stream, 2, 0)
      }
    ],
    ["respond", (stream, { engine }) => void engine.respond(stream, 200, {}, "x", 0)],
    [
      "respond and reset",
      (stream, { engine }) => {
        engine.respond(stream, 200, {}, "x", 0)
        engine.reset(stream, 0, 0)
      }
    ],
    ["close", (_, { engine }) => engine.close(0, "", 0)],
    [
      "abandon and respond",
      (stream, { engine }) => {
        engine.abandon(stream, 0)
        engine.respond(stream, 200, {}, "x", 0)
      }
    ]
  ]
  for (const [way, leave] of leaves) {
    for (const call of ["onHead", "onData", "onEnd"] as const) {
      it(`${way} in ${call}`, () => {
        const side = server({ [call]: leave }).receive(
          post(1),
          data(1, "abc"),
          data(1, "def", "END_STREAM"),
          get(3, "/")
        )
        side.taken()
        assert.strictEqual(side.closedCount(1), 1)
        const closedAt = side.calls.findIndex((line) => line.startsWith("closed 1"))
        assert.isFalse(
          side.calls.slice(closedAt + 1).some((line) => / 1\b/.test(line.slice(0, 9))),
          side.calls.join()
        )
        isOver(side, side.stream(1))
      })
    }
  }
  it("RFC 9113 §5.1: nothing is sent on a stream that both sides have ended", () => {
    const side = server({
      onHead: (stream, { engine }) => void engine.respond(stream, 200, {}, "x", 0),
      onEnd: (stream, { engine }) => engine.reset(stream, 8, 0)
    })
    side.receive(post(1))
    side.taken()
    side.receive(data(1, "abc", "END_STREAM"))
    assert.deepStrictEqual(side.taken(), [])
    assert.strictEqual(side.calls.at(-1), "closed 1")
  })
  it("a client's, in onResponse", () => {
    const side = client({ onHead: (stream, { engine }) => engine.reset(stream, 8, 0) })
    ask(side)
    const open = ask(side, "open")
    side.taken()
    side.receive(headers(1, Wire.status(200), "END_STREAM"), headers(open.id, Wire.status(200), "END_STREAM"))
    assert.deepStrictEqual(side.calls, [
      "response 1 200 ended",
      "closed 1",
      "response 3 200 ended",
      "closed 3 LocalReset CANCEL"
    ])
    assert.deepStrictEqual(side.taken(), ["RST_STREAM 3 CANCEL"])
  })
})

describe("streams that end together", () => {
  it("each once, whoever ends the others first", () => {
    for (const end of [
      (side: Side) => side.engine.close(0, "", 0),
      (side: Side) => side.engine.receiveEnd(0),
      (side: Side) => side.engine.receiveClose(0),
      (side: Side) => void side.receive(Wire.ping("x".repeat(8)), Wire.windowUpdate(0, 0))
    ]) {
      const side = server({
        onClosed: (_, { engine, streams }) => {
          for (const other of streams.values()) engine.reset(other, 8, 0)
          engine.close(2, "again", 0)
        }
      }).receive(post(1), post(3), post(5))
      end(side)
      assert.deepStrictEqual(
        [1, 3, 5].map((id) => side.closedCount(id)),
        [1, 1, 1]
      )
      assert.isAtMost(side.taken().filter((line) => line.startsWith("GOAWAY")).length, 1)
    }
  })
  it("the memory of what was queued is let go of", () => {
    const side = server({ onHead: (stream, { engine }) => void engine.respond(stream, 200, {}, body(1_000_000), 0) })
    side.receive(get(1), get(3))
    const held = [side.stream(1), side.stream(3)]
    side.sent()
    assert.isTrue(held.every((stream) => stream.queuedBytes > 0))
    side.receive(rstStream(1, "CANCEL"))
    side.engine.receiveClose(0)
    assert.deepStrictEqual(
      held.map((stream) => [stream.queuedBytes, stream.queue]),
      [
        [0, undefined],
        [0, undefined]
      ]
    )
  })
})

describe("RFC 9113 §8.1: a response before the end of its request", () => {
  it("RFC 9113 §8.1: abandoned, NO_ERROR comes behind the last byte of the response", () => {
    const side = server().receive(post(1))
    side.engine.abandon(side.stream(1), 0)
    assert.deepStrictEqual(side.taken(), [])
    side.engine.respond(side.stream(1), 413, {}, body(70_000), 0)
    const first = side.sent()
    assert.isFalse(first.some((line) => line.startsWith("RST_STREAM")))
    side.receive(Wire.windowUpdate(0, 100_000), Wire.windowUpdate(1, 100_000))
    const lines = side.sent()
    assert.match(lines.at(-2) ?? "", /^DATA 1 .* END_STREAM$/)
    assert.strictEqual(lines.at(-1), "RST_STREAM 1 NO_ERROR")
    assert.strictEqual(side.calls.at(-1), "closed 1")
  })
  it("RFC 9113 §8.1: not where the request came to its end meanwhile", () => {
    const side = server().receive(post(1))
    side.engine.abandon(side.stream(1), 0)
    side.receive(data(1, "abc", "END_STREAM"))
    side.engine.respond(side.stream(1), 200, {}, "x", 0)
    assert.isFalse(side.sent().some((line) => line.startsWith("RST_STREAM")))
    assert.notInclude(side.calls.join(), "data")
  })
  it("an abandoned stream gets no more window", () => {
    const side = server().receive(post(1))
    side.engine.abandon(side.stream(1), 0)
    for (let count = 0; count < 16; count++) side.receive(data(1, body(16_000)))
    assert.isFalse(side.sent().some((line) => line.startsWith("WINDOW_UPDATE 1 ")))
    side.receive(data(1, body(16_000)))
    assert.include(side.sent(), "RST_STREAM 1 FLOW_CONTROL_ERROR")
  })
  it("RFC 9113 §8.1: a client keeps a whole response whose server asks for no more", () => {
    const side = client()
    const stream = ask(side, "open")
    side.receive(
      headers(stream.id, Wire.status(413)),
      data(stream.id, "no", "END_STREAM"),
      rstStream(stream.id, "NO_ERROR")
    )
    assert.deepStrictEqual(side.calls, ["response 1 413", "data 1 2", "end 1", "closed 1"])
    const cut = ask(side, "open")
    side.receive(headers(cut.id, Wire.status(413)), rstStream(cut.id, "NO_ERROR"))
    assert.strictEqual(side.calls.at(-1), "closed 3 PeerReset NO_ERROR")
  })
})

describe("RFC 9113 §6.8: GOAWAY to a client", () => {
  it("RFC 9113 §6.8: streams above the last end as Unprocessed, before it is told; others finish, and then the connection", () => {
    const side = client()
    for (let count = 0; count < 3; count++) ask(side)
    side.taken()
    side.receive(Wire.goAway(3, "NO_ERROR", "bye"))
    assert.deepStrictEqual(side.calls, ["closed 5 Unprocessed NO_ERROR", "goAway 3 NO_ERROR bye"])
    assert.throws(() => ask(side), /GoingAway/)
    side.receive(headers(1, Wire.status(200), "END_STREAM"))
    assert.strictEqual(side.engine.output.closing, "open")
    side.receive(headers(3, Wire.status(200), "END_STREAM"))
    assert.strictEqual(side.engine.output.closing, "end")
    isOver(side, side.stream(5))
  })
})

describe("a server that answers", () => {
  it("1,000 requests end without a trace", () => {
    const side = server(answering)
    for (let id = 1; id < 2_001; id += 2) side.receive(get(id))
    side.sent()
    assert.strictEqual(side.calls.filter((call) => call.startsWith("closed")).length, 1_000)
    assert.deepStrictEqual([side.engine.streamCount, side.link.streams.placeCount], [0, 0])
  })
})
