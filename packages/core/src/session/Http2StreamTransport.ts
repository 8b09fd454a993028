/**
 * A stream of an HTTP/2 connection as a transport: what an extended CONNECT
 * opens (RFC 8441), so that whatever runs on a connection runs on it.
 *
 * ```text
 *  write   DATA          end      END_STREAM
 *  pause   no credit     destroy  RST_STREAM with CANCEL
 * ```
 *
 * A reader that is paused gives the peer none of its window back: no more than
 * the window waits here. The peer's RST_STREAM is the loss of the connection
 * (RFC 8441 §5).
 *
 * What comes is handed out in the turn in which it comes; everything else, on
 * a later microtask.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as NetAddress from "effect/net/NetAddress"
import * as Retention from "../bytes/Retention.ts"
import type { Http2Connection } from "../protocol/http2/Http2Connection.ts"
import type { StreamFailure } from "../protocol/http2/Http2Error.ts"
import * as Code from "../protocol/http2/Http2ErrorCode.ts"
import type { Http2Stream } from "../protocol/http2/Http2Stream.ts"
import type { TlsInfo } from "../transport/Tls.ts"
import type { Receiver, Transport } from "../transport/Transport.ts"
import * as TransportError from "../transport/TransportError.ts"
import type { EnginePump } from "./EnginePump.ts"
import type { StreamOwner } from "./Http2Exchange.ts"

/** The session of a tunnel, as it is seen from there. @category models */
export interface Tunnels {
  readonly transport: Transport
  readonly engine: Http2Connection
  readonly pump: EnginePump
  /** Somebody waits until all that `owner` has written has left: `onDrained` is called then. */
  awaitDrain(owner: Drainable): void
}

/** @category models */
export interface Drainable {
  readonly bufferedBytes: number
  onDrained(): void
}

/** @category models */
export class Http2StreamTransport implements Transport, StreamOwner, Drainable {
  state: "open" | "closed" = "open"
  receivedBytes = 0
  sentBytes = 0
  private readonly stream: Http2Stream
  private readonly connection: Tunnels
  private receiver: Receiver | undefined = undefined
  private readonly closeObservers: Array<(error: TransportError.TransportError | undefined) => void> = []
  private flow: "new" | "flowing" | "paused" = "new"
  /** What has come, and was not handed out. */
  private incoming: Array<Uint8Array>
  /** `arriving`: the peer's end is behind what is in `incoming`. `ended`: the receiver knows. */
  private receiving: "open" | "arriving" | "ended"
  private sending: "open" | "ended" = "open"
  private drain: "unwanted" | "wanted" | "due" = "unwanted"
  /** Whether the engine knows the stream no more: both sides have ended it. */
  private over = false
  private closeError: TransportError.TransportError | undefined = undefined
  /** Whom to tell of the close: nobody yet, the receiver that has not heard it, no one any more. */
  private closing: "open" | "untold" | "told" = "open"
  private scheduled = false

  /** `early` has come before; `request`: whether more may come. */
  constructor(
    stream: Http2Stream,
    connection: Tunnels,
    early: Array<Uint8Array> | undefined,
    request: "open" | "ended"
  ) {
    this.stream = stream
    this.connection = connection
    this.incoming = early ?? []
    this.receiving = request === "ended" ? "arriving" : "open"
  }

  get local(): NetAddress.SocketAddress {
    return this.connection.transport.local
  }

  get peer(): NetAddress.SocketAddress {
    return this.connection.transport.peer
  }

  get tls(): TlsInfo | undefined {
    return this.connection.transport.tls
  }

  /** What the window, or the connection, has not let out yet. */
  get bufferedBytes(): number {
    return this.state === "open" ? this.stream.queuedBytes : 0
  }

  attach(receiver: Receiver): void {
    this.receiver = receiver
    this.schedule()
  }

  observeClose(observer: (error: TransportError.TransportError | undefined) => void): void {
    if (this.state === "closed" && this.closeObservers.length === 0 && !this.scheduled) observer(this.closeError)
    else this.closeObservers.push(observer)
  }

