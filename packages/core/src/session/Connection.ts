/**
 * One connection, as a fiber sees it: bytes or frames to receive and send,
 * over any transport.
 *
 * A connection is also an Effect `Socket.Socket`, so whatever is written for
 * Effect's sockets runs on it.
 *
 * The end of the stream is no error. `receive` ends with `Cause.Done`, as
 * every `Pull` in Effect does, so a plain loop is a whole program:
 *
 * ```ts
 * while (true) yield* connection.send(yield* connection.receive)
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as NetAddress from "effect/net/NetAddress"
import * as Stream from "effect/Stream"
import * as Socket from "effect/socket/Socket"
import * as Utf8 from "../bytes/Utf8.ts"
import type { Codec } from "../codec/Codec.ts"
import type { TlsInfo, TlsUpgrade } from "../transport/Tls.ts"
import type { Receiver, Transport } from "../transport/Transport.ts"
import * as TransportError from "../transport/TransportError.ts"
import type { Resolved } from "./ConnectionOptions.ts"
import * as ConnectionSocket from "./ConnectionSocket.ts"
import * as Framed from "./Framed.ts"
import * as ReceiveBuffer from "./ReceiveBuffer.ts"
import { SendBuffer } from "./SendBuffer.ts"
import { Signal } from "./Signal.ts"
import { StallWatch } from "./StallWatch.ts"
import { Timer, type Timers } from "./Timers.ts"

/** @category models */
export type Role = "client" | "server"

/** @category models */
export interface Connection extends Socket.Socket {
  /** Which side this is: who accepted is the server. */
  readonly role: Role
  readonly local: NetAddress.SocketAddress
  readonly peer: NetAddress.SocketAddress
  /** `undefined` for cleartext. */
  readonly tls: TlsInfo | undefined
  /**
   * The next bytes, as they came. Ends with `Cause.Done` when the peer has
   * ended its side, and, while the server drains, when nothing is in flight.
   * One fiber at a time.
   */
  readonly receive: ReceiveBuffer.Receive<Uint8Array>
  /** All bytes to the end of the stream. */
  readonly stream: Stream.Stream<Uint8Array, TransportError.TransportError>
  /**
   * Sends bytes, or text as UTF-8. Suspends while more than the send buffer
   * waits for a slow peer. What is sent in one turn leaves in one write. Do
   * not change an array after it was sent.
   */
  readonly send: (data: Uint8Array | string) => Effect.Effect<void, TransportError.TransportError>
  readonly sendAll: (data: ReadonlyArray<Uint8Array | string>) => Effect.Effect<void, TransportError.TransportError>
  /** Half-close: sends what waits, then the end of the stream. Receiving goes on. */
  readonly end: Effect.Effect<void>
  /** Gives the connection up at once, and what was not delivered with it. */
  readonly abort: Effect.Effect<void>
  /** Frames by `codec`, over the bytes that were not received yet. */
  readonly framed: <In, Out>(codec: Codec<In, Out>) => Framed.Framed<In, Out>
  /**
   * Turns the connection into a TLS connection (STARTTLS). Fails with
   * `TlsHandshakeFailed` when bytes wait that came in clear (RFC 3207 §6); a
   * connection that failed to upgrade is lost.
   */
  readonly upgradeTls: (options: TlsUpgrade) => Effect.Effect<TlsInfo, TransportError.TransportError>
  /** `false` once the peer has ended its side, this side has closed, or the transport is gone. */
  readonly isOpen: boolean
  /** Completes when the peer has ended its side, or the transport is gone. */
  readonly ended: Effect.Effect<void>
  /** Completes when the transport is gone. */
  readonly closed: Effect.Effect<void>
  /** Whether the server drains: finish, say farewell, and end. */
  readonly isDraining: boolean
  /** Completes when the server begins to drain. Never completes for a client's connection. */
  readonly draining: Effect.Effect<void>
}

/**
 * The connection that the current handler serves.
 *
 * @category services
 */
export const Connection: Context.Service<Connection, Connection> = Context.Service<Connection>(
  "@sluice/core/session/Connection"
)

