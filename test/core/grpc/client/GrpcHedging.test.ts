import { assert, describe, it } from "@effect/vitest"
import { AttemptFailed, type AttemptStart, type FailedOptions } from "@sluice/core/grpc/client/GrpcAttempts"
import type { GrpcStream } from "@sluice/core/grpc/client/GrpcConnector"
import * as GrpcHedging from "@sluice/core/grpc/client/GrpcHedging"
import * as GrpcHedgingPolicy from "@sluice/core/grpc/client/GrpcHedgingPolicy"
import { GrpcThrottle } from "@sluice/core/grpc/client/GrpcThrottle"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import { RefusedByServer } from "@sluice/core/session/Http2ClientError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { SeededRandom } from "../../../harness/SeededRandom.ts"

const policy = GrpcHedgingPolicy.make({
  maxAttempts: 3,
  hedgingDelay: 500,
  nonFatalStatusCodes: [GrpcStatus.Unavailable]
})

const unavailable = (message: string, options?: FailedOptions) =>
  new AttemptFailed(GrpcError.unavailable(message), options)
const invalid = new AttemptFailed(GrpcError.invalidArgument("no"))

class FakeStream implements GrpcStream {
  isWritable = false
  isOver = false
  write() {
    return undefined
  }
  end() {
    return undefined
  }
  consume() {}
  awaitBody() {}
  reset() {
    this.isOver = true
  }
  release() {
    this.isOver = true
  }
}

/** What an attempt does: after how long, and whether a head comes some time before. */
interface Plan {
  readonly afterMillis: number
  readonly headMillis?: number
  readonly ends: "reply" | "never" | "dies" | AttemptFailed
}

interface Made {
  readonly atMillis: number
  readonly previous: number
  readonly besides: GrpcStream | undefined
  readonly stream: FakeStream
  end: "none" | "whole" | "interrupted"
}

/** Attempts that do as the plans say, the last of these for ever. */
const planned = (plans: ReadonlyArray<Plan>) => {
  const made: Array<Made> = []
  const once = (start: AttemptStart): Effect.Effect<number, AttemptFailed> =>
    Effect.gen(function* () {
      const index = made.length
      const { afterMillis, ends, headMillis } = plans[Math.min(index, plans.length - 1)]!
      const atMillis = yield* Clock.currentTimeMillis
      const attempt: Made = {
        atMillis,
        previous: start.previousAttempts,
        besides: start.besides,
        stream: new FakeStream(),
        end: "none"
      }
      made.push(attempt)
      start.onStream(attempt.stream)
      const lives = Effect.gen(function* () {
        if (headMillis !== undefined) {
          yield* Effect.sleep(headMillis)
          start.onCommitted()
        }
        if (afterMillis > 0) yield* Effect.sleep(afterMillis - (headMillis ?? 0))
        if (ends === "never") return yield* Effect.never
        attempt.end = "whole"
        if (ends === "dies") return yield* Effect.die("bug")
        if (ends === "reply") return index
        attempt.stream.release()
        return yield* Effect.fail(ends)
      })
      return yield* Effect.onInterrupt(lives, () =>
        Effect.sync(() => {
          attempt.end = "interrupted"
          attempt.stream.release()
        })
      )
    })
  return { made, once }
}

/** Attempts that end when the test says so. */
const manual = () => {
  const starts: Array<AttemptStart> = []
  const streams: Array<FakeStream> = []
  const resumes: Array<(effect: Effect.Effect<number, AttemptFailed>) => void> = []
  const once = (start: AttemptStart) =>
    Effect.callback<number, AttemptFailed>((resume) => {
      const stream = new FakeStream()
      start.onStream(stream)
      starts.push(start)
      streams.push(stream)
      resumes.push(resume)
    })
  return { once, resumes, starts, streams }
}

const replies = (afterMillis: number): Plan => ({ afterMillis, ends: "reply" })
const fails = (afterMillis: number, ends: AttemptFailed = unavailable(`after ${afterMillis}`)): Plan => ({
  afterMillis,
  ends
})

