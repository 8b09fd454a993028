/**
 * Version 2 of the PROXY header: binary, with TLVs and an optional checksum.
 *
 * @internal
 * @since 0.1.0
 */
import * as NetAddress from "effect/net/NetAddress"
import type { ByteQueue } from "../../bytes/ByteQueue.ts"
import * as Crc32c from "./Crc32c.ts"
import type { Decoded, EncodableHeader, Invalid, Local, Proxied, Tlv } from "./ProxyHeader.ts"

/** The CR of the signature. @category constants */
export const firstByte = 0x0d

/** @category decoding */
export const decode = (input: ByteQueue, maxPayloadBytes: number): Decoded => {
  for (let index = 0; index < Math.min(input.byteLength, signature.length); index++) {
    if (input.at(index) !== signature[index]) return invalid("the signature is wrong")
  }
  if (input.byteLength < headBytes) return { _tag: "NeedMore" }
  const versionAndCommand = input.at(12)
  const payloadBytes = (input.at(14) << 8) | input.at(15)
  if (versionAndCommand >> 4 !== 2) return invalid("the version is not 2")
  if ((versionAndCommand & 0x0f) > commandProxy) return invalid("the command is neither LOCAL nor PROXY")
  if (payloadBytes > maxPayloadBytes) return invalid(`the header is longer than ${maxPayloadBytes} bytes`)
  if (input.byteLength < headBytes + payloadBytes) return { _tag: "NeedMore" }
  const header = input.peek(headBytes + payloadBytes)
  // "the receiver must accept this connection as valid and must use the real connection endpoints
  //  and discard the protocol block including the family which is ignored"
  const decoded =
    (versionAndCommand & 0x0f) === commandLocal
      ? ({ _tag: "Local", version: 2, tlvs: [] } satisfies Local)
      : decodeProxied(header, input.at(13))
  if (decoded._tag !== "Invalid") input.skip(header.length)
  return decoded
}

/** @category encoding */
export const encode = (header: EncodableHeader): Uint8Array => {
  const tlvs = [...(header.tlvs ?? [])]
  if (header.checksum === true) tlvs.push({ type: typeCrc32c, value: new Uint8Array(4) })
  const [family, addresses] = encodeAddresses(header.addresses)
  const payloadBytes = addresses.length + tlvs.reduce((sum, tlv) => sum + 3 + tlv.value.length, 0)
  if (payloadBytes > 0xffff) throw new RangeError(`a PROXY header of ${payloadBytes} bytes; the limit is 65535`)
  const bytes = new Uint8Array(headBytes + payloadBytes)
  const view = new DataView(bytes.buffer)
  bytes.set(signature)
  bytes[12] = 0x20 | (header.addresses === undefined ? commandLocal : commandProxy)
  bytes[13] = family
  view.setUint16(14, payloadBytes)
  bytes.set(addresses, headBytes)
  let offset = headBytes + addresses.length
  for (const tlv of tlvs) {
    bytes[offset] = tlv.type
    view.setUint16(offset + 1, tlv.value.length)
    bytes.set(tlv.value, offset + 3)
    offset += 3 + tlv.value.length
  }
  // The checksum is the last TLV, and counts as zero in its own sum.
  if (header.checksum === true) view.setUint32(bytes.length - 4, Crc32c.of(bytes))
  return bytes
}

const signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a)
const headBytes = 16
const commandLocal = 0
const commandProxy = 1
const typeCrc32c = 0x03
const typeNoop = 0x04
const unixPathBytes = 108

type Family = 0 | 1 | 2 | 3

/** By family: bytes of the address block. */
const addressBytes: Readonly<Record<Family, number>> = { 0: 0, 1: 12, 2: 36, 3: 2 * unixPathBytes }

const invalid = (detail: string): Invalid => ({ _tag: "Invalid", detail })

const decodeProxied = (header: Uint8Array, familyAndTransport: number): Proxied | Local | Invalid => {
  const family = familyAndTransport >> 4
  const transport = familyAndTransport & 0x0f
  if (family > 3 || transport > 2) return invalid("the address family or the transport is not assigned")
  const tlvStart = headBytes + addressBytes[family as Family]
  if (header.length < tlvStart) return invalid("the header is too short for its addresses")
  const tlvs = decodeTlvs(header, tlvStart)
  if (!Array.isArray(tlvs)) return tlvs
  // "AF_UNSPEC … the receiver is free to accept the connection anyway and use the real endpoint addresses"
  if (family === 0 || transport === 0) return { _tag: "Local", version: 2, tlvs }
  const [source, destination] = decodeAddresses(header, family as 1 | 2 | 3)
  return {
    _tag: "Proxied",
    version: 2,
    transport: transport === 1 ? "stream" : "datagram",
    source,
    destination,
    tlvs
  }
}

