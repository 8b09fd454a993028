import { assert, describe, it } from "@effect/vitest"
import * as WebSocketConnection from "@sluice/core/protocol/websocket/WebSocketConnection"
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as WebSocketOptions from "@sluice/core/protocol/websocket/WebSocketOptions"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import { EnginePair } from "../../../harness/EnginePair.ts"
import * as Hex from "../../../harness/Hex.ts"
import * as Wire from "../../../harness/WebSocketWire.ts"
import * as WireScript from "../../../harness/WireScript.ts"

const text = 0x81
const close = 0x88
const ping = 0x89
const pong = 0x8a

/** A frame of the peer of a server, as a script has it. */
const fromClient = (first: number, payload?: string) => WireScript.send(Hex.show(Wire.frame("client", first, payload)))
const server = (options?: Wire.Options) => () => new Wire.Recorded("server", options)
const client = (options?: Wire.Options) => () => new Wire.Recorded("client", options)

const sent = (engine: Wire.Recorded): string => Hex.show(Hex.concat(engine.output.take()))

describe("commands", () => {
  it("RFC 6455 §5.7: each is one frame", () => {
    const engine = new Wire.Recorded("server")
    assert.isTrue(engine.sendText("Hello"))
    assert.isTrue(engine.sendBinary(Hex.hex("00ff")))
    assert.isTrue(engine.ping())
    assert.isTrue(engine.ping(Hex.hex("01")))
    assert.isTrue(engine.pong())
    assert.strictEqual(sent(engine), "81 05 'Hello' 82 02 00 ff 89 00 89 01 01 8a 00")
  })
  it("RFC 6455 §5.3: a client masks each", () => {
    const engine = new Wire.Recorded("client")
    engine.sendText("Hello")
    engine.ping()
    engine.close(0, 1000, "x")
    assert.strictEqual(sent(engine), "81 85 37 fa 21 3d 7f 9f 4d 51 58 89 80 37 fa 21 3d 88 83 37 fa 21 3d 34 12 59")
  })
  it("RFC 6455 §5.5.1: nothing is sent behind a Close frame but Pongs", () => {
    const engine = new Wire.Recorded("server")
    assert.isTrue(engine.close(0))
    assert.isFalse(engine.isOpen)
    assert.isFalse(engine.sendText("a"))
    assert.isFalse(engine.sendBinary(new Uint8Array(1)))
    assert.isFalse(engine.sendPrepared(WebSocketPrepared.make("a")))
    assert.isFalse(engine.close(0))
    assert.strictEqual(sent(engine), "88 02 03 e8")
    engine.receive(Wire.frame("client", ping, "'p'"), 0)
    assert.strictEqual(sent(engine), "8a 01 70")
  })
  it("what cannot be sent is a RangeError, and nothing is sent", () => {
    const engine = new Wire.Recorded("server")
    assert.throws(() => engine.ping(new Uint8Array(126)), RangeError)
    assert.throws(() => engine.close(0, 1005), RangeError)
    assert.throws(() => engine.close(0, 1000, "a".repeat(124)), RangeError)
    assert.strictEqual(sent(engine), "")
    assert.isTrue(engine.isOpen)
  })
  it("a prepared message is the same bytes for each connection of a server", () => {
    const prepared = WebSocketPrepared.make("Hello")
    const [one, two, masked] = [new Wire.Recorded("server"), new Wire.Recorded("server"), new Wire.Recorded("client")]
    for (const engine of [one, two, masked]) engine.sendPrepared(prepared)
    const chunks = [one.output.take(), two.output.take()]
    assert.strictEqual(chunks[0]![0], chunks[1]![0])
    assert.strictEqual(Hex.show(chunks[0]![0]!), "81 05 'Hello'")
    assert.strictEqual(sent(masked), "81 85 37 fa 21 3d 7f 9f 4d 51 58")
  })
  it("what is sent while a chunk is received leaves as one chunk", () => {
    const engine = new Wire.Recorded("server", {
      onCall: ([kind, data], self) => kind === "text" && self.sendText(`${data}!`)
    })
    engine.receive(Hex.concat(Array.from({ length: 50 }, () => Wire.frame("client", text, "'Hello'"))), 0)
    const chunks = engine.output.take()
    assert.lengthOf(chunks, 1)
    assert.strictEqual(Hex.show(chunks[0]!), Array(50).fill("81 06 'Hello!'").join(" "))
  })
  it("a handler that throws loses nothing that was sent", () => {
    const engine = new Wire.Recorded("server", {
      onCall: (_call, self) => {
        self.sendText("before")
        throw new Error("a bug of the handler")
      }
    })
    assert.throws(() => engine.receive(Wire.frame("client", text, "'a'"), 0), "a bug of the handler")
    engine.sendText("after")
    assert.strictEqual(sent(engine), "81 06 'before' 81 05 'after'")
  })
})

