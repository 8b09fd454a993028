/**
 * Where our WebSocket engine and `ws` part over the same frames, and the rule
 * that says that we may. Each row has an example, which the tests hold up
 * against both sides.
 *
 * A row looks at the frames themselves, with a reader of its own: what it does
 * not describe exactly stays a disagreement.
 *
 * @since 0.1.0
 */
import * as Zlib from "node:zlib"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as Hex from "../harness/Hex.ts"
import * as Wire from "../harness/WebSocketWire.ts"
import type { Heard, Setting } from "./WebSocketHeard.ts"

export interface Case {
  readonly wire: Uint8Array
  readonly here: Heard
  readonly ws: Heard
}

export interface Row {
  readonly rule: string
  readonly deflate: Setting["deflate"]
  /** Frames of a client, each with its first byte and a payload as for `Hex.hex`. */
  readonly example: Uint8Array
  readonly explains: (difference: Case) => boolean
}

export const explain = (difference: Case): string | undefined => rows.find(({ explains }) => explains(difference))?.rule

interface Frame {
  readonly first: number
  readonly payloadBytes: number
  /** What of it came, unmasked. */
  readonly payload: Uint8Array
  readonly minimal: boolean
}

/** The frames of a wire, as the drawing in RFC 6455 §5.2 has them: nothing is checked. */
const framesOf = (wire: Uint8Array): ReadonlyArray<Frame> => {
  const view = new DataView(wire.buffer, wire.byteOffset, wire.byteLength)
  const frames: Array<Frame> = []
  for (let at = 0; at + 2 <= wire.length; ) {
    const [first, second] = [wire[at]!, wire[at + 1]!]
    const extended = { 126: 2, 127: 8 }[second & 0x7f] ?? 0
    const masked = second >= 0x80
    const start = at + 2 + extended + (masked ? 4 : 0)
    if (start > wire.length) break
    const payloadBytes =
      extended === 0 ? second & 0x7f : extended === 2 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2))
    const payload = wire.slice(start, start + payloadBytes)
    if (masked) for (let index = 0; index < payload.length; index++) payload[index]! ^= wire[start - 4 + (index % 4)]!
    frames.push({ first, payloadBytes, payload, minimal: payloadBytes >= { 0: 0, 2: 126, 8: 65_536 }[extended]! })
    at = start + payloadBytes
  }
  return frames
}

interface Message {
  readonly opcode: number
  readonly compressed: boolean
  readonly fragmented: boolean
  readonly payload: Uint8Array
}

/** The data message behind `count` whole ones, with what came of it. */
const messageAt = (wire: Uint8Array, count: number): Message | undefined => {
  let whole = 0
  let pieces: Array<Frame> = []
  for (const frame of framesOf(wire)) {
    const opcode = frame.first & 0x0f
    if (opcode > 2 || (opcode > 0 && pieces.length > 0)) continue
    pieces.push(frame)
    if (frame.first < 0x80 || frame.payload.length < frame.payloadBytes) continue
    if (whole === count) break
    whole++
    pieces = []
  }
  const [begin] = pieces
  return begin === undefined || whole < count
    ? undefined
    : {
        opcode: begin.first & 0x0f,
        compressed: (begin.first & 0x40) !== 0,
        fragmented: begin.first < 0x80,
        payload: Hex.concat(pieces.map(({ payload }) => payload))
      }
}

const messageCount = ({ calls }: Heard): number => calls.filter(([kind]) => kind === "text" || kind === "binary").length

/** Whether no bytes behind these can make them UTF-8. */
const isHopeless = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true })
    return false
  } catch {
    return true
  }
}

/**
 * Whether DEFLATE data ends where a block does: then others can stand behind
 * it, of which the last is found; or its own last one ends within it, and so do
 * those behind that.
 */
const endsBlock = (payload: Uint8Array): boolean => {
  const input = Buffer.concat([payload, Hex.hex("0000ffff 010000ffff")])
  try {
    const result: unknown = Zlib.inflateRawSync(input, { info: true })
    const { bytesWritten } = (result as { readonly engine: { readonly bytesWritten: number } }).engine
    if (bytesWritten > payload.length) return bytesWritten === input.length
    return bytesWritten === payload.length || endsBlock(payload.subarray(bytesWritten))
  } catch {
    return false
  }
}

/** Whether the wire ends within a frame. */
const isCut = (wire: Uint8Array): boolean => {
  const frames = framesOf(wire)
  const whole = frames.every(({ payload, payloadBytes }) => payload.length === payloadBytes)
  const heads = frames.map(({ first, payload }) => Wire.frame("server", first, payload).length)
  const masks = frames.length > 0 && wire[1]! >= 0x80 ? 4 * frames.length : 0
  return !whole || heads.reduce((sum, each) => sum + each, masks) !== wire.length
}

const client = (first: number, payload: string): Uint8Array => Wire.frame("client" satisfies Role, first, payload)

export const rows: ReadonlyArray<Row> = [
  {
    rule: "RFC 6455 §8.1: text is failed at the first byte that is wrong",
    deflate: "none",
    example: Hex.concat([client(0x01, "ff"), client(0x89, "'ping'"), client(0x80, "")]),
    explains: ({ here, wire }) => {
      const message = messageAt(wire, messageCount(here))
      return (
        here.failure?.why === "InvalidUtf8" &&
        message?.opcode === 1 &&
        !message.compressed &&
        isHopeless(message.payload)
      )
    }
  },
  {
    rule: "RFC 7692 §6.1: a compressed message is inflated when it is whole, or in pieces",
    deflate: "negotiated",
    example: Hex.concat([client(0x41, "07 00"), client(0x89, "'ping'"), client(0x80, "")]),
    explains: ({ here, wire, ws }) => {
      const message = messageAt(wire, messageCount(ws))
      return (
        (ws.failure?.code === 1007 || ws.failure?.code === 1009) &&
        message?.compressed === true &&
        message.fragmented &&
        messageCount(here) === messageCount(ws)
      )
    }
  },
  {
    rule: "RFC 7692 §7.2.2: a compressed message is blocks, and ends where one does",
    deflate: "negotiated",
    example: client(0xc2, "d3f2b0ddcdcd50"),
    explains: ({ here, wire }) => {
      const message = messageAt(wire, messageCount(here))
      return here.failure?.why === "InvalidCompression" && message?.compressed === true && !endsBlock(message.payload)
    }
  },
  {
    rule: "RFC 6455 §5.2: a length takes the fewest bytes that it can",
    deflate: "none",
    example: Hex.hex("81 fe 0001 00000000 61"),
    explains: ({ here, wire }) =>
      here.failure?.why === "length not minimal" && framesOf(wire).some(({ minimal }) => !minimal)
  },
  {
    rule: "RFC 6455 §5.2: the first bit of a length is 0",
    deflate: "none",
    example: Hex.hex("82 ff 8000000000000000 00000000"),
    explains: ({ here, wire, ws }) =>
      here.failure?.why === "length above 2^63" &&
      ws.failure?.code === 1009 &&
      framesOf(wire).some(({ payloadBytes }) => payloadBytes >= 2 ** 63)
  },
  {
    rule: "RFC 6455 §5.2: order and length are looked at when a head is there, and a Close frame when all of it is",
    deflate: "none",
    example: Hex.hex("00 87"),
    explains: ({ here, wire, ws }) =>
      here.failure === undefined && here.closed === undefined && ws.failure !== undefined && isCut(wire)
  }
]
