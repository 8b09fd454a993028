/**
 * How messages are compressed: `grpc-encoding` and `grpc-accept-encoding`
 * (gRPC compression).
 *
 * Who compresses comes from outside, as a {@link Compressor} for each encoding;
 * without any, messages are sent as they are, and compressed ones are refused.
 *
 * @since 0.1.0
 */
import * as HttpField from "../http/HttpField.ts"
import { InvalidCompression, MessageTooLarge, UnsupportedEncoding } from "./GrpcViolation.ts"

/** The encodings that have names of their own; a compressor may have another. @category models */
export type Name = "identity" | "gzip" | "deflate" | "zstd"

/**
 * One way to compress. A call compresses or decompresses one whole message,
 * synchronously, and keeps nothing: "Compression contexts are NOT maintained
 * over message boundaries".
 *
 * @category models
 */
export interface Compressor {
  /** As in `grpc-encoding`, in lower case. `deflate` is the format of zlib (RFC 1950). */
  readonly name: Exclude<Name, "identity"> | (string & {})
  readonly compress: (message: Uint8Array) => Uint8Array
  /** Never throws for what is in `bytes`, and never holds much more than `maxOutputBytes` of output. */
  readonly decompress: (bytes: Uint8Array, maxOutputBytes: number) => Decompressed
}

/** @category models */
export type Decompressed =
  | { readonly _tag: "Decompressed"; readonly bytes: Uint8Array }
  | { readonly _tag: "Invalid" }
  /** There is more than `maxOutputBytes` in it. */
  | { readonly _tag: "TooLarge" }

/** Messages as they are. @category constants */
export const identity = "identity"

/** What one side can read and write. @category models */
export class GrpcEncodings {
  /** For `grpc-accept-encoding`: what this side takes, `identity` first. */
  readonly acceptText: string
  private readonly byName: ReadonlyMap<string, Compressor>

  /** Throws a `RangeError` for a name that is no token, is `identity`, or comes twice. */
  constructor(compressors: ReadonlyArray<Compressor>) {
    const byName = new Map<string, Compressor>()
    for (const one of compressors) {
      if (!HttpField.isToken(one.name) || one.name === identity || byName.has(one.name)) {
        throw new RangeError(`${JSON.stringify(one.name)} is no name for another compressor`)
      }
      byName.set(one.name, one)
    }
    this.byName = byName
    this.acceptText = [identity, ...byName.keys()].join(",")
  }

  /** The compressor of a name; `undefined` for `identity`, and for what this side has not. */
  find(name: string): Compressor | undefined {
    return this.byName.get(name)
  }

  /** The same, for a name that a user gives: a `RangeError` for what this side has not. */
  findOrThrow(name: string): Compressor | undefined {
    const compressor = this.find(name)
    if (compressor !== undefined || name === identity) return compressor
    throw new RangeError(`compression: there is no compressor ${JSON.stringify(name)}`)
  }

  /**
   * Who reads the peer's compressed messages, by its `grpc-encoding`;
   * `undefined` when they are not compressed. `role` is this side's.
   */
  forReceiving(role: "client" | "server", encoding: string | undefined): Compressor | UnsupportedEncoding | undefined {
    if (encoding === undefined || encoding === identity) return undefined
    return this.byName.get(encoding) ?? new UnsupportedEncoding(role, encoding, this.acceptText)
  }

  /**
   * Who compresses what a server sends: the first of `names`, its own wish,
   * that the client's `grpc-accept-encoding` has. `undefined`: messages are
   * sent as they are, which every peer takes.
   */
  forSending(names: ReadonlyArray<string>, peerAcceptText: string | undefined): Compressor | undefined {
    if (peerAcceptText === undefined) return undefined
    for (const name of names) {
      const compressor = this.byName.get(name)
      if (compressor !== undefined && HttpField.hasToken(peerAcceptText, name)) return compressor
    }
    return undefined
  }
}

/** Without a compressor. @category constructors */
export const none: GrpcEncodings = /*#__PURE__*/ new GrpcEncodings([])

/** Whether `value` is a reason, and no compressor. @category checking */
export const isUnsupported = (value: Compressor | UnsupportedEncoding | undefined): value is UnsupportedEncoding =>
  value instanceof UnsupportedEncoding

/** The message in `bytes`, or why there is none. The limit is the message's, decompressed. @category decompressing */
export const decompress = (
  compressor: Compressor,
  bytes: Uint8Array,
  maxReceiveBytes: number
): Uint8Array | InvalidCompression | MessageTooLarge => {
  const found = compressor.decompress(bytes, maxReceiveBytes)
  switch (found._tag) {
    case "Decompressed":
      return found.bytes
    case "Invalid":
      return new InvalidCompression(compressor.name)
    case "TooLarge":
      return new MessageTooLarge(maxReceiveBytes + 1, maxReceiveBytes)
  }
}
