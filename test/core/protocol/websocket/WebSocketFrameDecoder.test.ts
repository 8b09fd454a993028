import { assert, describe, it } from "@effect/vitest"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as FrameDecoder from "@sluice/core/protocol/websocket/WebSocketFrameDecoder"
import * as Chunkings from "../../../harness/Chunkings.ts"
import * as Hex from "../../../harness/Hex.ts"

interface Options {
  readonly role?: Role
  readonly maxFrameBytes?: number
  readonly compression?: "negotiated" | "none"
}

/** What is decoded: a line for each frame, `opcode[+][ compressed]: payload`, and the violation. */
const decode = (chunks: ReadonlyArray<Uint8Array>, options: Options): ReadonlyArray<string> => {
  const decoder = new FrameDecoder.WebSocketFrameDecoder({
    role: "client",
    maxFrameBytes: 70_000,
    compression: "none",
    ...options
  })
  const found: Array<string> = []
  let payload: Array<Uint8Array> = []
  for (const chunk of chunks) {
    decoder.push(chunk.slice())
    for (let step = decoder.next(); step !== FrameDecoder.needMore; step = decoder.next()) {
      if (step === FrameDecoder.violated) {
        const violation = decoder.violation!
        return [...found, "rule" in violation ? violation.rule : `${violation._tag} ${violation.receivedBytes}`]
      }
      if (step === FrameDecoder.head) payload = []
      else {
        payload.push(decoder.chunk.slice(decoder.pieceStart, decoder.pieceEnd))
        if (decoder.piece === "part") continue
        const bytes = Hex.concat(payload)
        assert.strictEqual(bytes.length, decoder.payloadBytes)
        const shown = bytes.length > 130 ? `${bytes.length} bytes` : Hex.show(bytes)
        found.push(`${decoder.opcode}${decoder.final ? "" : "+"}${decoder.compressed ? " compressed" : ""}: ${shown}`)
      }
    }
  }
  return found
}

const zeros = (count: number) => "00".repeat(count)

type Row = readonly [rule: string, options: Options, wire: string, frames: ReadonlyArray<string>]
const rows: ReadonlyArray<Row> = [
  ["RFC 6455 §5.7: an unmasked text", {}, "81 05 'Hello'", ["1: 'Hello'"]],
  ["RFC 6455 §5.7: a masked text", { role: "server" }, "81 85 37fa213d 7f9f4d5158", ["1: 'Hello'"]],
  ["RFC 6455 §5.7: a fragmented text", {}, "01 03 'Hel' 80 02 'lo'", ["1+: 48 65 6c", "0: 6c 6f"]],
  ["RFC 6455 §5.7: a Ping and its masked answer", {}, "89 05 'Hello'", ["9: 'Hello'"]],
  ["RFC 6455 §5.7: 256 bytes", {}, `82 7e0100 ${zeros(256)}`, ["2: 256 bytes"]],
  ["RFC 6455 §5.7: 64 KiB", {}, `82 7f0000000000010000 ${zeros(65_536)}`, ["2: 65536 bytes"]],
  ["RFC 6455 §5.2: no payload", {}, "81 00 82 00 8a 00", ["1: ", "2: ", "10: "]],
  ["RFC 6455 §5.2: no payload, masked", { role: "server" }, "81 80 01020304 8a 80 00000000", ["1: ", "10: "]],
  ["RFC 6455 §5.2: 125 in two bytes of length", {}, `82 7e007d ${zeros(125)}`, ["length not minimal"]],
  ["RFC 6455 §5.2: 0 in two bytes of length", {}, "82 7e0000", ["length not minimal"]],
  [
    "RFC 6455 §5.2: 126 in two bytes of length",
    {},
    `82 7e007e ${zeros(126)}`,
    [`2: ${Array(126).fill("00").join(" ")}`]
  ],
  ["RFC 6455 §5.2: 65,535 in eight bytes of length", {}, "82 7f000000000000ffff", ["length not minimal"]],
  ["RFC 6455 §5.2: 5 in eight bytes of length", {}, "82 7f0000000000000005 'Hello'", ["length not minimal"]],
  ["RFC 6455 §5.2: 2^63 and more", {}, "82 7f8000000000000000", ["length above 2^63"]],
  ["RFC 6455 §5.2: 2^32", {}, "82 7f0000000100000000", ["FrameTooLarge 4294967296"]],
  ["RFC 6455 §5.2: 2^63 - 1", {}, "82 7f7fffffffffffffff", ["FrameTooLarge 9223372036854776000"]],
  [
    "a frame at the limit",
    { maxFrameBytes: 125 },
    `82 7d ${zeros(125)} 81 00`,
    [`2: ${Array(125).fill("00").join(" ")}`, "1: "]
  ],
  ["a frame above the limit", { maxFrameBytes: 125 }, `82 7e007e ${zeros(126)}`, ["FrameTooLarge 126"]],
  [
    "a frame of the largest limit",
    { maxFrameBytes: 2 ** 53 - 1 },
    "82 7f0020000000000000",
    ["FrameTooLarge 9007199254740992"]
  ],
  ["RFC 6455 §5.1: a masked frame from a server", {}, "81 85 37fa213d 7f9f4d5158", ["masked frame"]],
  ["RFC 6455 §5.1: an unmasked frame from a client", { role: "server" }, "81 05 'Hello'", ["unmasked frame"]],
  [
    "RFC 7692 §6: RSV1 on the first fragment",
    { compression: "negotiated" },
    "41 01 61 80 01 62",
    ["1+ compressed: 61", "0: 62"]
  ],
  [
    "RFC 7692 §6.1: RSV1 on a later fragment",
    { compression: "negotiated" },
    "41 01 61 c0 01 62",
    ["1+ compressed: 61", "reserved bits"]
  ],
  ["RFC 7692 §6.1: RSV1 on a control frame", { compression: "negotiated" }, "c9 00", ["reserved bits"]],
  ["RFC 7692 §6: RSV2 stays reserved", { compression: "negotiated" }, "a1 00", ["reserved bits"]],
  ["RFC 6455 §5.2: RSV1 without an extension", {}, "c1 00", ["reserved bits"]],
  ["RFC 6455 §5.5: a control frame above 125 bytes", {}, "89 7e007e", ["long control frame"]],
  ["RFC 6455 §5.5: a control frame with eight bytes of length", {}, "89 7f", ["long control frame"]],
  ["RFC 6455 §5.5: a fragmented control frame", {}, "09 00", ["fragmented control frame"]],
  ["of two wrongs in one head, the first byte's is told", {}, "b1 80", ["reserved bits"]],
  ["RFC 6455 §5.2: opcode 3", {}, "83 00", ["reserved opcode"]],
  ["RFC 6455 §5.2: opcode 11", {}, "8b 00", ["reserved opcode"]],
  ["behind a violation nothing is decoded", {}, "83 00 81 00", ["reserved opcode"]],
  ["a head that is cut off", {}, "81 7e01", []]
]

