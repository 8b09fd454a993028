import { assert, describe, it } from "@effect/vitest"
import * as Wire from "../../../harness/Http2Wire.ts"
import {
  answering,
  ask,
  body,
  type Conduct,
  client,
  get,
  post,
  reading,
  Sender,
  Side,
  server,
  spends,
  windowBytes
} from "./Recorder.ts"

const { data, headers, rstStream } = Wire

describe("RFC 9113 §6.9: what a stream had unread goes back to the connection's window", () => {
  /** What a client does on each of 100 streams; 10,000 bytes of the stream are unread already. */
  const ways: ReadonlyArray<readonly [way: string, go: (peer: Sender, id: number) => void]> = [
    ["the peer resets it", (peer, id) => peer.send(rstStream(id, "CANCEL"))],
    ["this side resets it", ({ side }, id) => side.engine.reset(side.stream(id), 8, 0)],
    [
      "DATA that was on its way behind our RST_STREAM",
      (peer, id) => {
        peer.side.engine.reset(peer.side.stream(id), 8, 0)
        peer.send(data(id, body(10_000)), data(id, body(5_000), "PADDED 255"), data(id, "", "PADDED 100", "END_STREAM"))
      }
    ],
    [
      "the response is finished before the request's body was read",
      (peer, id) => {
        peer.side.engine.respond(peer.side.stream(id), 200, {}, "done", 0)
        peer.send(data(id, body(10_000)), data(id, "abc", "END_STREAM"))
      }
    ],
    [
      "it is abandoned, and goes on to its end",
      (peer, id) => {
        peer.side.engine.abandon(peer.side.stream(id), 0)
        peer.send(data(id, body(10_000)), data(id, body(100), "PADDED 255", "END_STREAM"))
        peer.side.engine.respond(peer.side.stream(id), 200, {}, undefined, 0)
      }
    ],
    [
      "it is abandoned behind the response",
      (peer, id) => {
        peer.side.engine.respond(peer.side.stream(id), 200, {}, undefined, 0)
        peer.side.engine.abandon(peer.side.stream(id), 0)
        peer.send(data(id, body(10_000)))
      }
    ],
    ["padding of 255 bytes", (peer, id) => peer.send(data(id, "x", "PADDED 255"), rstStream(id, "CANCEL"))],
    ["padding alone", (peer, id) => peer.send(data(id, "", "PADDED 255", "END_STREAM"), rstStream(id, "CANCEL"))],
    [
      "DATA behind END_STREAM",
      (peer, id) => peer.send(data(id, "", "END_STREAM"), data(id, body(10_000), "PADDED 255"))
    ],
    [
      "more than Content-Length says",
      (peer, id) => {
        peer.send(headers(id + 2, Wire.post("/", ["content-length", "5"])), data(id + 2, body(9_000), "PADDED 200"))
        peer.send(rstStream(id, "CANCEL"))
      }
    ],
    [
      "some of it was used up",
      ({ side }, id) => {
        side.engine.consume(side.stream(id), 3_000, 0)
        side.engine.reset(side.stream(id), 8, 0)
        // Late, and for nothing.
        side.engine.consume(side.stream(id), 7_000, 0)
      }
    ]
  ]
  for (const [way, go] of ways) {
    it(way, () => {
      const peer = new Sender(server())
      for (let index = 0; index < 100; index++) {
        const id = 1 + index * 4
        peer.send(post(id), data(id, body(10_000)))
        go(peer, id)
        peer.lines.push(...peer.side.sent())
        assert.strictEqual(peer.side.closedCount(id), 1, peer.side.calls.slice(-3).join())
      }
      assert.isFalse(peer.lines.some((line) => line.startsWith("GOAWAY")))
      assert.strictEqual(peer.side.engine.streamCount, 0)
      // Half of the window may be owed at any time.
      assert.isAbove(peer.windowBytes, windowBytes / 2)
      assert.strictEqual(peer.wholeBytes, windowBytes)
    })
  }
  it("streams that were refused, or came behind the last GOAWAY", () => {
    const peer = new Sender(server({}, { maxConcurrentStreams: 1 }))
    peer.send(post(1))
    for (let id = 3; id < 203; id += 2) peer.send(post(id), data(id, body(12_000)), data(id, "", "END_STREAM"))
    assert.strictEqual(peer.lines.filter((line) => line.endsWith("REFUSED_STREAM")).length, 100)
    peer.side.engine.drain(0)
    peer.side.advance(1_000)
    for (let id = 203; id < 403; id += 2) peer.send(post(id), data(id, body(12_000), "PADDED 9", "END_STREAM"))
    assert.notInclude(peer.side.calls.join(), "request 203")
    assert.isAbove(peer.windowBytes, windowBytes / 2)
    assert.strictEqual(peer.side.engine.output.closing, "open")
  })
  it("a body above its limit, of the stream's window and of maxBodySize", () => {
    for (const options of [{ maxBodySize: 9_999 }, { streamWindow: 9_000 }]) {
      const peer = new Sender(server({}, options))
      for (let id = 1; id < 201; id += 2) {
        peer.send(post(id), data(id, body(10_000), "PADDED 50"))
        assert.strictEqual(peer.side.closedCount(id), 1)
      }
      assert.isAbove(peer.windowBytes, windowBytes / 2)
    }
  })
})

