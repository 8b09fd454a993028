/**
 * gRPC's messages compressed by Node's zlib: `gzip`, `deflate` and, where Node
 * has it, `zstd`.
 *
 * Servers and dialers of this package bring it along, so that calls compress
 * where they are told to, and read what the other side has compressed. Other
 * levels: provide `layer({ level: 9 })` beside them.
 *
 * Each message is one synchronous call, which costs the event loop from 5
 * microseconds for a small message to some 25 milliseconds for 1 MiB (2 with zstd).
 *
 * What is compressed must be all of a message: bytes behind its end, or an end
 * that is missing, are invalid. Of gzip several members may follow each other,
 * as RFC 1952 §2.2 says; of zlib and Zstandard there is one.
 *
 * @since 0.1.0
 */
import { constants as bufferConstants } from "node:buffer"
import * as Zlib from "node:zlib"
import { GrpcCompression } from "@sluice/core/grpc/GrpcCompression"
import { type Compressor, type Decompressed, GrpcEncodings } from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as Layer from "effect/Layer"

/** @category options */
export interface Options {
  /** Of gzip and deflate: from 1, the fastest, to 9, the smallest output. Default 6. */
  readonly level?: number | undefined
  /** Of zstd: from 1, the fastest, to 19, the smallest output. Default 3. */
  readonly zstdLevel?: number | undefined
}

/**
 * All ways that this Node has. Throws a `RangeError` for options out of range.
 *
 * @category constructors
 */
export const make = (options?: Options): GrpcEncodings => {
  const { level, zstdLevel } = checked(options)
  return new GrpcEncodings([gzip(level), deflate(level), ...(hasZstd ? [zstd(zstdLevel)] : [])])
}

/** What `GrpcCompression` is here. Options out of range are defects. @category layers */
export const layer = (options?: Options): Layer.Layer<never> => Layer.sync(GrpcCompression)(() => make(options))

/** RFC 1952. */
const gzip = (level: number): Compressor => ({
  name: "gzip",
  compress: (message) => plain(Zlib.gzipSync(message, { level, chunkSize: chunkBytes(message.length) })),
  decompress: (bytes, maxOutputBytes) => bounded(Zlib.gunzipSync, bytes, maxOutputBytes)
})

/** RFC 1950: the format of zlib, whatever its name. */
const deflate = (level: number): Compressor => ({
  name: "deflate",
  compress: (message) => plain(Zlib.deflateSync(message, { level, chunkSize: chunkBytes(message.length) })),
  decompress: (bytes, maxOutputBytes) => bounded(Zlib.inflateSync, bytes, maxOutputBytes)
})

/** RFC 8878. */
const zstd = (level: number): Compressor => {
  const params = { [Zlib.constants.ZSTD_c_compressionLevel]: level }
  return {
    name: "zstd",
    compress: (message) =>
      plain(
        Zlib.zstdCompressSync(message, {
          params,
          chunkSize: chunkBytes(message.length),
          pledgedSrcSize: message.length
        })
      ),
    decompress: (bytes, maxOutputBytes) => bounded(Zlib.zstdDecompressSync, bytes, maxOutputBytes, zstdParams)
  }
}

/** Node got it in 22.15, and others that run its programs may have none. */
const hasZstd = typeof Zlib.zstdCompressSync === "function"

/**
 * RFC 8878 §3.1.1.1.2: decoders may refuse windows above 8 MiB. A frame of a
 * few bytes may ask for 128 MiB.
 */
const zstdParams = hasZstd ? { [Zlib.constants.ZSTD_d_windowLogMax]: 23 } : {}

/** Decompresses until the output is above the limit, and tells how it went. */
const bounded = (
  decompress: (bytes: Uint8Array, options: Zlib.ZlibOptions & Zlib.ZstdOptions) => Uint8Array,
  bytes: Uint8Array,
  maxOutputBytes: number,
  params?: Zlib.ZstdOptions["params"]
): Decompressed => {
  try {
    // With `info` it tells beside the bytes how far it came; the types do not know.
    const { buffer, engine } = decompress(bytes, {
      chunkSize: Math.min(chunkBytes(bytes.length * 4), Math.max(leastChunkBytes, maxOutputBytes)),
      maxOutputLength: Math.min(bufferConstants.MAX_LENGTH, Math.max(1, maxOutputBytes)),
      info: true,
      ...(params === undefined ? {} : { params })
    }) as unknown as { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } }
    if (buffer.length > maxOutputBytes) return { _tag: "TooLarge" }
    return engine.bytesWritten === bytes.length ? { _tag: "Decompressed", bytes: plain(buffer) } : { _tag: "Invalid" }
  } catch (error) {
    const { code } = error as { readonly code?: string }
    if (code === "ERR_BUFFER_TOO_LARGE") return { _tag: "TooLarge" }
    if (code !== undefined && invalidCode.test(code)) return { _tag: "Invalid" }
    throw error
  }
}

/** `Z_DATA_ERROR`, `ZSTD_error_corruption_detected` and their like. */
const invalidCode = /^(?:Z_|ZSTD_)/

/** A message's bytes fields are views of it, and those of a `Buffer` would be of its kind. */
const plain = ({ buffer, byteLength, byteOffset }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** zlib's least. */
const leastChunkBytes = 64
const mostChunkBytes = 16_384

/** Output is made in chunks of so much: a small one for a small message, or each would allocate 16 KiB. */
const chunkBytes = (expectedBytes: number): number =>
  Math.min(mostChunkBytes, Math.max(leastChunkBytes * 4, expectedBytes + leastChunkBytes))

const checked = (options: Options | undefined) => ({
  level: between("level", options?.level ?? 6, 9),
  zstdLevel: between("zstdLevel", options?.zstdLevel ?? 3, 19)
})

const between = (name: string, value: number, most: number): number => {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new RangeError(`${name} must be a whole number from 1 to ${most}, but is ${value}`)
}
