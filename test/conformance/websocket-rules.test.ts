/**
 * The rules that every WebSocket endpoint is held to, as tables of frames, for
 * both roles and at every split: framing, pings, reserved bits, opcodes,
 * fragments, UTF-8 and closing.
 */
import type * as WebSocketFrame from "@sluice/core/protocol/websocket/WebSocketFrame"
import { assert, describe, it } from "vitest"
import * as Chunkings from "../harness/Chunkings.ts"
import * as Hex from "../harness/Hex.ts"
import * as Wire from "../harness/WebSocketWire.ts"

type Frame = readonly [first: number, payload?: string | Uint8Array]
type Row = readonly [rule: string, frames: ReadonlyArray<Frame>, calls: ReadonlyArray<Wire.Call>]

const fin = 0x80
const text = 0x81
const binary = 0x82
const close = 0x88
const ping = 0x89
const pong = 0x8a

const lost: Wire.Call = ["close", 1006, "", "not clean"]
const fails = (rule: string): ReadonlyArray<Wire.Call> => [["violation", rule], lost]

/** Few splits of what is long, all of what is short. */
const splitsOf = (bytes: Uint8Array): ReadonlyArray<ReadonlyArray<Uint8Array>> =>
  bytes.length <= 120
    ? Chunkings.everySplit(bytes)
    : [[bytes], Chunkings.cut(bytes, [1, 2, 3, 5, 9, 11, 13, 14, bytes.length - 1]), every(bytes, 997)]

const every = (bytes: Uint8Array, step: number): ReadonlyArray<Uint8Array> =>
  Chunkings.cut(
    bytes,
    Array.from({ length: Math.floor((bytes.length - 1) / step) }, (_, index) => (index + 1) * step)
  )

const peers: ReadonlyArray<readonly [role: WebSocketFrame.Role, peer: WebSocketFrame.Role]> = [
  ["server", "client"],
  ["client", "server"]
]

const check = (
  rows: ReadonlyArray<Row>,
  sent: (role: WebSocketFrame.Role) => ReadonlyArray<Uint8Array> | undefined
) => {
  for (const [rule, frames, calls] of rows) {
    for (const [role, peer] of peers) {
      it(`${rule} (${role})`, () => {
        const wire = Hex.concat(frames.map(([first, payload]) => Wire.frame(peer, first, payload)))
        const expected = sent(role)
        for (const chunks of splitsOf(wire)) {
          const outcome = Wire.receive(new Wire.Recorded(role), chunks)
          assert.deepStrictEqual(outcome.calls, calls, wire.length > 200 ? "" : Chunkings.show(chunks))
          if (expected !== undefined) assert.strictEqual(outcome.sent, Hex.show(Hex.concat(expected)))
        }
      })
    }
  }
}

/** Each row with what the engine answers. */
type AnsweredRow = readonly [...Row, answers: ReadonlyArray<Frame>]
const checkAnswers = (rows: ReadonlyArray<AnsweredRow>) => {
  for (const [rule, frames, calls, answers] of rows) {
    check([[rule, frames, calls]], (role) => answers.map(([first, payload]) => Wire.frame(role, first, payload)))
  }
}

const unchecked = () => undefined
const failed = (role: WebSocketFrame.Role): ReadonlyArray<Uint8Array> => [Wire.frame(role, close, "03ea")]
const misread = (role: WebSocketFrame.Role): ReadonlyArray<Uint8Array> => [Wire.frame(role, close, "03ef")]
const silent = () => []

describe("RFC 6455 §5.2: payload lengths", () => {
  const sizes = [0, 1, 125, 126, 127, 128, 65_535, 65_536]
  check(
    sizes.flatMap(
      (size): ReadonlyArray<Row> => [
        [
          `RFC 6455 §5.2: text of ${size} bytes`,
          [[text, new Uint8Array(size).fill(0x2a)]],
          [["text", "*".repeat(size)]]
        ],
        [
          `RFC 6455 §5.2: binary of ${size} bytes`,
          [[binary, new Uint8Array(size).fill(0xfe)]],
          [["binary", Hex.show(new Uint8Array(size).fill(0xfe))]]
        ]
      ]
    ),
    silent
  )
})

