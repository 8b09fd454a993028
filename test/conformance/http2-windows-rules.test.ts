/**
 * RFC 9113 §5.2 and §6.9: flow control in both directions, and the size of
 * what is sent. Where each MUST has its test says http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import * as Hex from "../harness/Hex.ts"
import { client, heard, Recorded, server } from "../harness/Http2Recorded.ts"
import * as Wire from "../harness/Http2Wire.ts"
import { data, get, headers, ping, post, settings, settingsAck, windowUpdate } from "../harness/Http2Wire.ts"
import { accepted, bytes, connectionErrors, streamErrors } from "./Http2Rows.ts"

/** A server whose responses have a body of so many bytes. */
const serving = (byteCount: number) => () =>
  server({ onWhole: ({ engine }, stream) => engine.respond(stream, 200, {}, bytes(byteCount), 0) })

/** A server that uses nothing up of what it receives. */
const holding = () => server({ onData: () => {} })

const whole = (id: number, path = "/"): Uint8Array => headers(id, get(path), "END_STREAM")

const waiting = whole(1, "/wait")

const opened = headers(1, post("/wait"))

/** Lengths of DATA on one stream. */
const dataOf = (sent: ReadonlyArray<string>, id: number): ReadonlyArray<number> =>
  sent
    .filter((line) => line.startsWith(`DATA ${id} `))
    .map((line) => Number(/^DATA \d+ (\d+) bytes/.exec(line)?.[1] ?? (/'(.*)'/.exec(line)?.[1] ?? "").length))

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, one) => total + one, 0)

const streamOf = (side: Recorded) => side.streams.get(1)!

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