const decodeAddresses = (
  header: Uint8Array,
  family: 1 | 2 | 3
): readonly [NetAddress.SocketAddress, NetAddress.SocketAddress] => {
  if (family === 3) {
    const source = header.subarray(headBytes, headBytes + unixPathBytes)
    return [decodePath(source), decodePath(header.subarray(headBytes + unixPathBytes, headBytes + 2 * unixPathBytes))]
  }
  const width = family === 1 ? 4 : 16
  const ports = headBytes + 2 * width
  const at = (start: number, port: number) =>
    NetAddress.inetAddressUnsafe(
      family === 1
        ? NetAddress.ipv4FromBytesUnsafe(header.slice(start, start + width))
        : NetAddress.ipv6FromBytesUnsafe(header.slice(start, start + width)),
      (header[port]! << 8) | header[port + 1]!
    )
  return [at(headBytes, ports), at(headBytes + width, ports + 2)]
}

const decodePath = (field: Uint8Array): NetAddress.SocketAddress => {
  // The first byte may be the zero of an abstract name; the path ends at the next one.
  const end = field.indexOf(0, 1)
  const path = new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
  return NetAddress.unixPathAddress(path === "\0" ? "" : path)
}

const decodeTlvs = (header: Uint8Array, start: number): Array<Tlv> | Invalid => {
  const tlvs: Array<Tlv> = []
  for (let offset = start; offset < header.length; ) {
    const valueStart = offset + 3
    if (valueStart > header.length) return invalid("a TLV is cut off")
    const type = header[offset]!
    const end = valueStart + ((header[offset + 1]! << 8) | header[offset + 2]!)
    if (end > header.length) return invalid("a TLV is longer than the header")
    if (type === typeCrc32c && !checksumHolds(header, valueStart, end)) return invalid("the checksum is wrong")
    if (type !== typeNoop) tlvs.push({ type, value: header.slice(valueStart, end) })
    offset = end
  }
  return tlvs
}

const checksumHolds = (header: Uint8Array, start: number, end: number): boolean => {
  if (end - start !== 4) return false
  const zeroed = header.slice()
  const view = new DataView(zeroed.buffer)
  const expected = view.getUint32(start)
  view.setUint32(start, 0)
  return Crc32c.of(zeroed) === expected
}

const encodeAddresses = (
  addresses: EncodableHeader["addresses"]
): readonly [familyAndTransport: number, Uint8Array] => {
  if (addresses === undefined) return [0, new Uint8Array(0)]
  const { destination, source } = addresses
  if (NetAddress.isUnixPathAddress(source) || NetAddress.isUnixPathAddress(destination)) {
    if (!NetAddress.isUnixPathAddress(source) || !NetAddress.isUnixPathAddress(destination)) {
      return [0, new Uint8Array(0)]
    }
    const bytes = new Uint8Array(2 * unixPathBytes)
    bytes.set(encodePath(source))
    bytes.set(encodePath(destination), unixPathBytes)
    return [0x31, bytes]
  }
  const v4 = NetAddress.isInetAddressV4(source) && NetAddress.isInetAddressV4(destination)
  const width = v4 ? 4 : 16
  const bytes = new Uint8Array(2 * width + 4)
  const view = new DataView(bytes.buffer)
  bytes.set(octets(source.address, v4))
  bytes.set(octets(destination.address, v4), width)
  view.setUint16(2 * width, source.port)
  view.setUint16(2 * width + 2, destination.port)
  return [v4 ? 0x11 : 0x21, bytes]
}

const encodePath = ({ path }: NetAddress.UnixPathAddress): Uint8Array => {
  const bytes = new TextEncoder().encode(path)
  if (bytes.length <= unixPathBytes) return bytes
  throw new RangeError(`a Unix path of ${bytes.length} bytes; the limit of a PROXY header is ${unixPathBytes}`)
}

const octets = (address: NetAddress.IpAddress, v4: boolean): ReadonlyArray<number> => {
  if (NetAddress.isIpv6Address(address)) return NetAddress.ipv6ToOctets(address)
  return v4 ? NetAddress.ipv4ToOctets(address) : NetAddress.ipv6ToOctets(NetAddress.toIpv4Mapped(address))
}