describe("RFC 6455 §5.5: pings", () => {
  const most = new Uint8Array(125).fill(0xfe)
  const ten = Array.from({ length: 10 }, (_, index): Frame => [ping, `'payload-${index}'`])
  checkAnswers([
    ["RFC 6455 §5.5.2: a Ping without content", [[ping]], [["ping", ""]], [[pong]]],
    ["RFC 6455 §5.5.2: a Ping with text", [[ping, "'Hello'"]], [["ping", "'Hello'"]], [[pong, "'Hello'"]]],
    ["RFC 6455 §5.5.2: a Ping with bytes", [[ping, "00fffefd"]], [["ping", "00 ff fe fd"]], [[pong, "00fffefd"]]],
    ["RFC 6455 §5.5.2: a Ping of 125 bytes", [[ping, most]], [["ping", Hex.show(most)]], [[pong, most]]],
    [
      "RFC 6455 §5.5: a Ping of 126 bytes",
      [[ping, new Uint8Array(126)]],
      fails("long control frame"),
      [[close, "03ea"]]
    ],
    ["RFC 6455 §5.5.3: a Pong that nobody asked for", [[pong]], [["pong", ""]], []],
    ["RFC 6455 §5.5.3: a Pong with content", [[pong, "'pong'"]], [["pong", "'pong'"]], []],
    [
      "RFC 6455 §5.5.3: a Pong, then a Ping",
      [
        [pong, "'pong'"],
        [ping, "'ping'"]
      ],
      [
        ["pong", "'pong'"],
        ["ping", "'ping'"]
      ],
      [[pong, "'ping'"]]
    ],
    [
      "RFC 6455 §5.5.2: ten Pings",
      ten,
      ten.map((_, index) => ["ping", `'payload-${index}'`] as const),
      ten.map(([, payload]) => [pong, payload ?? ""] as const)
    ]
  ])
})

describe("RFC 6455 §5.2: reserved bits", () => {
  const hello: Frame = [text, "'Hello'"]
  const heard: Wire.Call = ["text", "Hello"]
  check(
    [
      ["RFC 6455 §5.2: RSV3, text", [[text | 0x10, "'Hello'"], [ping]], fails("reserved bits")],
      [
        "RFC 6455 §5.2: RSV2 behind a message",
        [hello, [text | 0x20, "'Hello'"], [ping]],
        [heard, ...fails("reserved bits")]
      ],
      ["RFC 6455 §5.2: RSV2 and RSV3", [hello, [text | 0x30, "'Hello'"]], [heard, ...fails("reserved bits")]],
      [
        "RFC 6455 §5.2: RSV1 without an extension",
        [hello, [text | 0x40, "'Hello'"]],
        [heard, ...fails("reserved bits")]
      ],
      ["RFC 6455 §5.2: RSV1 and RSV3, binary", [[binary | 0x50, "00ff"]], fails("reserved bits")],
      ["RFC 6455 §5.2: RSV1 and RSV2, a Ping", [[ping | 0x60, "'Hello'"]], fails("reserved bits")],
      ["RFC 6455 §5.2: all three, a Close frame", [[close | 0x70]], fails("reserved bits")]
    ],
    failed
  )
})

describe("RFC 6455 §5.2: reserved opcodes", () => {
  const opcodes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]
  check(
    opcodes.flatMap(
      (opcode): ReadonlyArray<Row> => [
        [`RFC 6455 §5.2: opcode ${opcode}`, [[fin | opcode]], fails("reserved opcode")],
        [
          `RFC 6455 §5.2: opcode ${opcode} behind a message, with content`,
          [[text, "'Hello'"], [fin | opcode, "'reserved'"], [ping]],
          [["text", "Hello"], ...fails("reserved opcode")]
        ]
      ]
    ),
    failed
  )
})

