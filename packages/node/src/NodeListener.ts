/**
 * Listens on a TCP port or a Unix socket, in cleartext or with TLS.
 *
 * A connection is handed over when it is ready to be used: after its PROXY
 * header and its TLS handshake, whose time, size and number are limited. Until
 * then it belongs to the listener, and goes down with it.
 *
 * @internal
 * @since 0.1.0
 */

import * as Net from "node:net"
import * as Limit from "@sluice/core/protocol/Limit"
import * as Listener from "@sluice/core/transport/Listener"
import type { TlsServerOptions } from "@sluice/core/transport/Tls"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import { NodeAcceptQueue } from "./NodeAcceptQueue.ts"
import * as NodeAddress from "./NodeAddress.ts"
import { NodeAdmission } from "./NodeAdmission.ts"
import * as NodeError from "./NodeError.ts"
import { NodeProxyReader, type Options as ProxyOptions } from "./NodeProxyHeader.ts"
import * as NodeSocketOptions from "./NodeSocketOptions.ts"
import type { Facts } from "./NodeSocketTransport.ts"
import * as NodeTls from "./NodeTls.ts"
import { identityOf, NodeTlsServer } from "./NodeTlsServer.ts"
import * as NodeUnixPath from "./NodeUnixPath.ts"

/**
 * Where to listen: a port of a host, or the path of a Unix socket.
 *
 * @category options
 */
export type Options = TcpOptions | UnixOptions

/** @category options */
export interface TcpOptions extends CommonOptions, NodeSocketOptions.Options {
  /** 0 to 65535; 0 takes any free port, told by `address`. Default 0. */
  readonly port?: number | undefined
  /** Name or address to bind. Default: all addresses, IPv6 and IPv4. */
  readonly host?: string | undefined
  /** `true` refuses IPv4 on an IPv6 address (`IPV6_V6ONLY`). Default `false`. */
  readonly ipv6Only?: boolean | undefined
  /** `true` lets several processes listen on one port, and the kernel share out connections. Default `false`. */
  readonly reusePort?: boolean | undefined
  readonly path?: never
  readonly mode?: never
}

/** @category options */
export interface UnixOptions extends CommonOptions {
  /**
   * The socket file, of at most 107 bytes. A dead socket that stands there is removed; anything
   * else is `AddressInUse`. On Linux a path that begins with `\0` is an
   * abstract socket.
   */
  readonly path: string
  /** Permissions of the socket file, such as `0o660`. Default: what the umask leaves. */
  readonly mode?: number | undefined
  readonly port?: never
  readonly host?: never
  readonly ipv6Only?: never
  readonly reusePort?: never
  readonly noDelay?: never
  readonly keepAliveDelay?: never
}

/** @category options */
export interface CommonOptions {
  /**
   * Connections that may wait for the process to take them from the kernel,
   * and as many again that wait, paused, for the program to accept. At least
   * 1. Default 511.
   */
  readonly backlog?: number | undefined
  /**
   * Most connections of this listener at one time; one more is closed at once
   * and reported as `TooManyConnections`. At least 1. Default `"unbounded"`: the
   * server above limits what it serves, and has the excess wait its turn.
   */
  readonly maxConnections?: number | "unbounded" | undefined
  /**
   * Most connections that may be in their PROXY header or TLS handshake at one
   * time; one more is closed at once and reported as `TooManyConnections`. At
   * least 1. Default 1,024. No effect on cleartext without PROXY.
   */
  readonly maxOpening?: number | undefined
  /** Speak TLS from the first byte. Default: cleartext. */
  readonly tls?: TlsServerOptions | undefined
  /** Take the client's address from the PROXY headers of trusted proxies. Default: off. */
  readonly proxyProtocol?: ProxyOptions | undefined
}

