/**
 * A transport over a `node:net` or `node:tls` socket.
 *
 * Hot path (bench row `tcp/echo-transport`): one plain class, one set of
 * shared listeners for all sockets, nothing allocated for a chunk. Node's
 * stream does the buffering; this class adds the order of events that
 * `Transport` promises and Node does not: no end while paused, one close, and
 * a close that waits for a receiver.
 *
 * A paused socket is not read, so that a peer that resets it is noticed when
 * it is resumed or written to.
 *
 * @internal
 * @since 0.1.0
 */

import type * as Net from "node:net"
import type { TlsInfo, TlsUpgrade } from "@sluice/core/transport/Tls"
import type { Receiver, Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import type * as NetAddress from "effect/net/NetAddress"
import * as NodeAddress from "./NodeAddress.ts"
import * as NodeError from "./NodeError.ts"
import * as NodeTls from "./NodeTls.ts"
import * as NodeTlsServer from "./NodeTlsServer.ts"

/**
 * What is known of a socket already, in place of what the system says.
 *
 * @category models
 */
export interface Facts {
  readonly local?: NetAddress.SocketAddress | undefined
  readonly peer?: NetAddress.SocketAddress | undefined
  readonly tls?: TlsInfo | undefined
  /** The name that was dialed: what a TLS upgrade as the client asks for and verifies. */
  readonly host?: string | undefined
}

interface HeldOutput {
  readonly chunks: Array<Uint8Array>
  bytes: number
  /** `onDrain` is owed for a write that answered `false`. */
  drainOwed: boolean
  ended: boolean
}

type CloseObserver = (error: TransportError.TransportError | undefined) => void

/** The transport of a socket, kept on the socket so that all sockets share their listeners. */
const owner: unique symbol = Symbol("@sluice/node/NodeSocketTransport")

interface OwnedSocket extends Net.Socket {
  [owner]: NodeSocketTransport
}

// What `write` may do, in order: a phase never goes back, but for Upgrading to Open.
const Open = 0
/** The TLS handshake runs: what is written waits for it. */
const Upgrading = 1
/** `end` was called. */
const Ended = 2
/** `destroy` was called, or the socket failed: only the close is to come. */
const Destroyed = 3
const Closed = 4

/** Stands in until `attach`; nothing reaches it, because the socket is paused until then. */
const nobody: Receiver = { onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} }

/** @category models */
export class NodeSocketTransport implements Transport {
  private socket: Net.Socket
  private receiver: Receiver = nobody
  private phase = Open
  private paused = true
  private received = 0
  private sent = 0
  /** The peer ended while the transport was paused: told at `resume`. */
  private endHeld = false
  private peerEnded = false
  /** Closed before anyone was attached: told at `attach`. */
  private closeHeld = false
  private closeError: TransportError.TransportError | undefined = undefined
  private closeObservers: Array<CloseObserver> | undefined = undefined
  private localAddress: NetAddress.SocketAddress | undefined
  private peerAddress: NetAddress.SocketAddress | undefined
  private tlsInfo: TlsInfo | undefined
  private readonly host: string | undefined
  /** What waits for the handshake of an upgrade; `undefined` but then. */
  private held: HeldOutput | undefined = undefined

  /** Takes over `socket`, which must be paused (`pauseOnConnect`, or `pause()` before any data). */
  constructor(socket: Net.Socket, facts: Facts) {
    this.socket = socket
    this.localAddress = facts.local
    this.peerAddress = facts.peer
    this.tlsInfo = facts.tls
    this.host = facts.host
    // Node keeps the answer: when the connection is gone nobody else knows.
    if (facts.peer === undefined) socket.remoteAddress
    this.listen(socket)
  }

  get local(): NetAddress.SocketAddress {
    this.localAddress ??= NodeAddress.fromNative(this.socket.localAddress, this.socket.localPort)
    return this.localAddress
  }

  get peer(): NetAddress.SocketAddress {
    this.peerAddress ??= NodeAddress.fromNative(this.socket.remoteAddress, this.socket.remotePort)
    return this.peerAddress
  }

  get tls(): TlsInfo | undefined {
    return this.tlsInfo
  }

  get bufferedBytes(): number {
    if (this.phase === Closed) return 0
    return this.held === undefined ? this.socket.writableLength : this.socket.writableLength + this.held.bytes
  }

