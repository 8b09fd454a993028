/**
 * Token buckets by key, in bounded memory.
 *
 * A bucket is one number: the time at which it will be full again (the
 * "theoretical arrival time" of GCRA, which is a token bucket without a timer).
 * A full bucket is the same as none, so what is forgotten late costs nothing.
 *
 * Keys live in two generations. When the young one is full it becomes the old
 * one, and the old one is dropped: keys that are used survive by moving back.
 * So at most `maxKeys` are kept, without a list to be sorted at each use. Who
 * floods it with new keys can only make others' buckets full again.
 *
 * @internal
 * @since 0.1.0
 */

/** What became of a request. @category models */
export interface Taken {
  readonly allowed: boolean
  /** Whole tokens that are left. */
  readonly remaining: number
  /** Until the bucket is full. */
  readonly resetMillis: number
  /** Until the next request would be allowed; 0 if there are tokens left. */
  readonly retryAfterMillis: number
}

/** @category models */
export class RateBuckets {
  private readonly generationCount: number
  private young = new Map<string, number>()
  private old = new Map<string, number>()
  /** Times are kept from the first one on: small numbers have finer fractions. */
  private originMillis: number | undefined

  constructor(maxKeys: number) {
    this.generationCount = Math.max(1, Math.floor(maxKeys / 2))
  }

  get size(): number {
    return this.young.size + this.old.size
  }

  /** Takes a token from the bucket of `key`, which holds `limit` and gains them all in `windowMillis`. */
  take(key: string, atMillis: number, limit: number, windowMillis: number): Taken {
    this.originMillis ??= atMillis
    const nowMillis = atMillis - this.originMillis
    const intervalMillis = windowMillis / limit
    const known = this.young.get(key) ?? this.old.get(key) ?? nowMillis
    // Never more than a window ahead, also after the clock was set back.
    const fullAt = Math.min(Math.max(known, nowMillis), nowMillis + windowMillis)
    const nextMillis = fullAt + intervalMillis - nowMillis
    const missingMillis = nextMillis - windowMillis
    if (missingMillis > toleranceMillis) {
      this.put(key, fullAt)
      return { allowed: false, remaining: 0, resetMillis: fullAt - nowMillis, retryAfterMillis: missingMillis }
    }
    this.put(key, nowMillis + nextMillis)
    const remaining = Math.floor((windowMillis - nextMillis + toleranceMillis) / intervalMillis)
    return {
      allowed: true,
      remaining,
      resetMillis: nextMillis,
      retryAfterMillis: remaining > 0 ? 0 : Math.max(0, nextMillis + intervalMillis - windowMillis)
    }
  }

  private put(key: string, fullAt: number): void {
    if (this.young.size >= this.generationCount && !this.young.has(key)) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(key, fullAt)
  }
}

/** Intervals are fractions, and sums of them err. */
const toleranceMillis = 0.01
