/**
 * The reading side of a connection: bytes that came and were not yet asked
 * for, and the one fiber that may be waiting for more.
 *
 * Decoders work on the buffer itself. So whoever reads next, raw or with
 * another codec, finds every byte that was not consumed.
 *
 * Bytes are read ahead up to `highWaterBytes`, then the transport is paused.
 * While a fiber waits for the rest of a frame the transport is never paused:
 * the decoder's own maximum bounds the buffer then.
 *
 * Hot path (`bench` rows "echo" and "frames").
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import { ByteQueue } from "../bytes/ByteQueue.ts"
import type { Transport } from "../transport/Transport.ts"
import type { TransportError } from "../transport/TransportError.ts"

/**
 * What the peer has said so far about sending more.
 *
 * - `open`: it may send more;
 * - `ended`: it will not, or this side wants no more;
 * - an error: the transport was lost.
 *
 * @category models
 */
export type Ending = "open" | "ended" | TransportError

/**
 * Looks into the buffer: an exit when there is something to hand out, an end
 * or an error; `undefined` when more bytes are needed.
 *
 * @category models
 */
export type Step<A, E> = (buffer: ReceiveBuffer) => Exit.Exit<A, E> | undefined

/** @category models */
export class ReceiveBuffer {
  readonly queue = new ByteQueue()
  ending: Ending = "open"
  /**
   * While draining, a reader that finds nothing buffered has nothing in
   * flight, and is told the end of the stream.
   */
  draining = false
  /** `discarding`: nobody reads any more, what comes is dropped. */
  private mode: "reading" | "paused" | "discarding" = "reading"
  private waiting: (() => boolean) | undefined
  private transport: Transport
  private readonly highWaterBytes: number

  constructor(transport: Transport, highWaterBytes: number) {
    this.transport = transport
    this.highWaterBytes = highWaterBytes
  }

  /** Whether a fiber waits, in the midst of a frame. */
  get midFrame(): boolean {
    return this.waiting !== undefined && this.queue.byteLength > 0
  }

  /** An effect that runs `step` until it yields an exit. Make it once for each reader, and run it for each read. */
  reader<A, E>(step: Step<A, E>): Effect.Effect<A, E> {
    const park = Effect.callback<A, E>((resume) => {
      if (this.waiting !== undefined) {
        resume(Effect.die(new Error("two fibers receive from one connection at the same time")))
        return
      }
      const wake = (): boolean => {
        const exit = this.attempt(step)
        if (exit === undefined) return false
        this.waiting = undefined
        resume(exit)
        return true
      }
      this.waiting = wake
      // The fiber may have yielded since it looked, and what came meanwhile has woken nobody.
      if (wake()) {
        this.unpauseBelowHighWater()
        return
      }
      this.unpause()
      return Effect.sync(() => {
        if (this.waiting === wake) this.waiting = undefined
      })
    })
    return Effect.suspend(() => {
      if (this.waiting !== undefined) return park
      const exit = step(this)
      if (exit === undefined) return park
      this.unpauseBelowHighWater()
      return exit
    })
  }

  push(chunk: Uint8Array): void {
    if (this.mode === "discarding") return
    this.queue.push(chunk)
    this.waiting?.()
    if (this.mode === "reading" && this.waiting === undefined && this.queue.byteLength >= this.highWaterBytes) {
      this.mode = "paused"
      this.transport.pause()
    }
  }

  /** The peer's end, the loss of the transport, or the wish of this side to read no more. The first one counts. */
  end(ending: "ended" | TransportError): void {
    if (this.ending !== "open") return
    this.ending = ending
    this.wake()
  }

  /** Ends the reader as soon as it finds nothing buffered. */
  drain(): void {
    this.draining = true
    this.wake()
  }

  /** Has a waiting reader look again. */
  wake(): void {
    this.waiting?.()
  }

  /** Nobody reads any more: what comes is dropped, so that the peer can come to its end. */
  discard(): void {
    this.mode = "discarding"
    this.queue.clear()
    this.transport.resume()
  }

  /** What a decoder throws is the defect of the fiber that waits: nobody else, and no platform, is to blame. */
  private attempt<A, E>(step: Step<A, E>): Exit.Exit<A, E> | undefined {
    try {
      return step(this)
    } catch (cause) {
      return Exit.die(cause)
    }
  }

  private unpauseBelowHighWater(): void {
    if (this.queue.byteLength < this.highWaterBytes) this.unpause()
  }

  private unpause(): void {
    if (this.mode !== "paused") return
    this.mode = "reading"
    this.transport.resume()
  }
}

/** The end of the stream, as `Pull` spells it. */
export const done: Exit.Exit<never, Cause.Done> = Exit.fail(Cause.Done())

/**
 * Hands out bytes as they come: one chunk of the transport at a time.
 *
 * @category steps
 */
export const chunkStep: Step<Uint8Array, Cause.Done | TransportError> = (buffer) => {
  const chunk = buffer.queue.takeChunk()
  return chunk !== undefined ? Exit.succeed(chunk) : endStep(buffer)
}

/**
 * What a reader is told that finds the buffer empty.
 *
 * @category steps
 */
export const endStep: Step<never, Cause.Done | TransportError> = (buffer) => {
  if (buffer.ending === "open") return buffer.draining ? done : undefined
  return buffer.ending === "ended" ? done : Exit.fail(buffer.ending)
}

/** @category models */
export type Receive<A, E = never> = Pull.Pull<A, E | TransportError>
