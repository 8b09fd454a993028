/**
 * Writes frames (RFC 9113 §4.1, §6) into the output of their connection.
 *
 * Nothing is checked here: lengths are within the peer's maximum, identifiers
 * and increments have 31 bits, and the peer's windows have room.
 *
 * Hot path (`bench/` rows "http2"): no object is made for a frame.
 *
 * @internal
 * @since 0.1.0
 */
import * as Latin1 from "../../bytes/Latin1.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import type { HpackBlock } from "../hpack/HpackBlock.ts"
import * as Http2Frame from "./Http2Frame.ts"
import { copyBytes, type Http2Output } from "./Http2Output.ts"

const { flag, headBytes, type } = Http2Frame

/** The head alone; `length` bytes follow. @category frames */
export const frameHead = (
  output: Http2Output,
  length: number,
  frameType: number,
  flags: number,
  streamId: number
): void => {
  output.reserve(headBytes)
  output.commit(putHead(output.page, output.at, length, frameType, flags, streamId))
}

/** @category frames */
export const settings = (output: Http2Output, entries: ReadonlyArray<readonly [id: number, value: number]>): void => {
  const length = entries.length * 6
  output.reserve(headBytes + length)
  const { page } = output
  let at = putHead(page, output.at, length, type.Settings, 0, 0)
  for (const [id, value] of entries) {
    page[at] = id >> 8
    page[at + 1] = id
    at = put32(page, at + 2, value)
  }
  output.commit(at)
}

/** @category frames */
export const settingsAck = (output: Http2Output): void => frameHead(output, 0, type.Settings, flag.Ack, 0)

/** Eight bytes of `bytes`, from `start` on: an answer has those of the question. @category frames */
export const ping = (output: Http2Output, bytes: Uint8Array, start: number, ack: boolean): void => {
  output.reserve(headBytes + 8)
  const { page } = output
  const at = putHead(page, output.at, 8, type.Ping, ack ? flag.Ack : 0, 0)
  for (let index = 0; index < 8; index++) page[at + index] = bytes[start + index]!
  output.commit(at + 8)
}

/** `debug` is for people who look at the wire; of a long one the beginning is sent. @category frames */
export const goAway = (output: Http2Output, lastStreamId: number, errorCode: number, debug: string): void => {
  const text = Utf8.encode(debug.slice(0, debugCharacters))
  output.reserve(headBytes + 8 + text.length)
  const { page } = output
  let at = putHead(page, output.at, 8 + text.length, type.GoAway, 0, 0)
  at = put32(page, at, lastStreamId)
  at = put32(page, at, errorCode)
  page.set(text, at)
  output.commit(at + text.length)
}

/** @category frames */
export const windowUpdate = (output: Http2Output, streamId: number, increment: number): void =>
  frame32(output, type.WindowUpdate, streamId, increment)

/** @category frames */
export const rstStream = (output: Http2Output, streamId: number, errorCode: number): void =>
  frame32(output, type.RstStream, streamId, errorCode)

/**
 * A header block, begun with `begin(headBytes)`: HEADERS, and CONTINUATION for
 * what is above `maxFrameBytes`. The block is copied, and its room in front
 * written.
 *
 * @category frames
 */
export const headers = (
  output: Http2Output,
  streamId: number,
  block: HpackBlock,
  maxFrameBytes: number,
  endStream: boolean
): void => {
  const { bytes, length: blockEnd } = block
  let flags = endStream ? flag.EndStream : 0
  let frameType: number = type.Headers
  let at = headBytes
  // A head is written in front of each part, over what was sent before it.
  while (blockEnd - at > maxFrameBytes) {
    putHead(bytes, at - headBytes, maxFrameBytes, frameType, flags, streamId)
    output.copy(bytes, at - headBytes, at + maxFrameBytes)
    at += maxFrameBytes
    frameType = type.Continuation
    flags = 0
  }
  putHead(bytes, at - headBytes, blockEnd - at, frameType, flags | flag.EndHeaders, streamId)
  output.copy(bytes, at - headBytes, blockEnd)
}

/** The payload is copied when it is small, and else handed over: then it does not change any more. @category frames */
export const data = (
  output: Http2Output,
  streamId: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  endStream: boolean
): void => {
  const length = end - start
  // Room for both: they come out as one segment.
  output.reserve(headBytes + (length > copyBytes ? 0 : length))
  output.commit(putHead(output.page, output.at, length, type.Data, endStream ? flag.EndStream : 0, streamId))
  output.writeRange(bytes, start, end)
}

/** A text as UTF-8, of which `byteLength` is `Utf8.byteLength`. @category frames */
export const dataText = (
  output: Http2Output,
  streamId: number,
  text: string,
  byteLength: number,
  endStream: boolean
): void => {
  output.reserve(headBytes + byteLength)
  const { page } = output
  const start = output.at + headBytes
  // The head says what was written, so that a wrong `byteLength` sends nothing that was in the page before.
  const length = writeText(text, byteLength, page, start)
  putHead(page, output.at, length, type.Data, endStream ? flag.EndStream : 0, streamId)
  output.commit(start + length)
}

const writeText = (text: string, byteLength: number, target: Uint8Array, at: number): number => {
  if (byteLength !== text.length) return Utf8.write(text, target, at)
  // ASCII alone has as many bytes as characters.
  if (byteLength < shortCharacters) Latin1.writePlain(text, target, at)
  else Latin1.write(text, target, at)
  return byteLength
}

const frame32 = (output: Http2Output, frameType: number, streamId: number, value: number): void => {
  output.reserve(headBytes + 4)
  const { page } = output
  output.commit(put32(page, putHead(page, output.at, 4, frameType, 0, streamId), value))
}

const putHead = (
  target: Uint8Array,
  at: number,
  length: number,
  frameType: number,
  flags: number,
  streamId: number
): number => {
  target[at] = length >> 16
  target[at + 1] = length >> 8
  target[at + 2] = length
  target[at + 3] = frameType
  target[at + 4] = flags
  return put32(target, at + 5, streamId)
}

const put32 = (target: Uint8Array, at: number, value: number): number => {
  target[at] = value >> 24
  target[at + 1] = value >> 16
  target[at + 2] = value >> 8
  target[at + 3] = value
  return at + 4
}

/** UTF-16 code units; at most three bytes each. */
const debugCharacters = 1024
/** Below this a loop is faster than a call of the host. */
const shortCharacters = 24
