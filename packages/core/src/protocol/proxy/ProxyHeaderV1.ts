/**
 * Version 1 of the PROXY header: one line of text.
 *
 * @internal
 * @since 0.1.0
 */
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type { ByteQueue } from "../../bytes/ByteQueue.ts"
import type { Decoded, Invalid } from "./ProxyHeader.ts"

/** `P` @category constants */
export const firstByte = 0x50

/** The longest line, its CR LF included. @category constants */
export const maxBytes = 107

/** @category decoding */
export const decode = (input: ByteQueue): Decoded => {
  const available = Math.min(input.byteLength, maxBytes)
  for (let index = 0; index < Math.min(available, prefix.length); index++) {
    if (input.at(index) !== prefix.charCodeAt(index)) return invalid("the line does not begin with PROXY")
  }
  const lineFeed = input.indexOf(0x0a)
  if (lineFeed < 0 || lineFeed >= maxBytes) {
    return available < maxBytes ? { _tag: "NeedMore" } : invalid("the line is longer than 107 bytes")
  }
  if (input.at(lineFeed - 1) !== 0x0d) return invalid("the line does not end with CR LF")
  const decoded = decodeLine(String.fromCharCode(...input.peek(lineFeed - 1)))
  if (decoded._tag !== "Invalid") input.skip(lineFeed + 1)
  return decoded
}

/** @category encoding */
export const encode = (source: NetAddress.SocketAddress, destination: NetAddress.SocketAddress): Uint8Array =>
  new TextEncoder().encode(`${prefix}${formatAddresses(source, destination)}\r\n`)

const prefix = "PROXY "

const invalid = (detail: string): Invalid => ({ _tag: "Invalid", detail })

const decodeLine = (line: string): Decoded => {
  const [, protocol, source, destination, sourcePort, destinationPort, ...rest] = line.split(" ")
  // "the receiver must ignore anything presented before the CRLF is found"
  if (protocol === "UNKNOWN") return { _tag: "Local", version: 1, tlvs: [] }
  if (protocol !== "TCP4" && protocol !== "TCP6") return invalid("the protocol is none of TCP4, TCP6, UNKNOWN")
  if (destinationPort === undefined || rest.length > 0) return invalid("the line does not have six words")
  const from = decodeAddress(protocol, source!, sourcePort!)
  const to = decodeAddress(protocol, destination!, destinationPort)
  if (from === undefined || to === undefined) return invalid(`an address or port is not one of ${protocol}`)
  return { _tag: "Proxied", version: 1, transport: "stream", source: from, destination: to, tlvs: [] }
}

const decodeAddress = (protocol: "TCP4" | "TCP6", host: string, port: string): NetAddress.InetAddress | undefined => {
  const address: Result.Result<NetAddress.IpAddress, unknown> =
    protocol === "TCP4" ? NetAddress.ipv4FromString(host) : NetAddress.ipv6FromString(host)
  if (Result.isFailure(address) || !decimalPort.test(port)) return undefined
  return Result.getOrUndefined(NetAddress.inetAddress(address.success, Number(port)))
}

/** "a decimal number with no leading zero"; above 65,535 it is no port. */
const decimalPort = /^(?:0|[1-9][0-9]{0,4})$/

const formatAddresses = (source: NetAddress.SocketAddress, destination: NetAddress.SocketAddress): string => {
  if (!NetAddress.isInetAddress(source) || !NetAddress.isInetAddress(destination)) return "UNKNOWN"
  const v4 = NetAddress.isInetAddressV4(source) && NetAddress.isInetAddressV4(destination)
  const format = (address: NetAddress.InetAddress) => formatIp(address.address, v4)
  return `${v4 ? "TCP4" : "TCP6"} ${format(source)} ${format(destination)} ${source.port} ${destination.port}`
}

const formatIp = (address: NetAddress.IpAddress, v4: boolean): string =>
  v4 || NetAddress.isIpv6Address(address)
    ? NetAddress.formatIp(address)
    : NetAddress.formatIp(NetAddress.toIpv4Mapped(address))
