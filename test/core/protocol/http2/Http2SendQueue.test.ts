import { assert, describe, it } from "@effect/vitest"
import { fillBytes } from "@sluice/core/protocol/http2/Http2SendQueue"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as Wire from "../../../harness/Http2Wire.ts"
import { body, type Conduct, dataOf, get, type Side, server, sum } from "./Recorder.ts"

/** Answers `/5` with a body of 5 bytes, and `/begin` with a head alone. */
const serving: Conduct = {
  onHead: (stream, { engine, nowMillis }, head) => {
    const path = "path" in head ? (head.path ?? "") : ""
    if (path === "/begin") engine.beginResponse(stream, 200, {}, nowMillis)
    else engine.respond(stream, 200, {}, body(Number(path.slice(1))), nowMillis)
  }
}

/** Windows that are never in the way. */
const wide = (conduct: Conduct = serving, sendBufferSize?: number): Side => {
  const side = server(conduct, { sendBufferSize }, { INITIAL_WINDOW_SIZE: 2 ** 30 })
  side.receive(Wire.windowUpdate(0, 2 ** 30))
  return side
}

/** A response that has begun, with the head taken. */
const begun = (side: Side, id = 1): Http2Stream => {
  side.receive(get(id, "/begin"))
  side.taken()
  return side.stream(id)
}

const write = (side: Side, stream: Http2Stream, data: Uint8Array | string): void =>
  assert.isUndefined(side.engine.write(stream, data, side.nowMillis))

const end = (side: Side, stream: Http2Stream, trailers?: Record<string, string>): void =>
  assert.isUndefined(side.engine.end(stream, trailers, side.nowMillis))

const framesOf = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.filter((line) => line.startsWith("DATA")).map((line) => line.slice("DATA ".length))

const ready = (side: Side): boolean => side.engine.hasQueued

describe("fairness", () => {
  it("large bodies take turns, a frame each", () => {
    const side = wide().receive(get(1, "/40000"), get(3, "/20000"), get(5, "/40000"))
    assert.deepStrictEqual(framesOf(side.turn()), [
      "1 16384 bytes",
      "3 16384 bytes",
      "5 16384 bytes",
      "1 16384 bytes",
      "3 3616 bytes END_STREAM",
      "5 16384 bytes",
      "1 7232 bytes END_STREAM",
      "5 7232 bytes END_STREAM"
    ])
    assert.isFalse(ready(side))
  })
  it("one that comes later takes its turn among those that are there", () => {
    const side = wide().receive(get(1, "/200000"), get(3, "/200000"))
    side.turn()
    side.receive(get(5, "/20000"))
    const order = framesOf(side.turn()).map((line) => line.split(" ")[0])
    assert.isAtMost(order.indexOf("5"), 2)
    assert.deepStrictEqual(
      order.filter((id) => id === "5"),
      ["5", "5"]
    )
  })
  it("a small response overtakes what waits", () => {
    const side = wide().receive(get(1, "/300000"))
    side.receive(get(3, "/5"))
    assert.deepStrictEqual(framesOf(side.turn())[0], "3 'aaaaa' END_STREAM")
  })
  it("a turn moves little more than `fillBytes`, and leaves the rest for the next", () => {
    const side = wide().receive(get(1, "/1000000"))
    side.taken()
    side.engine.fill(0)
    assert.isAtLeast(side.engine.output.byteLength, fillBytes)
    assert.isBelow(side.engine.output.byteLength, fillBytes + 16_384 + 9)
    assert.isTrue(ready(side))
    // Not taken by the transport: nothing more is moved.
    const { byteLength } = side.engine.output
    side.engine.fill(0)
    assert.strictEqual(side.engine.output.byteLength, byteLength)
    const lines = side.sent()
    assert.strictEqual(sum(dataOf(lines, 1)), 1_000_000)
    assert.match(lines.at(-1) ?? "", /END_STREAM$/)
  })
  it("a peer that allows large frames gets no larger ones", () => {
    const side = wide()
    side.receive(Wire.settings({ MAX_FRAME_SIZE: 2 ** 24 - 1 }), get(1, "/100000"))
    assert.isTrue(dataOf(side.sent(), 1).every((byteCount) => byteCount <= 16_384))
  })
})