/** How the call ends and when, what of each attempt became, and which streams are open. */
const outcome = (plans: ReadonlyArray<Plan>, throttle?: GrpcThrottle) =>
  Effect.gen(function* () {
    const { made, once } = planned(plans)
    const begun = yield* Clock.currentTimeMillis
    const call = GrpcHedging.run(policy, throttle, once).pipe(
      Effect.exit,
      // What is left when the call ends, not when its fiber does.
      Effect.flatMap((exit) =>
        Effect.map(Clock.currentTimeMillis, (now) => ({
          exit,
          tookMillis: now - begun,
          attempts: made.map(({ atMillis, end }) => [atMillis - begun, end] as const),
          openCount: made.filter(({ stream }) => !stream.isOver).length
        }))
      )
    )
    const fiber = yield* Effect.forkChild(call)
    yield* TestClock.adjust("1 minute")
    return { ...(yield* Fiber.join(fiber)), made }
  })

const cases: ReadonlyArray<
  readonly [
    rule: string,
    plans: ReadonlyArray<Plan>,
    result: number | string,
    tookMillis: number,
    attempts: ReadonlyArray<readonly [number, Made["end"]]>
  ]
> = [
  ["a reply within hedgingDelay is all", [replies(400)], 0, 400, [[0, "whole"]]],
  ["a reply at once is all", [replies(0)], 0, 0, [[0, "whole"]]],
  [
    "the first reply ends the others",
    [replies(5000), replies(700), replies(5000)],
    1,
    1200,
    [
      [0, "interrupted"],
      [500, "whole"],
      [1000, "interrupted"]
    ]
  ],
  [
    "a status that is not fatal sends the next at once",
    [fails(100), replies(100)],
    1,
    200,
    [
      [0, "whole"],
      [100, "whole"]
    ]
  ],
  [
    "a fatal status ends the others",
    [replies(5000), fails(100, invalid)],
    "INVALID_ARGUMENT: no",
    600,
    [
      [0, "interrupted"],
      [500, "whole"]
    ]
  ],
  [
    "the last failure is the call's",
    [fails(3000), fails(1000), fails(1500)],
    "UNAVAILABLE: after 3000",
    3000,
    [
      [0, "whole"],
      [500, "whole"],
      [1000, "whole"]
    ]
  ],
  [
    "pushback delays the next",
    [fails(100, unavailable("later", { pushback: "3000" })), replies(100)],
    1,
    3200,
    [
      [0, "whole"],
      [3100, "whole"]
    ]
  ],
  [
    "pushback that says to stop leaves those on their way",
    [replies(2000), fails(100, unavailable("stop", { pushback: "-1" }))],
    0,
    2000,
    [
      [0, "whole"],
      [500, "whole"]
    ]
  ],
  [
    "what a server refused is made again once, and counts as one attempt",
    [fails(10, unavailable("refused", { failure: new RefusedByServer("goaway", 0) })), replies(400)],
    1,
    410,
    [
      [0, "whole"],
      [10, "whole"]
    ]
  ],
  [
    "the head of an answer ends the others, and no further attempt is made",
    [{ afterMillis: 3000, headMillis: 700, ends: "reply" }, replies(400_000)],
    0,
    3000,
    [
      [0, "whole"],
      [500, "interrupted"]
    ]
  ],
  [
    "after the head of an answer its failure is the call's",
    [{ afterMillis: 3000, headMillis: 700, ends: unavailable("cut off", { isCommitted: true }) }, replies(400_000)],
    "UNAVAILABLE: cut off",
    3000,
    [
      [0, "whole"],
      [500, "interrupted"]
    ]
  ]
]

