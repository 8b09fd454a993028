import { assert, describe, it } from "@effect/vitest"
import { AttemptFailed, type FailedOptions } from "@sluice/core/grpc/client/GrpcAttempts"
import * as GrpcHedgingPolicy from "@sluice/core/grpc/client/GrpcHedgingPolicy"
import { GrpcHedgingState } from "@sluice/core/grpc/client/GrpcHedgingState"
import { GrpcThrottle } from "@sluice/core/grpc/client/GrpcThrottle"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import { RefusedByServer } from "@sluice/core/session/Http2ClientError"

const policy = GrpcHedgingPolicy.make({
  maxAttempts: 3,
  hedgingDelay: 500,
  nonFatalStatusCodes: [GrpcStatus.Unavailable]
})

const failed = (code: GrpcStatus.FailureCode, options?: FailedOptions) =>
  new AttemptFailed(GrpcError.make(code, ""), options)
const nonFatal = failed(GrpcStatus.Unavailable)
const fatal = failed(GrpcStatus.InvalidArgument)
const refused = failed(GrpcStatus.Unavailable, { failure: new RefusedByServer("goaway", 0) })
const pushedBack = (pushback: string) => failed(GrpcStatus.Unavailable, { pushback })

const never = Number.POSITIVE_INFINITY

/** At a time: `sent`, a failure, or how long to wait. */
type Step = readonly [atMillis: number, does: "sent" | AttemptFailed | "freeze", expected: unknown]

const cases: ReadonlyArray<readonly [rule: string, steps: ReadonlyArray<Step>]> = [
  [
    "one attempt each hedgingDelay, up to maxAttempts",
    [
      [0, "sent", 500],
      [500, "sent", 500],
      [1000, "sent", never]
    ]
  ],
  [
    "a status that is not fatal sends the next at once, and the others resume at hedgingDelay",
    [
      [0, "sent", 500],
      [200, nonFatal, ["GoesOn", 0]],
      [200, "sent", 500]
    ]
  ],
  [
    "any other status ends the call",
    [
      [0, "sent", 500],
      [500, "sent", 500],
      [600, fatal, ["Over", 400]]
    ]
  ],
  [
    "when all have failed the call has",
    [
      [0, "sent", 500],
      [0, nonFatal, ["GoesOn", 0]],
      [0, "sent", 500],
      [0, nonFatal, ["GoesOn", 0]],
      [0, "sent", never],
      [0, nonFatal, ["Over", never]]
    ]
  ],
  [
    "a failure sends no more than maxAttempts",
    [
      [0, "sent", 500],
      [500, "sent", 500],
      [1000, "sent", never],
      [1001, nonFatal, ["GoesOn", never]],
      [1002, pushedBack("5"), ["GoesOn", never]],
      [1003, nonFatal, ["Over", never]]
    ]
  ],
  [
    "pushback says when the next is sent, also later than hedgingDelay",
    [
      [0, "sent", 500],
      [100, pushedBack("2000"), ["GoesOn", 2000]],
      [2100, "sent", 500]
    ]
  ],
  [
    "pushback that says to stop sends none any more, and those on their way go on",
    [
      [0, "sent", 500],
      [500, "sent", 500],
      [600, pushedBack("-1"), ["GoesOn", never]],
      [700, nonFatal, ["Over", never]]
    ]
  ],
  [
    "what a server refused is made again once, and does not count",
    [
      [0, "sent", 500],
      [10, refused, ["Again", 490]],
      [20, refused, ["GoesOn", 0]]
    ]
  ],
  [
    "nothing is sent after an attempt has committed, whose failure ends the call",
    [
      [0, "sent", 500],
      [500, "sent", 500],
      [600, "freeze", never],
      [700, failed(GrpcStatus.Unavailable, { isCommitted: true }), ["Over", never]]
    ]
  ]
]

describe("GrpcHedgingState", () => {
  for (const [rule, steps] of cases) {
    it(`A6: ${rule}`, () => {
      const state = new GrpcHedgingState(policy, undefined)
      assert.strictEqual(state.waitMillis(0), 0, "the first is sent at once")
      for (const [now, does, expected] of steps) {
        const wait = () => state.waitMillis(now)
        if (does === "sent") state.sent(now)
        else if (does === "freeze") state.freeze()
        if (does instanceof AttemptFailed) assert.deepStrictEqual([state.failed(does, now), wait()], expected)
        else assert.strictEqual(wait(), expected)
      }
    })
  }

  it("A6: without a delay all are sent at once", () => {
    const state = new GrpcHedgingState(GrpcHedgingPolicy.make({ maxAttempts: 4 }), undefined)
    const waits = [0, 0, 0, 0].map(() => {
      state.sent(7)
      return state.waitMillis(7)
    })
    assert.deepStrictEqual(waits, [0, 0, 0, never])
  })

  it("A6: the first is sent though the throttle is shut, and no other", () => {
    const throttle = new GrpcThrottle({ maxTokens: 2, tokenRatio: 0.1 })
    throttle.failed()
    const state = new GrpcHedgingState(policy, throttle)
    assert.strictEqual(state.waitMillis(0), 0)
    state.sent(0)
    assert.strictEqual(state.waitMillis(499), 1, "not before its time: it may open until then")
    assert.strictEqual(state.waitMillis(500), never)
    assert.strictEqual(state.isOver, false)
    throttle.succeeded()
    assert.strictEqual(state.waitMillis(500), never, "what was given up stays so")
  })

  it("A6: a throttle that shuts fails the call where no other attempt is on its way", () => {
    const throttle = new GrpcThrottle({ maxTokens: 2, tokenRatio: 0.1 })
    const state = new GrpcHedgingState(policy, throttle)
    state.sent(0)
    assert.deepStrictEqual([state.failed(nonFatal, 1), state.isOver, throttle.tokens], ["Over", true, 1])
  })

  it("is over where the throttle shuts while the call waits for its next attempt alone", () => {
    const throttle = new GrpcThrottle({ maxTokens: 3, tokenRatio: 0.1 })
    const state = new GrpcHedgingState(policy, throttle)
    state.sent(0)
    assert.deepStrictEqual([state.failed(pushedBack("100"), 0), state.isOver], ["GoesOn", false])
    throttle.failed()
    assert.deepStrictEqual([state.waitMillis(99), state.isOver], [1, false])
    assert.deepStrictEqual([state.waitMillis(100), state.isOver], [never, true])
  })

  it("A6: a fatal status takes no token, unless it says to stop", () => {
    const throttle = new GrpcThrottle({ maxTokens: 10, tokenRatio: 0.1 })
    const tokensAfter = (failure: AttemptFailed) => {
      const state = new GrpcHedgingState(policy, throttle)
      state.sent(0)
      state.failed(failure, 0)
      return throttle.tokens
    }
    assert.deepStrictEqual(
      [fatal, refused, nonFatal, failed(GrpcStatus.InvalidArgument, { pushback: "x" })].map(tokensAfter),
      [10, 10, 9, 8]
    )
  })
})
