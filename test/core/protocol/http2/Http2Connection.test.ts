import { assert, describe, it } from "@effect/vitest"
import type * as Options from "@sluice/core/protocol/http2/Http2Options"
import * as Wire from "../../../harness/Http2Wire.ts"
import { SeededRandom } from "../../../harness/SeededRandom.ts"
import {
  answering,
  ask,
  body,
  type Conduct,
  client,
  dataOf,
  get,
  post,
  reading,
  Side,
  server,
  spends,
  sum
} from "./Recorder.ts"

const { data, headers, ping, rstStream, settings, settingsAck, windowUpdate } = Wire

const never = Number.POSITIVE_INFINITY

/** Only what a test is about has a time. */
const unbounded: Options.Options = {
  headTimeout: "unbounded",
  settingsTimeout: "unbounded",
  pingInterval: "unbounded",
  idleTimeout: "unbounded"
}

const large: Conduct = {
  onHead: (stream, { engine, nowMillis }) => void engine.respond(stream, 200, {}, body(1_000_000), nowMillis)
}

const wideOpen = windowUpdate(0, 2 ** 30)

describe("the end of a connection", () => {
  const endings: ReadonlyArray<
    readonly [way: string, end: (side: Side) => void, sent: ReadonlyArray<string>, closing: "open" | "end" | "abort"]
  > = [
    ["close", ({ engine }) => engine.close(0, "bye", 0), ["GOAWAY 3 NO_ERROR"], "end"],
    ["close with an error", ({ engine }) => engine.close(2, "broken", 0), ["GOAWAY 3 INTERNAL_ERROR"], "end"],
    ["a violation", (side) => void side.receive(windowUpdate(0, 0)), ["GOAWAY 3 PROTOCOL_ERROR"], "end"],
    ["the end of the peer", ({ engine }) => engine.receiveEnd(0), [], "end"],
    ["the end of the transport", ({ engine }) => engine.receiveClose(0), [], "open"]
  ]
  for (const [way, end, sent, closing] of endings) {
    it(`${way}: streams end, and nothing is heard or sent any more`, () => {
      const side = server().receive(post(1), post(3))
      side.taken()
      end(side)
      assert.deepStrictEqual([side.taken(), side.engine.output.closing], [sent, closing])
      assert.deepStrictEqual([side.closedCount(1), side.closedCount(3)], [1, 1])
      const heard = side.calls.length
      side.receive(get(5), ping(), data(1, "abc"))
      side.engine.drain(0)
      side.engine.ping(0)
      side.engine.close(2, "again", 0)
      side.engine.receiveEnd(0)
      side.engine.fill(0)
      side.engine.resumeSending(0)
      assert.deepStrictEqual(side.taken(), [])
      assert.strictEqual(side.calls.length, heard)
      assert.isFalse(side.engine.hasQueued)
    })
  }
  it("the reason is told to the peer, and to the owner before its streams end", () => {
    const side = server().receive(post(1), windowUpdate(0, 0))
    side.taken()
    assert.deepStrictEqual(side.calls, [
      "request 1 POST /",
      "violation ConnectionViolation PROTOCOL_ERROR",
      "closed 1 ConnectionLost INTERNAL_ERROR"
    ])
    assert.match(side.reader.debugTexts.join(), /RFC 9113 section 6.9/)
  })
  it("who goes on behind the end is read no further than its window", () => {
    const side = server({}, { ...unbounded, connectionWindow: 65_535 }).receive(windowUpdate(0, 0))
    side.taken()
    side.receive(new Uint8Array(65_535))
    assert.strictEqual(side.engine.output.closing, "end")
    side.receive(new Uint8Array(1))
    assert.strictEqual(side.engine.output.closing, "abort")
  })
  it("what is behind a violation in the same bytes is not heard", () => {
    const side = server().receive(windowUpdate(0, 0), get(1))
    assert.deepStrictEqual(side.calls, ["violation ConnectionViolation PROTOCOL_ERROR"])
  })
  it("a close from within a call ends the rest of the bytes too", () => {
    const side = server({ onHead: (_, { engine }) => engine.close(0, "", 0) }).receive(get(1), get(3), ping())
    assert.deepStrictEqual(side.calls, ["request 1 GET / ended", "closed 1 ConnectionLost INTERNAL_ERROR"])
  })
  it("closeTimeout: a peer that does not close its side is given up, once", () => {
    const side = server({}, { closeTimeout: "5 seconds" }).at(100)
    side.engine.close(0, "", 100)
    assert.strictEqual(side.engine.deadlineMillis, 5_100)
    side.advance(5_099)
    assert.deepStrictEqual([side.engine.output.closing, side.engine.deadlineMillis], ["end", 5_100])
    side.advance(5_100)
    assert.deepStrictEqual([side.engine.output.closing, side.engine.deadlineMillis], ["abort", never])
    side.engine.receiveClose(5_200)
    assert.strictEqual(side.engine.deadlineMillis, never)
  })
  it("a peer that closes behind GOAWAY leaves no deadline", () => {
    const side = server()
    side.engine.close(0, "", 0)
    side.engine.receiveClose(10)
    assert.strictEqual(side.engine.deadlineMillis, never)
    side.advance(100_000)
    assert.strictEqual(side.engine.output.closing, "end")
  })
})

