import { assert, describe, it } from "@effect/vitest"
import * as Http2Frame from "@sluice/core/protocol/http2/Http2Frame"
import { type FrameHandler, Http2FrameDecoder } from "@sluice/core/protocol/http2/Http2FrameDecoder"
import * as Chunkings from "../../../harness/Chunkings.ts"
import * as Hex from "../../../harness/Hex.ts"

interface Options {
  readonly maxFrameBytes?: number
  readonly preface?: "expected" | "none"
  /** From inside of each frame. */
  readonly onFrame?: (decoder: Http2FrameDecoder, frameType: number) => void
}

/** Collects a line for each call: `TYPE flags #stream: payload`, or `! #stream violation`. */
const listen = (options: Options = {}) => {
  const heard: Array<string> = []
  const handler: FrameHandler = {
    onFrame(frameType, flags, streamId, bytes, start, end) {
      const payload = bytes.slice(start, end)
      const shown = payload.length > 40 ? `${payload.length} bytes` : Hex.show(payload)
      heard.push(`${Http2Frame.nameOf(frameType)} ${flags} #${streamId}: ${shown}`)
      options.onFrame?.(decoder, frameType)
    },
    onFrameViolation(streamId, violation) {
      heard.push(`! #${streamId} ${violation._tag} ${violation.message}`)
    }
  }
  const decoder = new Http2FrameDecoder(handler, options.maxFrameBytes ?? 64, options.preface ?? "none")
  return { decoder, heard }
}

const decode = (chunks: ReadonlyArray<Uint8Array>, options: Options): ReadonlyArray<string> => {
  const { decoder, heard } = listen(options)
  for (const chunk of chunks) {
    decoder.receive(chunk.slice())
    assert.isAtMost(decoder.waitingBytes, 9 + (options.maxFrameBytes ?? 64))
  }
  return heard
}

const zeros = (count: number) => "00".repeat(count)
const ping = "000008 06 00 00000000 'pingpong'"
const heardPing = "PING 0 #0: 'pingpong'"

