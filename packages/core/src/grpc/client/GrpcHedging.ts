/**
 * Makes a call by attempts beside each other: each is a fiber, and the call's
 * own fiber decides. When it ends, however it does, no attempt but the one that
 * won is on its way any more.
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { AttemptFailed, AttemptStart, Once } from "./GrpcAttempts.ts"
import type { GrpcStream } from "./GrpcConnector.ts"
import type { GrpcHedgingPolicy } from "./GrpcHedgingPolicy.ts"
import { GrpcHedgingState } from "./GrpcHedgingState.ts"
import type { GrpcThrottle } from "./GrpcThrottle.ts"

/** @category running */
export const run = <A, R>(
  policy: GrpcHedgingPolicy,
  throttle: GrpcThrottle | undefined,
  once: Once<A, R>
): Effect.Effect<A, GrpcError, R> =>
  Effect.suspend(() => {
    const call = new HedgedCall(policy, throttle, once)
    return Effect.onExit(call.step, (exit) => call.stopAllBut(Exit.isSuccess(exit) ? call.winner : undefined))
  })

interface Attempt<A> {
  readonly previousAttempts: number
  stream: GrpcStream | undefined
  fiber: Fiber.Fiber<A, AttemptFailed> | undefined
}

class HedgedCall<A, R> {
  /** The one that answers: the only one that counts from then on. */
  winner: Attempt<A> | undefined = undefined
  /** One turn of the call's fiber, and all that follow it. */
  readonly step: Effect.Effect<A, GrpcError, R>
  private readonly state: GrpcHedgingState
  private readonly throttle: GrpcThrottle | undefined
  private readonly once: Once<A, R>
  /** Those that have not failed. */
  private readonly attempts = new Set<Attempt<A>>()
  /** Ends that the call's fiber has not looked at. */
  private readonly ends: Array<readonly [Attempt<A>, Exit.Exit<A, AttemptFailed>]> = []
  private latest: GrpcStream | undefined = undefined
  private failure: GrpcError | undefined = undefined
  private wake: (() => void) | undefined = undefined

  constructor(policy: GrpcHedgingPolicy, throttle: GrpcThrottle | undefined, once: Once<A, R>) {
    this.state = new GrpcHedgingState(policy, throttle)
    this.throttle = throttle
    this.once = once
    this.step = Effect.clockWith((clock) => this.turn(Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli))
  }

  /** Where a loser has its reply already, its stream may be open still. */
  stopAllBut(winner: Attempt<A> | undefined): Effect.Effect<void> {
    const losers = [...this.attempts].filter((attempt) => attempt !== winner)
    if (losers.length === 0) return Effect.void
    const fibers = losers.flatMap(({ fiber }) => (fiber === undefined ? [] : [fiber]))
    return Effect.map(Fiber.interruptAll(fibers), () => {
      for (const loser of losers) {
        this.attempts.delete(loser)
        if (loser.stream?.isOver === false) loser.stream.release()
      }
    })
  }

  private turn(nowMillis: number): Effect.Effect<A, GrpcError, R> {
    for (let end = this.ends.shift(); end !== undefined; end = this.ends.shift()) {
      const next = this.ended(end[0], end[1], nowMillis)
      if (next !== undefined) return next
    }
    const waitMillis = this.state.waitMillis(nowMillis)
    if (this.state.isOver) return Effect.fail(this.failure!)
    if (waitMillis > 0) return Effect.flatMap(this.wait(waitMillis), () => this.step)
    const sent = this.send(this.state.sentCount)
    this.state.sent(nowMillis)
    return Effect.flatMap(sent, () => this.step)
  }

  /** What the call does now; `undefined`: whatever comes next. */
  private ended(
    attempt: Attempt<A>,
    exit: Exit.Exit<A, AttemptFailed>,
    nowMillis: number
  ): Effect.Effect<A, GrpcError, R> | undefined {
    if (this.winner !== undefined && this.winner !== attempt) return undefined
    if (Exit.isSuccess(exit)) {
      this.winner = attempt
      this.throttle?.succeeded()
      return Effect.succeed(exit.value)
    }
    this.attempts.delete(attempt)
    const found = Cause.findError(exit.cause)
    if (Result.isFailure(found)) return Effect.failCause(found.failure)
    const failed = found.success
    this.failure = failed.error
    const verdict = this.state.failed(failed, nowMillis)
    switch (this.winner === attempt ? "Over" : verdict) {
      case "Over":
        return Effect.fail(failed.error)
      case "Again":
        return Effect.flatMap(Effect.yieldNow, () => this.again(attempt))
      case "GoesOn":
        return undefined
    }
  }

  private again({ previousAttempts }: Attempt<A>): Effect.Effect<A, GrpcError, R> {
    // Another one may have committed meanwhile.
    return this.winner === undefined ? Effect.flatMap(this.send(previousAttempts), () => this.step) : this.step
  }

  private send(previousAttempts: number): Effect.Effect<void, never, R> {
    const attempt: Attempt<A> = { previousAttempts, stream: undefined, fiber: undefined }
    const start: AttemptStart = {
      previousAttempts,
      besides: this.latest,
      onStream: (stream) => {
        attempt.stream = stream
        this.latest = stream
      },
      onCommitted: () => this.committed(attempt)
    }
    const forked = Effect.forkChild(
      Effect.suspend(() => this.once(start)),
      { startImmediately: true }
    )
    // No fiber is there of which the end of the call does not know.
    return Effect.uninterruptible(
      Effect.map(forked, (fiber) => {
        attempt.fiber = fiber
        this.attempts.add(attempt)
        fiber.addObserver((exit) => {
          this.ends.push([attempt, exit])
          this.wake?.()
        })
      })
    )
  }

  /** From the head of an answer on, no other attempt is wanted (A6, "When Retries are Valid"). */
  private committed(attempt: Attempt<A>): void {
    if (this.winner !== undefined) return
    this.winner = attempt
    this.state.freeze()
    // At once, so that no second one tells the caller of metadata. The end of the call waits for their ends.
    for (const other of this.attempts) if (other !== attempt) other.fiber?.interruptUnsafe()
    this.wake?.()
  }

  /** Until an attempt ends or commits, and so long at most. */
  private wait(waitMillis: number): Effect.Effect<unknown> {
    const heard = Effect.callback<void>((resume) => {
      if (this.ends.length > 0) return resume(Effect.void)
      this.wake = () => resume(Effect.void)
      return Effect.sync(() => {
        this.wake = undefined
      })
    })
    return waitMillis === Number.POSITIVE_INFINITY ? heard : Effect.timeoutOption(heard, waitMillis)
  }
}

const nanosPerMilli = 1e6