  get receivedBytes(): number {
    return this.received
  }

  get sentBytes(): number {
    return this.sent
  }

  get state(): "open" | "closed" {
    return this.phase === Closed ? "closed" : "open"
  }

  attach(receiver: Receiver): void {
    this.receiver = receiver
    if (this.closeHeld) {
      this.closeHeld = false
      queueMicrotask(() => this.receiver.onClose(this.closeError))
    } else if (!this.paused) this.flow()
  }

  observeClose(observer: CloseObserver): void {
    if (this.phase === Closed) observer(this.closeError)
    else if (this.closeObservers === undefined) this.closeObservers = [observer]
    else this.closeObservers.push(observer)
  }

  write(bytes: Uint8Array): boolean {
    if (this.phase !== Open) return this.hold(bytes)
    // Node would hand an empty write to the system.
    if (bytes.length === 0) return !this.socket.writableNeedDrain
    this.sent += bytes.length
    return this.socket.write(bytes)
  }

  writeAll(chunks: ReadonlyArray<Uint8Array>): boolean {
    if (chunks.length === 1) return this.write(chunks[0]!)
    if (this.phase === Open) this.socket.cork()
    for (const chunk of chunks) this.write(chunk)
    if (this.phase !== Open) return false
    this.socket.uncork()
    return !this.socket.writableNeedDrain
  }

  end(): void {
    if (this.phase > Upgrading) return
    if (this.held !== undefined) {
      this.held.ended = true
      return
    }
    this.phase = Ended
    this.socket.end()
  }

  destroy(error?: TransportError.TransportError): void {
    if (this.phase >= Destroyed) return
    this.phase = Destroyed
    this.closeError = error
    this.socket.destroy()
  }

  pause(): void {
    this.paused = true
    this.socket.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (this.receiver !== nobody) this.flow()
  }

  upgrade(options: TlsUpgrade): Effect.Effect<TlsInfo, TransportError.TransportError> {
    return Effect.suspend(() => {
      NodeTls.handshakeTimeoutMillis(options)
      return this.secure(options)
    })
  }

  private secure(options: TlsUpgrade): Effect.Effect<TlsInfo, TransportError.TransportError> {
    return Effect.callback((resume) => {
      if (this.tlsInfo !== undefined || this.phase !== Open) {
        const reason =
          this.phase === Open || this.phase === Upgrading
            ? new TransportError.Unsupported("the transport speaks TLS already")
            : new TransportError.Closed()
        return resume(Effect.fail(TransportError.make(reason)))
      }
      const raw = this.socket
      this.phase = Upgrading
      this.held = { chunks: [], bytes: 0, drainOwed: raw.writableNeedDrain, ended: false }
      raw.pause()
      raw
        .off("data", NodeSocketTransport.onData)
        .off("drain", NodeSocketTransport.onDrain)
        .off("end", NodeSocketTransport.onEnd)
      const giveUp = startUpgrade(raw, options, this.host ?? raw.remoteAddress ?? "localhost", (outcome) => {
        if (outcome._tag === "Secured" && this.phase === Upgrading) {
          this.adopt(outcome.socket, outcome.info)
          return resume(Effect.succeed(outcome.info))
        }
        const error = outcome._tag === "Failed" ? outcome.error : TransportError.make(new TransportError.Closed())
        this.abandon(raw, error)
        resume(Effect.fail(error))
      })
      return Effect.sync(() => {
        giveUp()
        this.abandon(raw, undefined)
      })
    })
  }

  /** Goes on with the socket that speaks TLS, and sends what was held back. */
  private adopt(socket: Net.Socket, info: TlsInfo): void {
    const held = this.held!
    this.socket.off("error", NodeSocketTransport.onError).off("close", NodeSocketTransport.onClose)
    this.socket = socket
    this.tlsInfo = info
    this.phase = Open
    this.held = undefined
    this.listen(socket)
    for (const chunk of held.chunks) socket.write(chunk)
    if (held.ended) this.end()
    else if (held.drainOwed && !socket.writableNeedDrain) queueMicrotask(() => this.tellDrain())
    if (!this.paused && this.receiver !== nobody) socket.resume()
  }

