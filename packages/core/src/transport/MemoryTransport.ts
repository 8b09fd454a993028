/**
 * A pair of transports in memory, with buffers of a real size, so that a slow
 * reader is felt by its writer.
 *
 * Each direction is a writer's buffer and a network of `bufferBytes`: bytes
 * move to the network while it has room, and leave it when the reader takes
 * them. Delivery is always on a later microtask, never within a call.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import type { TlsInfo } from "./Tls.ts"
import type { Receiver, Transport } from "./Transport.ts"
import * as TransportError from "./TransportError.ts"

/** @category options */
export interface Options {
  /**
   * What the network holds in each direction, and what a writer may have
   * waiting before `write` answers `false`, in bytes; at least 1. Default 65,536.
   */
  readonly bufferBytes?: number | undefined
  /** Default `127.0.0.1:1` and `127.0.0.1:2`. */
  readonly addresses?: readonly [NetAddress.SocketAddress, NetAddress.SocketAddress] | undefined
}

/**
 * Two transports, each the peer of the other. Throws a `RangeError` for a
 * buffer that holds nothing.
 *
 * @category constructors
 */
export const pair = (options?: Options): readonly [Transport, Transport] => {
  const bufferBytes = options?.bufferBytes ?? 65_536
  if (!(bufferBytes >= 1)) throw new RangeError("bufferBytes must be at least 1")
  const [a, b] = options?.addresses ?? [
    NetAddress.inetAddressFromIpStringUnsafe("127.0.0.1", 1),
    NetAddress.inetAddressFromIpStringUnsafe("127.0.0.1", 2)
  ]
  const left = new MemoryTransport(a, b, bufferBytes)
  const right = new MemoryTransport(b, a, bufferBytes)
  left.remote = right
  right.remote = left
  return [left, right]
}

class MemoryTransport implements Transport {
  readonly local: NetAddress.SocketAddress
  readonly peer: NetAddress.SocketAddress
  readonly tls: TlsInfo | undefined = undefined
  remote!: MemoryTransport
  state: "open" | "closed" = "open"
  receivedBytes = 0
  sentBytes = 0
  bufferedBytes = 0

  private readonly capacityBytes: number
  private receiver: Receiver | undefined
  private readonly closeObservers: Array<(error: TransportError.TransportError | undefined) => void> = []
  private flow: "new" | "flowing" | "paused" = "new"
  /** Written, and not yet on the network. */
  private readonly outgoing = new Chunks()
  /** `wanted`: `end` was called. `sent`: the peer's network knows. */
  private sending: "open" | "wanted" | "sent" = "open"
  private drainWanted = false
  /** On the network, on its way to this side. */
  private readonly incoming = new Chunks()
  private incomingBytes = 0
  /** `arriving`: the peer's end is behind the bytes in `incoming`. `ended`: the receiver knows. */
  private receiving: "open" | "arriving" | "ended" = "open"
  private closeError: TransportError.TransportError | undefined
  /** Whom to tell of the close: nobody yet, the receiver that has not heard it, no one any more. */
  private closing: "open" | "untold" | "told" = "open"
  private scheduled = false

  constructor(local: NetAddress.SocketAddress, peer: NetAddress.SocketAddress, capacityBytes: number) {
    this.local = local
    this.peer = peer
    this.capacityBytes = capacityBytes
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
    if (this.state === "closed" || this.sending !== "open") return false
    if (bytes.length > 0) {
      this.outgoing.push(bytes)
      this.bufferedBytes += bytes.length
      this.sentBytes += bytes.length
      this.transmit()
    }
    if (this.bufferedBytes < this.capacityBytes) return true
    this.drainWanted = true
    return false
  }

  writeAll(chunks: ReadonlyArray<Uint8Array>): boolean {
    let accepted = this.state === "open" && this.sending === "open"
    for (const chunk of chunks) accepted = this.write(chunk)
    return accepted
  }

  end(): void {
    if (this.state === "closed" || this.sending !== "open") return
    this.sending = "wanted"
    this.transmit()
  }

