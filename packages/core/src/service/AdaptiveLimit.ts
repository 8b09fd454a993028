/**
 * A limit for the calls under way that finds its own size: it grows while calls
 * are answered in time, and shrinks when they are not (AIMD).
 *
 * ```text
 *  in time, and the limit in use   limit + 1 / limit     one more for each round of calls
 *  late, or failed by overload     limit * 0.9           once for each round
 * ```
 *
 * Why not a gradient of latencies (Netflix's `Gradient2`, TCP Vegas): that needs
 * no `target`, but measures against a baseline that it has moved itself. Under
 * a long overload the queue becomes the baseline, and who starts during one
 * takes it for normal. Here there is one number, and an operator knows it: the
 * time in which an answer is still of use. And several clients of one callee
 * come to equal shares (Chiu and Jain, 1989).
 *
 * Beyond the limit a call is refused at once; the line belongs to the callee.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as MonotonicMillis from "./MonotonicMillis.ts"
import { Places } from "./Places.ts"
import type { Policy } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as RetrySafety from "./RetrySafety.ts"
import * as ServiceError from "./ServiceError.ts"

type Refused = ServiceError.ServiceError<ServiceError.Overloaded>

/** @category options */
export interface Options {
  /** An answer that takes longer is late; above 0. */
  readonly target: Duration.Input
  /** The limit at first. From `minConcurrent` to `maxConcurrent`. Default 20, or the nearest of them. */
  readonly initialConcurrent?: number | undefined
  /** At least 1, which is the default: a callee that recovers must be seen. */
  readonly minConcurrent?: number | undefined
  /** Default 1,000. */
  readonly maxConcurrent?: number | undefined
  /** What is left of the limit after a late answer; from 0.1 to 0.99. Default 0.9. */
  readonly backoff?: number | undefined
  /**
   * Failures that mean overload, however soon they came. Other failures say
   * nothing. Default: a timeout, and what the server has refused.
   */
  readonly isOverload?: ((error: unknown) => boolean) | undefined
}

/** @category models */
export interface AdaptiveLimit {
  readonly policy: Policy<Refused>
  /** The limit now, in calls. */
  readonly current: Effect.Effect<number>
}

/** @category constructors */
export const make = (options: Options): Effect.Effect<AdaptiveLimit> =>
  Effect.sync(() => {
    const targetMillis = PolicyOption.millis("target", options.target)
    const least = PolicyOption.count("minConcurrent", options.minConcurrent ?? 1)
    const most = PolicyOption.count("maxConcurrent", options.maxConcurrent ?? Math.max(1000, least), least)
    const initial = options.initialConcurrent ?? Math.min(most, Math.max(least, 20))
    const backoff = PolicyOption.ratio("backoff", options.backoff ?? 0.9, 0.1, 0.99)
    const size = new Size(PolicyOption.count("initialConcurrent", initial, least, most), least, most, backoff)
    const isOverload = options.isOverload ?? isOverloadByDefault
    const refusal = ServiceError.fail(new ServiceError.Overloaded("concurrent", most))
    const places: Places<Refused> = new Places({
      maxConcurrent: size.count,
      whenFull: () => ({ _tag: "Refuse", refusal })
    })
    const ended = (exit: Exit.Exit<unknown, unknown>, tookMillis: number): void => {
      const verdict = verdictOf(exit, tookMillis > targetMillis, isOverload)
      if (verdict === "none") return
      if (verdict === "late") size.shrink()
      else size.grow(places.takenCount)
      places.maxConcurrent = size.count
    }
    return {
      current: Effect.sync(() => size.count),
      policy: <A, E, R>(self: Effect.Effect<A, E, R>) =>
        places.around(
          Effect.withFiber((fiber): Effect.Effect<A, E, R> => {
            const clock = fiber.getRef(Clock.Clock)
            const begunAt = MonotonicMillis.of(clock)
            return Effect.onExitPrimitive(self, (exit) => {
              ended(exit, MonotonicMillis.of(clock) - begunAt)
              return undefined
            })
          })
        )
    }
  })

class Size {
  private readonly least: number
  private readonly most: number
  private readonly backoff: number
  /** `least <= limit <= most`; grows by fractions. */
  private limit: number
  /** Answers until it may shrink again: those under way when it did were begun under the old limit. */
  private settling = 0

  constructor(limit: number, least: number, most: number, backoff: number) {
    this.limit = limit
    this.least = least
    this.most = most
    this.backoff = backoff
  }

  get count(): number {
    return Math.floor(this.limit + tolerance)
  }

  /** A limit that is not in use is not known to be right: it stays. */
  grow(takenCount: number): void {
    if (this.settling > 0) this.settling--
    if (takenCount * 2 >= this.limit) this.limit = Math.min(this.most, this.limit + 1 / this.limit)
  }

  shrink(): void {
    if (this.settling > 0) {
      this.settling--
      return
    }
    this.settling = this.count
    this.limit = Math.max(this.least, this.limit * this.backoff)
  }
}

/** Sums of fractions err. */
const tolerance = 1e-9

/** Who was interrupted before it was late says nothing. */
const verdictOf = (
  exit: Exit.Exit<unknown, unknown>,
  isLate: boolean,
  isOverload: (error: unknown) => boolean
): "in time" | "late" | "none" => {
  if (isLate) return "late"
  if (exit._tag === "Success") return "in time"
  return !Cause.hasInterruptsOnly(exit.cause) && isOverload(Cause.squash(exit.cause)) ? "late" : "none"
}

const isOverloadByDefault = (error: unknown): boolean =>
  (error instanceof ServiceError.ServiceError && error.reason._tag === "TimedOut") ||
  RetrySafety.of(error) === "RefusedByServer"
