import { assert, describe, it } from "@effect/vitest"
import { AttemptFailed, type AttemptStart, type FailedOptions } from "@sluice/core/grpc/client/GrpcAttempts"
import type { GrpcStream } from "@sluice/core/grpc/client/GrpcConnector"
import * as GrpcRetry from "@sluice/core/grpc/client/GrpcRetry"
import * as GrpcRetryPolicy from "@sluice/core/grpc/client/GrpcRetryPolicy"
import { GrpcThrottle } from "@sluice/core/grpc/client/GrpcThrottle"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import { ConnectionLost, GoneAway, RefusedByServer } from "@sluice/core/session/Http2ClientError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../../harness/SeededRandom.ts"

const policy = GrpcRetryPolicy.make({
  maxAttempts: 4,
  initialBackoff: 100,
  maxBackoff: 1000,
  backoffMultiplier: 2,
  retryableStatusCodes: [GrpcStatus.Unavailable]
})

const unavailable = (options?: FailedOptions) => new AttemptFailed(GrpcError.unavailable("gone"), options)
const internal = new AttemptFailed(GrpcError.internal("broken"))
const unsent = unavailable({ failure: new GoneAway(0, "") })
const refused = unavailable({ failure: new RefusedByServer("goaway", 0) })

const stream: GrpcStream = {
  isWritable: false,
  isOver: true,
  write: () => undefined,
  end: () => undefined,
  consume: () => {},
  awaitBody: () => {},
  reset: () => {},
  release: () => {}
}

/** Attempts that end as the script says, the last of it for ever, and what they were told at which time. */
const scripted = (script: ReadonlyArray<AttemptFailed | "reply" | "hangs">) => {
  const attempts: Array<{ readonly atMillis: number; readonly previous: number; readonly besides: boolean }> = []
  let interruptedCount = 0
  const once = (start: AttemptStart): Effect.Effect<string, AttemptFailed> =>
    Effect.flatMap(Clock.currentTimeMillis, (atMillis) => {
      const step = script[Math.min(attempts.length, script.length - 1)]!
      attempts.push({ atMillis, previous: start.previousAttempts, besides: start.besides !== undefined })
      if (step === "reply") return Effect.succeed("reply")
      if (step !== "hangs") return Effect.fail(step)
      return Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interruptedCount++))
    })
  return { attempts, once, interrupted: () => interruptedCount }
}

/** Runs until an end on the test clock, which goes on a day. */
const ended = <A, E>(call: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(call.pipe(Effect.exit, Random.withSeed("retry")))
    yield* TestClock.adjust("1 day")
    return yield* Fiber.join(fiber)
  })