  /** The handshake failed: closes as any lost transport does. */
  private abandon(raw: Net.Socket, error: TransportError.TransportError | undefined): void {
    this.held = undefined
    this.closeError ??= error
    if (this.phase === Upgrading) this.phase = Destroyed
    if (raw.closed && this.phase !== Closed) queueMicrotask(() => this.tellClose())
    else raw.destroy()
  }

  /** Answers a write when the transport is not open: it waits for a handshake, or is dropped. */
  private hold(bytes: Uint8Array): false {
    if (this.held !== undefined && !this.held.ended) {
      this.held.chunks.push(bytes)
      this.held.bytes += bytes.length
      this.held.drainOwed = true
      this.sent += bytes.length
    }
    return false
  }

  private flow(): void {
    // While a handshake runs, the bytes are its own; `adopt` goes on.
    if (this.phase === Upgrading) return
    if (!this.endHeld) {
      this.socket.resume()
      return
    }
    queueMicrotask(() => {
      if (this.endHeld && !this.paused && this.phase < Destroyed) {
        this.endHeld = false
        this.receiver.onEnd()
      }
    })
  }

  private listen(socket: Net.Socket): void {
    ;(socket as OwnedSocket)[owner] = this
    socket
      .on("data", NodeSocketTransport.onData)
      .on("drain", NodeSocketTransport.onDrain)
      .on("end", NodeSocketTransport.onEnd)
      .on("error", NodeSocketTransport.onError)
      .on("close", NodeSocketTransport.onClose)
  }

  private tellDrain(): void {
    if (this.phase < Ended) this.receiver.onDrain()
  }

  private tellClose(): void {
    if (this.phase === Closed) return
    if (this.phase < Destroyed && !(this.peerEnded && this.phase === Ended)) {
      this.closeError = TransportError.make(new TransportError.ConnectionLost("ERR_STREAM_PREMATURE_CLOSE"))
    }
    this.phase = Closed
    if (this.receiver === nobody) this.closeHeld = true
    else this.receiver.onClose(this.closeError)
    const observers = this.closeObservers
    this.closeObservers = undefined
    if (observers !== undefined) for (const observer of observers) observer(this.closeError)
  }

  private static readonly onData = function (this: Net.Socket, chunk: Uint8Array): void {
    const transport = (this as OwnedSocket)[owner]
    // Node's flow goes on for what it has buffered, also after `destroy`.
    if (transport.phase >= Destroyed) return
    transport.received += chunk.length
    transport.receiver.onBytes(chunk)
  }

  private static readonly onDrain = function (this: Net.Socket): void {
    ;(this as OwnedSocket)[owner].tellDrain()
  }

  private static readonly onEnd = function (this: Net.Socket): void {
    const transport = (this as OwnedSocket)[owner]
    transport.peerEnded = true
    if (transport.phase >= Destroyed) return
    // Node tells the end of a stream that has nothing buffered even while it is paused.
    if (transport.paused || transport.receiver === nobody) transport.endHeld = true
    else transport.receiver.onEnd()
  }

  private static readonly onError = function (this: Net.Socket, error: Error): void {
    const transport = (this as OwnedSocket)[owner]
    // While a handshake runs it is the handshake that fails.
    if (transport.phase === Upgrading || transport.phase >= Destroyed) return
    // An alert that comes late is an error of the TLS socket, and leaves it open.
    transport.destroy(NodeError.fromStream(error))
  }

  private static readonly onClose = function (this: Net.Socket): void {
    const transport = (this as OwnedSocket)[owner]
    if (transport.phase !== Upgrading) transport.tellClose()
  }
}

const startUpgrade = (
  raw: Net.Socket,
  options: TlsUpgrade,
  host: string,
  done: (outcome: NodeTls.Outcome) => void
): (() => void) => {
  if (options.role === "client") return NodeTls.connect(raw, options, host, done)
  let server: NodeTlsServer.NodeTlsServer
  try {
    server = NodeTlsServer.forOptionsUnsafe(options)
  } catch (error) {
    done(NodeTls.failed(NodeTls.optionsInvalid("the server", NodeTlsServer.identityOf(options), error)))
    return () => {}
  }
  server.handshake(raw, done)
  return () => raw.destroy()
}
