/**
 * The writing side of a connection: what was sent in one turn becomes one
 * write, and a sender waits while the peer is slow.
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

/** @category models */
export class SendBuffer {
  private readonly transport: Transport
  private readonly highWaterBytes: number
  private pending: Array<Uint8Array> = []
  private pendingBytes = 0
  /** `full`: the transport said so, and will say when it is empty. */
  private flow: "flowing" | "full" = "flowing"
  /** `ended`: this side has half-closed. An error: the transport was lost. */
  private ending: "open" | "ended" | TransportError.TransportError = "open"
  private turns = 0
  private scheduled = false
  private waiting: Array<(exit: Exit.Exit<void, TransportError.TransportError>) => void> = []

  constructor(transport: Transport, highWaterBytes: number) {
    this.transport = transport
    this.highWaterBytes = highWaterBytes
  }

  beginTurn(): void {
    this.turns++
  }

  endTurn(): void {
    this.turns--
    if (this.turns === 0 && this.pendingBytes > 0) this.flush()
  }

  /** Takes `bytes` over. Suspends while more than `highWaterBytes` wait for the peer. */
  send(bytes: Uint8Array): Effect.Effect<void, TransportError.TransportError> {
    if (this.ending !== "open") return this.refusal()
    this.write(bytes)
    return this.commit()
  }

  /** Takes `bytes` over as a part of what the next `commit` sends. After the end they are dropped. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.pending.push(bytes)
    this.pendingBytes += bytes.length
  }

  /** How many arrays were written and have not left. */
  get pieceCount(): number {
    return this.pending.length
  }

  /** Forgets what was written since there were `pieceCount` arrays. Only before it is committed. */
  takeBack(pieceCount: number): void {
    for (const piece of this.pending.splice(pieceCount)) this.pendingBytes -= piece.length
  }

  /** Sends what was written, now or at the end of the turn. Suspends as `send` does. */
  commit(): Effect.Effect<void, TransportError.TransportError> {
    if (this.ending !== "open") {
      this.forget()
      return this.refusal()
    }
    if (this.pendingBytes >= this.highWaterBytes) this.flush()
    else if (this.turns === 0 && this.pendingBytes > 0) this.schedule()
    return this.flow === "flowing" ? Exit.void : this.room
  }

  /** The same for several arrays, in order. */
  sendAll(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, TransportError.TransportError> {
    for (const chunk of chunks) this.write(chunk)
    return this.commit()
  }

  /**
   * Sends what waits here, then the end of the stream. Senders that wait have
   * handed over their bytes, and nobody can send more: they wait no longer. A
   * transport that has ended need not tell when it is empty.
   */
  end(): void {
    if (this.ending !== "open") return
    this.flush()
    this.ending = "ended"
    this.transport.end()
    this.wake(Exit.void)
  }

  drained(): void {
    this.flow = "flowing"
    this.wake(Exit.void)
  }

  /** The transport is gone: every sender that waits, and every later one, fails. */
  close(error: TransportError.TransportError): void {
    this.forget()
    if (this.ending === "open") this.ending = error
    this.wake(Exit.fail(error))
  }

  flush(): void {
    if (this.pendingBytes === 0) return
    const chunks = this.pending
    const byteLength = this.pendingBytes
    this.pending = []
    this.pendingBytes = 0
    const accepted =
      chunks.length === 1
        ? this.transport.write(chunks[0]!)
        : byteLength <= ByteJoin.joinBelowBytes
          ? this.transport.write(ByteJoin.join(chunks, byteLength))
          : this.transport.writeAll(chunks)
    // The transport's own buffer may be smaller: its `onDrain` comes all the same.
    if (!accepted && this.transport.state === "open" && this.transport.bufferedBytes >= this.highWaterBytes) {
      this.flow = "full"
    }
  }

  /** Waits until the peer has taken what was sent. */
  private readonly room: Effect.Effect<void, TransportError.TransportError> = Effect.callback((resume) => {
    if (this.ending instanceof TransportError.TransportError) return resume(Exit.fail(this.ending))
    if (this.ending === "ended" || this.flow === "flowing") return resume(Exit.void)
    this.waiting.push(resume)
    return Effect.sync(() => {
      this.waiting = this.waiting.filter((waiter) => waiter !== resume)
    })
  })

  private forget(): void {
    this.pending = []
    this.pendingBytes = 0
  }

  private refusal(): Exit.Exit<never, TransportError.TransportError> {
    const ending = this.ending
    return Exit.fail(ending instanceof TransportError.TransportError ? ending : closedHere)
  }

  private wake(exit: Exit.Exit<void, TransportError.TransportError>): void {
    if (this.waiting.length === 0) return
    for (const resume of this.waiting.splice(0)) resume(exit)
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
