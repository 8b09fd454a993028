/**
 * Why a policy did not let a call through, or cut it off.
 *
 * One error with a reason, and the reason is in the type: a policy that may
 * time out adds `ServiceError<TimedOut>` to the errors of the call, and nothing
 * else. Every reason says who is at fault, and whether the call can safely be
 * made again. What was refused here never left this process: `NotSent`.
 *
 * ```ts
 * Effect.catchReason("ServiceError", "Overloaded", (reason) => …)
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** A limit of ours was reached, or the caller has given the call too little time. @category models */
export type Fault = "limit" | "caller"

/**
 * Nothing left this process (`NotSent`), or the call may have been acted on
 * (`MaybeProcessed`).
 *
 * @category models
 */
export type RetrySafety = "NotSent" | "MaybeProcessed"

/** One attempt took longer than its limit, and was interrupted. @category reasons */
export class TimedOut {
  readonly _tag = "TimedOut"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "MaybeProcessed"
  readonly limitMillis: number
  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }
  get message() {
    return `no answer within ${this.limitMillis} ms`
  }
}

/** The time for the whole of the work is over: what was under way is interrupted. @category reasons */
export class DeadlineExceeded {
  readonly _tag = "DeadlineExceeded"
  readonly fault: Fault = "caller"
  /** `NotSent`: it was over before the call began. */
  readonly retry: RetrySafety
  constructor(retry: RetrySafety) {
    this.retry = retry
  }
  get message() {
    return this.retry === "NotSent" ? "the deadline had passed before the call began" : "the deadline has passed"
  }
}

/** Which limit was reached: see the policy that refuses. @category models */
export type OverloadedLimit = "concurrent" | "waiting" | "wait" | "queue delay" | "priority"

/** There is more to do than can be done; the call was not begun. @category reasons */
export class Overloaded {
  readonly _tag = "Overloaded"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "NotSent"
  readonly limit: OverloadedLimit
  /** Calls for `concurrent`, `waiting` and `priority`, milliseconds for the others. */
  readonly limitAmount: number
  constructor(limit: OverloadedLimit, limitAmount: number) {
    this.limit = limit
    this.limitAmount = limitAmount
  }
  get message() {
    return `overloaded (${this.limit} limit of ${this.limitAmount})`
  }
}

/** The key has used up its tokens; the call was not begun. @category reasons */
export class RateLimited {
  readonly _tag = "RateLimited"
  readonly fault: Fault = "limit"
  readonly retry: RetrySafety = "NotSent"
  readonly key: string
  /** Until there is a token. */
  readonly retryAfterMillis: number
  constructor(key: string, retryAfterMillis: number) {
    this.key = key
    this.retryAfterMillis = retryAfterMillis
  }
  get message() {
    return `too many calls, the next one may begin in ${Math.ceil(this.retryAfterMillis)} ms`
  }
}

/** @category reasons */
export type Reason = TimedOut | DeadlineExceeded | Overloaded | RateLimited

/** A policy refused a call or cut it off; `reason` says why. @category errors */
export class ServiceError<out R extends Reason = Reason> extends Data.TaggedError("ServiceError")<{
  readonly reason: Reason
}> {
  declare readonly reason: R
  override get message(): string {
    return this.reason.message
  }
}

/** @category constructors */
export const make = <R extends Reason>(reason: R): ServiceError<R> => {
  const error: ServiceError<Reason> = new ServiceError({ reason })
  return error as ServiceError<R>
}

/** A policy makes its refusals once, where it can: to refuse must cost next to nothing. @category constructors */
export const fail = <R extends Reason>(reason: R): Effect.Effect<never, ServiceError<R>> => Effect.fail(make(reason))
