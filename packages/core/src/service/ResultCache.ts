/**
 * Keeps answers for a time: Effect's `Cache`, as a policy.
 *
 * What is asked for while it is being fetched is fetched once (`Coalesce`), and
 * leaving callers do not take it from the others. Only answers are kept, no
 * failure: a moment's failure would be one for all of `timeToLive`.
 *
 * Memory is bounded by `capacity`; what was not used for longest goes first.
 *
 * @since 0.1.0
 */
import * as EffectCache from "effect/Cache"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Coalesce from "./Coalesce.ts"
import * as PolicyOption from "./PolicyOption.ts"

/** @category options */
export interface Options {
  /** Answers that are kept; at least 1. */
  readonly capacity: number
  /** How long an answer is kept; above 0, at most 24.8 days. */
  readonly timeToLive: Duration.Input
}

/** @category models */
export interface ResultCache<in K, in out A, in out E> {
  readonly policy: Coalesce.Coalesce<K, A, E>
  /** Forgets an answer: after what it tells of was changed. */
  readonly invalidate: (key: K) => Effect.Effect<void>
}

/** Keys are compared by `Equal`. @category constructors */
export const make = <A, E = never, K = string>(options: Options): Effect.Effect<ResultCache<K, A, E>> =>
  Effect.gen(function* () {
    const cache = yield* EffectCache.make<K, A>({
      capacity: PolicyOption.count("capacity", options.capacity),
      timeToLive: PolicyOption.millis("timeToLive", options.timeToLive),
      // Never asked: answers are put in.
      lookup: () => Effect.never
    })
    const coalesce = yield* Coalesce.make<A, E, K>()
    return {
      invalidate: (key) => EffectCache.invalidate(cache, key),
      policy: (key) => (self) => {
        const fetched = coalesce(key)(Effect.tap(self, (answer) => EffectCache.set(cache, key, answer)))
        return Effect.flatMap(EffectCache.getOption(cache, key), (kept) =>
          Option.isSome(kept) ? Effect.succeed(kept.value) : fetched
        )
      }
    }
  })
