/**
 * The attempts of one call that are made again whatever the policy says, since
 * no handler has seen them (gRPC proposal A6, "Transparent Retries").
 *
 * - Nothing was sent, because the session ended first: again, as long as the
 *   call has time. A hundred times at most: a channel that hands out a hundred
 *   dead sessions for one call would do so for ever.
 * - The server has not looked at it (REFUSED_STREAM, or above the last stream
 *   of a GOAWAY): "the client library will immediately retry it once", and
 *   then as the policy says, since "this case involves extra load on the wire".
 *   So a call that two servers refuse, one after the other as both are
 *   restarted, takes a policy that tries `Unavailable` again.
 *
 * They count neither as attempts nor for the throttle.
 *
 * @internal
 * @since 0.1.0
 */
import type { AttemptFailed } from "./GrpcAttempts.ts"

/** @category models */
export class GrpcRetryTransparent {
  private unsentCount = 0
  private refusedCount = 0

  /** Whether the attempt is made again at once. Asked once for each that failed. */
  allows(failed: Pick<AttemptFailed, "isCommitted" | "reach">): boolean {
    if (failed.isCommitted) return false
    switch (failed.reach) {
      case "Nobody":
        return this.unsentCount++ < maxUnsentCount
      case "Server":
        return this.refusedCount++ < maxRefusedCount
      case "Handler":
        return false
    }
  }
}

const maxUnsentCount = 100
const maxRefusedCount = 1