describe("limits", () => {
  type Row = readonly [
    rule: string,
    options: Wire.Options,
    frames: ReadonlyArray<readonly [number, string]>,
    calls: ReadonlyArray<Wire.Call>,
    code: string
  ]
  const lost: Wire.Call = ["close", 1006, "", "not clean"]
  const long = (count: number) => `'${"a".repeat(count)}'`
  const rows: ReadonlyArray<Row> = [
    [
      "RFC 6455 §10.4: a message at the limit, then one above",
      { maxMessageSize: 125 },
      [
        [text, long(125)],
        [text, long(126)]
      ],
      [["text", "a".repeat(125)], ["violation", "FrameTooLarge"], lost],
      "03f1"
    ],
    [
      "RFC 6455 §10.4: fragments above the limit",
      { maxMessageSize: 125 },
      [
        [0x01, long(100)],
        [0x80, long(26)]
      ],
      [["violation", "MessageTooLarge"], lost],
      "03f1"
    ],
    [
      "a frame above its own limit",
      { maxMessageSize: 1_000, maxFrameSize: 125 },
      [
        [0x01, long(125)],
        [0x80, long(126)]
      ],
      [["violation", "FrameTooLarge"], lost],
      "03f1"
    ],
    [
      "too many fragments",
      { maxFragments: 2 },
      [
        [0x01, "'a'"],
        [0x80, "'b'"],
        [0x01, "'a'"],
        [0x00, ""],
        [0x80, ""]
      ],
      [["text", "ab"], ["violation", "TooManyFragments"], lost],
      "03f0"
    ],
    [
      "a flood of Pings and Pongs",
      { maxControlFrames: 2 },
      [
        [ping, "01"],
        [pong, "02"],
        [ping, "03"]
      ],
      [["ping", "01"], ["pong", "02"], ["violation", "Flood"], lost],
      "03f0"
    ],
    [
      "a flood of tiny fragments",
      { maxTinyFragments: 3 },
      [
        [0x01, "'a'"],
        [0x80, "'b'"],
        [text, "'c'"],
        [0x01, long(64)],
        [0x00, ""],
        [0x00, ""]
      ],
      [["text", "ab"], ["text", "c"], ["violation", "Flood"], lost],
      "03f0"
    ]
  ]
  for (const [rule, options, frames, calls, code] of rows) {
    it(rule, () => {
      const script = [
        WireScript.send(Hex.show(Hex.concat(frames.map(([first, payload]) => Wire.frame("client", first, payload))))),
        WireScript.expect(`${calls.some(([kind]) => kind === "ping") ? "8a0101" : ""} 8802 ${code}`),
        WireScript.expectEnd,
        fromClient(text, "'not heard'"),
        WireScript.expectEnd
      ]
      for (const engine of WireScript.run(server(options), script)) assert.deepStrictEqual(engine.calls, calls)
    })
  }
  it("budgets are for a window of time", () => {
    const engine = new Wire.Recorded("server", { maxControlFrames: 2, floodWindow: "1 second" })
    for (const now of [0, 10, 1_000, 1_010, 2_000]) engine.receive(Wire.frame("client", pong), now)
    assert.lengthOf(engine.calls, 5)
    engine.receive(Wire.frame("client", pong), 2_001)
    engine.receive(Wire.frame("client", pong), 2_002)
    assert.deepInclude(engine.calls, ["violation", "Flood"])
  })
  it("RFC 6455 §5.5.3: while the transport is full, only the newest Ping waits for its answer", () => {
    const engine = new Wire.Recorded("server")
    engine.output.blocked = true
    for (const payload of ["01", "02", "03"]) engine.receive(Wire.frame("client", ping, payload), 0)
    assert.lengthOf(engine.calls, 3)
    engine.resumeSending(0)
    assert.strictEqual(sent(engine), "")
    engine.output.blocked = false
    engine.resumeSending(0)
    assert.strictEqual(sent(engine), "8a 01 03")
    engine.resumeSending(0)
    assert.strictEqual(sent(engine), "")
  })
  it("a message does not hold the chunk it came in", () => {
    let held = 0
    class Holding extends Wire.Recorded {}
    const engine = new Holding("server")
    const handler = Reflect.get(engine, "handler") as { onMessage: (data: Uint8Array) => void }
    handler.onMessage = (data) => {
      held = data.buffer.byteLength
    }
    const chunk = new Uint8Array(65_536)
    chunk.set(Wire.frame("client", 0x82, "010203"))
    engine.receive(chunk.subarray(0, 9), 0)
    assert.isAtMost(held, 8_192)
    assert.isAbove(held, 0)
  })
})

