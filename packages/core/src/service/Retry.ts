/**
 * Makes a call again where that is safe, can help, and is affordable.
 *
 * - safe: the error says that nobody has acted on the call (see `RetrySafety`),
 *   or the caller says that acting on it twice does no harm.
 * - can help: there is time. A wait that would end behind the deadline is not
 *   begun; the caller gets the error itself, while it is of use.
 * - affordable: the budget has a token. It is a share of all calls, so that a
 *   callee in trouble is not buried by those who wait for it.
 *
 * The schedule says how long to wait and when to stop; an error that asks for
 * more time (`Retry-After`) gets it. Waits are jittered by default: callers who
 * failed together should not come back together.
 *
 * Each attempt is the whole of what the policy wraps: `Timeout` goes inside.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Deadline from "./Deadline.ts"
import * as MonotonicMillis from "./MonotonicMillis.ts"
import type { Policy } from "./Policy.ts"
import * as RetryBudget from "./RetryBudget.ts"
import * as RetrySafety from "./RetrySafety.ts"

/** @category options */
export interface Options<R = never> {
  /**
   * How long to wait before the attempts beyond the first, and when to stop. It
   * is told the error. Default: two further attempts, after about 50 and 100
   * milliseconds, 20 % more or less.
   */
  readonly schedule?: Schedule.Schedule<unknown, unknown, never, R> | undefined
  /**
   * After which failures: those that nobody has acted on (`"safe"`), also those
   * where somebody may have (`"idempotent"`), or those that a predicate
   * chooses. Defects and interrupts never. Default `"safe"`.
   */
  readonly failures?: "safe" | "idempotent" | ((error: unknown) => boolean) | undefined
  /**
   * How long the error wants us to wait at least, in milliseconds; `"stop"`:
   * no further attempt. Default: the `retryAfterMillis` of its reason.
   */
  readonly pushback?: ((error: unknown) => number | "stop") | undefined
  /**
   * Where attempts beyond the first are paid from. Share one among all policies
   * of a client. Default: one of its own; `"unlimited"` for none.
   */
  readonly budget?: RetryBudget.RetryBudget["Service"] | "unlimited" | undefined
}

/** @category constructors */
export const make = <R = never>(options?: Options<R>): Effect.Effect<Policy<never, R>> =>
  Effect.map(budgetOf(options?.budget), (budget): Policy<never, R> => {
    const plan: Plan<R> = {
      budget,
      schedule: options?.schedule ?? defaultSchedule,
      isWorthwhile: predicateOf(options?.failures ?? "safe"),
      pushback: options?.pushback ?? RetrySafety.retryAfterMillis
    }
    return <A, E, R2>(self: Effect.Effect<A, E, R2>): Effect.Effect<A, E, R | R2> => {
      const first = Effect.catchCause(self, (cause) => firstFailure(plan, self, cause))
      return budget === undefined ? first : RetryBudget.counted(first, budget)
    }
  })

/** Two further attempts. @category constants */
const defaultSchedule = Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

interface Plan<R> {
  readonly budget: RetryBudget.RetryBudget["Service"] | undefined
  readonly schedule: Schedule.Schedule<unknown, unknown, never, R>
  readonly isWorthwhile: (error: unknown) => boolean
  readonly pushback: (error: unknown) => number | "stop"
}

const budgetOf = (
  budget: RetryBudget.RetryBudget["Service"] | "unlimited" | undefined
): Effect.Effect<RetryBudget.RetryBudget["Service"] | undefined> => {
  if (budget === "unlimited") return Effect.succeed(undefined)
  return budget === undefined ? RetryBudget.make() : Effect.succeed(budget)
}

const predicateOf = (failures: "safe" | "idempotent" | ((error: unknown) => boolean)) => {
  if (failures === "safe") return RetrySafety.isSafe
  return failures === "idempotent" ? RetrySafety.isSafeIfIdempotent : failures
}

/** The schedule is begun when there is something to wait for. */
const firstFailure = <A, E, R, R2>(
  plan: Plan<R>,
  self: Effect.Effect<A, E, R2>,
  cause: Cause.Cause<E>
): Effect.Effect<A, E, R | R2> =>
  isWorthwhile(plan, cause)
    ? Effect.flatMap(Schedule.toStep(plan.schedule), (step) => again(plan, self, step, cause))
    : Effect.failCause(cause)

type Step<R> = (now: number, input: unknown) => Pull.Pull<[unknown, Duration.Duration], never, unknown, R>

const again = <A, E, R, R2>(
  plan: Plan<R>,
  self: Effect.Effect<A, E, R2>,
  step: Step<R>,
  cause: Cause.Cause<E>
): Effect.Effect<A, E, R | R2> => {
  const giveUp = Effect.failCause(cause)
  if (!isWorthwhile(plan, cause)) return giveUp
  const error = Cause.squash(cause)
  const pushback = plan.pushback(error)
  if (pushback === "stop") return giveUp
  return Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Pull.matchEffect(step(now, error), {
      onDone: () => giveUp,
      onFailure: (failure) => Effect.failCause(failure),
      onSuccess: ([, delay]) => {
        const waitMillis = Math.max(Duration.toMillis(delay), pushback)
        return Effect.flatMap(affordable(plan, waitMillis), (isAffordable) =>
          isAffordable
            ? Effect.catchCause(
                Effect.flatMap(Effect.sleep(waitMillis), () => self),
                (next) => again(plan, self, step, next)
              )
            : giveUp
        )
      }
    })
  )
}

/** One failure, and nothing beside it: who is interrupted or broken stops. */
const isWorthwhile = <R>(plan: Plan<R>, cause: Cause.Cause<unknown>): boolean => {
  const [reason, ...others] = cause.reasons
  return reason !== undefined && others.length === 0 && Cause.isFailReason(reason) && plan.isWorthwhile(reason.error)
}

/** Whether there is time, and then a token: it is spent before the wait, so that who gets none is told at once. */
const affordable = <R>(plan: Plan<R>, waitMillis: number): Effect.Effect<boolean> =>
  Effect.withFiber((fiber) => {
    const leftMillis = Deadline.remainingMillis(fiber.context, () => MonotonicMillis.now(fiber))
    if (waitMillis >= leftMillis) return Effect.succeed(false)
    return plan.budget === undefined ? Effect.succeed(true) : plan.budget.withdraw
  })
