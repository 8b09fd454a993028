/**
 * Reading and writing frames of HTTP/2 alone: a small HEADERS and a small DATA
 * in turn, as requests with bodies and their answers are.
 */
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { Http2FrameDecoder } from "@sluice/core/protocol/http2/Http2FrameDecoder"
import * as Http2FrameEncoder from "@sluice/core/protocol/http2/Http2FrameEncoder"
import { Http2Output } from "@sluice/core/protocol/http2/Http2Output"
import { Http2FrameReader } from "../load/Http2FrameReader.ts"
import * as Http2Frames from "../load/Http2Frames.ts"
import type { Case, Cases } from "./Case.ts"

const pairs = 32
const framesPerRun = pairs * 2
const frameBytes = 16_384
const text = "hello world"
const block = Buffer.from([0x88, 0xbe, 0xbf, 0xc0])

const wire = Buffer.concat(
  Array.from({ length: pairs }, (_, index) => [
    Http2Frames.frame(Http2Frames.headers, Http2Frames.endHeaders, 1 + 2 * index, block),
    Http2Frames.frame(Http2Frames.data, Http2Frames.endStream, 1 + 2 * index, Buffer.from(text))
  ]).flat()
)

/** A run: the chunks come, and each frame is looked at. */
const decoding = (cutBytes: number): Case => {
  let sum = 0
  const decoder = new Http2FrameDecoder(
    {
      onFrame: (type, flags, streamId, _bytes, start, end) => {
        sum += type + flags + streamId + end - start
      },
      onFrameViolation: (_streamId, { message }) => {
        throw new Error(message)
      }
    },
    frameBytes,
    "none"
  )
  const chunks: Array<Uint8Array> = []
  for (let at = 0; at < wire.length; at += cutBytes) chunks.push(wire.subarray(at, at + cutBytes))
  return {
    operationsPerRun: framesPerRun,
    run: () => {
      for (const chunk of chunks) decoder.receive(chunk)
      return sum
    }
  }
}

/** The floor: no maximum, and no rule of a head. */
const decodingByHand = (): Case => {
  let sum = 0
  const reader = new Http2FrameReader({
    onData: (streamId, _bytes, start, end, ended) => {
      sum += streamId + end - start + (ended ? 1 : 0)
    },
    onFrame: (type, flags, streamId, _bytes, start, end) => {
      sum += type + flags + streamId + end - start
    }
  })
  return {
    operationsPerRun: framesPerRun,
    run: () => {
      reader.receive(wire, wire.length)
      return sum
    }
  }
}

/** A run: the frames are written, and taken. */
const encoding = (writeBody: (output: Http2Output, streamId: number) => void): Case => {
  const output = new Http2Output()
  const head = new HpackBlock()
  const run = (): ReadonlyArray<Uint8Array> => {
    for (let streamId = 1; streamId < 2 * pairs; streamId += 2) {
      head.begin(Http2Frames.headBytes)
      for (const byte of block) head.integer(byte & 0x80, 7, byte & 0x7f)
      Http2FrameEncoder.headers(output, streamId, head, frameBytes, false)
      writeBody(output, streamId)
    }
    return output.take()
  }
  if (Buffer.compare(Buffer.concat(run()), wire) !== 0) throw new Error("these are other frames")
  return { operationsPerRun: framesPerRun, run: () => run()[0]!.length }
}

/** The floor: the same bytes from a template, in which the stream identifiers are set. */
const encodingByHand = (): Case => {
  const headersBytes = Http2Frames.headBytes + block.length
  const pairBytes = headersBytes + Http2Frames.headBytes + text.length
  const template = wire.subarray(0, pairBytes)
  return {
    operationsPerRun: framesPerRun,
    run: () => {
      const bytes = Buffer.allocUnsafe(wire.length)
      let streamId = 1
      for (let at = 0; at < bytes.length; at += pairBytes) {
        template.copy(bytes, at)
        bytes.writeUInt32BE(streamId, at + 5)
        bytes.writeUInt32BE(streamId, at + headersBytes + 5)
        streamId += 2
      }
      return bytes.length + bytes[5]!
    }
  }
}

const bytes = Buffer.from(text)

export const cases: Cases = {
  decode: decoding(wire.length),
  "decode, cut": decoding(24),
  "decode, by hand": decodingByHand(),
  encode: encoding((output, streamId) => Http2FrameEncoder.data(output, streamId, bytes, 0, bytes.length, true)),
  "encode, text": encoding((output, streamId) => Http2FrameEncoder.dataText(output, streamId, text, text.length, true)),
  "encode, by hand": encodingByHand()
}