/**
 * A connection with what its owner, a server or client, does to it.
 *
 * @category models
 */
export interface Owned {
  readonly connection: Connection
  /** Whether the transport is gone. With the error that it was lost by. */
  readonly state: "open" | { readonly error: TransportError.TransportError | undefined }
  /** Calls `observer` when the transport is gone; at once when it is. */
  readonly observeClose: (observer: (error: TransportError.TransportError | undefined) => void) => void
  /** The server drains: a reader that finds nothing buffered is told the end. */
  readonly drain: () => void
  /**
   * Closes in good order: sends what waits, ends this side, drops what still
   * comes, and waits for the peer's end, no longer than `closeTimeout` after
   * the last byte was taken; while draining no longer than a second, once all
   * is on its way. Both may last a quarter longer, as they are looked at so
   * often.
   */
  readonly close: () => void
  readonly destroy: (error?: TransportError.TransportError) => void
}

/**
 * Takes `transport` over and starts reading. `rest`: what somebody else has
 * read off it already.
 *
 * @category constructors
 */
export const makeUnsafe = (
  role: Role,
  transport: Transport,
  timers: Timers,
  limits: Resolved,
  rest?: Uint8Array
): Owned => {
  const live = new LiveConnection(role, transport, timers, limits)
  transport.attach(live)
  transport.resume()
  if (rest !== undefined && rest.length > 0) live.onBytes(rest)
  return live
}

class LiveConnection implements Connection, Owned, Receiver {
  readonly [Socket.TypeId]: typeof Socket.TypeId = Socket.TypeId
  readonly role: Role
  state: Owned["state"] = "open"
  readonly receive: ReceiveBuffer.Receive<Uint8Array>
  private readonly transport: Transport
  private readonly timers: Timers
  private readonly limits: Resolved
  private readonly receiving: ReceiveBuffer.ReceiveBuffer
  private readonly sending: SendBuffer
  private readonly watch: StallWatch
  private closeTimer: Timer | undefined
  /** What the peer had taken at the last look of the close timer, and since when that has been so. */
  private closeTakenBytes = -1
  private closeTakenMillis = 0
  private readonly endSignal = new Signal()
  private readonly closeSignal = new Signal()
  private readonly drainSignal = new Signal()

  constructor(role: Role, transport: Transport, timers: Timers, limits: Resolved) {
    this.role = role
    this.transport = transport
    this.timers = timers
    this.limits = limits
    this.receiving = new ReceiveBuffer.ReceiveBuffer(transport, limits.receiveBytes)
    this.sending = new SendBuffer(transport, limits.sendBytes)
    this.watch = new StallWatch(transport, timers, limits, this.receiving)
    this.receive = this.receiving.reader(ReceiveBuffer.chunkStep)
  }

  get connection(): Connection {
    return this
  }

  get local(): NetAddress.SocketAddress {
    return this.transport.local
  }

  get peer(): NetAddress.SocketAddress {
    return this.transport.peer
  }

  get tls(): TlsInfo | undefined {
    return this.transport.tls
  }

  get stream(): Connection["stream"] {
    return Stream.fromPull(Effect.succeed(Effect.map(this.receive, (chunk) => [chunk] as const)))
  }

  get isOpen(): boolean {
    return this.receiving.ending === "open"
  }

  get isDraining(): boolean {
    return this.receiving.draining
  }

  get reader(): Socket.Socket["reader"] {
    return ConnectionSocket.reader(this, this.receiving)
  }

  get writer(): Socket.Socket["writer"] {
    return ConnectionSocket.writer(this)
  }

  readonly send: Connection["send"] = (data) =>
    Effect.suspend(() => this.sending.send(typeof data === "string" ? Utf8.encode(data) : data))

  get sendAll(): Connection["sendAll"] {
    return (data) =>
      Effect.suspend(() =>
        this.sending.sendAll(data.map((part) => (typeof part === "string" ? Utf8.encode(part) : part)))
      )
  }

  get end(): Effect.Effect<void> {
    return Effect.sync(() => this.sending.end())
  }