type Row = readonly [rule: string, options: Options, wire: string, heard: ReadonlyArray<string>]
const rows: ReadonlyArray<Row> = [
  ["nothing", {}, "", []],
  ["RFC 9113 §6.1: DATA", {}, "000003 00 01 00000001 'abc'", ["DATA 1 #1: 61 62 63"]],
  ["RFC 9113 §6.1: DATA without content", {}, "000000 00 01 00000001", ["DATA 1 #1: "]],
  ["RFC 9113 §6.2: HEADERS", {}, "000001 01 05 00000003 82", ["HEADERS 5 #3: 82"]],
  ["RFC 9113 §6.3: PRIORITY", {}, "000005 02 00 00000003 0000000110", ["PRIORITY 0 #3: 00 00 00 01 10"]],
  ["RFC 9113 §6.4: RST_STREAM", {}, "000004 03 00 00000003 00000008", ["RST_STREAM 0 #3: 00 00 00 08"]],
  ["RFC 9113 §6.5: SETTINGS", {}, "000006 04 00 00000000 000300000064", ["SETTINGS 0 #0: 00 03 00 00 00 64"]],
  ["RFC 9113 §6.5: SETTINGS acknowledged", {}, "000000 04 01 00000000", ["SETTINGS 1 #0: "]],
  ["RFC 9113 §6.6: PUSH_PROMISE", {}, "000005 05 04 00000001 00000002 82", ["PUSH_PROMISE 4 #1: 00 00 00 02 82"]],
  ["RFC 9113 §6.7: PING", {}, ping, [heardPing]],
  [
    "RFC 9113 §6.8: GOAWAY",
    {},
    "000009 07 00 00000000 00000001 00000000 78",
    ["GOAWAY 0 #0: 00 00 00 01 00 00 00 00 78"]
  ],
  ["RFC 9113 §6.9: WINDOW_UPDATE", {}, "000004 08 00 00000000 00000001", ["WINDOW_UPDATE 0 #0: 00 00 00 01"]],
  ["RFC 9113 §6.10: CONTINUATION", {}, "000001 09 04 00000001 82", ["CONTINUATION 4 #1: 82"]],
  ["RFC 9113 §5.5: an unknown type is passed on", {}, "000001 fe ff 00000007 2a", ["0xfe 255 #7: 2a"]],
  [
    "RFC 9113 §4.1: the reserved bit is ignored",
    {},
    "000001 00 00 ffffffff 2a 000000 04 01 80000000",
    ["DATA 0 #2147483647: 2a", "SETTINGS 1 #0: "]
  ],
  [
    "several, one behind the other",
    {},
    `${ping} 000000 00 00 00000001 ${ping} 000001 00 01 00000001 2a`,
    [heardPing, "DATA 0 #1: ", heardPing, "DATA 1 #1: 2a"]
  ],
  [
    "RFC 9113 §4.2: at the maximum",
    {},
    `000040 00 00 00000001 ${zeros(64)} ${ping}`,
    ["DATA 0 #1: 64 bytes", heardPing]
  ],
  [
    "RFC 9113 §4.2: above the maximum is refused at its head",
    {},
    "000041 00 00 00000001",
    ["! #1 ConnectionViolation FRAME_SIZE_ERROR: DATA of 65 bytes, above 64"]
  ],
  [
    "nothing is decoded behind a violation of the connection",
    {},
    `${ping} 000006 04 00 00000001 000300000064 ${ping}`,
    [heardPing, "! #1 ConnectionViolation PROTOCOL_ERROR: SETTINGS on stream 1"]
  ],
  [
    "RFC 9113 §6.3: a PRIORITY of a wrong length is left out, and what follows is not",
    {},
    `000006 02 00 00000003 000000011000 ${ping} 000000 02 00 00000005 ${ping}`,
    [
      "! #3 StreamViolation FRAME_SIZE_ERROR: PRIORITY of 6 bytes",
      heardPing,
      "! #5 StreamViolation FRAME_SIZE_ERROR: PRIORITY of 0 bytes",
      heardPing
    ]
  ],
  ["a frame that is cut is not handed out", {}, "000002 00 00 00000001 2a", []],
  [
    "stop, from inside of a frame",
    { onFrame: (decoder, frameType) => frameType === Http2Frame.type.Data && decoder.stop() },
    `${ping} 000001 00 00 00000001 2a ${ping} 000041 00 00 00000001`,
    [heardPing, "DATA 0 #1: 2a"]
  ],
  [
    "a maximum that is raised from inside of a frame",
    { onFrame: (decoder) => decoder.setMaxFrameBytes(65) },
    `000000 04 01 00000000 000041 00 00 00000001 ${zeros(65)} 000042 00 00 00000001`,
    ["SETTINGS 1 #0: ", "DATA 0 #1: 65 bytes", "! #1 ConnectionViolation FRAME_SIZE_ERROR: DATA of 66 bytes, above 65"]
  ],
  [
    "RFC 9113 §3.4: the preface, then frames",
    { preface: "expected" },
    `'PRI * HTTP/2.0' 0d0a0d0a 'SM' 0d0a0d0a 000000 04 00 00000000 ${ping}`,
    ["SETTINGS 0 #0: ", heardPing]
  ],
  ["RFC 9113 §3.4: the preface alone", { preface: "expected" }, "'PRI * HTTP/2.0' 0d0a0d0a 'SM' 0d0a0d0a", []],
  [
    "RFC 9113 §3.4: no preface where none is expected",
    {},
    "'PRI * HTTP/2.0' 0d0a0d0a",
    ["! #541611092 ConnectionViolation FRAME_SIZE_ERROR: 0x20 of 5263945 bytes, above 64"]
  ],
  [
    "RFC 9113 §3.4: a response of HTTP/1.1 instead",
    {},
    "'HTTP/1.1 505 HTTP Version Not Supported' 0d0a0d0a",
    ["! #825110816 ConnectionViolation FRAME_SIZE_ERROR: no frame, but the beginning of a message of HTTP/1"]
  ],
  [
    "RFC 9113 §3.4: a request of HTTP/1.1 instead",
    { preface: "expected" },
    "'GET / HTTP/1.1' 0d0a0d0a",
    ["! #0 ConnectionViolation PROTOCOL_ERROR: no preface"]
  ]
]

describe("at every split", () => {
  for (const [rule, options, wire, expected] of rows) {
    it(rule, () => {
      for (const chunks of Chunkings.everySplit(Hex.hex(wire))) {
        assert.deepStrictEqual(decode(chunks, options), expected, Chunkings.show(chunks))
      }
    })
  }
})

