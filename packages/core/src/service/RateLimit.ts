/**
 * A limit for the calls that begin in a time: a token bucket for each key.
 *
 * `limit` calls may begin at once, and they are regained evenly over `window`:
 * no edge of a window lets twice as many through. Use it for what others count
 * (the quota of a vendor, the share of a tenant); for what a callee can bear,
 * `ConcurrencyLimit` knows better.
 *
 * Beyond the limit a call is refused, with the time after which it would not
 * be, or waits up to `maxWait`: it takes its token in advance, so who waits is
 * served in order, and the line is as long as what `maxWait` regains.
 *
 * Memory is bounded: who floods it with new keys can only make others' buckets
 * full again.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Deadline from "./Deadline.ts"
import * as MonotonicMillis from "./MonotonicMillis.ts"
import type { PerCall, Policy } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as RateStore from "./RateStore.ts"
import * as ServiceError from "./ServiceError.ts"

type Refused = ServiceError.ServiceError<ServiceError.RateLimited>

/** @category options */
export interface Options<E = never> {
  /** Calls that may begin at once, and in each `window`; at least 1. */
  readonly limit: number
  /** The time in which `limit` calls are regained; above 0. */
  readonly window: Duration.Input
  /** How long a call may wait for its token. Default 0: it does not wait. */
  readonly maxWait?: Duration.Input | undefined
  /** Default: in memory, for up to 65,536 keys (about 8 MiB). */
  readonly store?: RateStore.RateStore<E> | undefined
}

/** One bucket for all calls. @category constructors */
export const make = <E = never>(options: Options<E>): Effect.Effect<Policy<E | Refused>> =>
  Effect.map(makePerKey(options), (policyOf) => policyOf(""))

/** A bucket for each key. @category constructors */
export const makePerKey = <E = never>(options: Options<E>): Effect.Effect<PerCall<string, E | Refused>> =>
  Effect.sync(() => {
    const limit = PolicyOption.count("limit", options.limit)
    const windowMillis = PolicyOption.millis("window", options.window)
    const intervalMillis = windowMillis / limit
    // A token in advance is one of a larger bucket that is regained as fast.
    const aheadCount = Math.floor(PolicyOption.millisOrNone("maxWait", options.maxWait ?? 0) / intervalMillis)
    const bucket = { limit: limit + aheadCount, windowMillis: windowMillis + aheadCount * intervalMillis }
    const store: RateStore.RateStore<E> = options.store ?? RateStore.makeMemory()
    return (key) => {
      const enter = Effect.withFiber((fiber): Effect.Effect<void, E | Refused> => {
        const nowMillis = MonotonicMillis.now(fiber)
        return Effect.flatMapEager(store.take({ key, nowMillis, ...bucket }), (taken): Effect.Effect<void, Refused> => {
          if (!taken.allowed) return refuse(key, taken.retryAfterMillis)
          const waitMillis = taken.resetMillis - windowMillis
          if (waitMillis <= toleranceMillis) return Effect.void
          const leftMillis = Deadline.remainingMillis(fiber.context, () => nowMillis)
          return waitMillis < leftMillis ? Effect.sleep(waitMillis) : refuse(key, waitMillis)
        })
      })
      return (self) => Effect.andThen(enter, self)
    }
  })

const refuse = (key: string, retryAfterMillis: number): Effect.Effect<never, Refused> =>
  ServiceError.fail(new ServiceError.RateLimited(key, retryAfterMillis))

/** Intervals are fractions, and sums of them err. */
const toleranceMillis = 0.01
