/**
 * A network in memory: listeners with names and ports, and a dialer that finds
 * them. The same servers and clients run on it as on real sockets, without a
 * port, on a test clock.
 *
 * ```ts
 * const Net = MemoryNetwork.layer()
 * const Server = Echo.pipe(
 *   Layer.provide(TcpServer.layer()),
 *   Layer.provide(MemoryNetwork.layerListener({ host: "echo.test", port: 7 })),
 *   Layer.provide(Net)
 * )
 * const Client = MemoryNetwork.layerDialer.pipe(Layer.provide(Net))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Dialer from "./Dialer.ts"
import { type Acceptor, Listener } from "./Listener.ts"
import * as MemoryTransport from "./MemoryTransport.ts"
import type { Transport } from "./Transport.ts"
import * as TransportError from "./TransportError.ts"

/** @category services */
export class MemoryNetwork extends Context.Service<
  MemoryNetwork,
  {
    readonly listen: (
      options: ListenOptions
    ) => Effect.Effect<Listener["Service"], TransportError.TransportError, Scope.Scope>
    readonly dial: Dialer.Dialer["Service"]["dial"]
    /** Transports that are open now, both sides counted. */
    readonly openCount: () => number
  }
>()("@sluice/core/transport/MemoryNetwork") {}

/** @category options */
export interface Options {
  /** Buffers of each connection, in bytes a direction, at least 1. Default 65,536. */
  readonly bufferBytes?: number | undefined
}

/** @category options */
export interface ListenOptions {
  /** A name or an IP address. A name gets an address of `10.0.0.0/16`. Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** 0 to 65,535; 0 takes a free one. */
  readonly port: number
  /** Connections that may wait for an acceptor, at least 0. Default 511. */
  readonly backlog?: number | undefined
}

/** @category constructors */
export const make = (options?: Options): MemoryNetwork["Service"] => new Network(options?.bufferBytes)

/** @category layers */
export const layer = (options?: Options): Layer.Layer<MemoryNetwork> =>
  Layer.sync(MemoryNetwork, () => MemoryNetwork.of(make(options)))

/** @category layers */
export const layerListener = (
  options: ListenOptions
): Layer.Layer<Listener, TransportError.TransportError, MemoryNetwork> =>
  Layer.effect(
    Listener,
    Effect.flatMap(MemoryNetwork, (network) => network.listen(options))
  )

/** @category layers */
export const layerDialer: Layer.Layer<Dialer.Dialer, never, MemoryNetwork> = Layer.effect(
  Dialer.Dialer,
  Effect.map(MemoryNetwork, (network) => Dialer.Dialer.of({ dial: network.dial }))
)

const firstDynamicPort = 49_152

class Network {
  private readonly bufferBytes: number | undefined
  private readonly names = new Map<string, string>([["localhost", "127.0.0.1"]])
  private readonly listeners = new Map<string, MemoryListener>()
  private nextPort = firstDynamicPort
  private open = 0

  constructor(bufferBytes: number | undefined) {
    this.bufferBytes = bufferBytes
  }

  readonly openCount = (): number => this.open

