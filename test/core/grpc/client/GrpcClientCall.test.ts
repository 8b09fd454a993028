import { assert, describe, it } from "@effect/vitest"
import { AttemptFailed, type GrpcAttempts } from "@sluice/core/grpc/client/GrpcAttempts"
import type { CallDefaults } from "@sluice/core/grpc/client/GrpcCallDefaults"
import type { GrpcCallOptions } from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import type { MethodConfig } from "@sluice/core/grpc/client/GrpcServiceConfig"
import { GrpcDeadline } from "@sluice/core/grpc/GrpcDeadline"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as FakeConnector from "../../../harness/FakeConnector.ts"
import { reply, tagOf } from "../../../harness/GrpcHello.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const called = (options?: GrpcCallOptions, calls?: Partial<CallDefaults>, deadlineMillis?: number) =>
  Effect.gen(function* () {
    const connector = yield* FakeConnector.make()
    const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector, calls))
    const call = client.sayHello({ name: "Ada" }, options)
    const ordered =
      deadlineMillis === undefined
        ? call
        : Effect.provideService(call, GrpcDeadline, connector.timers.now() + deadlineMillis)
    const fiber = yield* Effect.forkChild(ordered, { startImmediately: true })
    return { connector, client, fiber }
  })

const config = (one: Partial<MethodConfig>) => ({
  methodOf: (): MethodConfig => ({
    timeoutMillis: undefined,
    waitForReady: undefined,
    maxRequestBytes: undefined,
    maxResponseBytes: undefined,
    retry: undefined,
    hedging: undefined,
    ...one
  })
})

describe("how long a call may take", () => {
  const cases: ReadonlyArray<
    readonly [
      rule: string,
      sent: string | undefined,
      options: GrpcCallOptions,
      calls: Partial<CallDefaults>,
      deadlineMillis?: number
    ]
  > = [
    ["nothing is said", undefined, {}, {}],
    ["its own time", "5000m", { timeout: "5 seconds" }, {}],
    ["the channel's", "7000m", {}, { timeoutMillis: 7000 }],
    ["its own in place of the channel's", "9000m", { timeout: "9 seconds" }, { timeoutMillis: 7000 }],
    ["none in place of the channel's", undefined, { timeout: "unbounded" }, { timeoutMillis: 7000 }],
    [
      "the method's in place of the channel's",
      "3000m",
      {},
      { timeoutMillis: 7000, methods: config({ timeoutMillis: 3000 }) }
    ],
    [
      "its own, where that is less than the method's",
      "1000m",
      { timeout: "1 second" },
      { methods: config({ timeoutMillis: 3000 }) }
    ],
    [
      "service_config.md: the method's, where that is less than its own",
      "3000m",
      { timeout: "9 seconds" },
      { methods: config({ timeoutMillis: 3000 }) }
    ],
    [
      "service_config.md: the method's, although it says none",
      "3000m",
      { timeout: "unbounded" },
      { methods: config({ timeoutMillis: 3000 }) }
    ],
    ["what is left of the call around it", "2000m", {}, {}, 2000],
    ["what is left, where it is less", "2000m", { timeout: "5 seconds" }, {}, 2000],
    ["its own, where that is less", "1000m", { timeout: "1 second" }, {}, 2000],
    ["what is left, although it says none", "2000m", { timeout: "unbounded" }, {}, 2000]
  ]
  for (const [rule, sent, options, calls, deadlineMillis] of cases) {
    it.effect(`${rule}: ${sent}`, () =>
      Effect.gen(function* () {
        const { connector, fiber } = yield* called(options, calls, deadlineMillis)
        assert.strictEqual(connector.last.attempt.headers["grpc-timeout"], sent)
        assert.strictEqual(connector.timers.size(), sent === undefined ? 0 : 1)
        if (sent === undefined) yield* Fiber.interrupt(fiber)
        else {
          yield* TestClock.adjust(Number.parseInt(sent, 10) - 1)
          assert.strictEqual(connector.last.isOver, false)
          yield* TestClock.adjust(1)
          assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "DeadlineExceeded")
        }
        connector.assertNothingLeft()
      })
    )
  }

  it.effect("a time that is over: nothing is sent", () =>
    Effect.gen(function* () {
      for (const leftMillis of [0, -1]) {
        const { connector, fiber } = yield* called({}, {}, leftMillis)
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.deepStrictEqual([error.reason._tag, error.reason.retry], ["DeadlineExceeded", "NotSent"])
        assert.strictEqual(connector.streams.length, 0)
        connector.assertNothingLeft()
      }
    })
  )

  it.effect("it begins when the call is run", () =>
    Effect.gen(function* () {
      const { client, connector, fiber } = yield* called()
      yield* Fiber.interrupt(fiber)
      const later = client.sayHello({ name: "Ada" }, { timeout: "1 second" })
      yield* TestClock.adjust("1 hour")
      const running = yield* Effect.forkChild(later, { startImmediately: true })
      assert.strictEqual(connector.last.attempt.headers["grpc-timeout"], "1000m")
      yield* Fiber.interrupt(running)
    })
  )
})

