import { assert, describe, it } from "@effect/vitest"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcDeadline from "@sluice/core/grpc/GrpcDeadline"
import * as Deadline from "@sluice/core/service/Deadline"
import * as Timers from "@sluice/core/session/Timers"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as FakeConnector from "../../harness/FakeConnector.ts"
import { Greeter } from "../../harness/protobuf/hello_pb.ts"

/** What is left under a deadline in `millis` from now, after `passedMillis`. */
const left = (millis: number, passedMillis = 0) =>
  Effect.gen(function* () {
    const { now } = yield* Timers.make
    const untilMillis = now() + millis
    yield* TestClock.adjust(passedMillis)
    const remaining = yield* Effect.provideService(GrpcDeadline.remaining, GrpcDeadline.GrpcDeadline, untilMillis)
    return remaining === undefined ? undefined : Duration.toMillis(remaining)
  })

describe("what is left of a deadline", () => {
  it.effect("is what the timers of a session would wait", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* left(5000), 5000)
      assert.strictEqual(yield* left(5000, 4999), 1)
    })
  )

  it.effect("is nothing behind it", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* left(5000, 5000), 0)
      assert.strictEqual(yield* left(5000, 9000), 0)
    })
  )

  it.effect("is not known where there is none", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* GrpcDeadline.remaining, undefined)
      assert.strictEqual(yield* left(Number.POSITIVE_INFINITY), undefined)
    })
  )

  it.effect("reaches fibers that are forked, and not what is uncoupled", () =>
    Effect.gen(function* () {
      const { now } = yield* Timers.make
      const forked = Effect.flatMap(Effect.forkChild(GrpcDeadline.remaining), Fiber.join)
      const both = Effect.all([forked, GrpcDeadline.uncoupled(GrpcDeadline.remaining)])
      const [coupled, uncoupled] = yield* Effect.provideService(both, GrpcDeadline.GrpcDeadline, now() + 10)
      assert.deepStrictEqual([Duration.toMillis(coupled!), uncoupled], [10, undefined])
    })
  )
})

describe("the deadline of policies", () => {
  it.effect("is that of the calls within it, whose server is told of it", () =>
    Effect.gen(function* () {
      const connector = yield* FakeConnector.make()
      const greeter = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
      const within = Deadline.make({ within: "3 seconds" })
      const calling = yield* Effect.forkChild(Effect.exit(within(greeter.sayHello({ name: "Ada" }))), {
        startImmediately: true
      })
      assert.strictEqual(connector.last.attempt.headers["grpc-timeout"], "3000m")
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(calling))._tag, "Failure")
      connector.assertNothingLeft()
    })
  )
})
