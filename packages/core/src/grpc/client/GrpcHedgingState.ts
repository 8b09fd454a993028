/**
 * One call whose attempts are made beside each other, as decisions: when the
 * next one is sent, and what the failure of one means for the others.
 *
 * Whoever asks says the time, in milliseconds of any clock that does not go
 * back.
 *
 * @internal
 * @since 0.1.0
 */
import type { AttemptFailed } from "./GrpcAttempts.ts"
import type { GrpcHedgingPolicy } from "./GrpcHedgingPolicy.ts"
import { GrpcRetryTransparent } from "./GrpcRetryTransparent.ts"
import type { GrpcThrottle } from "./GrpcThrottle.ts"

/**
 * After a failure: the call has failed, the attempt is made again at once, or
 * the other attempts and those to come decide.
 *
 * @category models
 */
export type Verdict = "Over" | "Again" | "GoesOn"

/** @category models */
export class GrpcHedgingState {
  /** Attempts that were sent, without the transparent ones. */
  sentCount = 0
  /** Of these, those without an end. `0 <= activeCount <= sentCount`. */
  private activeCount = 0
  /** When the next is due; `Infinity` where there is no next one any more. */
  private dueMillis = Number.NEGATIVE_INFINITY
  private readonly policy: GrpcHedgingPolicy
  private readonly throttle: GrpcThrottle | undefined
  private readonly transparent = new GrpcRetryTransparent()

  constructor(policy: GrpcHedgingPolicy, throttle: GrpcThrottle | undefined) {
    this.policy = policy
    this.throttle = throttle
  }

  /** How long until the next attempt is to be sent: 0 for now, `Infinity` for never. */
  waitMillis(nowMillis: number): number {
    const waitMillis = Math.max(0, this.dueMillis - nowMillis)
    // "The first outgoing RPC will always be sent, but subsequent hedged RPCs will only be sent if
    // token_count is greater than the threshold." None of them waits for that.
    if (waitMillis === 0 && this.sentCount > 0 && this.throttle?.isOpen === false) this.freeze()
    return this.dueMillis === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : waitMillis
  }

  /** The next attempt was sent. */
  sent(nowMillis: number): void {
    this.sentCount += 1
    this.activeCount += 1
    if (this.sentCount >= this.policy.maxAttempts) this.freeze()
    else this.dueMillis = nowMillis + this.policy.delayMillis
  }

  /** None is on its way, and none will be. */
  get isOver(): boolean {
    return this.activeCount === 0 && this.dueMillis === Number.POSITIVE_INFINITY
  }

  /** No further attempt is sent: one has begun to be answered, or the server wants none. */
  freeze(): void {
    this.dueMillis = Number.POSITIVE_INFINITY
  }

  /** An attempt failed. After `Again` it counts as active still. */
  failed(failed: AttemptFailed, nowMillis: number): Verdict {
    const isLast = this.dueMillis === Number.POSITIVE_INFINITY
    if (this.transparent.allows(failed)) return "Again"
    this.activeCount -= 1
    const { pushback } = failed
    const isNonFatal = this.policy.nonFatal.has(failed.error.reason.code)
    if (isNonFatal || pushback === "stop") this.throttle?.failed()
    if (!isNonFatal || failed.isCommitted) return "Over"
    if (pushback === "stop" || this.throttle?.isOpen === false) this.freeze()
    else if (!isLast) this.dueMillis = nowMillis + (pushback ?? 0)
    return this.isOver ? "Over" : "GoesOn"
  }
}
