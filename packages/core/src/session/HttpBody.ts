/**
 * The body of a message as it comes, with a bounded part of it waiting: the
 * peer is not read while nobody takes it.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as ByteJoin from "../bytes/ByteJoin.ts"
import * as Retention from "../bytes/Retention.ts"
import type { HttpFields } from "../protocol/http/HttpFields.ts"
import type { Violation } from "../protocol/http/HttpReason.ts"

/** The peer broke a rule or a limit; its stream, with HTTP/1.1 its connection, is closing. @category failures */
export class BodyViolation {
  readonly _tag = "BodyViolation"
  readonly violation: Violation
  constructor(violation: Violation) {
    this.violation = violation
  }
  get message() {
    return this.violation.message
  }
}

/** There is more of it than its reader allowed. @category failures */
export class BodyTooLarge {
  readonly _tag = "BodyTooLarge"
  readonly limitBytes: number
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }
  get message() {
    return `the body is above the limit of ${this.limitBytes} bytes`
  }
}

/** The exchange was over before the end of the body. @category failures */
export class BodyLost {
  readonly _tag = "BodyLost"
  get message() {
    return "the exchange was over before the body ended"
  }
}

/** Why a body could not be read to its end. @category failures */
export type BodyFailure = BodyViolation | BodyTooLarge | BodyLost

/** @category models */
export type Parts = Arr.NonEmptyReadonlyArray<Uint8Array>

/** @category models */
export interface HttpBody {
  /** What its sender said of its size, in bytes. */
  readonly lengthBytes: number | undefined
  /** The next parts, at least one. Ends with `Cause.Done`. One reader at a time. */
  readonly pull: Pull.Pull<Parts, BodyFailure>
  /** All that was not taken yet. Fails with `BodyTooLarge` above `maxBytes`; `Infinity` for no limit. */
  collect(maxBytes: number): Effect.Effect<Uint8Array, BodyFailure>
  /** The same, if that is certain already; `undefined` while it has to be waited for. */
  collectNow(maxBytes: number): Exit.Exit<Uint8Array, BodyFailure> | undefined
  /** After its end: the trailers, where there were any. */
  readonly trailers: HttpFields | undefined
}

/**
 * What a body asks of the session that receives it. A version with windows
 * goes by `credit`, one without by `pause` and `resume`.
 *
 * @category models
 */
export interface Flow {
  /** Somebody waits for more: whoever waits for `100 Continue` may send. */
  wanted(): void
  /** Nobody waits any more: what was wanted has come, or its reader was interrupted. */
  unwanted(): void
  /** Too much waits: receive no more, until `resume`. */
  pause(): void
  resume(): void
  /**
   * So many bytes were used up, and as many more may come: told once of each
   * byte, when it is taken, dropped, or gathered for who wants the whole. What
   * nobody takes before the exchange is over is left to whoever ends that.
   */
  credit(byteCount: number): void
}

/** How many bytes wait for a reader before the peer is not read any more. */
const highWaterBytes = 65_536

/** How many parts may wait before small ones are gathered: a client that sends byte by byte must not cost a part a byte. */
const looseChunks = 4
const smallBytes = 512
const blockBytes = 2_048

/** A body with the side that its session writes to. @category models */
export class IncomingBody implements HttpBody {
  readonly lengthBytes: number | undefined
  trailers: HttpFields | undefined = undefined
  private readonly flow: Flow
  private chunks: Array<Uint8Array> = []
  /** What the last chunk is a view of, where small parts are gathered. */
  private block: Uint8Array | undefined = undefined
  private waitingBytes = 0
  /** How many of those that wait were credited already; `0 <= creditedBytes <= waitingBytes`. */
  private creditedBytes = 0
  private ending: "open" | "ended" | BodyFailure = "open"
  private flowing: "flowing" | "paused" = "flowing"
  /** Looks again, and says whether its fiber went on. */
  private reader: (() => boolean) | undefined = undefined
  /** How much its reader wants to have at once before it goes on. */
  private wantedBytes = 0

  constructor(lengthBytes: number | undefined, flow: Flow) {
    this.lengthBytes = lengthBytes
    this.flow = flow
  }

  /** Whether a fiber waits for more of it. */
  get isAwaited(): boolean {
    return this.reader !== undefined
  }