describe("the windows while a body is read", () => {
  it("an honest upload of 10 MiB never waits for more than half a window", () => {
    const peer = new Sender(server(reading))
    peer.send(post(1))
    for (let count = 0; count < 640; count++) {
      peer.send(data(1, body(16_384)))
      assert.isAtLeast(peer.windowBytes, windowBytes / 2)
    }
    peer.send(data(1, "", "END_STREAM"))
    assert.strictEqual(peer.side.calls.at(-1), "end 1")
    assert.strictEqual(peer.wholeBytes, windowBytes)
  })
  it("nothing is given back for a stream whose peer has ended", () => {
    const peer = new Sender(server())
    peer.send(post(1), ...Array.from({ length: 15 }, () => data(1, body(16_000))), data(1, "", "END_STREAM"))
    peer.side.engine.consume(peer.side.stream(1), 240_000, 0)
    assert.isFalse(peer.side.sent().some((line) => line.startsWith("WINDOW_UPDATE 1 ")))
  })
  it("padding costs the stream nothing for good", () => {
    const peer = new Sender(server(reading))
    peer.send(post(1))
    for (let count = 0; count < 5_000; count++) peer.send(data(1, "x", "PADDED 255"))
    assert.strictEqual(peer.side.engine.output.closing, "open")
    assert.strictEqual(peer.side.stream(1).unreadBytes, 0)
    assert.strictEqual(peer.wholeBytes, windowBytes)
  })
})