describe("keepalive", () => {
  it("RFC 6455 §5.5.2: a Ping after 30 s of silence; without an answer the end, 20 s later", () => {
    for (const engine of WireScript.run(server(), [
      WireScript.advance(29_999),
      WireScript.expectOpen,
      WireScript.advance(1),
      WireScript.expect("8900"),
      WireScript.advance(19_999),
      WireScript.expectOpen,
      WireScript.advance(1),
      WireScript.expectAbort
    ])) {
      assert.deepStrictEqual(engine.calls, [
        ["violation", "KeepaliveTimeout"],
        ["close", 1006, "", "not clean"]
      ])
      assert.strictEqual(engine.deadlineMillis, Number.POSITIVE_INFINITY)
    }
  })
  it("an answer, or anything else, begins it anew", () => {
    WireScript.run(server(), [
      WireScript.advance(30_000),
      WireScript.expect("8900"),
      WireScript.advance(10_000),
      fromClient(pong),
      WireScript.advance(29_999),
      WireScript.expectOpen,
      WireScript.advance(1),
      WireScript.expect("8900"),
      fromClient(text, "'x'"),
      WireScript.advance(29_999),
      WireScript.expectOpen
    ])
  })
  it("two engines keep each other alive, for an hour", () => {
    const [left, right] = [new Wire.Recorded("client"), new Wire.Recorded("server")]
    const pair = new EnginePair(left, right, { latencyMillis: 100 })
    pair.advance(3_600_000)
    assert.deepStrictEqual(pair.transports, { left: "open", right: "open" })
    assert.isTrue(right.calls.every(([kind]) => kind === "ping" || kind === "pong"))
    assert.isBelow(right.calls.length, 300)
  })
  it("can be turned off", () => {
    WireScript.run(server({ keepaliveIdle: "unbounded" }), [WireScript.advance(1e9), WireScript.expectOpen])
  })
})

