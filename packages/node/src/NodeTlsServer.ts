/**
 * The server's side of TLS handshakes, for the listener and for STARTTLS.
 *
 * Node verifies client certificates and reports failed handshakes only in
 * `tls.Server`, so there is one of those that never listens: sockets are
 * handed to it as its own `connection` events, as Node's documentation allows.
 *
 * @internal
 * @since 0.1.0
 */

import type * as Net from "node:net"
import * as Tls from "node:tls"
import type { TlsCertificates, TlsIdentity, TlsServerOptions } from "@sluice/core/transport/Tls"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as NodeError from "./NodeError.ts"
import * as NodeTls from "./NodeTls.ts"

interface Handshake {
  readonly done: (outcome: NodeTls.Outcome) => void
  readonly timer: NodeJS.Timeout
}

/** @category models */
export class NodeTlsServer {
  private readonly options: TlsServerOptions
  private readonly certificates: TlsCertificates
  private readonly limitMillis: number
  private readonly server: Tls.Server
  private readonly handshakes = new Map<Net.Socket, Handshake>()
  private readonly contexts = new WeakMap<TlsIdentity, Tls.SecureContext>()
  /** What a client without a server name is shown; the server's default context is made of it. */
  private fallback: TlsIdentity

  /** Throws OpenSSL's error when the identity for clients without a server name cannot be used. */
  constructor(options: TlsServerOptions) {
    const certificates = options.certificates
    this.options = options
    this.certificates = "resolve" in certificates ? certificates : { resolve: () => certificates }
    this.limitMillis = NodeTls.handshakeTimeoutMillis(options)
    this.fallback = this.certificates.resolve(undefined)
    this.server = Tls.createServer({
      ...this.contextOptions(this.fallback),
      requestCert: (options.clientCertificates ?? "none") !== "none",
      rejectUnauthorized: options.clientCertificates === "require",
      pauseOnConnect: true,
      // The timer that tells the reason is the one in `handshake`; this one comes with Node.
      handshakeTimeout: this.limitMillis,
      SNICallback: (serverName, answer) => this.select(serverName, answer),
      ...(options.alpnProtocols === undefined ? {} : { ALPNProtocols: [...options.alpnProtocols] })
    })
    this.server.on("secureConnection", (socket) => {
      socket.allowHalfOpen = true
      socket.disableRenegotiation()
      const serverName = typeof socket.servername === "string" ? socket.servername : undefined
      this.settle(socket, () => NodeTls.secured(socket, serverName))
    })
    this.server.on("tlsClientError", (error, socket) => {
      socket.destroy()
      this.settle(socket, () => NodeTls.failed(this.reasonOf(error, socket)))
    })
  }

  /**
   * Starts a handshake on a socket that is paused and tells its end once. The
   * socket is destroyed when it fails; destroying the socket gives it up.
   */
  handshake(raw: Net.Socket, done: (outcome: NodeTls.Outcome) => void): void {
    try {
      this.refresh()
    } catch (error) {
      raw.destroy()
      done(NodeTls.failed(NodeTls.certificateInvalid("the default identity", error)))
      return
    }
    const timer = setTimeout(() => {
      this.handshakes.delete(raw)
      raw.destroy()
      done(NodeTls.failed(TransportError.make(new TransportError.TlsHandshakeTimeout(this.limitMillis))))
    }, this.limitMillis)
    this.handshakes.set(raw, { done, timer })
    // A client that ends before the handshake does is gone: Node closes the TLS socket then, but
    // only when it may not be half open, which it takes from the socket beneath.
    raw.allowHalfOpen = false
    this.server.emit("connection", raw)
  }

  private refresh(): void {
    const identity = this.certificates.resolve(undefined)
    if (identity === this.fallback) return
    this.server.setSecureContext(this.contextOptions(identity))
    this.fallback = identity
  }

  private select(serverName: string, answer: (error: Error | null, context?: Tls.SecureContext) => void): void {
    try {
      const identity = this.certificates.resolve(serverName)
      if (identity === this.fallback) answer(null)
      else answer(null, this.contextOf(identity))
    } catch (error) {
      answer(error as Error)
    }
  }

  private contextOf(identity: TlsIdentity): Tls.SecureContext {
    let context = this.contexts.get(identity)
    if (context === undefined) {
      context = Tls.createSecureContext(this.contextOptions(identity))
      this.contexts.set(identity, context)
    }
    return context
  }

  private contextOptions(identity: TlsIdentity): Tls.SecureContextOptions {
    return NodeTls.contextOptions(identity, this.options.authorities, this.options.minVersion)
  }

  /**
   * Tells the end of the handshake on the socket beneath `socket`. Which one
   * that is, only a field of Node's own says (`_parent`): should it ever be
   * missing, the connection is closed and the handshake runs into its timeout;
   * it is never taken for another one's.
   */
  private settle(socket: Tls.TLSSocket, outcome: () => NodeTls.Outcome): void {
    const raw = (socket as { readonly _parent?: Net.Socket })._parent
    const handshake = raw === undefined ? undefined : this.handshakes.get(raw)
    if (raw === undefined || handshake === undefined) {
      socket.destroy()
      return
    }
    this.handshakes.delete(raw)
    clearTimeout(handshake.timer)
    handshake.done(outcome())
  }

  private reasonOf(error: NodeError.NodeError, socket: Tls.TLSSocket): TransportError.TransportError {
    // A refused client certificate ends as a closed socket that remembers why.
    const verdict = socket.authorizationError as unknown as string | null
    return verdict !== null && this.options.clientCertificates === "require"
      ? TransportError.make(new TransportError.TlsHandshakeFailed(verdict, "the client's certificate was refused"))
      : NodeError.fromHandshake(error)
  }
}

/** The identity for clients without a server name, where it can be told. @category accessors */
export const identityOf = ({ certificates }: TlsServerOptions): TlsIdentity | undefined => {
  if (!("resolve" in certificates)) return certificates
  try {
    return certificates.resolve(undefined)
  } catch {
    return undefined
  }
}

const servers = new WeakMap<TlsServerOptions, NodeTlsServer>()

/**
 * The server for these options: one for each options object, for as long as
 * that lives. Throws OpenSSL's error when the default identity cannot be used.
 *
 * @category constructors
 */
export const forOptionsUnsafe = (options: TlsServerOptions): NodeTlsServer => {
  let server = servers.get(options)
  if (server === undefined) {
    server = new NodeTlsServer(options)
    servers.set(options, server)
  }
  return server
}