  destroy(error?: TransportError.TransportError): void {
    if (this.state === "closed") return
    const clean = this.sending === "sent" && this.receiving !== "open"
    this.close(error)
    if (!clean) this.remote.close(TransportError.make(new TransportError.ConnectionLost("ECONNRESET")))
  }

  pause(): void {
    if (this.flow === "flowing") this.flow = "paused"
  }

  resume(): void {
    this.flow = "flowing"
    this.schedule()
  }

  readonly upgrade: Transport["upgrade"] = () =>
    Effect.fail(TransportError.make(new TransportError.Unsupported("a transport in memory speaks no TLS")))

  /** Moves what fits from this side's buffer to the network. */
  private transmit(): void {
    const remote = this.remote
    while (this.outgoing.length > 0 && remote.incomingBytes < remote.capacityBytes) {
      const moved = this.outgoing.take(remote.capacityBytes - remote.incomingBytes)
      this.bufferedBytes -= moved.length
      if (remote.state === "open") {
        remote.incoming.push(moved)
        remote.incomingBytes += moved.length
        remote.schedule()
      }
    }
    if (this.sending === "wanted" && this.outgoing.length === 0) {
      this.sending = "sent"
      if (remote.receiving === "open") remote.receiving = "arriving"
      remote.schedule()
      // The peer may have ended before: then this was the last thing to wait for.
      this.schedule()
    }
    if (this.drainWanted && this.bufferedBytes === 0) this.schedule()
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
    if (this.receiver !== undefined && this.state === "open" && this.flow !== "new") this.deliverOpen()
    if (this.state === "open") return
    // Also to a receiver that has not let it flow: whoever was attached must hear of the end. It may be another now.
    if (this.receiver !== undefined && this.closing === "untold") {
      this.closing = "told"
      this.receiver.onClose(this.closeError)
    }
    for (const observer of this.closeObservers.splice(0)) observer(this.closeError)
  }

  private deliverOpen(): void {
    this.deliverBytes()
    if (this.state === "open" && this.drainWanted && this.bufferedBytes === 0) {
      this.drainWanted = false
      this.receiver!.onDrain()
    }
    if (this.state === "open" && this.receiving === "ended" && this.sending === "sent") this.close(undefined)
  }

  private deliverBytes(): void {
    while (this.flow === "flowing" && this.incoming.length > 0 && this.state === "open") {
      const chunk = this.incoming.take(Number.POSITIVE_INFINITY)
      this.incomingBytes -= chunk.length
      this.receivedBytes += chunk.length
      this.receiver!.onBytes(chunk)
      this.remote.transmit()
    }
    if (
      this.flow === "flowing" &&
      this.receiving === "arriving" &&
      this.incoming.length === 0 &&
      this.state === "open"
    ) {
      this.receiving = "ended"
      this.receiver!.onEnd()
    }
  }

  private close(error: TransportError.TransportError | undefined): void {
    if (this.state === "closed") return
    this.state = "closed"
    this.closing = "untold"
    this.closeError = error
    this.outgoing.clear()
    this.bufferedBytes = 0
    this.incoming.clear()
    this.incomingBytes = 0
    this.schedule()
  }
}

/**
 * Chunks in their order, as they were written: unlike a `ByteQueue` it joins
 * none, so that a test sees every write.
 */
class Chunks {
  private chunks: Array<Uint8Array> = []
  /** Chunks before it were taken; `0 <= first <= chunks.length`. */
  private first = 0

  get length(): number {
    return this.chunks.length - this.first
  }

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk)
  }

  /** Takes the first chunk off, or the `mostBytes` that it begins with. */
  take(mostBytes: number): Uint8Array {
    const chunk = this.chunks[this.first]!
    if (chunk.length > mostBytes) {
      this.chunks[this.first] = chunk.subarray(mostBytes)
      return chunk.subarray(0, mostBytes)
    }
    this.first++
    if (this.first === this.chunks.length) this.clear()
    else if (this.first >= 1024 && 2 * this.first >= this.chunks.length) {
      this.chunks.splice(0, this.first)
      this.first = 0
    }
    return chunk
  }

  clear(): void {
    this.chunks = []
    this.first = 0
  }
}
