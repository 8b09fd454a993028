import { assert, describe, it } from "@effect/vitest"
import * as Http2Frame from "@sluice/core/protocol/http2/Http2Frame"
import * as Hex from "../../../harness/Hex.ts"

const { flag, type } = Http2Frame
const largest = 12

/** What a head says, `ok` or the violation. */
const said = (frameType: number, flags: number, length: number, streamId: number, max = 16_384): string => {
  const violation = Http2Frame.violationOf(frameType, flags, length, streamId, max)
  return violation === undefined ? "ok" : `${violation._tag} ${violation.message}`
}

/** The lengths up to `largest` that are good. */
const goodLengths = (frameType: number, flags: number, streamId: number): string => {
  const good = Array.from({ length: largest + 1 }, (_, length) => length).filter(
    (length) => said(frameType, flags, length, streamId, largest) === "ok"
  )
  if (good.length === 0) return "none"
  return good.length === largest - good[0]! + 1 ? `${good[0]} and more` : good.join(", ")
}

type Row = readonly [section: string, frameType: keyof typeof type, flags: number, onZero: string, onStream: string]
const rows: ReadonlyArray<Row> = [
  ["6.1", "Data", 0, "none", "0 and more"],
  ["6.1", "Data", flag.Padded, "none", "1 and more"],
  ["6.2", "Headers", 0, "none", "0 and more"],
  ["6.2", "Headers", flag.Padded, "none", "1 and more"],
  ["6.2", "Headers", flag.Priority, "none", "5 and more"],
  ["6.2", "Headers", flag.Padded | flag.Priority, "none", "6 and more"],
  ["6.3", "Priority", 0, "none", "5"],
  ["6.4", "RstStream", 0, "none", "4"],
  ["6.5", "Settings", 0, "0, 6, 12", "none"],
  ["6.5", "Settings", flag.Ack, "0", "none"],
  ["6.6", "PushPromise", 0, "none", "4 and more"],
  ["6.6", "PushPromise", flag.Padded, "none", "5 and more"],
  ["6.7", "Ping", 0, "8", "none"],
  ["6.7", "Ping", flag.Ack, "8", "none"],
  ["6.8", "GoAway", 0, "8 and more", "none"],
  ["6.9", "WindowUpdate", 0, "4", "4"],
  ["6.10", "Continuation", 0, "none", "0 and more"]
]

for (const [section, name, flags, onZero, onStream] of rows) {
  it(`RFC 9113 §${section}: the lengths of ${name} with flags ${flags}, on stream 0 and on others`, () => {
    const others = 0xff & ~(flag.Padded | flag.Priority | flag.Ack)
    // Flags without a meaning for the length change nothing.
    for (const more of [0, others]) {
      assert.strictEqual(goodLengths(type[name], flags | more, 0), onZero)
      assert.strictEqual(goodLengths(type[name], flags | more, 1), onStream)
      assert.strictEqual(goodLengths(type[name], flags | more, 2 ** 31 - 1), onStream)
    }
  })
}

it("a flag has its meaning only in its own types", () => {
  assert.strictEqual(goodLengths(type.Data, flag.Priority, 1), "0 and more")
  assert.strictEqual(goodLengths(type.Data, flag.EndStream, 1), "0 and more")
  assert.strictEqual(goodLengths(type.Continuation, 0xff, 1), "0 and more")
  assert.strictEqual(goodLengths(type.Settings, flag.Padded | flag.Priority, 0), "0, 6, 12")
  assert.strictEqual(goodLengths(type.GoAway, 0xff, 0), "8 and more")
})

describe("whose error it is", () => {
  const errors: ReadonlyArray<readonly [rule: string, said: string, expected: string]> = [
    [
      "RFC 9113 §4.2: above the maximum",
      said(type.Data, 0, 16_385, 1),
      "ConnectionViolation FRAME_SIZE_ERROR: DATA of 16385 bytes, above 16384"
    ],
    ["RFC 9113 §4.2: at the maximum", said(type.Data, 0, 16_384, 1), "ok"],
    ["RFC 9113 §4.2: at a larger maximum", said(type.Data, 0, 2 ** 24 - 1, 1, 2 ** 24 - 1), "ok"],
    [
      "RFC 9113 §6.3: a PRIORITY above the maximum is not skipped",
      said(type.Priority, 0, 16_385, 1),
      "ConnectionViolation FRAME_SIZE_ERROR: PRIORITY of 16385 bytes, above 16384"
    ],
    [
      "RFC 9113 §6.3: a PRIORITY of a wrong length is an error of its stream",
      said(type.Priority, 0, 4, 3),
      "StreamViolation FRAME_SIZE_ERROR: PRIORITY of 4 bytes"
    ],
    [
      "RFC 9113 §6.3: a PRIORITY on stream 0",
      said(type.Priority, 0, 4, 0),
      "ConnectionViolation PROTOCOL_ERROR: PRIORITY on stream 0"
    ],
    [
      "RFC 9113 §6.4: a RST_STREAM of a wrong length ends the connection",
      said(type.RstStream, 0, 5, 3),
      "ConnectionViolation FRAME_SIZE_ERROR: RST_STREAM of 5 bytes, wrong for its type"
    ],
    [
      "RFC 9113 §6.5: SETTINGS on a stream",
      said(type.Settings, 0, 6, 3),
      "ConnectionViolation PROTOCOL_ERROR: SETTINGS on stream 3"
    ],
    [
      "RFC 9113 §6.5: an acknowledgement with a payload",
      said(type.Settings, flag.Ack, 6, 0),
      "ConnectionViolation FRAME_SIZE_ERROR: SETTINGS of 6 bytes, wrong for its type"
    ],
    ["RFC 9113 §5.5: an unknown type", said(10, 0xff, 7, 0), "ok"],
    ["RFC 9113 §5.5: the last unknown type", said(255, 0xff, 7, 3), "ok"],
    [
      "RFC 9113 §4.2: an unknown type above the maximum",
      said(0xfe, 0, 16_385, 0),
      "ConnectionViolation FRAME_SIZE_ERROR: 0xfe of 16385 bytes, above 16384"
    ]
  ]
  for (const [rule, heard, expected] of errors) it(rule, () => assert.strictEqual(heard, expected))
})

it("RFC 9113 §6: the numbers and names of the types", () => {
  assert.deepStrictEqual(
    Object.entries(type).map(([, number]) => `${number} ${Http2Frame.nameOf(number)}`),
    [
      "0 DATA",
      "1 HEADERS",
      "2 PRIORITY",
      "3 RST_STREAM",
      "4 SETTINGS",
      "5 PUSH_PROMISE",
      "6 PING",
      "7 GOAWAY",
      "8 WINDOW_UPDATE",
      "9 CONTINUATION"
    ]
  )
  assert.strictEqual(Http2Frame.nameOf(10), "0xa")
})

it("RFC 9113 §3.4: the preface", () => {
  assert.strictEqual(
    Hex.show(Http2Frame.preface),
    Hex.show(Hex.hex("505249202a20485454502f322e300d0a0d0a534d0d0a0d0a"))
  )
})
