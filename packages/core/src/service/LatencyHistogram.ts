/**
 * The latencies of the last seconds, in fixed memory, and their percentiles.
 *
 * Buckets grow by an eighth of a power of two: a percentile is at most 1/16 off
 * in either direction. Two generations take turns, so that what was measured is
 * forgotten after one or two periods.
 *
 * ```text
 *  bucket:  0.0625 ms … 2^25 ms (9.3 hours), 8 for each doubling: 232 of 4 bytes, twice
 * ```
 *
 * @since 0.1.0
 */

/** @category models */
export class LatencyHistogram {
  private readonly periodMillis: number
  private young = new Uint32Array(bucketCount)
  private old = new Uint32Array(bucketCount)
  private youngCount = 0
  private oldCount = 0
  private turnAtMillis = Number.NEGATIVE_INFINITY

  constructor(periodMillis: number) {
    this.periodMillis = periodMillis
  }

  record(latencyMillis: number, nowMillis: number): void {
    this.turn(nowMillis)
    this.young[bucketOf(latencyMillis)]! += 1
    this.youngCount++
  }

  /** How many latencies are known. */
  count(nowMillis: number): number {
    this.turn(nowMillis)
    return this.youngCount + this.oldCount
  }

  /** What a share of `0 < percentile < 1` of all latencies did not exceed; 0 where none is known. */
  percentile(percentile: number, nowMillis: number): number {
    const rank = Math.ceil(this.count(nowMillis) * percentile)
    let seen = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.young[bucket]! + this.old[bucket]!
      if (seen >= rank && seen > 0) return middleOf(bucket)
    }
    return 0
  }

  private turn(nowMillis: number): void {
    if (nowMillis < this.turnAtMillis) return
    const isLongAgo = nowMillis >= this.turnAtMillis + this.periodMillis
    const recycled = this.old
    this.old = this.young
    this.oldCount = this.youngCount
    this.young = recycled.fill(0)
    this.youngCount = 0
    if (isLongAgo) {
      this.old.fill(0)
      this.oldCount = 0
    }
    this.turnAtMillis = nowMillis + this.periodMillis
  }
}

const perDoubling = 8
const leastExponent = -4
const bucketCount = (25 - leastExponent) * perDoubling

const bucketOf = (latencyMillis: number): number => {
  if (!(latencyMillis > 0)) return 0
  const bucket = Math.floor((Math.log2(latencyMillis) - leastExponent) * perDoubling)
  return Math.max(0, Math.min(bucketCount - 1, bucket))
}

const middleOf = (bucket: number): number => 2 ** ((bucket + 0.5) / perDoubling + leastExponent)
