/**
 * Where the token buckets of `RateLimit` are kept: in this process, in bounded
 * memory, or in a store that several processes share.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as RateLimiter from "effect/persistence/RateLimiter"
import * as PolicyOption from "./PolicyOption.ts"
import { RateBuckets, type Taken } from "./RateBuckets.ts"

/** The bucket that a call takes a token from. @category models */
export interface Bucket {
  readonly key: string
  /** Tokens that it holds. */
  readonly limit: number
  /** The time in which it gains all of them. */
  readonly windowMillis: number
  /** The time of this process. A store that several processes share has its own. */
  readonly nowMillis: number
}

/** Failures of the store are failures of the call, and in its type. @category models */
export interface RateStore<out E = never> {
  readonly take: (bucket: Bucket) => Effect.Effect<Taken, E>
}

/**
 * Buckets in memory, for up to `maxKeys` keys; those that were not used for
 * longest are forgotten first. At least 2; default 65,536 (about 8 MiB).
 *
 * @category constructors
 */
export const makeMemory = (options?: { readonly maxKeys?: number | undefined }): RateStore => {
  const buckets = new RateBuckets(PolicyOption.count("maxKeys", options?.maxKeys ?? 65_536, 2))
  return {
    take: ({ key, nowMillis, limit, windowMillis }) => Effect.succeed(buckets.take(key, nowMillis, limit, windowMillis))
  }
}

/**
 * The buckets of Effect's `RateLimiter`, with Redis for instance. `prefix`
 * keeps them apart from other users of the same store; default `policy:`.
 *
 * @category constructors
 */
export const fromRateLimiter = (
  limiter: RateLimiter.RateLimiter,
  options?: { readonly prefix?: string | undefined }
): RateStore<RateLimiter.RateLimiterError> => {
  const prefix = options?.prefix ?? "policy:"
  return {
    take: ({ key, limit, windowMillis }) =>
      limiter
        .consume({ algorithm: "token-bucket", onExceeded: "fail", key: prefix + key, limit, window: windowMillis })
        .pipe(
          Effect.map(({ remaining, resetAfter }): Taken => {
            const resetMillis = Duration.toMillis(resetAfter)
            return { allowed: true, remaining: Math.max(0, Math.floor(remaining)), resetMillis, retryAfterMillis: 0 }
          }),
          Effect.catchReason("RateLimiterError", "RateLimitExceeded", ({ retryAfter }) => {
            const retryAfterMillis = Duration.toMillis(retryAfter)
            return Effect.succeed<Taken>({ allowed: false, remaining: 0, resetMillis: windowMillis, retryAfterMillis })
          })
        )
  }
}