  write(bytes: Uint8Array): boolean {
    if (this.state === "closed" || this.sending === "ended") return false
    if (bytes.length > 0 && !this.over) {
      const { engine, pump } = this.connection
      engine.write(this.stream, bytes, pump.now())
      this.sentBytes += bytes.length
      pump.wake()
    }
    if (this.stream.isWritable) return true
    if (this.drain === "unwanted") this.connection.awaitDrain(this)
    this.drain = "wanted"
    return false
  }

  writeAll(chunks: ReadonlyArray<Uint8Array>): boolean {
    let accepted = this.state === "open" && this.sending === "open"
    for (const chunk of chunks) accepted = this.write(chunk)
    return accepted
  }

  end(): void {
    if (this.state === "closed" || this.sending === "ended") return
    this.sending = "ended"
    const { engine, pump } = this.connection
    engine.end(this.stream, undefined, pump.now())
    pump.wake()
  }

  destroy(error?: TransportError.TransportError): void {
    if (this.state === "closed") return
    this.close(error)
    const { engine, pump } = this.connection
    engine.reset(this.stream, Code.Cancel, pump.now())
    pump.wake()
  }

  pause(): void {
    if (this.flow === "flowing") this.flow = "paused"
  }

  resume(): void {
    this.flow = "flowing"
    this.schedule()
  }

  readonly upgrade: Transport["upgrade"] = () =>
    Effect.fail(TransportError.make(new TransportError.Unsupported("a stream of HTTP/2 speaks no TLS of its own")))

  onData(data: Uint8Array): void {
    if (this.canDeliver() && this.incoming.length === 0) this.handOut(data)
    else this.incoming.push(Retention.keepable(data))
  }

  onEnd(): void {
    if (this.receiving === "open") this.receiving = "arriving"
    if (this.canDeliver()) this.deliverEnd()
  }

  onClosed(failure: StreamFailure | undefined): void {
    this.over = true
    if (failure === undefined) this.schedule()
    else this.close(TransportError.make(new TransportError.ConnectionLost(codeOf(failure))))
  }

  /** The stream has some room: to its receiver that is not enough. */
  onSendable(): void {}

  onDrained(): void {
    if (this.drain !== "wanted") return
    this.drain = "due"
    this.schedule()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    queueMicrotask(() => {
      this.scheduled = false
      this.deliver()
    })
  }

  private deliver(): void {
    if (this.state === "open" && this.receiver !== undefined && this.flow !== "new") this.deliverOpen()
    if (this.state === "open") return
    // It may be another receiver now.
    if (this.receiver !== undefined && this.closing === "untold") {
      this.closing = "told"
      this.receiver.onClose(this.closeError)
    }
    for (const observer of this.closeObservers.splice(0)) observer(this.closeError)
  }

  private deliverOpen(): void {
    while (this.incoming.length > 0 && this.canDeliver()) this.handOut(this.incoming.shift()!)
    this.deliverEnd()
    if (this.state === "open" && this.drain === "due") {
      this.drain = "unwanted"
      this.receiver!.onDrain()
    }
    if (this.state === "open" && this.over && this.receiving === "ended") this.close(undefined)
  }

  private deliverEnd(): void {
    if (this.receiving !== "arriving" || this.incoming.length > 0 || !this.canDeliver()) return
    this.receiving = "ended"
    this.receiver!.onEnd()
  }

  private canDeliver(): boolean {
    return this.state === "open" && this.flow === "flowing" && this.receiver !== undefined
  }

  private handOut(chunk: Uint8Array): void {
    const { engine, pump } = this.connection
    this.receivedBytes += chunk.length
    engine.consume(this.stream, chunk.length, pump.now())
    pump.wake()
    this.receiver!.onBytes(chunk)
  }

  private close(error: TransportError.TransportError | undefined): void {
    if (this.state === "closed") return
    this.state = "closed"
    this.closing = "untold"
    this.closeError = error
    // The engine returns what was not used up to the connection's window.
    this.incoming = []
    this.schedule()
  }
}

/** As a system names it where a TCP connection ends so. */
const codeOf = (failure: StreamFailure): string =>
  failure._tag === "StreamStalled" ? "ETIMEDOUT" : failure._tag === "ConnectionLost" ? "EPIPE" : "ECONNRESET"
