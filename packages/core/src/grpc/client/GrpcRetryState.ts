/**
 * One call that is tried again after its attempts, as decisions: no time, no
 * effects, no chance.
 *
 * @internal
 * @since 0.1.0
 */
import type { AttemptFailed } from "./GrpcAttempts.ts"
import { backoffMillis, type GrpcRetryPolicy } from "./GrpcRetryPolicy.ts"
import { GrpcRetryTransparent } from "./GrpcRetryTransparent.ts"
import type { GrpcThrottle } from "./GrpcThrottle.ts"

/** @category models */
export class GrpcRetryState {
  /** For the next attempt: those before it, without the transparent ones. */
  previousAttempts = 0
  private readonly policy: GrpcRetryPolicy | undefined
  private readonly throttle: GrpcThrottle | undefined
  private readonly transparent = new GrpcRetryTransparent()
  /** Waits that grew since the beginning, or since the server said how long to wait. */
  private backoffCount = 0

  constructor(policy: GrpcRetryPolicy | undefined, throttle: GrpcThrottle | undefined) {
    this.policy = policy
    this.throttle = throttle
  }

  /**
   * An attempt failed: how long the next one waits, in milliseconds; `undefined`
   * where there is none. `0 <= random < 1`.
   */
  failed(failed: AttemptFailed, random: number): number | undefined {
    if (this.transparent.allows(failed)) return 0
    const { policy, throttle } = this
    const { pushback } = failed
    const isRetryable = policy?.retryable.has(failed.error.reason.code) === true
    // What would never be tried again says nothing of how the server is.
    if (isRetryable || pushback === "stop") throttle?.failed()
    if (!isRetryable || pushback === "stop" || failed.isCommitted) return undefined
    if (this.previousAttempts + 1 >= policy.maxAttempts || throttle?.isOpen === false) return undefined
    this.previousAttempts += 1
    if (pushback === undefined) return backoffMillis(policy, this.backoffCount++, random)
    // "If this attempt also fails, retry delay will reset to initial backoff".
    this.backoffCount = 0
    return pushback
  }
}