describe("RFC 6455 §5.1: masking", () => {
  for (const [role, peer] of peers) {
    it(`RFC 6455 §5.1: a ${role} refuses the frames of a ${role}`, () => {
      for (const first of [text, ping, close]) {
        for (const chunks of Chunkings.everySplit(Wire.frame(role, first))) {
          const outcome = Wire.receive(new Wire.Recorded(role), chunks)
          assert.deepStrictEqual(outcome.calls, fails(peer === "client" ? "unmasked frame" : "masked frame"))
          assert.strictEqual(outcome.sent, Hex.show(Wire.frame(role, close, "03ea")))
          assert.strictEqual(outcome.closing, "end")
        }
      }
    })
  }
})

describe("RFC 6455 §5.4: fragments", () => {
  const both: Wire.Call = ["text", "fragment1fragment2"]
  const first: Frame = [0x01, "'fragment1'"]
  const last: Frame = [0x80, "'fragment2'"]
  checkAnswers([
    [
      "RFC 6455 §5.5: a Ping in two fragments",
      [[0x09, "'a'"], last],
      fails("fragmented control frame"),
      [[close, "03ea"]]
    ],
    [
      "RFC 6455 §5.5: a Pong in two fragments",
      [[0x0a, "'a'"], last],
      fails("fragmented control frame"),
      [[close, "03ea"]]
    ],
    ["RFC 6455 §5.4: text in two fragments", [first, last], [both], []],
    ["RFC 6455 §5.4: a Ping between", [first, [ping, "'ping'"], last], [["ping", "'ping'"], both], [[pong, "'ping'"]]],
    [
      "RFC 6455 §5.4: five fragments, and two Pings between",
      [first, [0x00, "'a'"], [ping, "'1'"], [0x00, "'b'"], [0x00], [ping, "'2'"], last],
      [
        ["ping", "31"],
        ["ping", "32"],
        ["text", "fragment1abfragment2"]
      ],
      [
        [pong, "'1'"],
        [pong, "'2'"]
      ]
    ],
    [
      "RFC 6455 §5.4: two messages behind each other",
      [first, last, [0x02, "ff"], [0x80, "fe"], [text, "'x'"]],
      [both, ["binary", "ff fe"], ["text", "x"]],
      []
    ]
  ])
  check(
    [
      [
        "RFC 6455 §5.4: a last fragment of nothing",
        [
          [0x80, "'a'"],
          [text, "'b'"]
        ],
        fails("continuation of nothing")
      ],
      [
        "RFC 6455 §5.4: a middle fragment of nothing",
        [
          [0x00, "'a'"],
          [text, "'b'"]
        ],
        fails("continuation of nothing")
      ],
      [
        "RFC 6455 §5.4: a fragment behind a whole message",
        [first, last, [0x00, "'a'"], [text, "'b'"]],
        [both, ...fails("continuation of nothing")]
      ],
      ["RFC 6455 §5.4: a second message inside a first", [first, [text, "'a'"]], fails("message within a message")],
      ["RFC 6455 §5.4: a second fragmented message inside", [first, [0x02, "00"]], fails("message within a message")],
      [
        "RFC 6455 §5.4: behind a Ping within a message",
        [first, [ping], [text, "'a'"]],
        [["ping", ""], ...fails("message within a message")]
      ]
    ],
    unchecked
  )
})

