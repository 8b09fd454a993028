/**
 * The contract of every protocol engine: bytes, commands and the time go in;
 * calls to a handler and bytes for the peer come out, synchronously.
 *
 * An engine is pure: it reads no clock, owns no timer, does no I/O and draws
 * no random number. The same input gives the same calls in the same order,
 * however it is cut into chunks. Bad input becomes a violation that is handed
 * to the handler; its answer on the wire is in the output already. An engine
 * never throws for what a peer sent.
 *
 * Handler interfaces and commands (`sendText`, `respond`, …) are each engine's
 * own; this file has only what a pump needs to drive any of them.
 *
 * @since 0.1.0
 */

/** @category models */
export interface Engine {
  /** What the engine wants sent; taken by the pump once a turn. */
  readonly output: Output
  /** When `advance` wants to be called, in milliseconds of the caller's clock. `Infinity`: no need. */
  readonly deadlineMillis: number
  /** Bytes from the peer. The engine owns the chunk. */
  receive(bytes: Uint8Array, nowMillis: number): void
  /** The peer will send nothing more (half-close). */
  receiveEnd(nowMillis: number): void
  /** The transport is gone; nothing can be sent. Last call of all. */
  receiveClose(nowMillis: number): void
  /** Time has passed: do what was due at `nowMillis` or before. Early calls are harmless. */
  advance(nowMillis: number): void
  /** The transport is empty again: queued data may be moved to the output. */
  resumeSending(nowMillis: number): void
}

/**
 * Bytes of one turn, for one write.
 *
 * Small pieces are collected as they are; the pump joins them. After `end` or
 * `abort` nothing more is taken.
 *
 * @category models
 */
export class Output {
  private chunks: Array<Uint8Array> = []
  /** Bytes collected since the last `take`. */
  byteLength = 0
  /**
   * `open`: more may come. `end`: half-close after the last byte; the engine
   * keeps a deadline for the peer's own end, and aborts then. `abort`: give up
   * the transport now, with whatever the network has not taken yet.
   */
  closing: "open" | "end" | "abort" = "open"
  /** Set by the pump while the transport is full: an engine with a queue holds back what can wait. */
  blocked = false

  write(bytes: Uint8Array): void {
    if (this.closing !== "open" || bytes.length === 0) return
    this.chunks.push(bytes)
    this.byteLength += bytes.length
  }

  end(): void {
    if (this.closing === "open") this.closing = "end"
  }

  abort(): void {
    this.closing = "abort"
  }

  /** Hands over all that was collected, in order. */
  take(): Array<Uint8Array> {
    const taken = this.chunks
    this.chunks = []
    this.byteLength = 0
    return taken
  }
}
