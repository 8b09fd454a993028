/**
 * Whom requests are counted for: an IPv4 address, or the /64 of an IPv6 one.
 *
 * One subscriber gets a /64 at least; who owns one must not have 2^64 shares.
 * IPv4 addresses that are mapped into IPv6 count as IPv4.
 *
 * @internal
 * @since 0.1.0
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

/**
 * The key of the client of `request`. Behind proxies it is the client's only
 * with Effect's `HttpMiddleware.xForwardedHeaders`. Clients without an address
 * (Unix sockets) have one key together.
 *
 * @category converting
 */
export const keyOf = (request: HttpServerRequest): string =>
  Option.match(request.remoteAddress, { onNone: () => "unknown", onSome: keyOfText })

/**
 * The key of an address as text.
 *
 * @category converting
 */
export const keyOfText = (text: string): string => {
  if (!text.includes(":")) return text
  const zone = text.indexOf("%")
  const parsed = NetAddress.ipFromString(zone === -1 ? text : text.slice(0, zone))
  if (Result.isFailure(parsed)) return "unknown"
  const address = NetAddress.toCanonical(parsed.success)
  if (NetAddress.isIpv4Address(address)) return NetAddress.formatIp(address)
  return `${NetAddress.ipv6ToSegments(address)
    .slice(0, 4)
    .map((segment) => segment.toString(16))
    .join(":")}::/64`
}
