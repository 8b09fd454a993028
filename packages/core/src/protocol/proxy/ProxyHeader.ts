/**
 * The PROXY protocol, versions 1 and 2: a proxy tells in front of the stream
 * which client it speaks for (HAProxy, "The PROXY protocol", 2020/03/05).
 *
 * What a header says is as true as its sender: decode one only from addresses
 * that are trusted to send it.
 *
 * ```text
 * v1   PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n                  at most 107 bytes
 * v2   signature (12) | version, command | family, transport | length (2) | addresses | TLVs
 * ```
 *
 * @since 0.1.0
 */
import type * as NetAddress from "effect/net/NetAddress"
import type { ByteQueue } from "../../bytes/ByteQueue.ts"
import * as ProxyHeaderV1 from "./ProxyHeaderV1.ts"
import * as ProxyHeaderV2 from "./ProxyHeaderV2.ts"

/**
 * What a proxy may add in version 2: `type` is one byte, `value` up to 65,535.
 *
 * @category models
 */
export interface Tlv {
  readonly type: number
  readonly value: Uint8Array
}

/** The proxy speaks for a client. @category models */
export interface Proxied {
  readonly _tag: "Proxied"
  readonly version: 1 | 2
  readonly transport: "stream" | "datagram"
  /** The client. */
  readonly source: NetAddress.SocketAddress
  /** What the client connected to. */
  readonly destination: NetAddress.SocketAddress
  readonly tlvs: ReadonlyArray<Tlv>
}

/** The proxy speaks for itself (a health check), or does not know the client. @category models */
export interface Local {
  readonly _tag: "Local"
  readonly version: 1 | 2
  readonly tlvs: ReadonlyArray<Tlv>
}

/** @category models */
export type ProxyHeader = Proxied | Local

/** More bytes are needed; none were consumed. @category models */
export interface NeedMore {
  readonly _tag: "NeedMore"
}

/** This is no header, or a malformed one; none of it was consumed. @category models */
export interface Invalid {
  readonly _tag: "Invalid"
  readonly detail: string
}

/** @category models */
export type Decoded = ProxyHeader | NeedMore | Invalid

/**
 * Takes one header off the front of `input`. A wrong byte is `Invalid` as soon
 * as it is there. Needs at most 107 bytes for version 1, and 16 bytes plus
 * `maxPayloadBytes` (default 4,096) for version 2.
 *
 * @category decoding
 */
export const decode = (input: ByteQueue, maxPayloadBytes = 4_096): Decoded => {
  if (input.byteLength === 0) return { _tag: "NeedMore" }
  switch (input.at(0)) {
    case ProxyHeaderV1.firstByte:
      return ProxyHeaderV1.decode(input)
    case ProxyHeaderV2.firstByte:
      return ProxyHeaderV2.decode(input, maxPayloadBytes)
    default:
      return { _tag: "Invalid", detail: "the connection does not begin with a PROXY header" }
  }
}

/**
 * A version 1 header. Unix addresses cannot be said in it: it is `UNKNOWN`
 * then. Addresses of two families are both written as IPv6.
 *
 * @category encoding
 */
export const encodeV1: (source: NetAddress.SocketAddress, destination: NetAddress.SocketAddress) => Uint8Array =
  ProxyHeaderV1.encode

/**
 * A version 2 header; with `checksum`, a CRC-32C of it is added to the TLVs.
 * Throws a `RangeError` when addresses and TLVs pass 65,535 bytes, or a Unix
 * path passes 108.
 *
 * @category encoding
 */
export const encodeV2: (header: EncodableHeader) => Uint8Array = ProxyHeaderV2.encode

/** @category encoding */
export interface EncodableHeader {
  /** The client and what it connected to. `undefined`: the proxy speaks for itself (`LOCAL`). */
  readonly addresses?:
    | { readonly source: NetAddress.SocketAddress; readonly destination: NetAddress.SocketAddress }
    | undefined
  readonly tlvs?: ReadonlyArray<Tlv> | undefined
  readonly checksum?: boolean | undefined
}
