import { assert, describe, it } from "vitest"
import * as Hex from "./Hex.ts"
import {
  block,
  continuation,
  data,
  frame,
  get,
  goAway,
  headers,
  number,
  ping,
  preface,
  priority,
  pushPromise,
  Reader,
  rstStream,
  settings,
  settingsAck,
  status,
  windowUpdate,
  wire
} from "./Http2Wire.ts"

describe("frames as bytes", () => {
  const rows: ReadonlyArray<readonly [name: string, bytes: Uint8Array, expected: string]> = [
    ["the preface", preface, "50524920 2a204854 54502f32 2e300d0a 0d0a534d 0d0a0d0a"],
    ["SETTINGS of nothing", settings(), "000000 04 00 00000000"],
    [
      "SETTINGS",
      settings({ MAX_FRAME_SIZE: 16384, ENABLE_PUSH: 0 }),
      "00000c 04 00 00000000 000500004000 000200000000"
    ],
    ["SETTINGS, ACK", settingsAck, "000000 04 01 00000000"],
    ["DATA", data(1, "abc"), "000003 00 00 00000001 616263"],
    ["DATA with padding", data(1, "abc", "PADDED 2", "END_STREAM"), "000006 00 09 00000001 02616263 0000"],
    ["HEADERS", headers(3, [["a", "bc"]]), "000006 01 04 00000003 00 0161 026263"],
    ["HEADERS, END_STREAM", headers(3, Hex.hex("82"), "END_STREAM"), "000001 01 05 00000003 82"],
    ["HEADERS with more", headers(3, Hex.hex("82"), "MORE"), "000001 01 00 00000003 82"],
    [
      "HEADERS with priority and padding",
      headers(3, Hex.hex("82"), "PRIORITY", "PADDED 1"),
      "000008 01 2c 00000003 01 00000000 0f 82 00"
    ],
    ["CONTINUATION", continuation(3, Hex.hex("82")), "000001 09 04 00000003 82"],
    ["CONTINUATION with more", continuation(3, Hex.hex("82"), "MORE"), "000001 09 00 00000003 82"],
    ["PUSH_PROMISE", pushPromise(1, 2, Hex.hex("82")), "000005 05 04 00000001 00000002 82"],
    ["PRIORITY", priority(5, 3), "000005 02 00 00000005 00000003 0f"],
    ["RST_STREAM", rstStream(1, "CANCEL"), "000004 03 00 00000001 00000008"],
    ["PING", ping("12345678"), "000008 06 00 00000000 3132333435363738"],
    ["PING, ACK", ping("12345678", "ACK"), "000008 06 01 00000000 3132333435363738"],
    ["GOAWAY", goAway(7, 0xff, "x"), "000009 07 00 00000000 00000007 000000ff 78"],
    ["WINDOW_UPDATE", windowUpdate(0, 2 ** 31 - 1), "000004 08 00 00000000 7fffffff"],
    ["any frame", frame(0xfa, 0xff, 2 ** 31 + 1, "00"), "000001 fa ff 80000001 00"],
    ["a number", number(0x01_0203, 4), "00010203"],
    ["a literal of 126 bytes", block([["a", "b".repeat(126)]]), `00 0161 7e '${"b".repeat(126)}'`],
    ["a literal of 127 bytes", block([["a", "b".repeat(127)]]), `00 0161 7f00 '${"b".repeat(127)}'`],
    ["a literal of 1337 bytes", block([["a", "b".repeat(1337)]]), `00 0161 7fba09 '${"b".repeat(1337)}'`]
  ]
  for (const [name, bytes, expected] of rows) {
    it(name, () => assert.strictEqual(Hex.show(bytes), Hex.show(Hex.hex(expected))))
  }
})

describe("frames as lines", () => {
  const rows: ReadonlyArray<readonly [line: string, bytes: Uint8Array]> = [
    ["SETTINGS", settings()],
    [
      "SETTINGS ENABLE_PUSH=0 INITIAL_WINDOW_SIZE=4294967295",
      settings({ ENABLE_PUSH: 0, INITIAL_WINDOW_SIZE: 2 ** 32 - 1 })
    ],
    ["SETTINGS 0xff=1", frame("SETTINGS", 0, 0, "00ff 00000001")],
    ["SETTINGS ACK", settingsAck],
    ["DATA 1 'abc' END_STREAM", data(1, "abc", "END_STREAM")],
    ["DATA 1 '' END_STREAM", data(1, "", "END_STREAM")],
    ["DATA 1 00 ff", data(1, Hex.hex("00ff"))],
    ["DATA 1 41 bytes", data(1, new Uint8Array(41))],
    ["HEADERS 1 :status=200 a=b END_STREAM", headers(1, status(200, ["a", "b"]), "END_STREAM")],
    ["HEADERS 3 :method=GET :scheme=http :authority=a :path=/x", headers(3, get("/x"))],
    ["RST_STREAM 5 REFUSED_STREAM", rstStream(5, "REFUSED_STREAM")],
    ["RST_STREAM 5 0xff", rstStream(5, 0xff)],
    ["PING 'pingping' ACK", ping("pingping", "ACK")],
    ["GOAWAY 3 PROTOCOL_ERROR", goAway(3, "PROTOCOL_ERROR", "why")],
    ["WINDOW_UPDATE 0 9", windowUpdate(0, 9)],
    ["PRIORITY 1 00 00 00 00 0f", priority(1)],
    ["0xfa 1 61", frame(0xfa, 0, 1, "61")]
  ]
  for (const [line, bytes] of rows) it(line, () => assert.deepStrictEqual(new Reader().read(bytes), [line]))

  it("keeps what is cut, and the table, for the next read", () => {
    const reader = new Reader()
    const bytes = wire(
      preface,
      settings(),
      headers(1, Hex.hex("40 0161 0162"), "MORE", "END_STREAM"),
      continuation(1, Hex.hex("40 0163 0164")),
      headers(3, Hex.hex("be bf")),
      goAway(1, "NO_ERROR", "bye")
    )
    const lines = Array.from(bytes, (byte) => reader.read(Uint8Array.of(byte))).flat()
    assert.deepStrictEqual(lines, [
      "PREFACE",
      "SETTINGS",
      "HEADERS 1 a=b MORE END_STREAM",
      "CONTINUATION 1 c=d",
      "HEADERS 3 c=d a=b",
      "GOAWAY 1 NO_ERROR"
    ])
    assert.deepStrictEqual(reader.debugTexts, ["bye"])
  })
})
