/**
 * Limits what is sent again to a share of what is asked for.
 *
 * A fixed "retry three times" multiplies load exactly when the callee is
 * failing. A budget bounds the extra load instead: every call earns a part of a
 * token, every attempt beyond its first costs one. All policies of a client
 * share one, retries and hedges too, so that they do not multiply each other.
 *
 * What was earned or spent is forgotten after `window`. Besides the share there
 * is a small rate for clients with few calls. The numbers are those of Finagle,
 * Linkerd and tower: 20 % and 10 a second over 10 seconds.
 *
 * ```text
 *  window:  │ 1 s │ 1 s │ … │ 1 s │ now    ten slots; the oldest is dropped whole
 *  a slot:  earned - spent                 sum of slots + reserve >= 1 to spend one
 * ```
 *
 * The counter is exact for one process; it is not shared between processes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MonotonicMillis from "./MonotonicMillis.ts"
import * as PolicyOption from "./PolicyOption.ts"

/** @category services */
export class RetryBudget extends Context.Service<
  RetryBudget,
  {
    /** Records a call, whatever becomes of it: see `counted`. */
    readonly deposit: Effect.Effect<void>
    /** Spends a token for one more attempt. `false`: it must not be made. */
    readonly withdraw: Effect.Effect<boolean>
    /** Attempts that may be made now, beyond the first ones of calls. */
    readonly balance: Effect.Effect<number>
  }
>()("@sluice/core/service/RetryBudget") {}

/** @category options */
export interface Options {
  /**
   * Attempts earned by a call, as a fraction (`0.2` is one for every five
   * calls). From 0 to 10. Default 0.2.
   */
  readonly retriesPerCall?: number | undefined
  /** Attempts a second that need not be earned. From 0 to 10,000. Default 10. */
  readonly minRetriesPerSecond?: number | undefined
  /** How long a token is kept, and a spent one missing. From 1 second to 60 seconds. Default 10 seconds. */
  readonly window?: Duration.Input | undefined
}

/** @category constructors */
export const make = (options?: Options): Effect.Effect<RetryBudget["Service"]> =>
  Effect.sync(() => {
    const windowMillis = PolicyOption.millis("window", options?.window ?? "10 seconds")
    PolicyOption.ratio("window (in seconds)", windowMillis / 1000, 1, 60)
    const perSecond = PolicyOption.ratio("minRetriesPerSecond", options?.minRetriesPerSecond ?? 10, 0, 10_000)
    const slots = new Slots(
      PolicyOption.ratio("retriesPerCall", options?.retriesPerCall ?? 0.2, 0, 10),
      (perSecond * windowMillis) / 1000,
      windowMillis / slotCount
    )
    return {
      deposit: Effect.withFiber((fiber) => {
        slots.deposit(MonotonicMillis.now(fiber))
        return Effect.void
      }),
      withdraw: Effect.withFiber((fiber) => Effect.succeed(slots.withdraw(MonotonicMillis.now(fiber)))),
      balance: Effect.withFiber((fiber) =>
        Effect.succeed(Math.max(0, Math.floor(slots.balance(MonotonicMillis.now(fiber)))))
      )
    }
  })

/** @category layers */
export const layer = (options?: Options): Layer.Layer<RetryBudget> => Layer.effect(RetryBudget)(make(options))

/**
 * The same call, which earns its part once: where several policies with the
 * same budget stand around each other, the outermost one counts. What is sent
 * again by one of them is no new call to another.
 *
 * @category combinators
 */
export const counted = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  budget: RetryBudget["Service"]
): Effect.Effect<A, E, R> => {
  const earning = Effect.andThen(budget.deposit, Effect.provideService(self, CountedBy, budget))
  return Effect.withFiber((fiber) => (isCounted(fiber.context, budget) ? self : earning))
}

/** Whether a call around this context has earned its part. @category predicates */
export const isCounted = (context: Context.Context<never>, budget: RetryBudget["Service"]): boolean =>
  Context.get(context, CountedBy) === budget

/** The context of what is inside of such a call. @category combinators */
export const countedContext = <R>(context: Context.Context<R>, budget: RetryBudget["Service"]): Context.Context<R> =>
  Context.add(context, CountedBy, budget)

/** The budget that the call around us has earned its part for. */
const CountedBy = Context.Reference<RetryBudget["Service"] | undefined>("@sluice/core/service/RetryBudget/CountedBy", {
  defaultValue: () => undefined
})

const slotCount = 10

/** Sums of fractions err: a fifth, taken five times, is a whole one. */
const tolerance = 1e-6

class Slots {
  private readonly retriesPerCall: number
  private readonly reserve: number
  private readonly slotMillis: number
  /** What was earned less what was spent, by slot of time modulo `slotCount`. */
  private readonly nets = new Float64Array(slotCount)
  /** The slot of the present, counted from the clock's origin. */
  private present = Number.NEGATIVE_INFINITY

  constructor(retriesPerCall: number, reserve: number, slotMillis: number) {
    this.retriesPerCall = retriesPerCall
    this.reserve = reserve
    this.slotMillis = slotMillis
  }

  deposit(nowMillis: number): void {
    this.nets[this.turnTo(nowMillis)]! += this.retriesPerCall
  }

  withdraw(nowMillis: number): boolean {
    if (this.balance(nowMillis) < 1) return false
    this.nets[this.turnTo(nowMillis)]! -= 1
    return true
  }

  balance(nowMillis: number): number {
    this.turnTo(nowMillis)
    return this.nets.reduce((sum, net) => sum + net, this.reserve + tolerance)
  }

  /** The index of the present's slot; those that are too old are empty again. */
  private turnTo(nowMillis: number): number {
    const present = Math.floor(nowMillis / this.slotMillis)
    for (let slot = Math.max(this.present + 1, present - slotCount + 1); slot <= present; slot++) {
      this.nets[indexOf(slot)] = 0
    }
    this.present = Math.max(this.present, present)
    return indexOf(this.present)
  }
}

/** A clock may begin below 0. */
const indexOf = (slot: number): number => ((slot % slotCount) + slotCount) % slotCount
