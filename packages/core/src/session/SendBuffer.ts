/**
 * The writing side of a connection: what was sent in one turn becomes one
 * write, and a sender waits while the peer is slow.
 *
 * A sender that finds `highWaterBytes` waiting for the peer waits its turn
 * first, and hands its bytes over then: an interrupted one has sent nothing,
 * and what waits here is at most the high water and one message.
 *
 * The transport gets slices, the next one when it has taken the last. So its
 * count of what it still holds moves also within a large message, and a peer
 * that reads slowly is told from one that does not read.
 *
 * A turn is the time in which a chunk from the peer wakes a fiber and that
 * fiber runs, until it waits again. What is sent outside of a turn is written
 * at the end of the host's own turn.
 *
 * Hot path (`bench` rows "echo" and "frames").
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ByteJoin from "../bytes/ByteJoin.ts"
import type { Transport } from "../transport/Transport.ts"
import * as TransportError from "../transport/TransportError.ts"

/** The largest piece that the transport is given at a time. */
const sliceBytes = ByteJoin.joinBelowBytes

/** In the place of an array that has left. */
const gone = new Uint8Array(0)

/** A sender that waits for room, with what it will hand over. */
interface Waiting {
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly resume: (exit: Exit.Exit<void, TransportError.TransportError>) => void
}

/** @category models */
export class SendBuffer {
  private readonly transport: Transport
  private readonly highWaterBytes: number
  /** Taken over, and not yet given to the transport; those before `first` have left. */
  private pending: Array<Uint8Array> = []
  private first = 0
  private pendingBytes = 0
  /** `full`: the transport said so, and will say when it is empty. */
  private flow: "flowing" | "full" = "flowing"
  /** `ending`: the end of the stream comes behind what is pending. An error: the transport was lost. */
  private ending: "open" | "ending" | "ended" | TransportError.TransportError = "open"
  private turns = 0
  private scheduled = false
  private readonly waiting = new Set<Waiting>()

  constructor(transport: Transport, highWaterBytes: number) {
    this.transport = transport
    this.highWaterBytes = highWaterBytes
  }

  /** Bytes that were taken over and not yet given to the transport. */
  get byteLength(): number {
    return this.pendingBytes
  }

  beginTurn(): void {
    this.turns++
  }

  endTurn(): void {
    this.turns--
    if (this.turns === 0 && this.pendingBytes > 0) this.flush()
  }

  /** Takes `bytes` over; before that, suspends while `highWaterBytes` wait for the peer. */
  send(bytes: Uint8Array): Effect.Effect<void, TransportError.TransportError> {
    if (this.ending !== "open") return this.refusal()
    if (!this.hasRoom()) return this.awaitRoom([bytes])
    this.push(bytes)
    this.pushed()
    return Exit.void
  }

  /** The same for several arrays, which stay together. */
  sendAll(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, TransportError.TransportError> {
    if (this.ending !== "open") return this.refusal()
    if (!this.hasRoom()) return this.awaitRoom(chunks)
    for (const chunk of chunks) this.push(chunk)
    this.pushed()
    return Exit.void
  }

  /**
   * Sends what was taken over and what waits for room, then the end of the
   * stream: it comes behind all who came before it.
   */
  end(): void {
    if (this.ending !== "open") return
    const before = [...this.waiting]
    this.waiting.clear()
    for (const { chunks } of before) for (const chunk of chunks) this.push(chunk)
    this.ending = "ending"
    this.flush()
    for (const { resume } of before) resume(Exit.void)
  }

  /** The transport is empty again. */
  drained(): void {
    this.flow = "flowing"
    this.beginTurn()
    this.flush()
    this.admit()
    this.endTurn()
  }

  /** The transport is gone: every sender that waits, and every later one, fails. */
  close(error: TransportError.TransportError): void {
    this.pending = []
    this.first = 0
    this.pendingBytes = 0
    if (this.ending === "open") this.ending = error
    this.failWaiting(error)
  }

  /** Gives the transport what it will take now. */
  flush(): void {
    while (this.pendingBytes > 0 && this.flow === "flowing") {
      const accepted = this.transport.write(this.takeSlice())
      if (!accepted && this.transport.state === "open") this.flow = "full"
    }
    this.endBehindAll()
  }

  /** Gives the transport everything, however full it is: what comes next must not come before it. */
  handOver(): void {
    if (this.pendingBytes === 0) return
    const rest = this.first === 0 ? this.pending : this.pending.slice(this.first)
    this.pending = []
    this.first = 0
    this.pendingBytes = 0
    if (!this.transport.writeAll(rest) && this.transport.state === "open") this.flow = "full"
  }

  private hasRoom(): boolean {
    return this.pendingBytes < this.highWaterBytes && this.waiting.size === 0
  }

  private push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.pending.push(bytes)
    this.pendingBytes += bytes.length
  }

