/**
 * RFC 9113 §6.5 to §6.8: SETTINGS, PUSH_PROMISE, PING and GOAWAY. Where each
 * MUST has its test says http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import * as Hex from "../harness/Hex.ts"
import { ask, client, heard, Recorded, server } from "../harness/Http2Recorded.ts"
import * as Wire from "../harness/Http2Wire.ts"
import {
  data,
  frame,
  get,
  goAway,
  headers,
  ping,
  post,
  pushPromise,
  settings,
  settingsAck,
  status
} from "../harness/Http2Wire.ts"
import { accepted, bytes, connectionErrors, emptied } from "./Http2Rows.ts"

const whole = (id: number, path = "/"): Uint8Array => headers(id, get(path), "END_STREAM")

const closed = whole(1)

const opened = headers(1, post("/wait"))

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