describe("frames at every split", () => {
  for (const [rule, options, wire, frames] of rows) {
    it(rule, () => {
      const bytes = Hex.hex(wire)
      const splits =
        bytes.length < 200 ? Chunkings.everySplit(bytes) : [[bytes], Chunkings.cut(bytes, [1, 2, 3, 4, 7, 9, 11, 100])]
      for (const chunks of splits) assert.deepStrictEqual(decode(chunks, options), frames, Chunkings.show(chunks))
    })
  }
})

it("a masked payload is unmasked in every split, words and all", () => {
  const payload = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff)
  const key = [0x9a, 0x01, 0xfe, 0x42]
  const wire = Hex.concat([Hex.hex("82 fe012c 9a01fe42"), payload.map((byte, index) => byte ^ key[index & 3]!)])
  for (const chunks of Chunkings.everySplit(wire)) {
    const decoder = new FrameDecoder.WebSocketFrameDecoder({ role: "server", maxFrameBytes: 300, compression: "none" })
    const pieces: Array<Uint8Array> = []
    for (const chunk of chunks) {
      decoder.push(chunk)
      for (let step = decoder.next(); step !== FrameDecoder.needMore; step = decoder.next()) {
        if (step === FrameDecoder.payload) pieces.push(chunk.subarray(decoder.pieceStart, decoder.pieceEnd))
      }
    }
    assert.deepStrictEqual(Hex.concat(pieces), payload)
  }
})

it("a wrong head is told before its payload, and before the rest of the head", () => {
  assert.deepStrictEqual(decode([Hex.hex("83 7e")], {}), ["reserved opcode"])
  assert.deepStrictEqual(decode([Hex.hex("82 7e1000")], { maxFrameBytes: 125 }), ["FrameTooLarge 4096"])
})

it("lets go of its chunk", () => {
  const decoder = new FrameDecoder.WebSocketFrameDecoder({ role: "client", maxFrameBytes: 125, compression: "none" })
  decoder.push(Hex.hex("81 00 81 00"))
  decoder.next()
  decoder.release()
  assert.lengthOf(decoder.chunk, 0)
})