describe("attempts with pauses between them", () => {
  /** Waits an hour behind each attempt. */
  const patient: GrpcAttempts = {
    hasPolicy: () => true,
    run: (_method, once) => {
      const again = (previousAttempts: number): ReturnType<typeof once> =>
        Effect.catch(
          once({ previousAttempts, besides: undefined, onStream: () => {}, onCommitted: () => {} }),
          (failed) =>
            failed.isCommitted
              ? Effect.fail(failed)
              : Effect.andThen(Effect.sleep("1 hour"), again(previousAttempts + 1))
        )
      return Effect.mapError(again(0), (failed) => failed.error)
    }
  }

  it.effect("the time counts within a pause", () =>
    Effect.gen(function* () {
      const { connector, fiber } = yield* called({ timeout: "90 minutes" }, { attempts: patient })
      connector.last.headOnly({ "grpc-status": "14" })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(connector.streams.length, 2)
      assert.deepStrictEqual(
        [connector.last.attempt.headers["grpc-previous-rpc-attempts"], connector.last.attempt.headers["grpc-timeout"]],
        ["1", "1800000m"]
      )
      connector.last.headOnly({ "grpc-status": "14" })
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "DeadlineExceeded")
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(connector.streams.length, 2)
      connector.assertNothingLeft()
    })
  )

  it.effect("the time counts within an attempt, and when a stream of replies has begun", () =>
    Effect.gen(function* () {
      const { client, connector, fiber } = yield* called({ timeout: "1 second" }, { attempts: patient })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "DeadlineExceeded")
      assert.deepStrictEqual(connector.last.resets, [8])
      const reading = yield* Effect.forkChild(
        Stream.runDrain(client.streamHellos({ name: "Ada" }, { timeout: "1 second" })),
        { startImmediately: true }
      )
      connector.last.head()
      yield* Effect.yieldNow
      connector.last.data(reply("a"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(tagOf(yield* Fiber.await(reading)), "DeadlineExceeded")
      connector.assertNothingLeft()
    })
  )

  it.effect("a call that goes well leaves nothing", () =>
    Effect.gen(function* () {
      const { connector, fiber } = yield* called({ timeout: "1 second" }, { attempts: patient })
      connector.last.head()
      connector.last.data(reply("hello"))
      connector.last.finish()
      assert.strictEqual((yield* Fiber.join(fiber)).message, "hello")
      connector.assertNothingLeft()
    })
  )
})

describe("what a call is told", () => {
  it.effect("waitForReady: its own, the method's, the channel's", () =>
    Effect.gen(function* () {
      const waits = (options: GrpcCallOptions, calls: Partial<CallDefaults>) =>
        Effect.gen(function* () {
          const { connector, fiber } = yield* called(options, calls)
          yield* Fiber.interrupt(fiber)
          return connector.last.attempt.waitForReady
        })
      const [yes, no] = [config({ waitForReady: true }), config({ waitForReady: false })]
      assert.strictEqual(yield* waits({}, {}), false)
      assert.strictEqual(yield* waits({}, { waitForReady: true }), true)
      assert.strictEqual(yield* waits({}, { waitForReady: true, methods: no }), false)
      assert.strictEqual(yield* waits({ waitForReady: false }, { waitForReady: true, methods: yes }), false)
      assert.strictEqual(yield* waits({ waitForReady: true }, {}), true)
    })
  )

  it.effect("sizes: the method's, at most the channel's", () =>
    Effect.gen(function* () {
      const tag = (calls: Partial<CallDefaults>) =>
        Effect.gen(function* () {
          const { connector, fiber } = yield* called({}, calls)
          for (const stream of connector.streams) {
            stream.head()
            stream.data(reply("12345678"))
            stream.finish()
          }
          return tagOf(yield* Fiber.await(fiber))
        })
      assert.strictEqual(yield* tag({ methods: config({ maxResponseBytes: 10, maxRequestBytes: 5 }) }), "ok")
      assert.strictEqual(yield* tag({ methods: config({ maxResponseBytes: 9 }) }), "ResourceExhausted")
      assert.strictEqual(yield* tag({ methods: config({ maxRequestBytes: 4 }) }), "ResourceExhausted")
      assert.strictEqual(
        yield* tag({ maxReceiveBytes: 9, methods: config({ maxResponseBytes: 10 }) }),
        "ResourceExhausted"
      )
    })
  )

  it.effect("a compression that the channel has not, and a time that is none, are defects", () =>
    Effect.gen(function* () {
      const wrong = (options: GrpcCallOptions) =>
        Effect.gen(function* () {
          const connector = yield* FakeConnector.make()
          const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
          const exit = yield* Effect.exit(client.sayHello({ name: "Ada" }, options))
          assert.strictEqual(connector.streams.length, 0)
          return tagOf(exit)
        })
      assert.strictEqual(yield* wrong({ compression: "gzip" }), "Die")
      assert.strictEqual(yield* wrong({ timeout: 0 }), "Die")
    })
  )
})

describe("what attempts are told of each other", () => {
  it.effect("the stream, that an answer has begun, and why it failed", () =>
    Effect.gen(function* () {
      const heard: Array<unknown> = []
      const listening: GrpcAttempts = {
        hasPolicy: () => false,
        run: (_method, once) =>
          Effect.mapError(
            once({
              previousAttempts: 0,
              besides: undefined,
              onStream: (stream) => heard.push(stream),
              onCommitted: () => heard.push("committed")
            }),
            (failed) => {
              heard.push(failed)
              return failed.error
            }
          )
      }
      const { connector, fiber } = yield* called({}, { attempts: listening })
      connector.last.head()
      connector.last.finish({ "grpc-status": "14" })
      yield* Fiber.await(fiber)
      const failed = heard[2] as AttemptFailed
      assert.instanceOf(failed, AttemptFailed)
      assert.deepStrictEqual([heard.length, heard[0], heard[1]], [3, connector.last, "committed"])
      assert.deepStrictEqual([failed.isCommitted, failed.stream, failed.reach], [true, connector.last, "Handler"])
    })
  )
})