describe("frames", () => {
  it("nothing is copied", () => {
    const whole = body(52_000)
    const side = wide({ onHead: (stream, { engine }) => void engine.respond(stream, 200, {}, whole, 0) })
    side.receive(get(1))
    side.engine.fill(0)
    const views = side.engine.output.take().filter((chunk) => chunk.buffer === whole.buffer)
    assert.deepStrictEqual(
      views.map((view) => [view.byteOffset, view.length]),
      [
        [0, 16_384],
        [16_384, 16_384],
        [32_768, 16_384],
        [49_152, 2_848]
      ]
    )
  })
  it("many small parts share a frame, cut where the frame is full", () => {
    const side = wide()
    const stream = begun(side)
    side.engine.output.blocked = true
    for (let count = 0; count < 300; count++) write(side, stream, Uint8Array.of(count, count >> 8).slice(0, 2))
    const digits = "0123456789".repeat(10)
    for (let count = 0; count < 170; count++) write(side, stream, digits)
    side.engine.output.blocked = false
    side.engine.resumeSending(0)
    const frames = side.reader.frames(side.bytes())
    const payloads = frames.map((one) => (one === "PREFACE" ? body(0) : one.payload))
    assert.deepStrictEqual(
      payloads.map((payload) => payload.length),
      [16_384, 17_600 - 16_384]
    )
    const content = Wire.wire(...payloads)
    for (let count = 0; count < 300; count++) {
      assert.deepStrictEqual([content[count * 2], content[count * 2 + 1]], [count % 256, count >> 8])
    }
    assert.strictEqual(String.fromCharCode(...content.subarray(600)), digits.repeat(170))
  })
  it("parts keep their order, whether they leave at once or wait", () => {
    const side = wide()
    const stream = begun(side)
    write(side, stream, "at once ")
    write(side, stream, body(20_000).fill(0x62))
    write(side, stream, "behind")
    end(side, stream)
    side.engine.fill(0)
    const content = side.reader
      .frames(side.bytes())
      .map((one) => (one === "PREFACE" ? "" : String.fromCharCode(...one.payload)))
      .join("")
    assert.strictEqual(content, `at once ${"b".repeat(20_000)}behind`)
  })
  it("END_STREAM is on the last frame where the end is known, and on an empty one where not", () => {
    const side = wide()
    const known = begun(side, 1)
    write(side, known, body(20_000))
    end(side, known)
    assert.deepStrictEqual(framesOf(side.sent()), ["1 16384 bytes", "1 3616 bytes END_STREAM"])
    const late = begun(side, 3)
    write(side, late, body(20_000))
    assert.deepStrictEqual(framesOf(side.sent()), ["3 16384 bytes", "3 3616 bytes"])
    end(side, late)
    assert.deepStrictEqual(framesOf(side.sent()), ["3 '' END_STREAM"])
  })
  it("trailers come behind what is queued, and not before", () => {
    const side = wide()
    const stream = begun(side)
    write(side, stream, body(140_000))
    end(side, stream, { "grpc-status": "0" })
    const first = side.turn()
    assert.isFalse(first.some((line) => line.includes("grpc-status")))
    const rest = side.sent()
    assert.strictEqual(rest.at(-1), "HEADERS 1 grpc-status=0 END_STREAM")
    assert.strictEqual(sum(dataOf([...first, ...rest], 1)), 140_000)
    assert.strictEqual([...first, ...rest].filter((line) => line.endsWith("END_STREAM")).length, 1)
  })
})

