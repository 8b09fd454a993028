/**
 * Node's spelling of addresses, to and from `NetAddress`.
 *
 * @internal
 * @since 0.1.0
 */

import type * as Net from "node:net"
import * as Os from "node:os"
import * as NetAddress from "effect/net/NetAddress"

/**
 * The address of a Unix socket's end that has no path: every dialing end. Its
 * path is the empty string.
 *
 * @category constructors
 */
export const unnamed: NetAddress.SocketAddress = NetAddress.unixPathAddress("")

/**
 * What is answered when the system no longer knows an address, because the
 * connection was gone before anyone asked.
 */
const unknown: NetAddress.SocketAddress = NetAddress.inetAddressFromNativeUnsafe("0.0.0.0", 0)

/**
 * An address as `node:net` reports it. IPv4 clients of a dual-stack listener
 * come as IPv4 addresses, not as `::ffff:…`.
 *
 * @category constructors
 */
export const fromNative = (host: string | undefined, port: number | undefined): NetAddress.SocketAddress => {
  if (host === undefined || port === undefined) return unknown
  if (host.startsWith("::ffff:") && host.includes("."))
    return NetAddress.inetAddressFromNativeUnsafe(host.slice(7), port)
  const zoneStart = host.indexOf("%")
  if (zoneStart < 0) return NetAddress.inetAddressFromNativeUnsafe(host, port)
  const scopeIds = NetAddress.scopeIdsFromInterfaces(Object.entries(Os.networkInterfaces()))
  // An interface that is gone by now has no number: the address stands without its zone.
  return scopeIds.has(host.slice(zoneStart + 1))
    ? NetAddress.inetAddressFromNativeUnsafe(host, port, scopeIds)
    : NetAddress.inetAddressFromNativeUnsafe(host.slice(0, zoneStart), port)
}

/** The host of an address as `node:net` wants it. @category converting */
export const toNativeHost = (address: NetAddress.InetAddress): string =>
  NetAddress.isInetAddressV6(address) && address.scopeId !== 0
    ? NetAddress.formatNativeHost(
        address,
        NetAddress.scopeIdsFromInterfaces(Object.entries(Os.networkInterfaces())),
        process.platform
      )
    : NetAddress.formatHost(address)

/** @category constructors */
export const fromServer = (address: string | Net.AddressInfo | null): NetAddress.SocketAddress => {
  if (address === null) return unknown
  return typeof address === "string" ? NetAddress.unixPathAddress(address) : fromNative(address.address, address.port)
}
