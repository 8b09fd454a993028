/**
 * Why a pool gave no connection.
 *
 * A reason says who is at fault: a limit of this program, the other end, or
 * the caller. What `connect` itself fails with is no `PoolError`: it comes as
 * it is.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

/**
 * No connection came within `acquireTimeout`.
 *
 * `lastFailure` is why the latest attempt to open a connection failed, if none
 * has succeeded since: then it is the other end that cannot be reached.
 * Otherwise all connections are in use for too long, or there are too few.
 *
 * @category reasons
 */
export class AcquireTimeout {
  readonly _tag = "AcquireTimeout"
  readonly limitMillis: number
  readonly lastFailure: Cause.Cause<unknown> | undefined
  constructor(limitMillis: number, lastFailure: Cause.Cause<unknown> | undefined) {
    this.limitMillis = limitMillis
    this.lastFailure = lastFailure
  }
  get fault(): "limit" | "transport" {
    return this.lastFailure === undefined ? "limit" : "transport"
  }
  get message() {
    const why = this.lastFailure === undefined ? "all of them are in use" : "none can be opened"
    return `no connection came within ${this.limitMillis} ms: ${why}`
  }
}

/** `maxWaiters` wait already. @category reasons */
export class TooManyWaiters {
  readonly _tag = "TooManyWaiters"
  readonly fault = "limit"
  readonly limitCount: number
  constructor(limitCount: number) {
    this.limitCount = limitCount
  }
  get message() {
    return `all connections are in use, and ${this.limitCount} may wait for one`
  }
}

/** `connect` did not end within `connectTimeout`. @category reasons */
export class ConnectTimeout {
  readonly _tag = "ConnectTimeout"
  readonly fault = "transport"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `the connection was not open after ${this.limitMillis} ms`
  }
}

/** The pool has more keys in use than `maxKeys`. @category reasons */
export class TooManyKeys {
  readonly _tag = "TooManyKeys"
  readonly fault = "limit"
  readonly limitCount: number
  constructor(limitCount: number) {
    this.limitCount = limitCount
  }
  get message() {
    return `${this.limitCount} keys are in use, and no further one may be`
  }
}

/** The scope of the pool has closed, or it was shut down. @category reasons */
export class PoolClosed {
  readonly _tag = "PoolClosed"
  readonly fault = "caller"
  get message() {
    return "the pool is closed"
  }
}

/** @category reasons */
export type Reason = AcquireTimeout | TooManyWaiters | ConnectTimeout | TooManyKeys | PoolClosed

/**
 * A pool gave no connection; `reason` says why.
 *
 * ```ts
 * Effect.catchReason("PoolError", "TooManyWaiters", () => HttpServerResponse.text("busy", { status: 503 }))
 * ```
 *
 * @category errors
 */
export class PoolError extends Data.TaggedError("PoolError")<{
  readonly reason: Reason
}> {
  override get message(): string {
    return this.reason.message
  }
}

/** @category constructors */
export const make = (reason: Reason): PoolError => new PoolError({ reason })