describe("a connection without streams", () => {
  it("idleTimeout: GOAWAY in two steps, the end, and the transport is given up", () => {
    const side = server(answering, { ...unbounded, idleTimeout: "65 seconds" })
      .at(10_000)
      .receive(get(1))
    side.taken()
    side.wakes(74_999)
    assert.deepStrictEqual(side.taken(), [])
    side.wakes(75_000)
    assert.match(side.taken().join(), /^GOAWAY 2147483647 NO_ERROR,PING/)
    side.wakes(76_000)
    assert.deepStrictEqual(side.taken(), ["GOAWAY 1 NO_ERROR"])
    assert.strictEqual(side.engine.output.closing, "end")
    side.wakes(81_000)
    assert.strictEqual(side.engine.output.closing, "abort")
    assert.strictEqual(side.engine.deadlineMillis, never)
  })
  it("idleTimeout: from its beginning, and not while a stream is open", () => {
    const quiet = server({}, { ...unbounded, idleTimeout: "65 seconds" })
    quiet.wakes(65_000)
    assert.match(quiet.taken().join(), /GOAWAY/)
    const busy = server({}, { ...unbounded, idleTimeout: "65 seconds" })
      .at(60_000)
      .receive(get(1))
    busy.taken()
    assert.deepStrictEqual(
      busy.wakes(10_000_000).filter((atMillis) => atMillis > 65_000),
      []
    )
    assert.deepStrictEqual(busy.taken(), [])
    assert.strictEqual(busy.engine.deadlineMillis, never)
  })
  it("idleTimeout: a request that comes between the two steps is served", () => {
    const side = server({}, { ...unbounded, idleTimeout: "65 seconds" })
    side.wakes(65_000)
    side.at(65_500).receive(get(1))
    side.wakes(66_000)
    side.taken()
    assert.strictEqual(side.engine.output.closing, "open")
    side.engine.respond(side.stream(1), 200, {}, "in time", 66_500)
    assert.deepStrictEqual(side.taken().at(-1), "DATA 1 'in time' END_STREAM")
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("a client's is kept, unless it has a limit", () => {
    const side = client()
    side.wakes(10_000_000)
    assert.strictEqual(side.engine.deadlineMillis, never)
    const limited = client({}, { idleTimeout: "10 seconds" })
    limited.wakes(10_000)
    assert.deepStrictEqual([limited.taken(), limited.engine.output.closing], [["GOAWAY 0 NO_ERROR"], "end"])
  })
})

describe("a transport that is full", () => {
  const blocked = (options: Options.Options = {}): Side => {
    const side = server(large, { ...unbounded, ...options }, { INITIAL_WINDOW_SIZE: 2 ** 30 }).receive(wideOpen, get(1))
    side.turn()
    side.engine.output.blocked = true
    return side
  }
  it("sendTimeout: SendStalled, and nothing is waited for", () => {
    const side = blocked().at(1_000)
    side.advance(1_000)
    assert.strictEqual(side.engine.deadlineMillis, 31_000)
    side.advance(30_999)
    assert.strictEqual(side.engine.output.closing, "open")
    side.advance(31_000)
    assert.strictEqual(side.engine.output.closing, "abort")
    assert.deepStrictEqual(side.calls.slice(-2), [
      "violation SendStalled NO_ERROR",
      "closed 1 ConnectionLost INTERNAL_ERROR"
    ])
  })
  it("sendTimeout: each time anew, and not where the transport takes something in time", () => {
    const side = blocked()
    assert.strictEqual(side.engine.deadlineMillis, 30_000)
    for (let nowMillis = 20_000; nowMillis <= 100_000; nowMillis += 20_000) {
      side.wakes(nowMillis)
      side.engine.output.blocked = false
      side.engine.resumeSending(nowMillis)
      side.taken()
      side.engine.output.blocked = true
      assert.strictEqual(side.engine.deadlineMillis, nowMillis + 30_000)
    }
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("closeTimeout: who still reads what was sent before the end is waited for, up to sendTimeout", () => {
    const make = (): Side => {
      const side = server(large, { ...unbounded, closeTimeout: "5 seconds" }).receive(get(1))
      side.turn()
      side.engine.output.blocked = true
      side.engine.close(0, "", 0)
      return side
    }
    const reading = make()
    reading.wakes(20_000)
    assert.strictEqual(reading.engine.output.closing, "end")
    reading.engine.output.blocked = false
    reading.engine.resumeSending(20_000)
    reading.wakes(26_000)
    assert.strictEqual(reading.engine.output.closing, "abort")
    const stuck = make()
    stuck.wakes(29_999)
    assert.strictEqual(stuck.engine.output.closing, "end")
    stuck.wakes(30_000)
    assert.deepStrictEqual([stuck.engine.output.closing, stuck.engine.deadlineMillis], ["abort", never])
  })
})

describe("deadlines", () => {
  it("calls of advance that come early do nothing", () => {
    /** What is sent, and when, if `next` says when to look. */
    const timeline = (next: (side: Side) => number): ReadonlyArray<string> => {
      const side = server(answering, { idleTimeout: "65 seconds" }).receive(post(1), get(3))
      side.taken()
      const seen: Array<string> = []
      for (let nowMillis = next(side); nowMillis <= 120_000; nowMillis = next(side)) {
        const lines = side.advance(nowMillis).taken()
        if (lines.length > 0) seen.push(`${nowMillis} ${lines.join(" ")} ${side.engine.output.closing}`)
      }
      return [...seen, side.engine.output.closing, ...side.calls]
    }
    const exact = timeline((side) => side.engine.deadlineMillis)
    assert.match(exact[0] ?? "", /^30000 PING .* open$/)
    assert.match(exact[1] ?? "", /^50000 GOAWAY 3 NO_ERROR end$/)
    assert.strictEqual(exact[2], "abort")
    assert.deepStrictEqual(
      timeline((side) => side.nowMillis + 10),
      exact
    )
  })
  it("Infinity where there is nothing to wait for", () => {
    const side = server({}, unbounded)
    side.wakes(20_000_000)
    assert.strictEqual(side.engine.deadlineMillis, never)
    side.receive(post(1), data(1, "abc"), headers(3, Wire.get(), "END_STREAM"))
    side.wakes(40_000_000)
    assert.strictEqual(side.engine.deadlineMillis, never)
  })
  it("never in the past behind advance, whatever has come", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new SeededRandom(seed)
      const side = server({}, { maxConcurrentStreams: 20 }, { INITIAL_WINDOW_SIZE: 5_000 })
      let nextId = 1
      for (let step = 0; step < 200 && side.engine.output.closing !== "abort"; step++) {
        side.at(side.nowMillis + random.below(8_000))
        const id = 1 + 2 * random.below(Math.max(1, (nextId - 1) / 2))
        const stream = side.streams.get(id)
        const what = random.below(12)
        if (what < 3) {
          side.receive(random.below(2) ? post(nextId) : get(nextId))
          nextId += 2
        } else if (what === 3) side.receive(ping("pingping", "ACK"), ping())
        else if (what === 4) side.engine.output.blocked = !side.engine.output.blocked
        else if (what === 5) side.receive(windowUpdate(0, 1_000))
        else if (stream !== undefined && what === 6)
          side.engine.respond(stream, 200, {}, body(random.below(20_000)), side.nowMillis)
        else if (stream !== undefined && what === 7)
          side.engine.awaitBody(stream, random.below(2) === 0, side.nowMillis)
        else if (stream !== undefined && what === 8) side.receive(rstStream(id, "CANCEL"))
        else if (stream !== undefined && what === 9) side.engine.abandon(stream, side.nowMillis)
        else if (what === 10 && random.below(20) === 0) side.engine.drain(side.nowMillis)
        if (!side.engine.output.blocked) side.engine.resumeSending(side.nowMillis)
        side.sent()
        for (let turn = 0; side.engine.deadlineMillis <= side.nowMillis; turn++) {
          assert.isBelow(turn, 5, `seed ${seed}, step ${step}: ${side.engine.deadlineMillis} at ${side.nowMillis}`)
          side.engine.advance(side.nowMillis)
        }
      }
      for (const id of side.streams.keys()) assert.isAtMost(side.closedCount(id), 1)
      side.engine.receiveClose(side.nowMillis)
      for (const id of side.streams.keys()) assert.strictEqual(side.closedCount(id), 1)
      assert.strictEqual(side.engine.deadlineMillis, never)
    }
  })
})

describe("a client's requests", () => {
  const parts = { method: "GET", scheme: "http", authority: "a", path: "/", headers: {} } as const
  const refusalOf = (side: Side, more: object = {}): string => {
    const stream = side.engine.request({ ...parts, ...more }, undefined, "whole", undefined, 0)
    return "_tag" in stream ? stream._tag : "sent"
  }
  it("RFC 9113 §5.1.2: no more than the peer takes at a time, and 100 before it has said so", () => {
    const side = client({}, {}, { MAX_CONCURRENT_STREAMS: 2 })
    assert.deepStrictEqual([refusalOf(side), refusalOf(side), refusalOf(side)], ["sent", "sent", "StreamsExhausted"])
    side.receive(headers(1, Wire.status(200), "END_STREAM"))
    assert.deepStrictEqual([refusalOf(side), refusalOf(side)], ["sent", "StreamsExhausted"])
    const hasty = new Side("client")
    for (let count = 0; count < 100; count++) assert.strictEqual(refusalOf(hasty), "sent")
    assert.strictEqual(refusalOf(hasty), "StreamsExhausted")
    hasty.receive(settings())
    assert.strictEqual(refusalOf(hasty), "sent")
  })
  it("RFC 8441 §3: extended CONNECT only where the peer takes it", () => {
    const connect = { method: "CONNECT", protocol: "websocket" }
    assert.strictEqual(refusalOf(client(), connect), "InvalidMessage")
    assert.strictEqual(refusalOf(client({}, {}, { ENABLE_CONNECT_PROTOCOL: 1 }), connect), "sent")
  })
  it("none behind the end, and none of a server", () => {
    const side = client()
    side.engine.close(0, "", 0)
    assert.strictEqual(refusalOf(side), "StreamEnded")
    const lost = client()
    lost.engine.receiveClose(0)
    assert.strictEqual(refusalOf(lost), "StreamEnded")
    assert.strictEqual(refusalOf(server()), "GoingAway")
  })
  it("what was refused is not there", () => {
    const side = client({}, {}, { MAX_CONCURRENT_STREAMS: 0 })
    assert.strictEqual(refusalOf(side), "StreamsExhausted")
    assert.deepStrictEqual([side.sent(), side.engine.streamCount], [[], 0])
    side.receive(settings({ MAX_CONCURRENT_STREAMS: 1 }))
    assert.strictEqual(ask(side).id, 1)
  })
})

describe("RFC 9113 §10.5: WINDOW_UPDATE", () => {
  it("windowUpdates, of the connection and of streams, also of such as are over", () => {
    spends(server(), "windowUpdates", 2_000, () => [windowUpdate(0, 1)])
    spends(server().receive(post(1)), "windowUpdates", 2_000, () => [windowUpdate(1, 1)])
    spends(server().receive(post(1), rstStream(1, "CANCEL")), "windowUpdates", 2_000, () => [windowUpdate(1, 1)])
  })
  it("CVE-2019-9511: a window that is opened byte by byte earns next to nothing back", () => {
    const side = server(large, {}, { INITIAL_WINDOW_SIZE: 0 }).receive(get(1))
    side.sent()
    // A byte earns 4 / 256: about one update of 64 is for nothing.
    let count = 0
    for (; side.engine.output.closing === "open" && count < 10_000; count++) {
      side.receive(windowUpdate(1, 1))
      side.sent()
    }
    assert.isTrue(count > 2_000 && count < 2_100, `${count}`)
    assert.deepStrictEqual(side.reader.debugTexts, ["too many windowUpdates"])
    assert.isAbove(side.calls.length, 2)
  })
  it("a client that downloads 60 MB at once, and gives back each frame twice, is honest", () => {
    const side = server({
      onHead: (stream, { engine }) => void engine.respond(stream, 200, {}, body(60_000_000), 0)
    }).receive(get(1))
    let received = 0
    for (let count = 0; count < 10_000 && side.closedCount(1) === 0; count++) {
      const lengths = dataOf(side.turn(), 1)
      received += sum(lengths)
      for (const length of lengths) side.receive(windowUpdate(0, length), windowUpdate(1, length))
    }
    assert.strictEqual(received, 60_000_000)
    assert.strictEqual(side.engine.output.closing, "open")
  })
})

describe("two engines", () => {
  /** Moves what both send, in pieces, until neither has anything to say. */
  const converse = (left: Side, right: Side, random: SeededRandom): void => {
    const deliver = (from: Side, to: Side): boolean => {
      from.engine.fill(0)
      const bytes = from.bytes()
      for (let at = 0; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + 1 + random.below(20_000))
        to.engine.receive(bytes.slice(at, end), 0)
        at = end
      }
      return bytes.length > 0
    }
    for (let round = 0; round < 100_000; round++) {
      const moved = [deliver(left, right), deliver(right, left)]
      if (!moved.includes(true)) return
    }
    throw new Error("no end")
  }

  it("100 bodies at once in both directions, beyond all windows, come whole, and the windows are whole again", () => {
    const random = new SeededRandom(7)
    const received = new Map<string, number>()
    const counting = (side: string): Conduct => ({
      onData: (stream, { engine }, bytes) => {
        const key = `${side} ${stream.id}`
        received.set(key, (received.get(key) ?? 0) + bytes.length)
        engine.consume(stream, bytes.length, 0)
      }
    })
    const right = new Side("server", {
      ...counting("server"),
      onHead: (stream, { engine }) => void engine.respond(stream, 200, {}, body(40_000 + stream.id), 0)
    })
    const left = new Side("client", counting("client"))
    converse(left, right, random)
    const streams = Array.from({ length: 100 }, (_, index) => {
      const stream = ask(left, "open")
      left.engine.write(stream, body(30_000 + index), 0)
      left.engine.end(stream, undefined, 0)
      return stream
    })
    converse(left, right, random)
    streams.forEach(({ id }, index) => {
      assert.strictEqual(received.get(`server ${id}`), 30_000 + index)
      assert.strictEqual(received.get(`client ${id}`), 40_000 + id)
      assert.deepStrictEqual([left.closedCount(id), right.closedCount(id)], [1, 1])
    })
    for (const side of [left, right]) {
      assert.isFalse(side.calls.some((call) => /violation|Reset|Lost/.test(call)))
      assert.deepStrictEqual([side.engine.streamCount, side.link.streams.placeCount], [0, 0])
    }
    // What one side may send is what the other takes.
    assert.strictEqual(left.link.window.sendBytes, right.link.window.receiveBytes)
    assert.strictEqual(right.link.window.sendBytes, left.link.window.receiveBytes)
  })
  it("a drain of the server loses no request", () => {
    const random = new SeededRandom(3)
    const right = new Side("server", { ...reading, ...answering })
    const left = new Side("client", reading)
    converse(left, right, random)
    for (let count = 0; count < 10; count++) ask(left)
    right.engine.drain(0)
    converse(left, right, random)
    assert.strictEqual(left.calls.filter((call) => call.startsWith("response")).length, 10)
    assert.isFalse(left.calls.some((call) => call.includes("Unprocessed")))
    assert.deepStrictEqual([left.engine.output.closing, right.engine.output.closing], ["end", "end"])
  })
})

describe("where bytes are cut", () => {
  it("makes no difference to what is heard and sent", () => {
    const bytes = Wire.wire(
      Wire.preface,
      settings({ INITIAL_WINDOW_SIZE: 10 }),
      settingsAck,
      post(1),
      data(1, "abc", "PADDED 3"),
      get(3),
      ping(),
      data(1, "def", "END_STREAM"),
      windowUpdate(3, 5),
      rstStream(3, "CANCEL")
    )
    const conduct: Conduct = {
      ...reading,
      onEnd: (stream, { engine }) => void engine.respond(stream, 200, {}, "0123456789abcdef", 0)
    }
    const run = (length: number): unknown => {
      const side = new Side("server", conduct)
      for (let at = 0; at < bytes.length; at += length) side.engine.receive(bytes.slice(at, at + length), 0)
      return [side.calls, side.sent()]
    }
    const whole = run(bytes.length)
    for (let length = 1; length < bytes.length; length++) assert.deepStrictEqual(run(length), whole)
  })
})
