/**
 * Chunks of GET requests as a client of HTTP/2 sends them on one connection:
 * what it says first, and then the same bytes with new stream identifiers.
 */
import * as Http2Frames from "../load/Http2Frames.ts"

const { first, next } = Http2Frames.blocksOf({ method: "GET", path: "/" })
const flags = Http2Frames.endHeaders | Http2Frames.endStream
const request = Http2Frames.frame(Http2Frames.headers, flags, 0, next)

/** The preface, SETTINGS, and the first request, which has all fields in full. */
export const opening: Buffer = Buffer.concat([
  Http2Frames.opening,
  Http2Frames.settingsAcknowledged,
  Http2Frames.frame(Http2Frames.headers, flags, 1, first)
])

/** Of each call, the next `count` requests in one chunk, which is used again. */
export const chunks = (count: number): (() => Buffer) => {
  const chunk = Buffer.concat(Array<Buffer>(count).fill(request))
  let streamId = 1
  return () => {
    for (let at = 5; at < chunk.length; at += request.length) {
      streamId += 2
      chunk.writeUInt32BE(streamId, at)
    }
    return chunk
  }
}

/** How many of the frames in `bytes` are HEADERS with the status 200, and how many end a stream. */
export const countReplies = (bytes: Uint8Array): { readonly heads: number; readonly ends: number } => {
  let heads = 0
  let ends = 0
  for (let at = 0; at < bytes.length; ) {
    const type = bytes[at + 3]
    if (type === Http2Frames.headers && bytes[at + Http2Frames.headBytes] === 0x88) heads++
    if (type === Http2Frames.data && (bytes[at + 4]! & Http2Frames.endStream) !== 0) ends++
    at += Http2Frames.headBytes + (bytes[at]! << 16) + (bytes[at + 1]! << 8) + bytes[at + 2]!
  }
  return { heads, ends }
}