describe("RFC 6455 §8.1: UTF-8", () => {
  const greek = "'κόσμε'"
  const octets = (bytes: Uint8Array): ReadonlyArray<Frame> => [
    [0x01],
    ...Array.from(bytes, (byte): Frame => [0x00, Uint8Array.of(byte)]),
    [0x80]
  ]
  check(
    [
      ["RFC 6455 §8.1: no text", [[text]], [["text", ""]]],
      ["RFC 6455 §8.1: no text in three fragments", [[0x01], [0x00], [0x80]], [["text", ""]]],
      ["RFC 6455 §8.1: empty fragments around text", [[0x01], [0x00, "'middle'"], [0x80]], [["text", "middle"]]],
      [
        "RFC 6455 §8.1: cut between characters",
        [
          [0x01, "'Hello-µ@ß'"],
          [0x80, "'öäüàá'"]
        ],
        [["text", "Hello-µ@ßöäüàá"]]
      ],
      ["RFC 6455 §8.1: cut within characters", octets(Hex.hex("'Hello-µ@ßöä€😀'")), [["text", "Hello-µ@ßöä€😀"]]]
    ],
    silent
  )
  // Every invalid text whole, in a frame for each byte, and within other text.
  const valid: ReadonlyArray<readonly [string, string]> = [
    ["a byte order mark is content", "efbbbf 61"],
    ["Greek", greek],
    ["the first of one byte", "00"],
    ["the first of two bytes", "c280"],
    ["the first of three bytes", "e0a080"],
    ["the first of four bytes", "f0908080"],
    ["the last of one byte", "7f"],
    ["the last of two bytes", "dfbf"],
    ["the last of three bytes", "efbfbf"],
    ["the last of four bytes", "f48fbfbf"],
    ["before the surrogates", "ed9fbf"],
    ["behind the surrogates", "ee8080"],
    ["U+FFFD", "efbfbd"],
    ["no characters U+FFFE and U+1FFFE", "efbfbe f09fbfbe"],
    ["no characters U+FDD0 and U+10FFFF", "efb790 f48fbfbf"]
  ]
  const invalid: ReadonlyArray<readonly [string, string]> = [
    ["a surrogate within text", `${greek} eda080 'edited'`],
    ["above U+10FFFF within text", `${greek} f4908080 'edited'`],
    ["five bytes", "f888808080"],
    ["six bytes", "fc8480808080"],
    ["the last of five bytes", "fbbfbfbfbf"],
    ["the last of six bytes", "fdbfbfbfbfbf"],
    ["one above the last of four bytes", "f4908080"],
    ["a continuation byte alone", "80"],
    ["another continuation byte alone", "bf"],
    ["seven continuation bytes", "80bf80bf80bf80"],
    ["lonely starts of two bytes", "c320 c420 df20"],
    ["lonely starts of three bytes", "e120 ef20"],
    ["lonely starts of four bytes", "f120 f420"],
    ["two bytes without the last", "c3"],
    ["three bytes without the last", "e282"],
    ["four bytes without the last", "f09f98"],
    ["three bytes without the last, then text", "e28261"],
    ["cut-off characters behind each other", "c3e282f09f98"],
    ["FE", "fe"],
    ["FF", "ff"],
    ["FE FE FF FF", "fefeffff"],
    ["an overlong slash of two bytes", "c0af"],
    ["an overlong slash of three bytes", "e080af"],
    ["an overlong slash of four bytes", "f08080af"],
    ["the longest overlong of two bytes", "c1bf"],
    ["the longest overlong of three bytes", "e09fbf"],
    ["the longest overlong of four bytes", "f08fbfbf"],
    ["an overlong NUL of two bytes", "c080"],
    ["an overlong NUL of four bytes", "f0808080"],
    ["the first surrogate", "eda080"],
    ["the last high surrogate", "edafbf"],
    ["the first low surrogate", "edb080"],
    ["the last surrogate", "edbfbf"],
    ["a pair of surrogates", "eda080 edb080"],
    ["another pair of surrogates", "edafbf edbfbf"]
  ]
  const decoded = (wire: string) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Hex.hex(wire))
  check(
    valid.flatMap(
      ([name, wire]): ReadonlyArray<Row> => [
        [`RFC 3629 §4: ${name}`, [[text, wire]], [["text", decoded(wire)]]],
        [`RFC 3629 §4: ${name}, a frame for each byte`, octets(Hex.hex(wire)), [["text", decoded(wire)]]]
      ]
    ),
    silent
  )
  check(
    invalid.flatMap(
      ([name, wire]): ReadonlyArray<Row> => [
        [`RFC 3629 §4: ${name}`, [[text, wire], [ping]], fails("InvalidUtf8")],
        [`RFC 3629 §4: ${name}, a frame for each byte`, octets(Hex.hex(wire)), fails("InvalidUtf8")],
        [`RFC 3629 §4: ${name}, in a Close frame`, [[close, `03e8 ${wire}`]], fails("InvalidUtf8")]
      ]
    ),
    misread
  )
  for (const [role, peer] of peers) {
    it(`RFC 6455 §8.1: fails at the first wrong byte, not at the end (${role})`, () => {
      const unfinished: ReadonlyArray<ReadonlyArray<Frame>> = [
        [
          [0x01, greek],
          [0x00, "f4908080"]
        ],
        [
          [0x01, `${greek} f4`],
          [0x00, "90"]
        ]
      ]
      for (const frames of unfinished) {
        const wire = Hex.concat(frames.map(([first, payload]) => Wire.frame(peer, first, payload)))
        assert.deepStrictEqual(Wire.receive(new Wire.Recorded(role), [wire]).calls, fails("InvalidUtf8"))
      }
      // A frame of which only the beginning came.
      const wire = Wire.frame(peer, text, `${greek} f490 '${"a".repeat(100)}'`)
      const begun = wire.subarray(0, wire.length - 100)
      assert.deepStrictEqual(Wire.receive(new Wire.Recorded(role), [begun]).calls, fails("InvalidUtf8"))
      const before = wire.subarray(0, wire.length - 101)
      assert.deepStrictEqual(Wire.receive(new Wire.Recorded(role), [before]).calls, [])
    })
  }
})

