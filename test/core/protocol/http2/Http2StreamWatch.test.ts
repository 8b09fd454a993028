import { assert, describe, it } from "@effect/vitest"
import type * as Options from "@sluice/core/protocol/http2/Http2Options"
import * as Wire from "../../../harness/Http2Wire.ts"
import { ask, body, type Conduct, client, get, post, type Side, server } from "./Recorder.ts"

const { data } = Wire

/** Nothing but the limits of streams has a time. */
const alone: Options.Options = { pingInterval: "unbounded", idleTimeout: "unbounded" }

/** Whose handler waits for the body. */
const awaiting: Conduct = {
  onHead: (stream, { engine, nowMillis }) => engine.awaitBody(stream, true, nowMillis)
}

/** Answers with a body of 100,000 bytes. */
const large: Conduct = {
  onHead: (stream, { engine, nowMillis }) => void engine.respond(stream, 200, {}, body(100_000), nowMillis)
}

/** When a stream is closed, if an exact timer follows the deadlines. */
const closedAt = (side: Side, id: number, untilMillis: number): number | undefined => {
  for (;;) {
    const atMillis = side.engine.deadlineMillis
    if (atMillis > untilMillis) return undefined
    side.advance(Math.max(atMillis, side.nowMillis))
    if (side.engine.deadlineMillis <= side.nowMillis) throw new Error(`again at ${side.nowMillis}`)
    side.sent()
    if (side.closedCount(id) > 0) return side.nowMillis
  }
}

describe("bodyTimeout", () => {
  it("between 1 and 1.25 times the limit, and the request is answered with 408", () => {
    const side = server(awaiting, alone).receive(post(1))
    side.advance(29_999)
    assert.strictEqual(side.closedCount(1), 0)
    assert.isAtMost(side.engine.deadlineMillis, 37_500)
    side.advance(side.engine.deadlineMillis)
    assert.deepStrictEqual(side.taken(), ["HEADERS 1 :status=408 content-length=0 END_STREAM", "RST_STREAM 1 NO_ERROR"])
    assert.deepStrictEqual(side.calls, ["request 1 POST /", "closed 1 BodyTimeout CANCEL"])
  })
  it("a timer that follows the deadlines is on time", () => {
    assert.strictEqual(closedAt(server(awaiting, alone).receive(post(1)), 1, 100_000), 30_000)
  })
  it("where the response has begun, and for a client: CANCEL", () => {
    const side = server(awaiting, alone).receive(post(1))
    side.engine.beginResponse(side.stream(1), 200, {}, 0)
    side.taken()
    side.advance(40_000)
    assert.deepStrictEqual(side.taken(), ["RST_STREAM 1 CANCEL"])
    const asking = client(awaiting, alone)
    ask(asking)
    asking.receive(Wire.headers(1, Wire.status(200)))
    asking.taken()
    asking.advance(40_000)
    assert.deepStrictEqual(asking.taken(), ["RST_STREAM 1 CANCEL"])
    assert.strictEqual(asking.calls.at(-1), "closed 1 BodyTimeout CANCEL")
  })
  it("data begins it anew; empty frames do not", () => {
    for (const [frame, expected] of [
      [data(1, "a"), 45_000],
      [data(1, ""), 30_000],
      [data(1, "", "PADDED 5"), 30_000]
    ] as const) {
      const side = server(awaiting, alone).receive(post(1))
      side.at(15_000).receive(frame)
      const atMillis = closedAt(side, 1, 100_000) ?? 0
      assert.isTrue(atMillis >= expected && atMillis < expected + 7_500, `${atMillis}`)
    }
  })
  it("not where nobody waits, and not behind the end", () => {
    const side = server(awaiting, alone).receive(post(1), post(3))
    side.engine.awaitBody(side.stream(1), false, 0)
    side.receive(data(3, "", "END_STREAM"))
    assert.deepStrictEqual(
      side.wakes(1_000_000).filter((atMillis) => atMillis > 40_000),
      []
    )
    assert.deepStrictEqual([side.closedCount(1), side.closedCount(3)], [0, 0])
    assert.strictEqual(side.engine.deadlineMillis, Number.POSITIVE_INFINITY)
  })
  it("a pause counts from when somebody waits", () => {
    const side = server({}, alone).receive(post(1))
    side.at(100_000)
    side.engine.awaitBody(side.stream(1), true, 100_000)
    const atMillis = closedAt(side, 1, 200_000) ?? 0
    assert.isTrue(atMillis >= 130_000 && atMillis <= 137_500, `${atMillis}`)
  })
  it("streams that time out at once: each ends once, whatever the first one's owner does", () => {
    const side = server(
      {
        ...awaiting,
        onClosed: (_, { engine, nowMillis, streams }) => {
          for (const other of streams.values()) engine.reset(other, 8, nowMillis)
        }
      },
      alone
    ).receive(post(1), post(3), post(5))
    side.taken()
    side.advance(40_000)
    const lines = side.taken()
    for (const id of [1, 3, 5]) {
      assert.strictEqual(side.closedCount(id), 1)
      assert.strictEqual(lines.filter((line) => line.startsWith(`RST_STREAM ${id} `)).length, 1, lines.join())
    }
  })
})