describe("RFC 9113 §6.9: windows", () => {
  it("RFC 9113 §6.9.1: a stream whose window is shut keeps nobody waiting", () => {
    const side = wide()
    side.receive(Wire.settings({ INITIAL_WINDOW_SIZE: 10 }), get(1, "/30"), get(3, "/20"), Wire.windowUpdate(3, 100))
    assert.deepStrictEqual(framesOf(side.sent()), ["1 'aaaaaaaaaa'", "3 'aaaaaaaaaaaaaaaaaaaa' END_STREAM"])
    assert.isFalse(ready(side))
    side.receive(Wire.windowUpdate(1, 19))
    assert.isTrue(ready(side))
    assert.deepStrictEqual(framesOf(side.sent()), ["1 'aaaaaaaaaaaaaaaaaaa'"])
    side.receive(Wire.windowUpdate(1, 1))
    assert.deepStrictEqual(framesOf(side.sent()), ["1 'a' END_STREAM"])
  })
  it("RFC 9113 §6.9.1: the connection's window is shared in turn", () => {
    const side = server(serving, {}, { INITIAL_WINDOW_SIZE: 2 ** 30 })
    side.receive(get(1, "/60000"), get(3, "/60000"))
    const lines = side.sent()
    assert.strictEqual(sum(dataOf(lines, 1)) + sum(dataOf(lines, 3)), 65_535)
    assert.isAtMost(Math.abs(sum(dataOf(lines, 1)) - sum(dataOf(lines, 3))), 16_384)
    assert.isFalse(ready(side))
    // Whoever was next is next.
    const last = framesOf(lines).at(-1)?.split(" ")[0]
    side.receive(Wire.windowUpdate(0, 10))
    assert.isTrue(ready(side))
    assert.deepStrictEqual(framesOf(side.sent()), [`${last === "1" ? "3" : "1"} 'aaaaaaaaaa'`])
    side.receive(Wire.windowUpdate(0, 1_000_000))
    const rest = side.sent()
    assert.strictEqual(sum([...dataOf(lines, 1), ...dataOf(rest, 1)]) + 10, 60_000 + (last === "1" ? 10 : 0))
    assert.strictEqual(rest.filter((line) => line.endsWith("END_STREAM")).length, 2)
  })
  it("RFC 9113 §6.9.1: a small response waits too where the connection's window is shut", () => {
    const side = server(serving, {}, { INITIAL_WINDOW_SIZE: 2 ** 30 })
    side.receive(get(1, "/16384"), get(3, "/16384"), get(5, "/16384"), get(7, "/16380"), get(9, "/5"))
    assert.deepStrictEqual(framesOf(side.sent()).at(-1), "9 'aaa'")
    side.receive(Wire.windowUpdate(0, 2))
    assert.deepStrictEqual(framesOf(side.sent()), ["9 'aa' END_STREAM"])
  })
  it("RFC 9113 §6.9.2: SETTINGS take the window of one that stands in line, below 0, and give it back", () => {
    const side = wide()
    side.receive(get(1, "/100000"), get(3, "/100000"))
    side.turn()
    const before = side.stream(1).sendBytes
    side.receive(Wire.settings({ INITIAL_WINDOW_SIZE: 1_000 }))
    assert.isBelow(side.stream(1).sendBytes, 0)
    assert.isFalse(ready(side))
    assert.deepStrictEqual(framesOf(side.sent()), [])
    side.receive(Wire.windowUpdate(1, 1_000))
    assert.isFalse(ready(side))
    side.receive(Wire.settings({ INITIAL_WINDOW_SIZE: 2 ** 30 - 1_000 }))
    assert.strictEqual(side.stream(1).sendBytes, before)
    const lines = side.sent()
    assert.strictEqual(lines.filter((line) => line.endsWith("END_STREAM")).length, 2)
  })
  it("RFC 9113 §6.9.1: what leaves at once is taken from both windows", () => {
    const side = server(serving)
    side.receive(get(1, "/5"), get(3, "/0"))
    assert.strictEqual(side.link.window.sendBytes, 65_530)
    const stream = begun(side, 5)
    write(side, stream, "abc")
    assert.deepStrictEqual([stream.sendBytes, side.link.window.sendBytes], [65_532, 65_527])
  })
  it("a part above the window waits whole for its turn, and goes as far as the window", () => {
    const side = server(serving, {}, { INITIAL_WINDOW_SIZE: 10 })
    const stream = begun(side)
    write(side, stream, "0123456789abc")
    assert.deepStrictEqual(side.taken(), [])
    assert.deepStrictEqual(framesOf(side.sent()), ["1 '0123456789'"])
    // Nothing overtakes on one stream.
    side.receive(Wire.windowUpdate(1, 1))
    write(side, stream, "d")
    assert.deepStrictEqual(framesOf(side.sent()), ["1 'a'"])
    side.receive(Wire.windowUpdate(1, 10))
    assert.deepStrictEqual(framesOf(side.sent()), ["1 'bcd'"])
  })
})

