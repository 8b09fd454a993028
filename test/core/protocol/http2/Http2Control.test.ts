import { assert, describe, it } from "@effect/vitest"
import type * as Options from "@sluice/core/protocol/http2/Http2Options"
import * as Wire from "../../../harness/Http2Wire.ts"
import { answering, ask, body, client, get, post, reading, Side, server, spends } from "./Recorder.ts"

const { data, goAway, headers, ping, rstStream, settings, settingsAck, windowUpdate } = Wire

/** Only what a test is about has a time. */
const unbounded: Options.Options = {
  headTimeout: "unbounded",
  settingsTimeout: "unbounded",
  pingInterval: "unbounded",
  idleTimeout: "unbounded"
}

const never = Number.POSITIVE_INFINITY

describe("RFC 9113 §3.4: the beginning", () => {
  it("a server says what it allows", () => {
    const side = new Side("server", {}, { maxConcurrentStreams: 7, streamWindow: 1_000, connectionWindow: 65_535 })
    assert.deepStrictEqual(side.taken(), [
      "SETTINGS MAX_CONCURRENT_STREAMS=7 INITIAL_WINDOW_SIZE=1000 MAX_HEADER_LIST_SIZE=16384 ENABLE_CONNECT_PROTOCOL=1"
    ])
  })
  it("a client too, behind its preface, and takes no pushes", () => {
    const side = new Side("client")
    assert.deepStrictEqual(side.taken(), [
      "PREFACE",
      "SETTINGS ENABLE_PUSH=0 INITIAL_WINDOW_SIZE=262144 MAX_HEADER_LIST_SIZE=16384",
      "WINDOW_UPDATE 0 983041"
    ])
  })
  it("headTimeout: the preface is late, whatever has come of it", () => {
    for (const part of [0, 10, 24]) {
      const side = new Side("server", {}, { ...unbounded, headTimeout: "30 seconds" })
      side.at(20_000).receive(Wire.preface.subarray(0, part))
      assert.deepStrictEqual(side.wakes(29_999), [])
      side.taken()
      assert.deepStrictEqual(side.wakes(30_000), [30_000])
      assert.deepStrictEqual(side.taken(), ["GOAWAY 0 ENHANCE_YOUR_CALM"])
      assert.deepStrictEqual(side.calls, ["violation HeadTimeout ENHANCE_YOUR_CALM"])
      assert.strictEqual(side.engine.output.closing, "end")
    }
  })
  it("headTimeout: of a server that says nothing, and not behind the first SETTINGS", () => {
    const silent = new Side("client", {}, { ...unbounded, headTimeout: "30 seconds" })
    assert.deepStrictEqual(silent.wakes(30_000), [30_000])
    assert.include(silent.calls, "violation HeadTimeout ENHANCE_YOUR_CALM")
    const side = new Side("server", {}, { ...unbounded, headTimeout: "30 seconds" })
    side.receive(Wire.preface, settings())
    side.wakes(1_000_000)
    assert.strictEqual(side.engine.output.closing, "open")
    assert.strictEqual(side.engine.deadlineMillis, never)
  })
})