  readonly listen = (options: ListenOptions): ReturnType<MemoryNetwork["Service"]["listen"]> =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        const host = options.host ?? "127.0.0.1"
        const address = options.port === 0 ? this.freeAddress(host) : this.address(host, options.port)
        const key = NetAddress.formatSocketAddress(address)
        if (this.listeners.has(key)) return Effect.fail(TransportError.make(new TransportError.AddressInUse(key)))
        const listener: MemoryListener = new MemoryListener(address, options.backlog ?? 511, () => {
          if (this.listeners.get(key) === listener) this.listeners.delete(key)
        })
        this.listeners.set(key, listener)
        return Effect.succeed(listener)
      }),
      (listener) => listener.close
    )

  /** Answers at once, so no timeout of `options` is ever reached. */
  readonly dial: Dialer.Dialer["Service"]["dial"] = (target, options) =>
    Effect.acquireRelease(this.connect(target, options), (transport) => Effect.sync(() => transport.destroy()))

  private connect(
    target: Dialer.Target,
    options: Dialer.DialOptions | undefined
  ): Effect.Effect<Transport, TransportError.TransportError> {
    return Effect.suspend(() => {
      if (options?.tls !== undefined) {
        return Effect.fail(TransportError.make(new TransportError.Unsupported("a network in memory speaks no TLS")))
      }
      const address = this.resolve(target)
      if (address === undefined) {
        return Effect.fail(
          TransportError.make(new TransportError.NameNotResolved(Dialer.formatTarget(target), "ENOTFOUND"))
        )
      }
      const listener = this.listeners.get(NetAddress.formatSocketAddress(address))
      const local = NetAddress.inetAddressFromIpStringUnsafe("127.0.0.1", this.takePort())
      const [client, server] = MemoryTransport.pair({ bufferBytes: this.bufferBytes, addresses: [local, address] })
      if (listener === undefined || !listener.offer(server)) {
        return Effect.fail(
          TransportError.make(new TransportError.ConnectionRefused(NetAddress.formatSocketAddress(address)))
        )
      }
      for (const transport of [client, server]) {
        this.open++
        transport.observeClose(() => this.open--)
      }
      return Effect.succeed(client)
    })
  }

  /** The next port of the range that RFC 6335 §6 leaves to such use, beginning anew at its end. */
  private takePort(): number {
    const port = this.nextPort
    this.nextPort = port === 65_535 ? firstDynamicPort : port + 1
    return port
  }

  /** An address at which nobody listens, if there is one. */
  private freeAddress(host: string): NetAddress.SocketAddress {
    let address = this.address(host, this.takePort())
    for (let tried = firstDynamicPort; tried < 65_535; tried++) {
      if (!this.listeners.has(NetAddress.formatSocketAddress(address))) break
      address = this.address(host, this.takePort())
    }
    return address
  }

  private address(host: string, port: number): NetAddress.SocketAddress {
    const ip = Result.isSuccess(NetAddress.ipFromString(host)) ? host : this.nameOf(host)
    return NetAddress.inetAddressFromIpStringUnsafe(ip, port)
  }

  private nameOf(host: string): string {
    const known = this.names.get(host)
    if (known !== undefined) return known
    const made = `10.0.${this.names.size >> 8}.${this.names.size & 255}`
    this.names.set(host, made)
    return made
  }

  private resolve(target: Dialer.Target): NetAddress.SocketAddress | undefined {
    if (NetAddress.isSocketAddress(target)) return target
    if ("path" in target) return NetAddress.unixPathAddress(target.path)
    if (Result.isFailure(NetAddress.ipFromString(target.host)) && !this.names.has(target.host)) return undefined
    return this.address(target.host, target.port)
  }
}

class MemoryListener {
  readonly address: NetAddress.SocketAddress
  private readonly backlog: number
  private readonly forget: () => void
  private readonly waiting: Array<Transport> = []
  private acceptor: Acceptor | undefined

  constructor(address: NetAddress.SocketAddress, backlog: number, forget: () => void) {
    this.address = address
    this.backlog = backlog
    this.forget = forget
  }

  /** `false`: the backlog is full. */
  offer(transport: Transport): boolean {
    if (this.acceptor !== undefined) {
      this.acceptor.onTransport(transport)
      return true
    }
    if (this.waiting.length >= this.backlog) return false
    this.waiting.push(transport)
    return true
  }

  readonly accept = (acceptor: Acceptor): Effect.Effect<void> =>
    Effect.sync(() => {
      this.acceptor = acceptor
      for (const transport of this.waiting.splice(0)) acceptor.onTransport(transport)
    })

  readonly close: Effect.Effect<void> = Effect.sync(() => {
    this.forget()
    for (const transport of this.waiting.splice(0)) transport.destroy()
  })
}