it("RFC 9113 §3.4: each wrong byte of the preface is refused at once, and once", () => {
  const { preface } = Http2Frame
  for (let wrong = 0; wrong < preface.length; wrong++) {
    const bytes = preface.slice()
    bytes[wrong]! ^= 0x20
    for (const chunks of Chunkings.everySplit(bytes)) {
      const { decoder, heard } = listen({ preface: "expected" })
      let receivedBytes = 0
      for (const chunk of chunks) {
        decoder.receive(chunk)
        receivedBytes += chunk.length
        assert.strictEqual(heard.length, receivedBytes > wrong ? 1 : 0, Chunkings.show(chunks))
      }
      assert.isFalse(decoder.hasPreface)
      assert.deepStrictEqual(heard, ["! #0 ConnectionViolation PROTOCOL_ERROR: no preface"])
    }
  }
})

it("says when the preface has come", () => {
  const { decoder } = listen({ preface: "expected" })
  decoder.receive(Http2Frame.preface.slice(0, 23))
  assert.isFalse(decoder.hasPreface)
  decoder.receive(Http2Frame.preface.slice(23))
  assert.isTrue(decoder.hasPreface)
  assert.isTrue(listen().decoder.hasPreface)
})

describe("memory", () => {
  const payloads = (chunks: ReadonlyArray<Uint8Array>) => {
    const found: Array<readonly [bytes: Uint8Array, start: number, end: number]> = []
    const decoder = new Http2FrameDecoder(
      {
        onFrame: (_type, _flags, _streamId, bytes, start, end) => void found.push([bytes, start, end]),
        onFrameViolation: (_streamId, violation) => assert.fail(violation.message)
      },
      16_384,
      "none"
    )
    for (const chunk of chunks) decoder.receive(chunk)
    return found
  }

  it("a frame that is whole in its chunk is handed out in place", () => {
    const chunk = Hex.hex(`000001 00 00 00000001 2a ${ping}`)
    assert.deepStrictEqual(
      payloads([chunk]).map(([bytes, start, end]) => [bytes === chunk, start, end]),
      [
        [true, 9, 10],
        [true, 19, 27]
      ]
    )
  })

  it("only the frame that is cut is copied, into memory of its size", () => {
    const wire = Hex.hex(`${ping} ${ping} ${ping}`)
    const chunks = Chunkings.cut(wire, [17 + 12])
    const found = payloads(chunks)
    assert.isTrue(found[0]![0] === chunks[0])
    assert.deepStrictEqual([found[1]![0].length, found[1]![1], found[1]![2]], [8, 0, 8])
    assert.isTrue(found[2]![0] === chunks[1])
  })

  it("a frame whose head alone is cut stays in place", () => {
    const chunks = Chunkings.cut(Hex.hex(ping), [5])
    assert.isTrue(payloads(chunks)[0]![0] === chunks[1])
  })

  it("what was put together is not written again", () => {
    const wire = Hex.hex("000002 00 00 00000001 0102 000002 00 00 00000001 0304")
    const found = payloads(Chunkings.cut(wire, [10, 21]))
    assert.deepStrictEqual(
      found.map(([bytes, start, end]) => Hex.show(bytes.subarray(start, end))),
      ["01 02", "03 04"]
    )
  })

  it("what waits is counted, with its head, and let go of", () => {
    const { decoder } = listen()
    const steps: ReadonlyArray<readonly [wire: string, waitingBytes: number]> = [
      ["000004", 3],
      ["00 00 000000", 8],
      ["01", 9],
      ["aabbcc", 12],
      ["dd", 0],
      // Left out, so not held.
      ["000006 02 00 00000001 00", 0],
      ["00000000", 0],
      ["00 0000", 2],
      ["02 00 00 00000001 aa", 10]
    ]
    for (const [wire, waitingBytes] of steps) {
      decoder.receive(Hex.hex(wire))
      assert.strictEqual(decoder.waitingBytes, waitingBytes, wire)
    }
    decoder.stop()
    assert.strictEqual(decoder.waitingBytes, 0)
    decoder.receive(Hex.hex(ping))
    assert.strictEqual(decoder.waitingBytes, 0)
  })

  it("nothing is held behind a frame that stops", () => {
    const { decoder, heard } = listen({ onFrame: (one) => one.stop() })
    decoder.receive(Hex.hex(`${ping} 000004`))
    assert.strictEqual(decoder.waitingBytes, 0)
    assert.deepStrictEqual(heard, [heardPing])
  })
})