describe("GrpcHedging", () => {
  for (const [rule, plans, result, tookMillis, attempts] of cases) {
    it.effect(`A6: ${rule}`, () =>
      Effect.gen(function* () {
        const found = yield* outcome(plans)
        const said = Exit.isSuccess(found.exit) ? found.exit.value : yield* Effect.flip(found.exit)
        assert.strictEqual(said instanceof GrpcError.GrpcError ? said.message : said, result)
        assert.deepStrictEqual(found.attempts, [...attempts])
        assert.strictEqual(Math.round(found.tookMillis), tookMillis)
        // The winner's is its reader's: that of a reply may be open still.
        assert.strictEqual(found.openCount, typeof result === "number" ? 1 : 0)
        if (typeof result === "number") assert.isFalse(found.made[result]!.stream.isOver)
      })
    )
  }

  it.effect("says to each attempt how many came before, and beside which it goes", () =>
    Effect.gen(function* () {
      const { made } = yield* outcome([replies(5000)])
      assert.deepStrictEqual(
        made.map(({ besides, previous }) => [previous, made.findIndex(({ stream }) => stream === besides)]),
        [
          [0, -1],
          [1, 0],
          [2, 1]
        ]
      )
    })
  )

  it.effect("stops the others before the head of an answer is read", () =>
    Effect.gen(function* () {
      const starts: Array<AttemptStart> = []
      const stopped: Array<number> = []
      const once = (start: AttemptStart) =>
        Effect.suspend(() => {
          starts.push(start)
          return Effect.never
        }).pipe(Effect.onInterrupt(() => Effect.sync(() => stopped.push(start.previousAttempts))))
      const fiber = yield* Effect.forkChild(GrpcHedging.run(policy, undefined, once))
      yield* TestClock.adjust("1 second")
      starts[1]!.onCommitted()
      assert.deepStrictEqual(stopped, [0, 2])
      starts[0]!.onCommitted()
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(stopped, [0, 2], "the first to commit is the one that answers")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([starts.length, stopped], [3, [0, 2, 1]])
    })
  )

  it.effect("A6: an attempt that is made again because a server refused it is the same one", () =>
    Effect.gen(function* () {
      const failure = new RefusedByServer("reset", 7)
      const { made } = yield* outcome([replies(5000), fails(10, unavailable("refused", { failure })), replies(5000)])
      assert.deepStrictEqual(
        made.map(({ atMillis, previous }) => [atMillis, previous]),
        [
          [0, 0],
          [500, 1],
          [510, 1],
          [1000, 2]
        ]
      )
    })
  )

  it.effect("hears of a reply in whichever moment it comes", () =>
    Effect.gen(function* () {
      for (let yieldCount = 0; yieldCount < 6; yieldCount++) {
        const { once, resumes } = manual()
        const fiber = yield* Effect.forkChild(GrpcHedging.run(policy, undefined, once))
        while (resumes.length === 0) yield* Effect.yieldNow
        for (let yields = 0; yields < yieldCount; yields++) yield* Effect.yieldNow
        resumes[0]!(Effect.succeed(7))
        for (let yields = 0; yields < 20; yields++) yield* Effect.yieldNow
        assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(7), `after ${yieldCount}`)
      }
    })
  )

  it.effect("does not make an attempt again when another has committed meanwhile", () =>
    Effect.gen(function* () {
      const { once, resumes, starts } = manual()
      const atOnce = GrpcHedgingPolicy.make({ maxAttempts: 2 })
      const fiber = yield* Effect.forkChild(GrpcHedging.run(atOnce, undefined, once))
      yield* Effect.yieldNow
      resumes[1]!(Effect.fail(unavailable("refused", { failure: new RefusedByServer("reset", 7) })))
      starts[0]!.onCommitted()
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(starts.length, 2)
      resumes[0]!(Effect.succeed(7))
      assert.strictEqual(yield* Fiber.join(fiber), 7)
    })
  )

  it.effect("gives up the stream of a loser that has its reply already", () =>
    Effect.gen(function* () {
      const { once, resumes, streams } = manual()
      const atOnce = GrpcHedgingPolicy.make({ maxAttempts: 3 })
      const fiber = yield* Effect.forkChild(GrpcHedging.run(atOnce, undefined, once))
      yield* Effect.yieldNow
      const failure = new RefusedByServer("reset", 7)
      // The call's fiber yields before it makes this one again, and meanwhile two replies come.
      resumes[1]!(Effect.fail(unavailable("refused", { failure })))
      resumes[2]!(Effect.succeed(2))
      resumes[0]!(Effect.succeed(0))
      assert.strictEqual(yield* Fiber.join(fiber), 2)
      const openStreams = streams.filter(({ isOver }) => !isOver)
      assert.deepStrictEqual(new Set(openStreams), new Set([streams[1], streams[2]]))
      assert.strictEqual(streams[0]!.isOver, true)
    })
  )

  it.effect("A6: sends no further attempt while the throttle is shut", () =>
    Effect.gen(function* () {
      const throttle = new GrpcThrottle({ maxTokens: 2, tokenRatio: 0.1 })
      throttle.failed()
      const { attempts, exit } = yield* outcome([replies(5000)], throttle)
      assert.deepStrictEqual([attempts.length, Exit.isSuccess(exit), throttle.tokens], [1, true, 1.1])
    })
  )

  it.effect("fails with what it has where the throttle shuts before its only next attempt", () =>
    Effect.gen(function* () {
      const throttle = new GrpcThrottle({ maxTokens: 3, tokenRatio: 0.1 })
      const { once } = planned([fails(0, unavailable("later", { pushback: "1000" }))])
      const fiber = yield* Effect.forkChild(Effect.flip(GrpcHedging.run(policy, throttle, once)))
      yield* TestClock.adjust("500 millis")
      throttle.failed()
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).message, "UNAVAILABLE: later")
    })
  )

  it.effect("stops all attempts where it is interrupted", () =>
    Effect.gen(function* () {
      for (const atMillis of [0, 1, 499, 500, 501, 1000, 1001, 4000]) {
        const { made, once } = planned([{ afterMillis: 0, ends: "never" }])
        const fiber = yield* Effect.forkChild(GrpcHedging.run(policy, undefined, once))
        yield* TestClock.adjust(atMillis)
        yield* Fiber.interrupt(fiber)
        const count = made.length
        yield* TestClock.adjust("1 minute")
        assert.isAtLeast(count, 1, `at ${atMillis}`)
        assert.strictEqual(made.length, count, `at ${atMillis}`)
        assert.deepStrictEqual(new Set(made.map(({ end }) => end)), new Set(["interrupted"] as const))
      }
    })
  )

  it.effect("stops the others where one dies, and passes the defect on", () =>
    Effect.gen(function* () {
      const { attempts, exit } = yield* outcome([replies(5000), { afterMillis: 100, ends: "dies" }])
      assert.deepStrictEqual(exit, Exit.die("bug"))
      assert.deepStrictEqual(attempts, [
        [0, "interrupted"],
        [500, "whole"]
      ])
    })
  )

  it.effect("makes no more attempts than it may, and leaves none, whatever they do", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 300; seed++) {
        const random = new SeededRandom(seed)
        const plan = (): Plan => {
          const afterMillis = random.pick([0, 1, 100, 500, 500, 700, 2000])
          const headMillis = random.below(4) === 0 ? random.below(afterMillis + 1) : undefined
          const ends = random.pick([
            "reply" as const,
            invalid,
            unavailable("refused", { failure: new RefusedByServer("reset", 7) }),
            unavailable("late", { pushback: String(random.below(2000)) }),
            unavailable("stop", { pushback: "-1" }),
            unavailable("a"),
            unavailable("b")
          ])
          return headMillis === undefined ? { afterMillis, ends } : { afterMillis, ends, headMillis }
        }
        const throttle = random.below(2) === 0 ? undefined : new GrpcThrottle({ maxTokens: 4, tokenRatio: 0.1 })
        const found = yield* outcome(Array.from({ length: 6 }, plan), throttle)
        const show = `seed ${seed}: ${JSON.stringify(found.attempts)}`
        assert.isAtMost(found.made.length, 4, show)
        assert.isFalse(Exit.hasInterrupts(found.exit), show)
        assert.strictEqual(found.openCount, Exit.isSuccess(found.exit) ? 1 : 0, show)
        assert.isTrue(
          found.made.every(({ end }) => end !== "none"),
          show
        )
      }
    })
  )
})
