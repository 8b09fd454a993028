/**
 * DEFLATE by Node's zlib.
 *
 * Each message is one synchronous call. An asynchronous stream a connection,
 * as zlib is used elsewhere, costs more on both sides: a small message takes
 * 40 to 70 microseconds by way of the thread pool and 5 to 25 here, and an idle
 * stream pair holds some 300 KiB. What a call costs the event loop is bounded
 * by the message limits: about 4 milliseconds for 1 MiB.
 *
 * With context takeover the last 32 KiB are handed in as a dictionary. That
 * costs 10 to 15 microseconds to inflate and about 90 to compress, more than
 * the stream's 70: the price of holding 32 KiB in place of 300.
 *
 * @since 0.1.0
 */
import * as Zlib from "node:zlib"
import type { RawDeflate, Window } from "@sluice/core/bytes/RawDeflate"
import { Deflate } from "@sluice/core/transport/Deflate"
import * as Layer from "effect/Layer"

/** @category options */
export interface Options {
  /** From 1, the fastest, to 9, the smallest output. Default 6. */
  readonly level?: number | undefined
  /**
   * Memory that a call compresses with, 1 to 9: from 1 to 256 KiB beside the
   * window, for as long as the call runs. Default 8.
   */
  readonly memoryLevel?: number | undefined
}

/** Throws a `RangeError` for options out of range. @category constructors */
export const make = (options?: Options): RawDeflate => {
  const level = between("level", options?.level ?? 6)
  const memLevel = between("memoryLevel", options?.memoryLevel ?? 8)
  return {
    deflate: (input, window) =>
      Zlib.deflateRawSync(input, {
        level,
        memLevel,
        ...windowOptions(window),
        chunkSize: chunkBytes(input.length),
        finishFlush: Zlib.constants.Z_SYNC_FLUSH
      }),
    inflate: (input, window, maxOutputBytes) => {
      try {
        // With `info` it tells beside the bytes how far it came; the types do not know.
        const { buffer, engine } = Zlib.inflateRawSync(input, {
          ...windowOptions(window),
          chunkSize: Math.min(chunkBytes(input.length * 4), Math.max(leastChunkBytes, maxOutputBytes)),
          finishFlush: Zlib.constants.Z_SYNC_FLUSH,
          maxOutputLength: Math.max(1, maxOutputBytes),
          info: true
        }) as unknown as { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } }
        if (buffer.length > maxOutputBytes) return { _tag: "TooLarge" }
        return { _tag: "Inflated", bytes: buffer, consumedBytes: engine.bytesWritten }
      } catch (error) {
        const { code } = error as { readonly code?: string }
        if (code === "ERR_BUFFER_TOO_LARGE") return { _tag: "TooLarge" }
        if (code?.startsWith("Z_")) return { _tag: "Invalid" }
        throw error
      }
    }
  }
}

/** @category layers */
export const layer = (options?: Options): Layer.Layer<Deflate> => Layer.sync(Deflate)(() => make(options))

/** zlib's least. */
const leastChunkBytes = 64
const mostChunkBytes = 16_384

/** Output is made in chunks of so much: a small one for a small message, or each would allocate 16 KiB. */
const chunkBytes = (expectedBytes: number): number =>
  Math.min(mostChunkBytes, Math.max(leastChunkBytes * 4, expectedBytes + leastChunkBytes))

/**
 * zlib compresses with 9 bits where 8 are asked for. Its references stay 262
 * bytes short of the window's end, so that they fit into 256 bytes as well.
 */
const windowOptions = ({ bits, dictionary }: Window): Zlib.ZlibOptions =>
  dictionary === undefined || dictionary.length === 0 ? { windowBits: bits } : { windowBits: bits, dictionary }

const between = (name: string, value: number): number => {
  if (Number.isInteger(value) && value >= 1 && value <= 9) return value
  throw new RangeError(`${name} must be a whole number from 1 to 9, but is ${value}`)
}