describe("closing", () => {
  it("RFC 6455 §7.1.1: the server ends first, and gives up a client that does not after 5 s", () => {
    for (const engine of WireScript.run(server(), [
      WireScript.command((engine: Wire.Recorded, now) => void engine.close(now, 1001, "bye")),
      WireScript.expect("8805 03e9 'bye'"),
      WireScript.advance(4_000),
      fromClient(close, "03e9"),
      WireScript.expectEnd,
      WireScript.advance(999),
      WireScript.expectEnd,
      WireScript.advance(1),
      WireScript.expectAbort
    ])) {
      assert.deepStrictEqual(engine.calls, [["close", 1001, "", "clean"]])
    }
  })
  it("RFC 6455 §7.1.1: the client waits for the server's end", () => {
    const fromServer = WireScript.send("8802 03e8")
    WireScript.run(client(), [
      fromServer,
      WireScript.expect(Hex.show(Wire.frame("client", close, "03e8"))),
      WireScript.expectOpen,
      WireScript.end,
      WireScript.expectEnd
    ])
    WireScript.run(client(), [
      fromServer,
      WireScript.expect(Hex.show(Wire.frame("client", close, "03e8"))),
      WireScript.advance(5_000),
      WireScript.expectAbort
    ])
  })
  it("no answer to a Close frame: 5 s, then the end", () => {
    for (const engine of WireScript.run(server(), [
      WireScript.command((engine: Wire.Recorded, now) => void engine.close(now)),
      WireScript.expect("880203e8"),
      fromClient(text, "'in flight'"),
      WireScript.advance(4_999),
      WireScript.expectOpen,
      WireScript.advance(1),
      WireScript.expectAbort
    ])) {
      assert.deepStrictEqual(engine.calls, [
        ["text", "in flight"],
        ["violation", "CloseTimeout"],
        ["close", 1006, "", "not clean"]
      ])
    }
  })
  it("RFC 6455 §7.1.5: an end without a Close frame is 1006, also within a message", () => {
    const cut: ReadonlyArray<readonly [string, number]> = [
      ["", 0],
      ["'Hello'", 3]
    ]
    for (const [payload, missing] of cut) {
      const frame = Wire.frame("client", text, payload)
      const sending = missing === 0 ? [] : [WireScript.send(Hex.show(frame.subarray(0, frame.length - missing)))]
      for (const engine of WireScript.run(server(), [
        ...sending,
        WireScript.end,
        WireScript.expectEnd,
        WireScript.close
      ])) {
        assert.deepStrictEqual(engine.calls, [["close", 1006, "", "not clean"]])
      }
    }
  })
  it("a transport that is lost is told once, and leaves no deadline", () => {
    for (const before of [[], [fromClient(close, "03e8"), WireScript.expect("880203e8")]]) {
      for (const engine of WireScript.run(server(), [...before, WireScript.close])) {
        assert.lengthOf(engine.calls, 1)
        assert.strictEqual(engine.deadlineMillis, Number.POSITIVE_INFINITY)
        assert.isFalse(engine.sendText("a"))
      }
    }
  })
  it("no Ping is sent while closing, however long that may take", () => {
    WireScript.run(server({ closeTimeout: "2 minutes" }), [
      WireScript.advance(20_000),
      WireScript.command((engine: Wire.Recorded, now) => void engine.close(now)),
      WireScript.expect("880203e8"),
      WireScript.command((engine: Wire.Recorded, now) => engine.advance(now + 40_000)),
      WireScript.advance(119_999),
      WireScript.expectOpen,
      WireScript.advance(1),
      WireScript.expectAbort
    ])
  })
  it("a violation while closing sends no second Close frame", () => {
    WireScript.run(server(), [
      WireScript.command((engine: Wire.Recorded, now) => void engine.close(now)),
      WireScript.expect("880203e8"),
      WireScript.send("8300"),
      WireScript.expectEnd
    ])
  })
  it("after a violation the peer has 5 s to end", () => {
    WireScript.run(server(), [
      WireScript.send("8300"),
      WireScript.expect("880203ea"),
      WireScript.advance(4_999),
      WireScript.expectEnd,
      WireScript.advance(1),
      WireScript.expectAbort
    ])
  })
})

describe("a handler that collects messages", () => {
  /** Answers at `onReceived` what has come, as one message. */
  const collecting = () => {
    const received: Array<string> = []
    const heard: Array<string> = []
    const engine: WebSocketConnection.WebSocketConnection = WebSocketConnection.make(
      {
        onMessage: (data) => received.push(String(data)),
        onReceived: () => {
          if (received.length > 0) engine.sendText(received.splice(0).join())
        },
        onPing() {},
        onPong() {},
        onViolation: ({ _tag }) => heard.push(_tag),
        onClose: (code) => heard.push(`close ${code}`)
      },
      { role: "server", limits: WebSocketOptions.resolve(), nowMillis: 0 }
    )
    return { engine, heard }
  }
  const wire = (...frames: ReadonlyArray<readonly [number, string?]>) =>
    Hex.concat(frames.map(([first, payload]) => Wire.frame("client", first, payload)))
  const sentBy = (engine: WebSocketConnection.WebSocketConnection) => engine.output.take().map(Hex.show)

  it("answers a chunk with one", () => {
    const { engine } = collecting()
    engine.receive(wire([text, "'a'"], [text, "'b'"]), 0)
    assert.deepStrictEqual(sentBy(engine), ["81 03 61 2c 62"])
  })
  it("answers before a Close frame is, and before a violation", () => {
    const closed = collecting()
    closed.engine.receive(wire([text, "'a'"], [close, "03e8"]), 0)
    assert.deepStrictEqual(sentBy(closed.engine).join(" "), "81 01 61 88 02 03 e8")
    assert.deepStrictEqual(closed.heard, ["close 1000"])
    const wrong = collecting()
    wrong.engine.receive(wire([text, "'a'"], [0x83]), 0)
    assert.deepStrictEqual(sentBy(wrong.engine).join(" "), "81 01 61 88 02 03 ea")
    assert.deepStrictEqual(wrong.heard, ["ProtocolViolation", "close 1006"])
  })
})