  private pushed(): void {
    if (this.pendingBytes >= this.highWaterBytes) this.flush()
    else if (this.turns === 0 && this.pendingBytes > 0) this.schedule()
  }

  private awaitRoom(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, TransportError.TransportError> {
    return Effect.callback((resume) => {
      // The fiber may have yielded since it looked.
      if (this.ending !== "open" || this.hasRoom()) return resume(this.sendAll(chunks))
      const waiting = { chunks, resume }
      this.waiting.add(waiting)
      return Effect.sync(() => this.waiting.delete(waiting))
    })
  }

  /** Lets senders in, in the order in which they came, while there is room. */
  private admit(): void {
    for (const waiting of this.waiting) {
      if (this.pendingBytes >= this.highWaterBytes || this.ending !== "open") return
      this.waiting.delete(waiting)
      for (const chunk of waiting.chunks) this.push(chunk)
      this.pushed()
      waiting.resume(Exit.void)
    }
  }

  private failWaiting(error: TransportError.TransportError): void {
    for (const waiting of this.waiting) {
      this.waiting.delete(waiting)
      waiting.resume(Exit.fail(error))
    }
  }

  /** The next bytes, up to a slice: small arrays joined, large ones cut, nothing copied that need not be. */
  private takeSlice(): Uint8Array {
    const { pending } = this
    if (this.first === 0 && this.pendingBytes <= sliceBytes) {
      const all = ByteJoin.join(pending, this.pendingBytes)
      this.pending = []
      this.pendingBytes = 0
      return all
    }
    const from = this.first
    let taken = 0
    while (this.first < pending.length && taken + pending[this.first]!.length <= sliceBytes) {
      taken += pending[this.first++]!.length
    }
    if (taken === 0) return this.cut()
    this.pendingBytes -= taken
    const slice = ByteJoin.join(pending.slice(from, this.first), taken)
    // What has left is not held on to, though a slow peer may never take the last.
    pending.fill(gone, from, this.first)
    if (2 * this.first >= pending.length) {
      this.pending = pending.slice(this.first)
      this.first = 0
    }
    return slice
  }

  /** A slice of an array that is larger than one. */
  private cut(): Uint8Array {
    const large = this.pending[this.first]!
    this.pending[this.first] = large.subarray(sliceBytes)
    this.pendingBytes -= sliceBytes
    return large.subarray(0, sliceBytes)
  }

  private endBehindAll(): void {
    if (this.ending !== "ending" || this.pendingBytes > 0) return
    this.ending = "ended"
    this.transport.end()
  }

  private refusal(): Exit.Exit<never, TransportError.TransportError> {
    const ending = this.ending
    return Exit.fail(ending instanceof TransportError.TransportError ? ending : closedHere)
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    queueMicrotask(() => {
      this.scheduled = false
      this.flush()
    })
  }
}

const closedHere = TransportError.make(new TransportError.Closed())
