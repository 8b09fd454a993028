/**
 * How many connections a server holds, in total and from one address.
 *
 * IPv6 peers are counted by their /64, which is what one subscriber gets; an
 * attacker who owns one must not have 2^64 addresses to spend. IPv4 addresses
 * that are mapped into IPv6 count as IPv4.
 *
 * @since 0.1.0
 */
import * as NetAddress from "effect/net/NetAddress"
import * as Limit from "../protocol/Limit.ts"
import * as TransportError from "../transport/TransportError.ts"

/** @category options */
export interface Options {
  /**
   * Connections that are served at a time; at least 1. Default 10,000. Beyond
   * it, new ones wait unread in `maxWaiting` places until one closes.
   */
  readonly maxConnections?: number | "unbounded" | undefined
  /** Connections of one peer address (IPv4, or IPv6 /64), waiting ones included; at least 1. Default unbounded. */
  readonly maxConnectionsPerAddress?: number | "unbounded" | undefined
  /** Accepted connections that may wait for a free place; at least 0. Default 511. The next one is refused. */
  readonly maxWaiting?: number | undefined
}

/** What is to be done with a new connection. @category models */
export type Verdict = "admit" | "wait" | TransportError.TooManyConnections

/** @category models */
export class ConnectionLimits {
  private readonly maxTotal: number
  private readonly maxPerAddress: number
  readonly maxWaiting: number
  private readonly perAddress = new Map<string, number>()
  /** Connections that hold a place. */
  admitted = 0

  constructor(options?: Options) {
    this.maxTotal = Limit.countOrUnbounded("maxConnections", options?.maxConnections ?? 10_000)
    this.maxPerAddress = Limit.countOrUnbounded(
      "maxConnectionsPerAddress",
      options?.maxConnectionsPerAddress ?? "unbounded"
    )
    this.maxWaiting = Limit.count("maxWaiting", options?.maxWaiting ?? 511, 0)
  }

  /** Addresses that hold a place; known only while there is a limit for one. */
  get addressCount(): number {
    return this.perAddress.size
  }

  /** Judges a connection of `key`, while `waitingCount` others wait. Reserves nothing. */
  judge(key: string, waitingCount: number): Verdict {
    if (this.countOf(key) >= this.maxPerAddress) {
      return new TransportError.TooManyConnections("per address", this.maxPerAddress)
    }
    if (this.hasPlace()) return "admit"
    if (waitingCount < this.maxWaiting) return "wait"
    return new TransportError.TooManyConnections("total", this.maxTotal)
  }

  /** Whether another connection can be served. */
  hasPlace(): boolean {
    return this.admitted < this.maxTotal
  }

  /** Counts a connection that is served. */
  take(key: string): void {
    this.admitted++
    this.hold(key)
  }

  release(key: string): void {
    this.admitted--
    this.letGo(key)
  }

  /** Counts a connection that waits: for its address, and not as one that is served. */
  hold(key: string): void {
    if (this.maxPerAddress !== Number.POSITIVE_INFINITY) this.perAddress.set(key, this.countOf(key) + 1)
  }

  letGo(key: string): void {
    const count = this.countOf(key) - 1
    if (count > 0) this.perAddress.set(key, count)
    else this.perAddress.delete(key)
  }

  private countOf(key: string): number {
    return this.perAddress.get(key) ?? 0
  }
}

/**
 * What connections of one peer have in common.
 *
 * @category converting
 */
export const addressKey = (address: NetAddress.SocketAddress): string => {
  if (!NetAddress.isInetAddress(address)) return "unix"
  const { address: ip } = NetAddress.toCanonical(address)
  if (NetAddress.isIpv4Address(ip)) return NetAddress.formatIp(ip)
  return NetAddress.ipv6ToSegments(ip).slice(0, 4).join(":")
}
