import { assert, describe, it } from "@effect/vitest"
import { AttemptFailed, type FailedOptions } from "@sluice/core/grpc/client/GrpcAttempts"
import * as GrpcRetryPolicy from "@sluice/core/grpc/client/GrpcRetryPolicy"
import { GrpcRetryState } from "@sluice/core/grpc/client/GrpcRetryState"
import { GrpcThrottle } from "@sluice/core/grpc/client/GrpcThrottle"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import { ConnectionLost, RefusedByServer } from "@sluice/core/session/Http2ClientError"

const policy = GrpcRetryPolicy.make({
  maxAttempts: 4,
  initialBackoff: 100,
  maxBackoff: 1000,
  backoffMultiplier: 2,
  retryableStatusCodes: [GrpcStatus.Unavailable]
})

const failed = (code: GrpcStatus.FailureCode, options?: FailedOptions) =>
  new AttemptFailed(GrpcError.make(code, ""), options)
const unavailable = (options?: FailedOptions) => failed(GrpcStatus.Unavailable, options)
const refused = unavailable({ failure: new RefusedByServer("reset", 7) })
const unsent = unavailable({ failure: new ConnectionLost("NotSent", undefined) })

/** What each failure is answered with, and for how many attempts the state says to the next. Half of the chance: no jitter. */
const answers = (failures: ReadonlyArray<AttemptFailed>, state = new GrpcRetryState(policy, undefined)) =>
  failures.map((failure) => [state.failed(failure, 0.5), state.previousAttempts])

const cases: ReadonlyArray<
  readonly [rule: string, failures: ReadonlyArray<AttemptFailed>, expected: ReturnType<typeof answers>]
> = [
  [
    "waits grow, and the fourth failure is the last",
    [unavailable(), unavailable(), unavailable(), unavailable()],
    [
      [100, 1],
      [200, 2],
      [400, 3],
      [undefined, 3]
    ]
  ],
  ["a status that is not retryable ends it", [failed(GrpcStatus.Internal)], [[undefined, 0]]],
  ["a committed attempt ends it", [unavailable({ isCommitted: true })], [[undefined, 0]]],
  [
    "pushback says the wait, and the backoff begins anew",
    [unavailable(), unavailable({ pushback: "5000" }), unavailable()],
    [
      [100, 1],
      [5000, 2],
      [100, 3]
    ]
  ],
  ["pushback of 0 is at once", [unavailable({ pushback: "0" })], [[0, 1]]],
  [
    "pushback does not bring more attempts",
    [unavailable(), unavailable(), unavailable(), unavailable({ pushback: "1" })],
    [
      [100, 1],
      [200, 2],
      [400, 3],
      [undefined, 3]
    ]
  ],
  ["pushback does not make a status retryable", [failed(GrpcStatus.Internal, { pushback: "1" })], [[undefined, 0]]],
  ["pushback that says to stop ends it", [unavailable({ pushback: "-1" })], [[undefined, 0]]],
  ["pushback that cannot be read ends it", [unavailable({ pushback: "soon" })], [[undefined, 0]]],
  [
    "transparent retries do not count, and do not let waits grow",
    [unsent, refused, unsent, unavailable()],
    [
      [0, 0],
      [0, 0],
      [0, 0],
      [100, 1]
    ]
  ],
  [
    "a second refusal is as the policy says",
    [refused, refused],
    [
      [0, 0],
      [100, 1]
    ]
  ]
]

describe("GrpcRetryState", () => {
  for (const [rule, failures, expected] of cases) {
    it(`A6: ${rule}`, () => assert.deepStrictEqual(answers(failures), expected))
  }

  it("tries again without a policy only what no handler has seen", () => {
    assert.deepStrictEqual(answers([unsent, refused, refused], new GrpcRetryState(undefined, undefined)), [
      [0, 0],
      [0, 0],
      [undefined, 0]
    ])
  })

  it("A6: a throttle that is shut ends it, and fails the call at once", () => {
    const throttle = new GrpcThrottle({ maxTokens: 4, tokenRatio: 0.1 })
    const state = new GrpcRetryState(policy, throttle)
    assert.deepStrictEqual(answers([unavailable(), unavailable()], state), [
      [100, 1],
      [undefined, 1]
    ])
    assert.strictEqual(throttle.tokens, 2)
  })

  it("A6: only failures that would be tried again, or say not to, take a token", () => {
    const tokensAfter = (failure: AttemptFailed, withPolicy = true): number => {
      const throttle = new GrpcThrottle({ maxTokens: 10, tokenRatio: 0.1 })
      new GrpcRetryState(withPolicy ? policy : undefined, throttle).failed(failure, 0)
      return throttle.tokens
    }
    assert.strictEqual(tokensAfter(unavailable()), 9)
    assert.strictEqual(tokensAfter(unavailable({ isCommitted: true })), 9)
    assert.strictEqual(tokensAfter(failed(GrpcStatus.InvalidArgument)), 10)
    assert.strictEqual(tokensAfter(failed(GrpcStatus.InvalidArgument, { pushback: "-1" })), 9)
    assert.strictEqual(tokensAfter(failed(GrpcStatus.InvalidArgument, { pushback: "-1" }), false), 9)
    assert.strictEqual(tokensAfter(unavailable(), false), 10)
    assert.strictEqual(tokensAfter(refused), 10)
    assert.strictEqual(tokensAfter(unsent), 10)
  })
})
