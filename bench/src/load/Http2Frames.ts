/**
 * The few frames that the load of HTTP/2 sends (RFC 9113 §4.1, §6), each a
 * buffer of its own, and what it calls those that it gets.
 */
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import type { Http2Request } from "./Http2Load.ts"

export const headBytes = 9
/** The largest payload that any peer takes (RFC 9113 §4.2). */
export const payloadBytes = 16_384
export const initialWindowBytes = 65_535

export const data = 0
export const headers = 1
export const rstStream = 3
export const settings = 4
export const pushPromise = 5
export const ping = 6
export const goAway = 7
export const windowUpdate = 8
export const continuation = 9

export const endStream = 1
export const acknowledged = 1
export const endHeaders = 4
export const padded = 8
export const prioritized = 0x20

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
/** The windows of a browser (Chrome): neither the smallest nor boundless. */
export const streamWindowBytes = 6 * 1_048_576
export const connectionWindowBytes = 15 * 1_048_576

/** Writes the head of a frame, and returns where its payload begins. */
export const writeHead = (
  bytes: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number
): number => {
  bytes.writeUIntBE(length, at, 3)
  bytes[at + 3] = type
  bytes[at + 4] = flags
  bytes.writeUInt32BE(streamId, at + 5)
  return at + headBytes
}

export const frame = (type: number, flags: number, streamId: number, payload: Uint8Array): Buffer => {
  const bytes = Buffer.allocUnsafe(headBytes + payload.length)
  bytes.set(payload, writeHead(bytes, 0, payload.length, type, flags, streamId))
  return bytes
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export const increment = (streamId: number, byteCount: number): Buffer =>
  frame(windowUpdate, 0, streamId, uint32(byteCount))

/** SETTINGS_ENABLE_PUSH 0, SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.5.2). */
const ownSettings = Buffer.concat([Buffer.from([0, 2, 0, 0, 0, 0, 0, 4]), uint32(streamWindowBytes)])

/** What a client says first. */
export const opening: Buffer = Buffer.concat([
  preface,
  frame(settings, 0, 0, ownSettings),
  increment(0, connectionWindowBytes - initialWindowBytes)
])

export const settingsAcknowledged: Buffer = frame(settings, acknowledged, 0, Buffer.alloc(0))

/** The header blocks of a request: the first one of a connection, and each one after it, by the tables. */
export interface Blocks {
  readonly first: Buffer
  readonly next: Buffer
}

export const blocksOf = ({ method, path, bodyBytes }: Http2Request): Blocks =>
  blocksOfFields([
    [":method", method],
    [":scheme", "http"],
    [":authority", "localhost"],
    [":path", path],
    ...(bodyBytes === undefined
      ? []
      : ([
          ["content-type", "application/octet-stream"],
          ["content-length", String(bodyBytes)]
        ] as const))
  ])

export const blocksOfFields = (fields: ReadonlyArray<readonly [name: string, value: string]>): Blocks => {
  const encoder = new HpackEncoder()
  const encode = (): Buffer => {
    const block = new HpackBlock()
    block.begin(0)
    encoder.begin(block)
    for (const [name, value] of fields) encoder.encode(block, name, value, "index")
    return Buffer.from(block.bytes.subarray(0, block.length))
  }
  return { first: encode(), next: encode() }
}