describe("a handler that pauses", () => {
  const messages = (count: number) =>
    Hex.concat(Array.from({ length: count }, (_, index) => Wire.frame("client", text, `'${index}'`)))
  const pausing = () =>
    new Wire.Recorded("server", { onCall: ([kind], engine) => kind === "text" && engine.pauseReceiving() })

  it("gets no more, from within and from later chunks, until it resumes", () => {
    const engine = pausing()
    engine.receive(messages(3), 0)
    engine.receive(messages(2), 0)
    const counts = [engine.calls.length]
    while (engine.isPaused) {
      engine.resumeReceiving(0)
      counts.push(engine.calls.length)
    }
    assert.deepStrictEqual(counts, [1, 2, 3, 4, 5, 5])
    assert.deepStrictEqual(
      engine.calls.map(([, data]) => data),
      ["0", "1", "2", "0", "1"]
    )
  })
  it("may resume within the same call", () => {
    const engine = new Wire.Recorded("server", {
      onCall: (_call, self) => {
        self.pauseReceiving()
        self.resumeReceiving(0)
      }
    })
    engine.receive(messages(3), 0)
    assert.lengthOf(engine.calls, 3)
  })
  it("keeps what straddles chunks", () => {
    const engine = pausing()
    const wire = messages(20)
    for (let at = 0; at < wire.length; at += 3) engine.receive(wire.slice(at, at + 3), 0)
    while (engine.isPaused) engine.resumeReceiving(0)
    assert.deepStrictEqual(
      engine.calls,
      Array.from({ length: 20 }, (_, index) => ["text", `${index}`] as const)
    )
  })
  it("does not have the peer timed out by the keepalive, which goes on behind it", () => {
    const engine = pausing()
    engine.receive(messages(2), 0)
    for (let millis = 30_000; millis <= 300_000; millis += 10_000) engine.advance(millis)
    assert.strictEqual(engine.output.closing, "open")
    engine.resumeReceiving(300_000)
    engine.resumeReceiving(300_000)
    engine.advance(330_000)
    engine.advance(350_000)
    assert.deepStrictEqual(engine.calls.at(-2), ["violation", "KeepaliveTimeout"])
  })
})

describe("conversations", () => {
  const pairOf = (options: Wire.Options = {}) => {
    const left = new Wire.Recorded("client", options)
    const right = new Wire.Recorded("server", {
      ...options,
      onCall: ([kind, data], self) => kind === "text" && self.sendText(String(data).toUpperCase())
    })
    const cut = (bytes: Uint8Array) =>
      Array.from({ length: Math.ceil(bytes.length / 3) }, (_, i) => bytes.subarray(i * 3, i * 3 + 3))
    return { left, right, pair: new EnginePair(left, right, { latencyMillis: 20, cut }) }
  }
  it("messages both ways, then a clean close of the client's", () => {
    const { left, pair, right } = pairOf()
    for (const message of ["one", "two", "ünïcode", "x".repeat(7_000)]) left.sendText(message)
    pair.settle()
    left.close(pair.nowMillis, 4000, "done")
    pair.settle()
    assert.deepStrictEqual(left.calls, [
      ["text", "ONE"],
      ["text", "TWO"],
      ["text", "ÜNÏCODE"],
      ["text", "X".repeat(7_000)],
      ["close", 4000, "", "clean"]
    ])
    assert.deepStrictEqual(right.calls.at(-1), ["close", 4000, "done", "clean"])
    assert.deepStrictEqual(pair.transports, { left: "closed", right: "closed" })
  })
  it("RFC 6455 §7.1.2: both close at the same time", () => {
    const { left, pair, right } = pairOf()
    left.close(0, 1000)
    right.close(0, 1001)
    pair.settle()
    assert.deepStrictEqual(left.calls, [["close", 1001, "", "clean"]])
    assert.deepStrictEqual(right.calls, [["close", 1000, "", "clean"]])
    assert.deepStrictEqual(pair.transports, { left: "closed", right: "closed" })
  })
  it("what was in flight when the server closed is heard", () => {
    const { left, pair, right } = pairOf()
    left.sendText("in flight")
    right.close(0, 1001)
    pair.settle()
    assert.deepStrictEqual(right.calls, [
      ["text", "in flight"],
      ["close", 1001, "", "clean"]
    ])
  })
})

