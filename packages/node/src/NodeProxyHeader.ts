/**
 * Reads the PROXY header off an accepted socket, before TLS and before any
 * receiver sees a byte.
 *
 * @since 0.1.0
 */

import type * as Net from "node:net"
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as Limit from "@sluice/core/protocol/Limit"
import * as ProxyHeader from "@sluice/core/protocol/proxy/ProxyHeader"
import * as TransportError from "@sluice/core/transport/TransportError"
import type * as Duration from "effect/Duration"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as NodeError from "./NodeError.ts"

/** @category options */
export interface Options {
  /**
   * Who may speak for others: networks such as `10.0.0.0/8`, or single
   * addresses. A connection from there must begin with a valid header, any
   * other is taken as it is. Connections on a Unix socket are trusted when
   * this names anyone at all: who may connect is a matter of its permissions.
   */
  readonly trusted: ReadonlyArray<IpNetwork.IpNetworkInput>
  /** Longest wait for the whole header, above 0 and at most 24.8 days. Default 5 seconds. */
  readonly timeout?: Duration.Input | undefined
  /**
   * Most bytes of a version 2 header after its first 16: addresses and TLVs. At least 1; a
   * header can say 65,535. Default 4,096.
   */
  readonly maxPayloadBytes?: number | undefined
}

/**
 * The end of the header: what it says, or why the connection is refused.
 *
 * @category models
 */
export type Outcome =
  | ProxyHeader.ProxyHeader
  | { readonly _tag: "Failed"; readonly error: TransportError.TransportError }

/** @category models */
export class NodeProxyReader {
  private readonly trusted: ReadonlyArray<IpNetwork.IpNetwork>
  private readonly timeoutMillis: number
  private readonly maxPayloadBytes: number

  /** Throws a `RangeError` that names the option and its value. */
  constructor(options: Options) {
    this.trusted = options.trusted.map(toNetwork)
    this.timeoutMillis = Limit.millis("proxyProtocol.timeout", options.timeout ?? "5 seconds")
    this.maxPayloadBytes = Limit.count("proxyProtocol.maxPayloadBytes", options.maxPayloadBytes ?? 4_096)
  }

  /** Whether the peer of this socket must send a header. */
  trusts(peer: NetAddress.SocketAddress): boolean {
    return NetAddress.isUnixPathAddress(peer)
      ? this.trusted.length > 0
      : this.trusted.some((network) => IpNetwork.contains(network, peer.address))
  }

  /**
   * Reads the header off a paused socket and tells its end once; the socket is
   * paused again, what came after the header is back in it, and a socket that
   * failed is destroyed.
   */
  read(socket: Net.Socket, done: (outcome: Outcome) => void): void {
    const input = new ByteQueue()
    const settle = (outcome: Outcome) => {
      clearTimeout(timer)
      socket.off("data", onData).off("end", onEnd).off("error", onError).off("close", onEnd)
      if (outcome._tag === "Failed") {
        socket.on("error", () => {})
        socket.destroy()
      } else {
        socket.pause()
        if (input.byteLength > 0) socket.unshift(Buffer.from(input.takeAll()))
      }
      done(outcome)
    }
    const fail = (detail: string) => settle(failed(new TransportError.ProxyHeaderInvalid(detail)))
    const onData = (chunk: Uint8Array) => {
      input.push(chunk)
      const decoded = ProxyHeader.decode(input, this.maxPayloadBytes)
      if (decoded._tag === "Invalid") return fail(decoded.detail)
      if (decoded._tag === "NeedMore") return
      if (decoded._tag === "Proxied" && decoded.transport === "datagram") return fail("it tells of a datagram")
      settle(decoded)
    }
    const onEnd = () => fail("the connection ended before the header did")
    const onError = (error: Error) => settle({ _tag: "Failed", error: NodeError.fromStream(error) })
    const timer = setTimeout(() => fail(`no header within ${this.timeoutMillis} ms`), this.timeoutMillis)
    socket.on("data", onData).on("end", onEnd).on("error", onError).on("close", onEnd)
    socket.resume()
  }
}

const failed = (reason: TransportError.Reason): Outcome => ({ _tag: "Failed", error: TransportError.make(reason) })

const toNetwork = (input: IpNetwork.IpNetworkInput): IpNetwork.IpNetwork => {
  try {
    if (typeof input !== "string" || input.includes("/")) return IpNetwork.fromInputUnsafe(input)
    const address = NetAddress.ipFromStringUnsafe(input)
    return IpNetwork.fromAddressUnsafe(address, NetAddress.width(address))
  } catch (cause) {
    throw new RangeError(`proxyProtocol.trusted must be networks or addresses, but has "${String(input)}"`, { cause })
  }
}