describe("RFC 6455 §7: closing", () => {
  const closed = (code: number, reason = ""): Wire.Call => ["close", code, reason, "clean"]
  const most = "a".repeat(123)
  checkAnswers([
    [
      "RFC 6455 §5.5.1: behind a message",
      [
        [text, "'Hello'"],
        [close, "03e8"]
      ],
      [["text", "Hello"], closed(1000)],
      [[close, "03e8"]]
    ],
    [
      "RFC 6455 §5.5.1: two Close frames",
      [
        [close, "03e8"],
        [close, "03e8"]
      ],
      [closed(1000)],
      [[close, "03e8"]]
    ],
    ["RFC 6455 §1.4: a Ping behind it is not heard", [[close, "03e8"], [ping]], [closed(1000)], [[close, "03e8"]]],
    [
      "RFC 6455 §1.4: a message behind it is not heard",
      [
        [close, "03e8"],
        [text, "'a'"]
      ],
      [closed(1000)],
      [[close, "03e8"]]
    ],
    [
      "RFC 6455 §5.4: between two fragments",
      [
        [0x01, "'a'"],
        [close, "03e8"],
        [0x80, "'b'"]
      ],
      [closed(1000)],
      [[close, "03e8"]]
    ],
    ["RFC 6455 §7.1.5: without a code", [[close]], [closed(1005)], [[close]]],
    ["RFC 6455 §5.5.1: a code of one byte", [[close, "03"]], fails("close payload"), [[close, "03ea"]]],
    ["RFC 6455 §5.5.1: a reason", [[close, "03e8 'Goodbye'"]], [closed(1000, "Goodbye")], [[close, "03e8"]]],
    ["RFC 6455 §5.5.1: a reason of 123 bytes", [[close, `03e8 '${most}'`]], [closed(1000, most)], [[close, "03e8"]]],
    [
      "RFC 6455 §5.5: a reason of 124 bytes",
      [[close, `03e8 '${most}a'`]],
      fails("long control frame"),
      [[close, "03ea"]]
    ]
  ])
  const digits = (code: number) => code.toString(16).padStart(4, "0")
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
    checkAnswers([[`RFC 6455 §7.4: ${code}`, [[close, digits(code)]], [closed(code)], [[close, digits(code)]]]])
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
    checkAnswers([
      [`RFC 6455 §7.4: ${code} is not sent`, [[close, digits(code)]], fails("close code"), [[close, "03ea"]]]
    ])
  }
})