describe("RFC 9113 §6.5.3: settings are acknowledged", () => {
  it("RFC 9113 §6.5.3: settingsTimeout, and SETTINGS_TIMEOUT says so", () => {
    const side = new Side("server", {}, { ...unbounded, settingsTimeout: "10 seconds" })
    side.receive(Wire.preface, settings(), get(1))
    side.advance(9_999)
    assert.strictEqual(side.engine.output.closing, "open")
    assert.strictEqual(side.engine.deadlineMillis, 10_000)
    side.advance(10_000)
    assert.strictEqual(side.taken().at(-1), "GOAWAY 1 SETTINGS_TIMEOUT")
    assert.deepStrictEqual(side.calls.slice(1), [
      "violation SettingsTimeout SETTINGS_TIMEOUT",
      "closed 1 ConnectionLost INTERNAL_ERROR"
    ])
  })
  it("RFC 9113 §6.5.3: acknowledged, nothing is due", () => {
    const side = new Side("server", {}, { ...unbounded, settingsTimeout: "10 seconds" })
    side.receive(Wire.preface, settings(), settingsAck)
    side.wakes(1_000_000)
    assert.strictEqual(side.engine.output.closing, "open")
    assert.strictEqual(side.engine.deadlineMillis, never)
  })
  it("RFC 9113 §6.5.3: each SETTINGS is acknowledged, in force as soon as it is", () => {
    const side = server()
    side.receive(settings({ INITIAL_WINDOW_SIZE: 5 }), settings({ MAX_FRAME_SIZE: 20_000 }))
    assert.deepStrictEqual(side.taken(), ["SETTINGS ACK", "SETTINGS ACK"])
    const { initialWindowBytes, maxFrameBytes } = side.engine.peerSettings
    assert.deepStrictEqual([initialWindowBytes, maxFrameBytes], [5, 20_000])
  })
  it("RFC 9113 §6.5.3: what this side allows is in force with the acknowledgement", () => {
    const frame = data(1, body(20_000))
    const early = new Side("server", {}, { maxFrameSize: 32_768 }).receive(Wire.preface, settings(), post(1), frame)
    assert.strictEqual(early.taken().at(-1), "GOAWAY 1 FRAME_SIZE_ERROR")
    const side = server({}, { maxFrameSize: 32_768 }).receive(post(1), frame)
    assert.strictEqual(side.calls.at(-1), "data 1 20000")
  })
  it("RFC 9113 §6.9.2: a smaller window, of streams that are open when it is acknowledged", () => {
    const side = new Side("server", reading, { streamWindow: 1_000 })
    side.receive(Wire.preface, settings(), post(1), post(3), data(1, body(16_000)), settingsAck)
    assert.strictEqual(side.stream(3).receiveBytes, 1_000)
    side.receive(data(3, body(1_000)), post(5), data(5, body(1_001)))
    assert.include(side.taken(), "RST_STREAM 5 FLOW_CONTROL_ERROR")
    assert.strictEqual(side.closedCount(3), 0)
  })
})