  framed<In, Out>(codec: Codec<In, Out>): Framed.Framed<In, Out> {
    return Framed.makeUnsafe(codec, this.receiving, this.sending)
  }

  upgradeTls(options: TlsUpgrade): Effect.Effect<TlsInfo, TransportError.TransportError> {
    return Effect.suspend(() => {
      if (this.state !== "open") return Effect.fail(this.state.error ?? gone)
      this.sending.handOver()
      if (this.receiving.queue.byteLength === 0) return this.transport.upgrade(options)
      const error = TransportError.make(
        new TransportError.TlsHandshakeFailed("CLEARTEXT_BUFFERED", "the peer sent bytes in clear before its handshake")
      )
      this.destroy(error)
      return Effect.fail(error)
    })
  }

  get abort(): Effect.Effect<void> {
    return Effect.sync(() => this.transport.destroy())
  }

  get ended(): Effect.Effect<void> {
    return this.endSignal.await
  }

  get closed(): Effect.Effect<void> {
    return this.closeSignal.await
  }

  get draining(): Effect.Effect<void> {
    return this.drainSignal.await
  }

  // What the transport calls.

  onBytes(chunk: Uint8Array): void {
    this.sending.beginTurn()
    this.receiving.push(chunk)
    this.sending.endTurn()
  }

  onDrain(): void {
    this.sending.drained()
  }

  onEnd(): void {
    this.sending.beginTurn()
    this.receiving.end("ended")
    this.sending.endTurn()
    this.endSignal.fire()
  }

  onClose(error: TransportError.TransportError | undefined): void {
    this.watch.stop()
    if (this.closeTimer !== undefined) this.timers.clear(this.closeTimer)
    this.state = { error }
    this.sending.close(error ?? gone)
    if (error === undefined) this.endHere()
    else this.receiving.end(error)
    this.endSignal.fire()
    this.closeSignal.fire()
  }

  // What the owner calls.

  observeClose(observer: (error: TransportError.TransportError | undefined) => void): void {
    this.transport.observeClose(observer)
  }

  drain(): void {
    this.receiving.drain()
    this.drainSignal.fire()
  }

  close(): void {
    if (this.state !== "open" || this.closeTimer !== undefined) return
    const timer = new Timer((nowMillis) => this.lookAtClose(timer, nowMillis))
    // First of all: whom the rest wakes may close, too.
    this.closeTimer = timer
    this.sending.end()
    this.endHere()
    this.receiving.discard()
    this.lookAtClose(timer, this.timers.now())
  }

  /**
   * The peer has its time for what it still takes and, when it has all of it,
   * for its own end; the time begins anew whenever it has taken something. As
   * that is seen only when it is looked at, the end comes at the latest a
   * quarter of the time later.
   */
  private lookAtClose(timer: Timer, nowMillis: number): void {
    const { closeMillis } = this.limits
    const { sentBytes, bufferedBytes } = this.transport
    const takenBytes = sentBytes - bufferedBytes
    if (takenBytes !== this.closeTakenBytes) {
      this.closeTakenBytes = takenBytes
      this.closeTakenMillis = nowMillis
    }
    const shortestMillis = this.isDraining ? Math.min(lingerMillis, closeMillis) : closeMillis
    const tookAll = this.sending.byteLength + bufferedBytes === 0
    const latestMillis = this.closeTakenMillis + (tookAll ? shortestMillis : closeMillis)
    if (nowMillis < latestMillis) this.timers.set(timer, Math.min(latestMillis, nowMillis + shortestMillis / 4))
    else this.transport.destroy(TransportError.make(new TransportError.CloseTimeout(closeMillis)))
  }

  destroy(error?: TransportError.TransportError): void {
    this.transport.destroy(error)
  }

  /** This side wants no more. Where the peer has not ended, what it began must not pass for a last frame. */
  private endHere(): void {
    if (this.receiving.ending === "open") this.receiving.discard()
    this.receiving.end("ended")
  }
}

/** How long the end of a peer that has everything is awaited while a server drains. */
const lingerMillis = 1000

const gone = TransportError.make(new TransportError.ConnectionLost("EPIPE"))