describe("GrpcRetry", () => {
  it.effect("makes one attempt where that goes well", () =>
    Effect.gen(function* () {
      const { attempts, once } = scripted(["reply"])
      assert.strictEqual(yield* GrpcRetry.run(policy, undefined, once), "reply")
      assert.deepStrictEqual(attempts, [{ atMillis: 0, previous: 0, besides: false }])
    })
  )

  it.effect("A6: waits as the policy says, with a jitter of up to a fifth", () =>
    Effect.gen(function* () {
      const { attempts, once } = scripted([unavailable({ stream })])
      const exit = yield* ended(GrpcRetry.run(policy, undefined, once))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(
        attempts.map(({ besides, previous }) => [previous, besides]),
        [
          [0, false],
          [1, true],
          [2, true],
          [3, true]
        ]
      )
      const waits = attempts.slice(1).map(({ atMillis }, at) => atMillis - attempts[at]!.atMillis)
      for (const [at, wait] of waits.entries()) {
        const whole = [100, 200, 400][at]!
        assert.isTrue(wait >= whole * 0.8 - 1 && wait <= whole * 1.2 + 1, `wait ${at}: ${wait}`)
        assert.notStrictEqual(wait, whole)
      }
    })
  )

  it.effect("waits the same for the same seed", () =>
    Effect.gen(function* () {
      const [one, other] = [scripted([unavailable()]), scripted([unavailable()])]
      yield* ended(GrpcRetry.run(policy, undefined, one.once))
      const begunMillis = yield* Clock.currentTimeMillis
      yield* ended(GrpcRetry.run(policy, undefined, other.once))
      assert.deepStrictEqual(
        other.attempts.map(({ atMillis }) => Math.round(atMillis - begunMillis)),
        one.attempts.map(({ atMillis }) => Math.round(atMillis))
      )
    })
  )

  it.effect("A6: waits exactly as the server says", () =>
    Effect.gen(function* () {
      const { attempts, once } = scripted([unavailable({ pushback: "1234" }), "reply"])
      assert.deepStrictEqual(yield* ended(GrpcRetry.run(policy, undefined, once)), Exit.succeed("reply"))
      assert.deepStrictEqual(
        attempts.map(({ atMillis }) => atMillis),
        [0, 1234]
      )
    })
  )

  it.effect("fails with the error of the last attempt", () =>
    Effect.gen(function* () {
      const { attempts, once } = scripted([unavailable(), internal, "reply"])
      const exit = yield* ended(GrpcRetry.run(policy, undefined, once))
      assert.deepStrictEqual(exit, Exit.fail(internal.error))
      assert.strictEqual(attempts.length, 2)
    })
  )

  it.effect("A6: without a policy makes again at once what no handler has seen", () =>
    Effect.gen(function* () {
      const { attempts, once } = scripted([unsent, refused, unsent, "reply"])
      assert.strictEqual(yield* GrpcRetry.run(undefined, undefined, once), "reply")
      assert.deepStrictEqual(
        attempts.map(({ atMillis, previous }) => [atMillis, previous]),
        [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 0]
        ]
      )
    })
  )

  it.effect("fails without a policy where a server may have acted on it, or two have refused it", () =>
    Effect.gen(function* () {
      for (const script of [
        [unavailable()],
        [unavailable({ failure: new ConnectionLost("MaybeProcessed", undefined) })]
      ]) {
        const { attempts, once } = scripted([...script, "reply"])
        assert.strictEqual((yield* Effect.flip(GrpcRetry.run(undefined, undefined, once))).reason._tag, "Unavailable")
        assert.strictEqual(attempts.length, 1)
      }
      const { attempts, once } = scripted([refused, refused, "reply"])
      yield* Effect.flip(GrpcRetry.run(undefined, undefined, once))
      assert.strictEqual(attempts.length, 2)
    })
  )

  it.effect("lets others run between attempts that fail at once", () =>
    Effect.gen(function* () {
      const { attempts, once } = scripted([unsent])
      const other = yield* Effect.forkChild(Effect.sync(() => attempts.length))
      yield* Effect.flip(GrpcRetry.run(undefined, undefined, once))
      assert.deepStrictEqual([attempts.length, (yield* Fiber.join(other)) < 101], [101, true])
    })
  )

  it.effect("counts what goes well for the throttle, and what does not", () =>
    Effect.gen(function* () {
      const throttle = new GrpcThrottle({ maxTokens: 10, tokenRatio: 0.5 })
      yield* ended(GrpcRetry.run(policy, throttle, scripted([unavailable(), unavailable(), "reply"]).once))
      assert.strictEqual(throttle.tokens, 8.5)
      yield* ended(GrpcRetry.run(undefined, throttle, scripted(["reply"]).once))
      assert.strictEqual(throttle.tokens, 9)
    })
  )

  it.effect("can be run again, with all its attempts", () =>
    Effect.gen(function* () {
      const { attempts, once } = scripted([unavailable()])
      const call = GrpcRetry.run(policy, undefined, once)
      yield* ended(call)
      yield* ended(call)
      assert.strictEqual(attempts.length, 8)
    })
  )

  it.effect("ends where it is interrupted, in an attempt or between two", () =>
    Effect.gen(function* () {
      const hanging = scripted([unavailable(), "hangs"])
      const fiber = yield* Effect.forkChild(GrpcRetry.run(policy, undefined, hanging.once))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([hanging.attempts.length, hanging.interrupted()], [2, 1])

      const waiting = scripted([unavailable({ pushback: "5000" })])
      const between = yield* Effect.forkChild(GrpcRetry.run(policy, undefined, waiting.once))
      yield* TestClock.adjust("4999 millis")
      yield* Fiber.interrupt(between)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(waiting.attempts.length, 1)
    })
  )

  it.effect("passes defects on", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(GrpcRetry.run(policy, undefined, () => Effect.die("bug")))
      assert.deepStrictEqual(exit, Exit.die("bug"))
    })
  )

  it.effect("makes no more attempts than it may, whatever fails", () =>
    Effect.gen(function* () {
      const kinds = [unavailable(), unavailable({ pushback: "3" }), unavailable({ pushback: "-1" }), internal, refused]
      for (let seed = 1; seed <= 200; seed++) {
        const random = new SeededRandom(seed)
        // Two out of three can be tried again, so that calls come to their bounds.
        const script = Array.from({ length: 20 }, () => (random.below(3) > 0 ? kinds[0]! : random.pick(kinds)))
        const { attempts, once } = scripted(script)
        const throttle = random.below(2) === 0 ? undefined : new GrpcThrottle({ maxTokens: 6, tokenRatio: 0.1 })
        yield* ended(GrpcRetry.run(policy, throttle, once))
        const most = throttle === undefined ? 5 : 4
        assert.isAtMost(attempts.length, most, `seed ${seed}`)
      }
    })
  )
})