describe("RFC 9113 §10.5: budgets of what streams receive", () => {
  it("resets: RST_STREAM before the response is complete", () => {
    spends(server(), "resets", 1_000, (index) => [post(1 + index * 2), rstStream(1 + index * 2, "CANCEL")])
  })
  it("resets: also while the response is on its way", () => {
    const begin: Conduct = { onHead: (stream, { engine }) => void engine.respond(stream, 200, {}, body(50_000), 0) }
    spends(server(begin), "resets", 1_000, (index) => [get(1 + index * 2), rstStream(1 + index * 2, "CANCEL")])
  })
  it("resets: 33 a second go on for ever, and those of a client's own streams are not counted", () => {
    const side = server()
    for (let index = 0; index < 6_600; index++) {
      side.at(index * 31).receive(post(1 + index * 2), rstStream(1 + index * 2, "CANCEL"))
      side.taken()
    }
    assert.strictEqual(side.engine.output.closing, "open")
    const asking = client()
    for (let index = 0; index < 2_000; index++) asking.receive(rstStream(ask(asking).id, "REFUSED_STREAM"))
    assert.strictEqual(asking.engine.output.closing, "open")
  })
  it("forcedResets: streams that end for a mistake of the peer (MadeYouReset)", () => {
    spends(server(), "forcedResets", 200, (index) => [post(1 + index * 2), Wire.windowUpdate(1 + index * 2, 0)])
    spends(server(), "forcedResets", 200, (index) => [headers(1 + index * 2, [[":method", "GET"]], "END_STREAM")])
    spends(server(), "forcedResets", 200, (index) => [
      post(1 + index * 2),
      data(1 + index * 2, "", "END_STREAM"),
      data(1 + index * 2, "a")
    ])
  })
  it("forcedResets: streams above the limit, for a client that knows it", () => {
    const full = server({}, { maxConcurrentStreams: 1 }).receive(post(1))
    spends(full, "forcedResets", 200, (index) => [get(3 + index * 2)])
    const hasty = new Side("server", {}, { maxConcurrentStreams: 1 }).receive(Wire.preface, Wire.settings(), post(1))
    for (let index = 0; index < 500; index++) hasty.receive(get(3 + index * 2))
    assert.strictEqual(hasty.engine.output.closing, "open")
  })
  it("resets: two streams that are completed earn one", () => {
    const side = server(answering)
    for (let index = 0; index < 3_000; index++) {
      const id = 1 + index * 6
      side.receive(get(id), get(id + 2), post(id + 4), rstStream(id + 4, "CANCEL"))
      side.taken()
    }
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("resets: refusals that only handlers cause, which a client cannot know of", () => {
    const side = server({ onHead: (stream, { engine }) => engine.retain(stream) }, { maxConcurrentStreams: 1 })
    side.receive(post(1), rstStream(1, "CANCEL"))
    spends(side, "resets", 999, (index) => [get(3 + index * 2)])
  })
  it("unknown: what comes too late, for streams that were reset", () => {
    const reset = (): Side => {
      const side = server().receive(post(1))
      side.engine.reset(side.stream(1), 8, 0)
      return side
    }
    spends(reset(), "unknown", 1_000, () => [data(1, "")])
    spends(reset(), "unknown", 1_000, () => [headers(1, [["a", "b"]], "END_STREAM")])
    spends(reset(), "unknown", 1_000, () => [rstStream(1, "CANCEL")])
  })
  it("emptyFrames: DATA, HEADERS and CONTINUATION without content that end nothing", () => {
    spends(server().receive(post(1)), "emptyFrames", 100, () => [data(1, "")])
    spends(server().receive(post(1)), "emptyFrames", 100, () => [data(1, "", "PADDED 7")])
    spends(server(), "emptyFrames", 100, (index) => [
      headers(1 + index * 2, body(0), "MORE", "END_STREAM"),
      Wire.continuation(1 + index * 2, Wire.get())
    ])
  })
  it("emptyFrames: an end alone is none", () => {
    const side = server(answering)
    for (let index = 0; index < 1_000; index++) side.receive(post(1 + index * 2), data(1 + index * 2, "", "END_STREAM"))
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("continuation: so many frames of one block", () => {
    const side = server().receive(headers(1, Wire.get(), "MORE"))
    spends(side, "continuation", 5, () => [Wire.continuation(1, [["a", "b"]], "MORE")])
  })
  it("headerBlock: a block far above what is allowed", () => {
    const side = server().receive(headers(1, Wire.get(), "MORE"))
    for (let count = 0; count < 5; count++) side.receive(Wire.continuation(1, [["a", "b".repeat(16_000)]], "MORE"))
    assert.match(side.taken().at(-1) ?? "", /^GOAWAY 0 ENHANCE_YOUR_CALM$/)
    assert.deepStrictEqual(side.reader.debugTexts, ["too many headerBlock"])
  })
})

describe("CVE-2019-9518 and its kin: small DATA that waits unread", () => {
  /** Many frames of one stream at a time, since a budget counts frames. */
  const small = (id: number, count: number, ...options: ReadonlyArray<Wire.Option>): Uint8Array =>
    Wire.wire(...Array.from({ length: count }, () => data(id, "x", ...options)))

  it("10,000 may wait on a connection", () => {
    const side = server().receive(post(1), post(3), small(1, 5_000), small(3, 5_000))
    assert.strictEqual(side.engine.output.closing, "open")
    side.receive(small(3, 1))
    assert.match(side.taken().at(-1) ?? "", /ENHANCE_YOUR_CALM$/)
    assert.deepStrictEqual(side.reader.debugTexts, ["too many smallData"])
  })
  it("padding is no reader", () => {
    const side = server().receive(post(1), post(3))
    for (let count = 0; count < 10; count++) side.receive(small(count % 2 ? 1 : 3, 1_000, "PADDED 255"))
    assert.strictEqual(side.engine.output.closing, "open")
    side.receive(small(1, 1, "PADDED 255"))
    assert.match(side.taken().at(-1) ?? "", /ENHANCE_YOUR_CALM$/)
  })
  it("what was read, or ended with its stream, waits no more", () => {
    const side = server()
    for (let id = 1; id < 41; id += 2) {
      side.receive(post(id), small(id, 9_000))
      if (id % 4 === 1) side.engine.consume(side.stream(id), 9_000, 0)
      else side.receive(rstStream(id, "CANCEL"))
    }
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("a reader that is behind all the time, but reads, is honest", () => {
    const side = server().receive(post(1), small(1, 500))
    for (let count = 0; count < 50; count++) {
      side.receive(small(1, 1_000))
      for (let read = 0; read < 1_000; read++) side.engine.consume(side.stream(1), 1, 0)
      side.taken()
    }
    assert.strictEqual(side.stream(1).unreadBytes, 500)
    assert.strictEqual(side.engine.output.closing, "open")
  })
})

describe("places", () => {
  const refused = (side: Side, id: number): boolean => {
    side.receive(get(id))
    return side.taken().includes(`RST_STREAM ${id} REFUSED_STREAM`)
  }
  it("RFC 9113 §5.1.2: a stream above maxConcurrentStreams is refused, and one that ends makes room", () => {
    const side = server({}, { maxConcurrentStreams: 2 }).receive(post(1), post(3))
    assert.isTrue(refused(side, 5))
    side.receive(rstStream(1, "CANCEL"))
    assert.isFalse(refused(side, 7))
    assert.isTrue(refused(side, 9))
    side.engine.respond(side.stream(7), 200, {}, undefined, 0)
    assert.isFalse(refused(side, 11))
  })
  it("CVE-2023-44487: a reset frees no place while the handler runs", () => {
    const side = server({ onHead: (stream, { engine }) => engine.retain(stream) }, { maxConcurrentStreams: 2 })
    side.receive(post(1), rstStream(1, "CANCEL"), post(3), rstStream(3, "CANCEL"))
    assert.strictEqual(side.engine.streamCount, 0)
    assert.isTrue(refused(side, 5))
    side.engine.release(side.stream(1), 0)
    assert.isFalse(refused(side, 7))
    assert.isTrue(refused(side, 9))
    // Within onClosed, twice, and behind the end of the transport.
    side.engine.release(side.stream(1), 0)
    assert.isTrue(refused(side, 11))
    side.engine.receiveClose(0)
    side.engine.release(side.stream(3), 0)
    side.engine.release(side.stream(7), 0)
    assert.strictEqual(side.link.streams.placeCount, 0)
  })
  it("a handler that ends first frees none before the stream", () => {
    const side = server({ onHead: (stream, { engine }) => engine.retain(stream) }, { maxConcurrentStreams: 1 })
    side.receive(get(1))
    side.engine.release(side.stream(1), 0)
    assert.isTrue(refused(side, 3))
    side.engine.respond(side.stream(1), 200, {}, undefined, 0)
    assert.isFalse(refused(side, 5))
  })
})

describe("limits of a message", () => {
  it("maxBodySize: 413 where nothing was answered, and CANCEL where something was", () => {
    const side = server({}, { maxBodySize: 5 }).receive(post(1), data(1, "abc"), data(1, "def"))
    assert.deepStrictEqual(side.taken(), ["HEADERS 1 :status=413 content-length=0 END_STREAM", "RST_STREAM 1 NO_ERROR"])
    assert.strictEqual(side.calls.at(-1), "closed 1 BodyTooLarge CANCEL")
    side.receive(post(3))
    side.engine.beginResponse(side.stream(3), 200, {}, 0)
    side.receive(data(3, "abcdef"))
    assert.deepStrictEqual(side.taken(), ["HEADERS 3 :status=200", "RST_STREAM 3 CANCEL"])
    assert.notInclude(side.calls, "data 3 6")
  })
  it("maxHeaderSize and maxFieldCount: 431, of requests nobody hears of", () => {
    const side = server({}, { maxHeaderSize: 1_024, maxFieldCount: 3 })
    side.receive(headers(1, Wire.get("/", ["a", "b".repeat(1_000)]), "END_STREAM"))
    assert.deepStrictEqual(side.taken(), ["HEADERS 1 :status=431 content-length=0 END_STREAM"])
    side.receive(headers(3, Wire.post("/", ["a", ""], ["b", ""], ["c", ""], ["d", ""])))
    assert.deepStrictEqual(side.taken(), ["HEADERS 3 :status=431 content-length=0 END_STREAM", "RST_STREAM 3 NO_ERROR"])
    side.receive(data(3, "in flight", "END_STREAM"))
    assert.deepStrictEqual(side.calls, [])
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("32 interim responses, and no more", () => {
    const side = client()
    const stream = ask(side)
    for (let count = 0; count < 32; count++) side.receive(headers(stream.id, Wire.status(103)))
    assert.strictEqual(side.calls.length, 32)
    side.receive(headers(stream.id, Wire.status(103)))
    assert.strictEqual(side.calls.at(-1), "closed 1 StreamViolation ENHANCE_YOUR_CALM")
  })
})

describe("a header block that stays open", () => {
  it("headTimeout: from its HEADERS on, however much comes of it", () => {
    const side = server({}, { pingInterval: "unbounded" })
      .at(1_000)
      .receive(headers(1, Wire.get(), "MORE"))
    for (const nowMillis of [10_000, 20_000, 30_000]) {
      side.at(nowMillis).receive(Wire.continuation(1, [["a", "b"]], "MORE"))
    }
    side.advance(30_999)
    assert.strictEqual(side.engine.deadlineMillis, 31_000)
    assert.strictEqual(side.engine.output.closing, "open")
    side.advance(31_000)
    assert.strictEqual(side.taken().at(-1), "GOAWAY 0 ENHANCE_YOUR_CALM")
    assert.deepStrictEqual(side.calls, ["violation HeadTimeout ENHANCE_YOUR_CALM"])
  })
  it("headTimeout: it is waited for from then on", () => {
    const side = server({}, { pingInterval: "unbounded", settingsTimeout: "unbounded", idleTimeout: "unbounded" })
    side.advance(40_000)
    assert.strictEqual(side.engine.deadlineMillis, Number.POSITIVE_INFINITY)
    side.receive(headers(1, Wire.get(), "MORE"))
    assert.strictEqual(side.engine.deadlineMillis, 70_000)
  })
  it("headTimeout: not behind its end", () => {
    const side = server().receive(headers(1, Wire.get(), "MORE"), Wire.continuation(1, [["a", "b"]]))
    side.receive(Wire.rstStream(1, "CANCEL")).advance(40_000)
    assert.strictEqual(side.engine.output.closing, "open")
  })
})

describe("what was on its way when this side has reset the stream", () => {
  const given = () => {
    const side = server().receive(post(1))
    side.engine.reset(side.stream(1), 8, 0)
    side.taken()
    return side
  }
  it("small parts of a body are no abuse, however many a window has", () => {
    const side = given()
    for (let count = 0; count < 5_000; count++) side.receive(data(1, "a"))
    assert.strictEqual(side.engine.phase, "open")
  })
  it("empty ones are", () => {
    const side = given()
    for (let count = 0; count < 1_100; count++) side.receive(data(1, ""))
    assert.include(side.calls.join(), "BudgetSpent")
  })
})

describe("sections above the limit", () => {
  it("count for more, the larger they are", () => {
    const field = ["x", "a".repeat(8_000)] as const
    /** How many such requests are refused before the connection is. */
    const refused = (fieldCount: number): number => {
      const side = server()
      let count = 0
      for (; side.engine.phase === "open" && count < 1_000; count++) {
        const id = 2 * count + 1
        side.receive(Wire.headers(id, [...Wire.get(), field], "END_STREAM", "MORE"))
        for (let rest = fieldCount - 1; rest > 0; rest -= 2) {
          const fields = rest === 1 ? [field] : [field, field]
          side.receive(rest > 2 ? Wire.continuation(id, fields, "MORE") : Wire.continuation(id, fields))
        }
        side.taken()
      }
      return count
    }
    // 24 KiB are 2 of 200, and 56 KiB 4.
    assert.deepStrictEqual([refused(3), refused(7)], [101, 51])
  })
})