/**
 * Binds the address; closing the scope stops listening. Fails with
 * `AddressInUse`, `AddressUnavailable`, `PermissionDenied`,
 * `ResourceExhausted`, or `CertificateInvalid`. A limit that makes no sense is
 * a `RangeError` that names it, as a defect.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Listener.Listener["Service"], TransportError.TransportError, Scope.Scope> {
  const backlog = Limit.count("backlog", options.backlog ?? 511)
  const maxConnections = Limit.countOrUnbounded("maxConnections", options.maxConnections ?? "unbounded")
  const queue = new NodeAcceptQueue(backlog)
  const facts: Facts =
    options.path !== undefined
      ? { local: NetAddress.unixPathAddress(options.path), peer: NodeAddress.unnamed }
      : { local: undefined, peer: undefined }
  const server = Net.createServer({
    ...(options.path !== undefined ? {} : NodeSocketOptions.toNative(options)),
    allowHalfOpen: true,
    pauseOnConnect: true
  })
  if (Number.isFinite(maxConnections)) {
    server.maxConnections = maxConnections
    server.on("drop", (dropped) => {
      const peer = facts.peer ?? NodeAddress.fromNative(dropped?.remoteAddress, dropped?.remotePort)
      queue.refuse(TransportError.make(new TransportError.TooManyConnections("total", maxConnections)), peer)
    })
  }
  const admission = new NodeAdmission({
    queue,
    maxOpening: Limit.count("maxOpening", options.maxOpening ?? 1024),
    facts,
    proxy: options.proxyProtocol === undefined ? undefined : new NodeProxyReader(options.proxyProtocol),
    tls: options.tls === undefined ? undefined : yield* makeTls(options.tls)
  })
  server.on("connection", (socket) => admission.admit(socket))

  const close = Effect.sync(() => {
    if (server.listening) server.close()
    admission.close()
    queue.close()
  })
  yield* Effect.acquireRelease(bind(server, options, backlog), () => close)
  const asked = format(options)
  server.on("error", (error) => queue.refuse(NodeError.fromListen(error, asked), undefined))
  return Listener.Listener.of({
    address: NodeAddress.fromServer(server.address()),
    accept: (acceptor) => Effect.sync(() => queue.accept(acceptor)),
    close
  })
})

/**
 * Provides a `Listener` on Node's sockets. Options that make no sense are
 * defects.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Listener.Listener, TransportError.TransportError> =>
  Layer.effect(Listener.Listener)(make(options))

const makeTls = (options: TlsServerOptions): Effect.Effect<NodeTlsServer, TransportError.TransportError> =>
  Effect.suspend(() => {
    NodeTls.handshakeTimeoutMillis(options)
    return Effect.try({
      try: () => new NodeTlsServer(options),
      catch: (error) => NodeTls.optionsInvalid("the listener", identityOf(options), error)
    })
  })

const format = (options: Options): string =>
  options.path !== undefined
    ? `unix://${options.path}`
    : `${NetAddress.formatUrlHostString(options.host ?? "::")}:${options.port ?? 0}`

const bind = Effect.fnUntraced(function* (server: Net.Server, options: Options, backlog: number) {
  if (options.path !== undefined) yield* NodeUnixPath.clear(options.path)
  yield* listen(server, listenOptions(options, backlog), format(options))
  if (options.path !== undefined && options.mode !== undefined) {
    yield* NodeUnixPath.setMode(options.path, options.mode).pipe(
      Effect.tapError(() => Effect.sync(() => server.close()))
    )
  }
})

const listenOptions = (options: Options, backlog: number): Net.ListenOptions => {
  if (options.path !== undefined) return { path: options.path, backlog }
  return {
    port: options.port ?? 0,
    backlog,
    ipv6Only: options.ipv6Only ?? false,
    reusePort: options.reusePort ?? false,
    ...(options.host === undefined ? {} : { host: options.host })
  }
}

const listen = (
  server: Net.Server,
  options: Net.ListenOptions,
  address: string
): Effect.Effect<void, TransportError.TransportError> =>
  Effect.callback((resume) => {
    const onError = (error: Error) => {
      server.off("listening", onListening)
      resume(Effect.fail(NodeError.fromListen(error, address)))
    }
    const onListening = () => {
      server.off("error", onError)
      resume(Effect.void)
    }
    server.once("error", onError)
    server.once("listening", onListening)
    server.listen(options)
  })
