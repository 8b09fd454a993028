/**
 * Makes a call a second time when it takes longer than most do, and takes the
 * answer that comes first.
 *
 * One slow server among many, a lost packet, a pause of a garbage collector:
 * the slowest hundredth of calls is slow by chance, and the same call made
 * again is not. Sent after the 95th percentile that costs one call in twenty,
 * and takes most of the tail away (J. Dean, L. Barroso, "The Tail at Scale").
 *
 * Only for calls that do no harm when they are acted on twice. When all are
 * slow there is no chance in it, and the budget stops the second calls: share
 * it with `Retry`.
 *
 * A failure is final when it comes before the second call, or when both fail;
 * otherwise the other one decides. The loser is interrupted.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { endWith } from "./CutOff.ts"
import { LatencyHistogram } from "./LatencyHistogram.ts"
import * as MonotonicMillis from "./MonotonicMillis.ts"
import type { Policy } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as RetryBudget from "./RetryBudget.ts"

/** @category options */
export interface Options {
  /**
   * When the second call is made: after a fixed time, or after a percentile of
   * the latencies of answers.
   */
  readonly after: Duration.Input | AfterPercentile
  /** Where second calls are paid from. Default: a budget of its own; `"unlimited"` for none. */
  readonly budget?: RetryBudget.RetryBudget["Service"] | "unlimited" | undefined
}

/** @category options */
export interface AfterPercentile {
  /** From 0.5 to 0.999: at 0.95 one call in twenty is made twice. */
  readonly percentile: number
  /** No second calls before so many answers were measured; at least 1. Default 20. */
  readonly minSamples?: number | undefined
  /** Latencies are forgotten after one or two of these; above 0. Default 30 seconds. */
  readonly period?: Duration.Input | undefined
}

/** @category constructors */
export const make = (options: Options): Effect.Effect<Policy> =>
  Effect.flatMap(
    Effect.sync(() => delayOf(options.after)),
    (delay) => {
      const { budget } = options
      if (budget === "unlimited") return Effect.succeed(hedging(delay, undefined))
      return Effect.map(budget === undefined ? RetryBudget.make() : Effect.succeed(budget), (one) =>
        hedging(delay, one)
      )
    }
  )

/** How long to wait, and what is learned from answers. */
interface Delay {
  /** `undefined`: not known yet. */
  readonly waitMillis: (nowMillis: number) => number | undefined
  readonly answered: (latencyMillis: number, nowMillis: number) => void
}

const isPercentile = (after: Duration.Input | AfterPercentile): after is AfterPercentile =>
  typeof after === "object" && after !== null && "percentile" in after

const delayOf = (after: Duration.Input | AfterPercentile): Delay => {
  if (!isPercentile(after)) {
    const waitMillis = PolicyOption.millis("after", after)
    return { waitMillis: () => waitMillis, answered: () => {} }
  }
  const percentile = PolicyOption.ratio("after.percentile", after.percentile, 0.5, 0.999)
  const minSamples = PolicyOption.count("after.minSamples", after.minSamples ?? 20)
  const histogram = new LatencyHistogram(PolicyOption.millis("after.period", after.period ?? "30 seconds"))
  return {
    waitMillis: (nowMillis) =>
      histogram.count(nowMillis) < minSamples ? undefined : histogram.percentile(percentile, nowMillis),
    answered: (latencyMillis, nowMillis) => histogram.record(latencyMillis, nowMillis)
  }
}

const hedging =
  (delay: Delay, budget: RetryBudget.RetryBudget["Service"] | undefined): Policy =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const hedged = Effect.withFiber((caller: Fiber.Fiber<unknown, unknown>): Effect.Effect<A, E> => {
      const clock = caller.getRef(Clock.Clock)
      const begunAt = MonotonicMillis.of(clock)
      const context = caller.context as Context.Context<R>
      const run = Effect.runForkWith(budget === undefined ? context : RetryBudget.countedContext(context, budget))
      const first = run(self)
      const exit = first.pollUnsafe()
      if (exit !== undefined) {
        if (exit._tag === "Success") delay.answered(0, begunAt)
        return exit
      }
      const forget = endWith(caller, first)
      const race = new Race<A, E>(clock, delay)
      race.add(first, begunAt)
      const second = () => race.add(run(self), MonotonicMillis.of(clock))
      return Effect.onExitPrimitive(race.wait(caller, delay.waitMillis(begunAt), budget, second), () => {
        forget()
        return race.stop()
      })
    })
    if (budget === undefined) return hedged
    const earning = Effect.andThen(budget.deposit, hedged)
    return Effect.withFiber((caller) => (RetryBudget.isCounted(caller.context, budget) ? hedged : earning))
  }

/**
 * A first call that lost would have taken longer still; nobody knows how much.
 * Left out, the slow ones would be missing among those measured; counted as
 * what they took, they would all be just above the percentile. Either way it
 * falls with each second call: to 1.24 and 1.18 calls for each one at the 90th
 * percentile, in a simulation. Counted as twice as long, it stays at 1.11.
 */
const lostFactor = 2

/** A call and its second. */
class Race<A, E> {
  /** Those that have not ended. */
  private readonly running = new Set<Fiber.Fiber<A, E>>()
  private readonly clock: Clock.Clock
  private readonly delay: Delay
  private onEnd: ((exit: Exit.Exit<A, E>) => void) | undefined
  private begunCount = 0
  private isWon = false

  constructor(clock: Clock.Clock, delay: Delay) {
    this.clock = clock
    this.delay = delay
  }

  add(fiber: Fiber.Fiber<A, E>, begunAt: number): void {
    const isFirst = this.begunCount++ === 0
    this.running.add(fiber)
    fiber.addObserver((exit) => {
      this.running.delete(fiber)
      const isLost = isFirst && this.isWon
      if (exit._tag === "Success" || isLost) {
        const nowMillis = MonotonicMillis.of(this.clock)
        this.delay.answered((nowMillis - begunAt) * (isLost ? lostFactor : 1), nowMillis)
      }
      if (exit._tag === "Success") this.isWon = true
      this.onEnd?.(exit)
    })
  }

  wait(
    caller: Fiber.Fiber<unknown, unknown>,
    waitMillis: number | undefined,
    budget: RetryBudget.RetryBudget["Service"] | undefined,
    second: () => void
  ): Effect.Effect<A, E> {
    return Effect.callback((resume) => {
      const timer = waitMillis === undefined ? undefined : this.fork(caller, waitMillis, budget)
      this.onEnd = (exit) => {
        // A failure beside a call that goes on decides nothing; an interrupt of its own is one too.
        if (exit._tag === "Failure" && this.running.size > 0) return
        timer?.interruptUnsafe()
        resume(exit)
      }
      timer?.addObserver((exit) => {
        if (exit._tag === "Success" && exit.value) second()
      })
      return Effect.sync(() => timer?.interruptUnsafe())
    })
  }

  /** Interrupts those that have not won. */
  stop(): Effect.Effect<void> | undefined {
    this.onEnd = undefined
    return this.running.size === 0 ? undefined : Fiber.interruptAll([...this.running])
  }

  /** Waits, and then asks the budget. */
  private fork(
    caller: Fiber.Fiber<unknown, unknown>,
    waitMillis: number,
    budget: RetryBudget.RetryBudget["Service"] | undefined
  ): Fiber.Fiber<boolean> {
    const sleep = caller.getRef(Clock.Clock).sleep(Duration.millis(waitMillis))
    return Effect.runForkWith(caller.context)(
      Effect.andThen(sleep, budget === undefined ? Effect.succeed(true) : budget.withdraw)
    )
  }
}