describe("compression", () => {
  const codec = NodeDeflate.make()
  const deflateOf = (role: Role, context: "keep" | "reset", maxMessageBytes: number) => {
    const side = { context, windowBits: 15 } as const
    return new WebSocketDeflate({
      role,
      parameters: { server: side, client: side },
      codec,
      compressFromBytes: 20,
      maxMessageBytes
    })
  }
  const make = (role: Role, context: "keep" | "reset" = "reset", maxMessageBytes = 10_000) =>
    new Wire.Recorded(role, { deflate: deflateOf(role, context, maxMessageBytes), maxMessageSize: maxMessageBytes })

  for (const context of ["keep", "reset"] as const) {
    it(`RFC 7692 §7.2: large and small messages, of each kind (${context})`, () => {
      const [left, right] = [make("client", context), make("server", context)]
      const pair = new EnginePair(left, right, { cut: (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)) })
      const prepared = WebSocketPrepared.make("prepared ".repeat(20))
      const expected: Array<Wire.Call> = []
      for (let round = 0; round < 3; round++) {
        for (const engine of [left, right]) {
          engine.sendText("small")
          engine.sendText("repeated ".repeat(20))
          engine.sendBinary(new Uint8Array(500))
          engine.sendPrepared(prepared)
        }
        expected.push(["text", "small"], ["text", "repeated ".repeat(20)])
        expected.push(["binary", Hex.show(new Uint8Array(500))], ["text", "prepared ".repeat(20)])
      }
      pair.settle()
      assert.deepStrictEqual(right.calls, expected)
      assert.deepStrictEqual(left.calls, expected)
    })
  }
  it("RFC 7692 §6.1: only the first frame says so, and a Ping between is plain", () => {
    const wire = Hex.concat([
      Wire.frame("client", 0x41, "f248cd"),
      Wire.frame("client", ping, "'p'"),
      Wire.frame("client", 0x80, "c9c90700"),
      Wire.frame("client", text, "'plain'")
    ])
    for (const engine of WireScript.run(
      () => make("server"),
      [WireScript.send(Hex.show(wire)), WireScript.expect("8a01'p'")]
    )) {
      assert.deepStrictEqual(engine.calls, [
        ["ping", "70"],
        ["text", "Hello"],
        ["text", "plain"]
      ])
    }
  })
  const bad: ReadonlyArray<readonly [rule: string, payload: Uint8Array, violation: string, code: string]> = [
    ["RFC 7692 §7.2.2: no DEFLATE", Hex.hex("ff"), "InvalidCompression", "03ef"],
    ["RFC 7692 §8: more than a message may have", deflated(new Uint8Array(10_001)), "MessageTooLarge", "03f1"],
    ["RFC 6455 §8.1: no UTF-8 in it", deflated(Hex.hex("c3")), "InvalidUtf8", "03ef"]
  ]
  for (const [rule, payload, violation, code] of bad) {
    it(rule, () => {
      const wire = Hex.show(Wire.frame("client", 0xc1, payload))
      for (const engine of WireScript.run(
        () => make("server"),
        [WireScript.send(wire), WireScript.expect(`8802${code}`), WireScript.expectEnd]
      )) {
        assert.deepStrictEqual(engine.calls, [
          ["violation", violation],
          ["close", 1006, "", "not clean"]
        ])
      }
    })
  }
  function deflated(message: Uint8Array): Uint8Array {
    return codec.deflate(message, { bits: 15, dictionary: undefined }).subarray(0, -4)
  }
})
