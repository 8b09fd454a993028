/**
 * Makes a call by one attempt after the other.
 *
 * Hot path: a call whose first attempt goes well has one `catch` around it,
 * and what counts successes where there is a throttle.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { AttemptFailed, AttemptStart, Once } from "./GrpcAttempts.ts"
import type { GrpcRetryPolicy } from "./GrpcRetryPolicy.ts"
import { GrpcRetryState } from "./GrpcRetryState.ts"
import type { GrpcThrottle } from "./GrpcThrottle.ts"

/** Without a policy, only attempts that no handler has seen are made again. @category running */
export const run = <A, R>(
  policy: GrpcRetryPolicy | undefined,
  throttle: GrpcThrottle | undefined,
  once: Once<A, R>
): Effect.Effect<A, GrpcError, R> => {
  const call = Effect.catch(once(first), (failed) => again(new GrpcRetryState(policy, throttle), once, failed))
  if (throttle === undefined) return call
  return Effect.map(call, (reply) => {
    throttle.succeeded()
    return reply
  })
}

const again = <A, R>(state: GrpcRetryState, once: Once<A, R>, failed: AttemptFailed): Effect.Effect<A, GrpcError, R> =>
  Effect.flatMap(Random.next, (random) => {
    const waitMillis = state.failed(failed, random)
    if (waitMillis === undefined) return Effect.fail(failed.error)
    const start = { ...first, previousAttempts: state.previousAttempts, besides: failed.stream }
    // Attempts that fail at once leave time to what has made them fail, such as a GOAWAY in the queue.
    const waited = waitMillis === 0 ? Effect.yieldNow : Effect.sleep(waitMillis)
    const next = Effect.flatMap(waited, () => once(start))
    return Effect.catch(next, (failed) => again(state, once, failed))
  })

const ignore = (): void => {}

const first: AttemptStart = { previousAttempts: 0, besides: undefined, onStream: ignore, onCommitted: ignore }