describe("sendTimeout of a window that is shut", () => {
  const stalled = "closed 1 StreamStalled CANCEL"

  it("of the stream", () => {
    const side = server(large, alone, { INITIAL_WINDOW_SIZE: 10 }).receive(get(1))
    side.sent()
    assert.strictEqual(closedAt(side, 1, 100_000), 30_000)
    assert.strictEqual(side.calls.at(-1), stalled)
  })
  it("of the stream from its beginning, and of a client's body", () => {
    const side = server(large, alone, { INITIAL_WINDOW_SIZE: 0 }).at(7).receive(get(1))
    side.sent()
    const atMillis = closedAt(side, 1, 100_000) ?? 0
    assert.isTrue(atMillis >= 30_007 && atMillis <= 37_507, `${atMillis}`)
    const asking = client({}, alone, { INITIAL_WINDOW_SIZE: 0 })
    asking.engine.write(ask(asking, "open"), "abc", 0)
    asking.sent()
    assert.strictEqual(closedAt(asking, 1, 100_000), 30_000)
  })
  it("of the connection, for all that wait", () => {
    const side = server(large, alone, { INITIAL_WINDOW_SIZE: 2 ** 30 }).receive(get(1), get(3))
    side.sent()
    assert.strictEqual(closedAt(side, 1, 100_000), 30_000)
    assert.strictEqual(side.closedCount(3), 1)
    assert.strictEqual(side.engine.output.closing, "open")
  })
  it("one that waits for its turn is not stalled while others move", () => {
    const side = server(large, alone, { INITIAL_WINDOW_SIZE: 2 ** 30 })
    const ids = [1, 3, 5, 7, 9]
    side.receive(...ids.map((id) => get(id)))
    side.sent()
    for (let nowMillis = 10_000; nowMillis < 200_000; nowMillis += 10_000) {
      side.advance(nowMillis).receive(Wire.windowUpdate(0, 100))
      assert.strictEqual(side.sent().length, 1)
    }
    assert.deepStrictEqual(
      ids.map((id) => side.closedCount(id)),
      [0, 0, 0, 0, 0]
    )
  })
  it("of the connection, where others have used it up", () => {
    const conduct: Conduct = {
      onHead: (stream, { engine }, head) =>
        void engine.respond(stream, 200, {}, body("path" in head ? Number(head.path?.slice(1)) : 0), 0)
    }
    const side = server(conduct, alone, { INITIAL_WINDOW_SIZE: 2 ** 30 })
    side.receive(get(1, "/50000"), get(3, "/16384"), get(5, "/16384"), get(7, "/16384"), get(9, "/16383"))
    side.sent()
    assert.strictEqual(closedAt(side, 1, 100_000), 30_000)
  })
  it("one whose windows are open waits for its turn, however long the transport was full", () => {
    const side = server(large, { ...alone, bodyTimeout: "20 seconds" }, { INITIAL_WINDOW_SIZE: 2 ** 30 })
    side.receive(get(1), post(3))
    side.engine.awaitBody(side.stream(3), true, 0)
    side.engine.output.blocked = true
    side.advance(29_000)
    side.engine.output.blocked = false
    side.engine.awaitBody(side.stream(1), true, 29_000)
    side.advance(40_000)
    assert.strictEqual(side.closedCount(1), 0)
  })
  it("SETTINGS that shut the window of one that stands in line", () => {
    const side = server(large, alone, { INITIAL_WINDOW_SIZE: 2 ** 30 })
    side.receive(Wire.windowUpdate(0, 2 ** 30), get(1))
    // Before a byte has left.
    side.receive(Wire.settings({ INITIAL_WINDOW_SIZE: 0 }))
    side.sent()
    const atMillis = closedAt(side, 1, 100_000) ?? 0
    assert.isTrue(atMillis >= 30_000 && atMillis <= 37_500, `${atMillis}`)
  })
  it("SETTINGS that shut it after a long wait in line: the time counts from there", () => {
    const side = server(large, alone, { INITIAL_WINDOW_SIZE: 2 ** 30 })
    side.receive(Wire.windowUpdate(0, 2 ** 30), get(1))
    side.engine.output.blocked = true
    side.at(29_000).receive(Wire.settings({ INITIAL_WINDOW_SIZE: 0 }))
    side.engine.output.blocked = false
    side.engine.resumeSending(29_000)
    const atMillis = closedAt(side, 1, 100_000) ?? 0
    assert.isTrue(atMillis >= 59_000 && atMillis <= 67_000, `${atMillis}`)
  })
  it("SETTINGS that shut it in the middle of a body", () => {
    const many: Conduct = { onHead: (stream, { engine }) => void engine.respond(stream, 200, {}, body(1_000_000), 0) }
    const side = server(many, alone, { INITIAL_WINDOW_SIZE: 2 ** 30 })
    side.receive(Wire.windowUpdate(0, 2 ** 30), get(1))
    side.turn()
    side.at(1_000).receive(Wire.settings({ INITIAL_WINDOW_SIZE: 0 }))
    side.sent()
    const atMillis = closedAt(side, 1, 100_000) ?? 0
    assert.isTrue(atMillis >= 30_000 && atMillis <= 38_500, `${atMillis}`)
  })
  it("unbounded: never", () => {
    const side = server(large, { ...alone, sendTimeout: "unbounded", bodyTimeout: 10_000 }, { INITIAL_WINDOW_SIZE: 10 })
    side.receive(get(1))
    side.sent()
    assert.isUndefined(closedAt(side, 1, 1_000_000))
  })
  it("a window that opens in time lets the stream go on", () => {
    const side = server(large, alone, { INITIAL_WINDOW_SIZE: 10 }).receive(get(1))
    side.sent()
    side.advance(29_000).receive(Wire.windowUpdate(1, 10))
    side.sent()
    assert.isUndefined(closedAt(side, 1, 58_000))
    side.receive(Wire.windowUpdate(1, 100_000), Wire.windowUpdate(0, 100_000))
    assert.match(side.sent().at(-1) ?? "", /END_STREAM$/)
    assert.strictEqual(side.calls.at(-1), "closed 1")
    // There is nothing left to look at.
    side.advance(200_000)
    assert.strictEqual(side.engine.deadlineMillis, Number.POSITIVE_INFINITY)
  })
  it("a response that was queued is not answered a second time", () => {
    const side = server(large, alone, { INITIAL_WINDOW_SIZE: 0 }).receive(get(1))
    side.sent()
    side.advance(60_000)
    assert.deepStrictEqual(side.taken(), ["RST_STREAM 1 CANCEL"])
  })
})