  get pull(): Pull.Pull<Parts, BodyFailure> {
    return this.read<Parts, BodyFailure | Cause.Done>(0, () => {
      if (this.chunks.length > 0) return Exit.succeed(this.take() as unknown as Parts)
      return this.ending === "open" ? undefined : this.ending === "ended" ? done : Exit.fail(this.ending)
    })
  }

  collect(maxBytes: number): Effect.Effect<Uint8Array, BodyFailure> {
    return this.read(maxBytes, () => this.collectNow(maxBytes))
  }

  collectNow(maxBytes: number): Exit.Exit<Uint8Array, BodyFailure> | undefined {
    if (this.waitingBytes > maxBytes || (this.lengthBytes ?? 0) > maxBytes) {
      return Exit.fail(new BodyTooLarge(maxBytes))
    }
    if (this.ending === "open") return undefined
    if (this.ending !== "ended") return Exit.fail(this.ending)
    const byteLength = this.waitingBytes
    return Exit.succeed(byteLength === 0 ? noBytes : ByteJoin.join(this.take(), byteLength))
  }

  push(data: Uint8Array): void {
    if (this.ending !== "open") {
      this.flow.credit(data.length)
      return
    }
    if (data.length <= smallBytes && this.chunks.length >= looseChunks) this.gather(data)
    else {
      this.chunks.push(Retention.keepable(data))
      this.block = undefined
    }
    this.waitingBytes += data.length
    // Who wants the whole takes none of it before its end: windows must not wait for that.
    if (this.wantedBytes > 0) this.creditWaiting()
    this.reader?.()
    const mostBytes = Math.max(highWaterBytes, this.wantedBytes)
    if (this.flowing === "flowing" && this.waitingBytes > mostBytes) {
      this.flowing = "paused"
      this.flow.pause()
    }
  }

  end(trailers: HttpFields | undefined): void {
    if (this.ending !== "open") return
    this.trailers = trailers
    this.ending = "ended"
    this.reader?.()
  }

  /** What has come is still handed out, but not by `collect`, which wants the whole. */
  fail(failure: BodyFailure): void {
    if (this.ending !== "open") return
    this.ending = failure
    this.reader?.()
  }

  private read<A, E>(wantedBytes: number, attempt: () => Exit.Exit<A, E> | undefined): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      if (this.reader !== undefined) return Effect.die(new Error("two fibers read one body at the same time"))
      return attempt() ?? this.park(wantedBytes, attempt)
    })
  }

  private park<A, E>(wantedBytes: number, attempt: () => Exit.Exit<A, E> | undefined): Effect.Effect<A, E> {
    return Effect.callback<A, E>((resume) => {
      const leave = (): void => {
        if (this.reader !== look) return
        this.reader = undefined
        this.wantedBytes = 0
        this.flow.unwanted()
      }
      const look = (): boolean => {
        const exit = attempt()
        if (exit === undefined) return false
        leave()
        resume(exit)
        return true
      }
      this.reader = look
      this.wantedBytes = wantedBytes
      this.flow.wanted()
      if (wantedBytes > 0) this.creditWaiting()
      this.unpause()
      // What came meanwhile has woken nobody.
      look()
      return Effect.sync(leave)
    })
  }

  private take(): Array<Uint8Array> {
    const taken = this.chunks
    this.chunks = []
    this.block = undefined
    this.creditWaiting()
    this.waitingBytes = 0
    this.creditedBytes = 0
    this.unpause()
    return taken
  }

  /** Adds a small part to those before it, in a block of their own. */
  private gather(data: Uint8Array): void {
    const { chunks } = this
    const usedBytes = this.block === undefined ? blockBytes : chunks[chunks.length - 1]!.length
    if (usedBytes + data.length > blockBytes) {
      this.block = new Uint8Array(blockBytes)
      this.block.set(data)
      chunks.push(this.block.subarray(0, data.length))
      return
    }
    this.block!.set(data, usedBytes)
    chunks[chunks.length - 1] = this.block!.subarray(0, usedBytes + data.length)
  }

  private creditWaiting(): void {
    const byteCount = this.waitingBytes - this.creditedBytes
    if (byteCount === 0) return
    this.creditedBytes = this.waitingBytes
    this.flow.credit(byteCount)
  }

  private unpause(): void {
    if (this.flowing === "flowing") return
    this.flowing = "flowing"
    // Nothing more comes to one that is over, and what flows by now is another's.
    if (this.ending === "open") this.flow.resume()
  }
}

const done: Exit.Exit<never, Cause.Done> = Exit.fail(Cause.Done())

const noBytes = new Uint8Array(0)