describe("a transport that is full", () => {
  it("nothing is moved, and small parts wait too", () => {
    const side = wide()
    const stream = begun(side)
    side.engine.output.blocked = true
    write(side, stream, "abc")
    assert.isFalse(ready(side))
    assert.deepStrictEqual(side.turn(), [])
    side.engine.output.blocked = false
    assert.isTrue(ready(side))
    side.engine.resumeSending(0)
    assert.deepStrictEqual(side.taken(), ["DATA 1 'abc'"])
  })
  it("heads still go: their order is that of the compression", () => {
    const side = wide()
    side.engine.output.blocked = true
    side.receive(get(1, "/5"))
    assert.deepStrictEqual(side.taken(), ["HEADERS 1 :status=200 content-length=5"])
    side.engine.output.blocked = false
    side.engine.resumeSending(0)
    assert.deepStrictEqual(side.taken(), ["DATA 1 'aaaaa' END_STREAM"])
  })
  it("it may be full in the middle of a turn", () => {
    const side = wide().receive(get(1, "/300000"))
    const first = sum(dataOf(side.turn(), 1))
    side.engine.output.blocked = true
    assert.isFalse(ready(side))
    assert.deepStrictEqual(side.turn(), [])
    side.engine.output.blocked = false
    assert.isAbove(first, 0)
    assert.strictEqual(first + sum(dataOf(side.sent(), 1)), 300_000)
  })
})

describe("onWritable", () => {
  it("once, when the queue falls below its mark, and not before", () => {
    const side = wide(serving, 40_000)
    const stream = begun(side)
    write(side, stream, body(39_999))
    assert.isTrue(stream.isWritable)
    write(side, stream, "b")
    assert.isFalse(stream.isWritable)
    side.sent()
    assert.deepStrictEqual(side.calls.slice(1), ["writable 1"])
    assert.strictEqual(stream.queuedBytes, 0)
  })
  it("at each crossing", () => {
    const side = server(serving, { sendBufferSize: 10 }, { INITIAL_WINDOW_SIZE: 0 })
    const stream = begun(side)
    const writables = () => side.calls.filter((call) => call === "writable 1").length
    const seen: Array<readonly [queued: number, writable: number]> = []
    for (const [written, opened] of [
      [9, 5],
      [6, 0],
      [5, 5],
      [0, 1],
      [9, 9],
      [0, 1]
    ] as const) {
      write(side, stream, body(written))
      if (opened > 0) side.receive(Wire.windowUpdate(1, opened))
      side.sent()
      seen.push([stream.queuedBytes, writables()])
    }
    assert.deepStrictEqual(seen, [
      [4, 0],
      [10, 0],
      [10, 0],
      [9, 1],
      [9, 2],
      [8, 2]
    ])
  })
  it("not where the end is known: there is no writer", () => {
    const side = wide(serving, 10)
    side.receive(get(1, "/50000"))
    const stream = begun(side, 3)
    write(side, stream, body(50_000))
    end(side, stream)
    side.sent()
    assert.isFalse(side.calls.some((call) => call.startsWith("writable")))
    assert.deepStrictEqual([side.closedCount(1), side.closedCount(3)], [1, 1])
  })
  it("its owner may write again within it", () => {
    let left = 5
    const side = wide(
      {
        ...serving,
        onWritable: (stream, { engine }) => {
          if (left-- > 0) engine.write(stream, body(20_000), 0)
          else engine.end(stream, undefined, 0)
        }
      },
      10_000
    )
    const stream = begun(side)
    write(side, stream, body(20_000))
    const lines = side.sent()
    assert.strictEqual(sum(dataOf(lines, 1)), 120_000)
    assert.strictEqual(side.closedCount(1), 1)
    assert.strictEqual(lines.filter((line) => line.endsWith("END_STREAM")).length, 1)
  })
  it("its owner may reset the stream within it, and others go on", () => {
    const side = wide({ ...serving, onWritable: (stream, { engine }) => engine.reset(stream, 8, 0) }, 10_000)
    const stream = begun(side)
    write(side, stream, body(30_000))
    side.receive(get(3, "/40000"))
    const lines = side.sent()
    assert.strictEqual(side.closedCount(1), 1)
    assert.include(lines, "RST_STREAM 1 CANCEL")
    assert.strictEqual(sum(dataOf(lines, 3)), 40_000)
  })
})