describe("RFC 9113 §6.7: keepalive", () => {
  const alive: Options.Options = { ...unbounded, pingInterval: "30 seconds", pingTimeout: "20 seconds" }
  const pings = (lines: ReadonlyArray<string>): number =>
    lines.filter((line) => line.startsWith("PING") && !line.endsWith("ACK")).length

  it("only while streams are open", () => {
    const side = server({}, alive)
    side.wakes(1_000_000)
    assert.strictEqual(pings(side.taken()), 0)
    assert.strictEqual(side.engine.deadlineMillis, never)
    side.receive(post(1))
    assert.strictEqual(side.engine.deadlineMillis, 1_030_000)
    side.wakes(1_030_000)
    assert.strictEqual(pings(side.taken()), 1)
  })
  it("after silence: any byte of the peer is a sign of life", () => {
    const side = server({}, alive).receive(post(1))
    for (let nowMillis = 20_000; nowMillis < 300_000; nowMillis += 20_000) {
      side.wakes(nowMillis)
      side.at(nowMillis).receive(data(1, "a"))
    }
    assert.strictEqual(pings(side.taken()), 0)
    side.wakes(310_000)
    assert.strictEqual(pings(side.taken()), 1)
  })
  it("a peer that does not answer is given up", () => {
    const side = server({}, alive).receive(post(1))
    side.taken()
    side.wakes(49_999)
    assert.strictEqual(side.engine.output.closing, "open")
    side.wakes(50_000)
    assert.deepStrictEqual(side.calls.slice(1), [
      "violation KeepaliveTimeout NO_ERROR",
      "closed 1 ConnectionLost INTERNAL_ERROR"
    ])
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("one that answers is asked again by the interval, also where that is shorter than an answer may take", () => {
    const side = server({}, { ...alive, pingInterval: "1 second" }).receive(post(1))
    for (let nowMillis = 1_000; nowMillis <= 5_000; nowMillis += 1_000) {
      side.taken()
      assert.strictEqual(side.engine.deadlineMillis, nowMillis)
      side.wakes(nowMillis)
      const [asked] = side.reader.frames(side.bytes()).filter((one) => one !== "PREFACE")
      assert.strictEqual(asked?.type, 6)
      side.at(nowMillis).receive(Wire.frame("PING", 1, 0, asked!.payload))
    }
  })
  it("one that answers is asked again", () => {
    const side = server({}, alive).receive(post(1))
    side.taken()
    for (let round = 1; round < 5; round++) {
      side.wakes(side.nowMillis + 30_000)
      const frames = side.reader.frames(side.bytes()).filter((one) => one !== "PREFACE")
      assert.deepStrictEqual(
        frames.map((one) => one.type),
        [6]
      )
      side.receive(Wire.frame("PING", 1, 0, frames[0]!.payload))
    }
    assert.strictEqual(side.engine.output.closing, "open")
    // An answer to the machine's own question is nobody's business.
    assert.deepStrictEqual(side.calls, ["request 1 POST /"])
  })
  it("a user's PING tells the way to the peer, and is no keepalive", () => {
    const side = client({}, alive)
    side.engine.ping(100)
    const [frame] = side.reader.frames(side.bytes())
    side.at(142).receive(Wire.frame("PING", 1, 0, frame === "PREFACE" ? "" : frame!.payload))
    assert.deepStrictEqual(side.calls, ["pong 42"])
    // What nobody asked is ignored.
    side.receive(ping("whatever", "ACK"), Wire.frame("PING", 1, 0, frame === "PREFACE" ? "" : frame!.payload))
    assert.deepStrictEqual(side.calls, ["pong 42"])
  })
})

describe("RFC 9113 §6.8: a server drains in two steps", () => {
  /** The answer to the PING behind the first GOAWAY. */
  const draining = (side: Side): Uint8Array => {
    side.engine.drain(side.nowMillis)
    const frames = side.reader.frames(side.bytes()).filter((one) => one !== "PREFACE")
    const asked = frames.find((one) => one.type === 6)!
    assert.deepStrictEqual(
      frames.map((one) =>
        side.reader
          .lineOf(one)
          .split(" ")
          .slice(0, 2)
          .join(" ")
          .replace(/PING .*/, "PING")
      ),
      ["GOAWAY 2147483647", "PING"]
    )
    return Wire.frame("PING", 1, 0, asked.payload)
  }
  it("RFC 9113 §6.8: what is on its way is served, until the PING is answered", () => {
    const side = server({}, unbounded).receive(get(1))
    const answer = draining(side)
    side.receive(get(3), get(5), answer)
    assert.deepStrictEqual(side.taken(), ["GOAWAY 5 NO_ERROR"])
    side.receive(get(7), post(9), data(9, "abc"))
    assert.deepStrictEqual(side.taken(), [])
    assert.deepStrictEqual(side.calls, ["request 1 GET / ended", "request 3 GET / ended", "request 5 GET / ended"])
    for (const id of [1, 3, 5]) {
      assert.strictEqual(side.engine.output.closing, "open")
      side.engine.respond(side.stream(id), 200, {}, "x", 0)
    }
    assert.strictEqual(side.engine.output.closing, "end")
    assert.match(side.taken().at(-1) ?? "", /^DATA 5 'x' END_STREAM$/)
  })
  it("RFC 9113 §6.8: or for a second", () => {
    const side = server({}, unbounded).at(5_000)
    draining(side)
    assert.deepStrictEqual(side.wakes(5_999), [])
    side.receive(get(1))
    side.wakes(6_000)
    assert.deepStrictEqual(side.taken(), ["GOAWAY 1 NO_ERROR"])
    side.receive(get(3))
    assert.deepStrictEqual(side.calls, ["request 1 GET / ended"])
    side.engine.respond(side.stream(1), 204, {}, undefined, 6_000)
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("RFC 9113 §6.8: the end waits for the second GOAWAY, and for what is queued", () => {
    const idle = server({}, unbounded)
    const answer = draining(idle)
    assert.strictEqual(idle.engine.output.closing, "open")
    idle.receive(answer)
    assert.strictEqual(idle.engine.output.closing, "end")
    const side = server({}, unbounded).receive(get(1))
    side.engine.respond(side.stream(1), 200, {}, body(300_000), 0)
    side.receive(windowUpdate(0, 300_000), windowUpdate(1, 300_000))
    side.taken()
    side.receive(draining(side))
    assert.strictEqual(side.engine.output.closing, "open")
    assert.match(side.sent().at(-1) ?? "", /^DATA 1 .* END_STREAM$/)
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("RFC 9113 §6.8: it begins once, and a violation within it tells no higher stream", () => {
    const side = server({}, unbounded).receive(get(1))
    const answer = draining(side)
    side.engine.drain(10)
    side.receive(answer, get(3), windowUpdate(0, 0))
    assert.deepStrictEqual(side.taken(), ["GOAWAY 1 NO_ERROR", "GOAWAY 1 PROTOCOL_ERROR"])
  })
  it("RFC 9113 §4.3: a block that comes too late still goes through the compression", () => {
    const side = server({}, unbounded).receive(post(1))
    const answer = draining(side)
    const kept = Uint8Array.of(0x40, 1, 0x61, 1, 0x62)
    side.receive(answer, headers(3, Wire.wire(Wire.block(Wire.get()), kept)), data(3, "abc"), rstStream(3, "CANCEL"))
    side.receive(headers(1, Uint8Array.of(0x80 + 62), "END_STREAM"))
    assert.deepStrictEqual(side.calls, ["request 1 POST /", "end 1 a=b"])
  })
})

describe("RFC 9113 §6.8: a client leaves in one", () => {
  it("RFC 9113 §6.8: its requests finish, and the end comes with the last", () => {
    const side = client({}, unbounded)
    const [first, second] = [ask(side), ask(side)]
    side.taken()
    side.engine.drain(0)
    assert.deepStrictEqual(side.taken(), ["GOAWAY 0 NO_ERROR"])
    assert.throws(() => ask(side), /GoingAway/)
    side.receive(headers(first.id, Wire.status(200), "END_STREAM"))
    assert.strictEqual(side.engine.output.closing, "open")
    side.receive(headers(second.id, Wire.status(200), "END_STREAM"))
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("without requests, at once", () => {
    const side = client({}, unbounded)
    side.engine.drain(0)
    assert.strictEqual(side.engine.output.closing, "end")
  })
  it("RFC 9113 §6.8: GOAWAY of its server, twice: the lower one counts", () => {
    const side = client({}, unbounded)
    for (let count = 0; count < 3; count++) ask(side)
    side.receive(goAway(2 ** 31 - 1), goAway(1, "NO_ERROR", "two"))
    assert.deepStrictEqual(side.calls, [
      "goAway 2147483647 NO_ERROR",
      "closed 3 Unprocessed NO_ERROR",
      "closed 5 Unprocessed NO_ERROR",
      "goAway 1 NO_ERROR two"
    ])
    side.receive(headers(1, Wire.status(200), "END_STREAM"))
    assert.strictEqual(side.engine.output.closing, "end")
  })
})

describe("RFC 9113 §10.5: budgets of what is of no stream", () => {
  it("settings", () => spends(server(), "settings", 99, () => [settings({ MAX_FRAME_SIZE: 16_384 })]))
  it("pings", () => spends(server(), "pings", 1_000, () => [ping()]))
  it("priorities", () => spends(server(), "priorities", 1_000, (index) => [Wire.priority(1 + index * 2)]))
  it("unknown", () => spends(server(), "unknown", 1_000, () => [Wire.frame(0x42, 0, 0, "00")]))
  it("each in both roles", () => {
    spends(client(), "settings", 99, () => [settings()])
    spends(client(), "pings", 1_000, () => [ping()])
    spends(client(), "unknown", 1_000, () => [Wire.frame(0x42, 0, 7)])
  })
  it("unknown: answers that nobody asked for, and GOAWAY again and again", () => {
    spends(server(), "unknown", 1_000, () => [ping("whatever", "ACK")])
    spends(server().receive(goAway(0)), "unknown", 1_000, () => [goAway(0)])
    spends(server(), "unknown", 1_000, () => [Wire.frame("PRIORITY", 0, 1, "00")])
  })
  it("a client that asks for the way behind each frame it receives is honest", () => {
    const side = server({ onEnd: (stream, { engine }) => void engine.respond(stream, 200, {}, "x", 0) })
    for (let id = 1; id < 10_001; id += 2) {
      side.receive(get(id), ping())
      side.taken()
    }
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("as fast as they come back, for ever", () => {
    const side = server(answering)
    for (let index = 0; index < 5_000; index++) {
      side.at(index * 10).receive(ping(), Wire.priority(1), Wire.frame(0x42, 0, 0))
      if (index % 20 === 0) side.receive(settings({ INITIAL_WINDOW_SIZE: 65_535 + (index % 40) }))
      side.taken()
    }
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("a browser that says the priority of each request, and of each of five groups, is honest", () => {
    const side = server(answering)
    for (let id = 11; id < 10_011; id += 2) {
      side.receive(...(id < 21 ? [Wire.priority(id - 10)] : []), headers(id, Wire.get(), "END_STREAM", "PRIORITY"))
      side.receive(Wire.priority(id), Wire.priority(id), Wire.priority(id))
      if (id % 100 === 1) side.sent()
    }
    assert.strictEqual(side.engine.output.closing, "open", side.reader.debugTexts.join())
  })
})