describe("streams that end while they wait", () => {
  const waysOut: ReadonlyArray<readonly [way: string, leave: (side: Side, id: number) => void]> = [
    ["RST_STREAM of the peer", (side, id) => void side.receive(Wire.rstStream(id, "CANCEL"))],
    ["RST_STREAM of this side", (side, id) => side.engine.reset(side.stream(id), 8, 0)]
  ]
  for (const [way, leave] of waysOut) {
    for (const id of [1, 3, 5]) {
      it(`${way}, in place ${id} of the line`, () => {
        const side = wide().receive(get(1, "/100000"), get(3, "/100000"), get(5, "/100000"))
        side.turn()
        const stream = side.stream(id)
        leave(side, id)
        assert.deepStrictEqual([stream.queuedBytes, stream.queue], [0, undefined])
        const lines = side.sent()
        assert.deepStrictEqual(dataOf(lines, id), [])
        const others = [1, 3, 5].filter((other) => other !== id)
        assert.deepStrictEqual(
          others.map((other) => side.closedCount(other)),
          [1, 1]
        )
        // The line is whole: who comes later is served.
        side.receive(get(7, "/20000"))
        assert.strictEqual(sum(dataOf(side.sent(), 7)), 20_000)
      })
    }
  }
  it("behind GOAWAY nothing is moved", () => {
    const side = wide().receive(get(1, "/300000"))
    side.turn()
    side.engine.close(0, "", 0)
    assert.isFalse(ready(side))
    assert.deepStrictEqual(side.turn(), ["GOAWAY 1 NO_ERROR"])
    assert.strictEqual(side.closedCount(1), 1)
  })
})

describe("streams that are reset in line", () => {
  /** How many stand in line behind `stream`. */
  const behind = (stream: Http2Stream): number => {
    let count = 0
    for (let next = stream.nextSender; next !== undefined; next = next.nextSender) count++
    return count
  }

  it("do not pile up behind one that waits for the connection's window", () => {
    const side = server(serving, {}, { INITIAL_WINDOW_SIZE: 2 ** 20 })
    side.receive(get(1, "/100000"))
    side.turn()
    const waiting = side.stream(1)
    for (let id = 3; id < 1_003; id += 2) side.receive(get(id, "/5"), Wire.rstStream(id, 8))
    assert.isAtMost(behind(waiting), 40)
    side.receive(get(1_003, "/5"), Wire.windowUpdate(0, 2 ** 20))
    const lines = framesOf(side.turn())
    assert.deepStrictEqual(lines.slice(0, 2), ["1 16384 bytes", "1003 'aaaaa' END_STREAM"])
    assert.strictEqual(
      sum(lines.filter((line) => line.startsWith("1 ")).map((line) => Number(line.split(" ")[1]))),
      34_465
    )
    assert.strictEqual(behind(waiting), 0)
  })
})
