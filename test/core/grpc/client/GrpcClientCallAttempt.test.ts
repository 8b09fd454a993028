import { assert, describe, it } from "@effect/vitest"
import type { AttemptFailed, GrpcAttempts } from "@sluice/core/grpc/client/GrpcAttempts"
import type { CallDefaults } from "@sluice/core/grpc/client/GrpcCallDefaults"
import type { GrpcCallOptions } from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as Http2ClientError from "@sluice/core/session/Http2ClientError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as FakeConnector from "../../../harness/FakeConnector.ts"
import { reply, tagOf } from "../../../harness/GrpcHello.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const started = (options?: GrpcCallOptions, calls?: Partial<CallDefaults>) =>
  Effect.gen(function* () {
    const connector = yield* FakeConnector.make()
    const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector, calls))
    const fiber = yield* Effect.forkChild(client.sayHello({ name: "Ada" }, options), { startImmediately: true })
    return { connector, fiber, last: connector.last }
  })

const chat = (requests: Stream.Stream<{ readonly name: string }, "mine">, options: GrpcCallOptions) =>
  Effect.gen(function* () {
    const connector = yield* FakeConnector.make()
    const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
    const fiber = yield* Effect.forkChild(Stream.runDrain(client.chatHellos(requests, options)), {
      startImmediately: true
    })
    yield* Effect.yieldNow
    return { connector, fiber, last: connector.last }
  })

const lost = new Http2ClientError.ConnectionLost("MaybeProcessed", undefined)

/** Where a call is: what came of its response before. */
const points: ReadonlyArray<readonly [at: string, arrive: (stream: FakeConnector.FakeStream) => void]> = [
  ["before the head", () => {}],
  ["behind the head", (stream) => stream.head()],
  [
    "within the message",
    (stream) => {
      stream.head()
      stream.data(reply("abc").subarray(0, 4))
    }
  ],
  [
    "behind the message",
    (stream) => {
      stream.head()
      stream.data(reply("abc"))
    }
  ]
]

describe("the end of a call", () => {
  for (const [at, arrive] of points) {
    it.effect(`an interruption ${at}: CANCEL`, () =>
      Effect.gen(function* () {
        const { connector, fiber, last } = yield* started({ timeout: "1 second" })
        arrive(last)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(last.resets, [8])
        connector.assertNothingLeft()
      })
    )

    it.effect(`the deadline ${at}: CANCEL and DeadlineExceeded`, () =>
      Effect.gen(function* () {
        const { connector, fiber, last } = yield* started({ timeout: "1 second" })
        arrive(last)
        yield* TestClock.adjust("1 second")
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.deepStrictEqual([error.reason._tag, error.reason.fault], ["DeadlineExceeded", "limit"])
        assert.deepStrictEqual(last.resets, [8])
        connector.assertNothingLeft()
      })
    )

    it.effect(`the connection breaks off ${at}: Unavailable`, () =>
      Effect.gen(function* () {
        const { connector, fiber, last } = yield* started({ timeout: "1 second" })
        arrive(last)
        last.fail(lost)
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.deepStrictEqual([error.reason._tag, error.reason.fault], ["Unavailable", "transport"])
        last.head()
        connector.assertNothingLeft()
      })
    )

    it.effect(`a stream of both: an interruption, the deadline, its requests, the connection, ${at}`, () =>
      Effect.gen(function* () {
        const ends: ReadonlyArray<readonly [tag: string, end: (one: FakeConnector.FakeStream) => Effect.Effect<void>]> =
          [
            ["DeadlineExceeded", () => TestClock.adjust("1 second")],
            ["Unavailable", (one) => Effect.sync(() => one.fail(lost))]
          ]
        for (const [tag, end] of ends) {
          let released = 0
          const requests = Stream.ensuring(
            Stream.never,
            Effect.sync(() => released++)
          )
          const { connector, fiber, last } = yield* chat(requests, { timeout: "1 second" })
          arrive(last)
          yield* end(last)
          const exit = yield* Fiber.await(fiber)
          assert.strictEqual(tagOf(exit as never), tag)
          assert.strictEqual(released, 1)
          connector.assertNothingLeft()
        }
        const interrupted = yield* chat(Stream.never, { timeout: "1 second" })
        arrive(interrupted.last)
        yield* Fiber.interrupt(interrupted.fiber)
        interrupted.connector.assertNothingLeft()
        const failing = yield* chat(Stream.fromEffect(Effect.delay(Effect.fail("mine" as const), "10 millis")), {
          timeout: "1 second"
        })
        arrive(failing.last)
        yield* TestClock.adjust("10 millis")
        assert.strictEqual(yield* Effect.flip(Fiber.join(failing.fiber)), "mine")
        assert.deepStrictEqual(failing.last.resets, [8])
        failing.connector.assertNothingLeft()
      })
    )
  }

  it.effect("what comes behind it is not heard, but credited", () =>
    Effect.gen(function* () {
      const { connector, fiber, last } = yield* started()
      last.head({ "content-type": "text/html" })
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "Unknown")
      // As of a channel that hears late of the reset.
      last.isOver = false
      last.data(reply("late"))
      last.finish()
      connector.assertNothingLeft()
    })
  )

  it.effect("a refusal of the connector is its failure, and nothing is armed", () =>
    Effect.gen(function* () {
      for (const refusal of [new Http2ClientError.TooManyWaiting(1), GrpcError.resourceExhausted("too many")]) {
        const connector = yield* FakeConnector.make()
        connector.refusal = refusal
        const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
        const one = yield* Effect.exit(client.sayHello({ name: "Ada" }, { timeout: "1 second" }))
        const many = yield* Effect.exit(Stream.runDrain(client.streamHellos({ name: "Ada" }, { timeout: "1 second" })))
        assert.deepStrictEqual([tagOf(one), tagOf(many)], ["ResourceExhausted", "ResourceExhausted"])
        connector.assertNothingLeft()
      }
    })
  )

  it.effect("an encoding that this side has not: Internal, and CANCEL", () =>
    Effect.gen(function* () {
      const { connector, fiber, last } = yield* started()
      last.head({ "grpc-encoding": "snappy" })
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "Internal")
      assert.deepStrictEqual(last.resets, [8])
      connector.assertNothingLeft()
    })
  )
})

describe("listeners", () => {
  it.effect("hear metadata when it comes, and trailers with the reply", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const { fiber, last } = yield* started({
        onMetadata: (metadata) => told.push(`head ${metadata.get("x")}`),
        onTrailers: (metadata) => told.push(`trailers ${metadata.get("x")}`)
      })
      last.head({ x: "1" })
      assert.deepStrictEqual(told, ["head 1"])
      last.data(reply("hello"))
      last.finish({ "grpc-status": "0", x: "2" })
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(told, ["head 1", "trailers 2"])
    })
  )

  it.effect("do not hear the trailers of a failure, which are in its error", () =>
    Effect.gen(function* () {
      const { fiber, last } = yield* started({
        onMetadata: () => assert.fail("there is none"),
        onTrailers: () => assert.fail("there is no reply")
      })
      last.headOnly({ "grpc-status": "5", x: "2" })
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error.reason.metadata.get("x"), "2")
    })
  )

  it.effect("that throw are defects of this call", () =>
    Effect.gen(function* () {
      for (const options of [{ onMetadata: () => assert.fail("mine") }, { onTrailers: () => assert.fail("mine") }]) {
        const { connector, fiber, last } = yield* started({ timeout: "1 second", ...options })
        last.head()
        last.data(reply("hello"))
        last.finish()
        assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "Die")
        connector.assertNothingLeft()
      }
    })
  )
})

const behindHead = (stream: FakeConnector.FakeStream, end: () => void) => {
  stream.head()
  end()
}

describe("what is said of an attempt that failed", () => {
  type Failing = (stream: FakeConnector.FakeStream) => void
  const unsent = new Http2ClientError.ConnectionLost("NotSent", undefined)
  const cases: ReadonlyArray<
    readonly [rule: string, isCommitted: boolean, pushback: number | "stop" | undefined, reach: string, end: Failing]
  > = [
    ["Trailers-Only", false, undefined, "Handler", (one) => one.headOnly({ "grpc-status": "14" })],
    [
      "with a pushback",
      false,
      7,
      "Handler",
      (one) => one.headOnly({ "grpc-status": "14", "grpc-retry-pushback-ms": "7" })
    ],
    [
      "that says no",
      false,
      "stop",
      "Handler",
      (one) => one.headOnly({ "grpc-status": "14", "grpc-retry-pushback-ms": "-1" })
    ],
    [
      "a status behind a head",
      true,
      undefined,
      "Handler",
      (one) => behindHead(one, () => one.finish({ "grpc-status": "14" }))
    ],
    ["a page of a proxy", false, undefined, "Handler", (one) => one.head({ "content-type": "text/html" }, 503)],
    ["not sent", false, undefined, "Nobody", (one) => one.fail(unsent)],
    ["refused", false, undefined, "Server", (one) => one.fail(new Http2ClientError.RefusedByServer("reset", 7))],
    ["lost behind a head", true, undefined, "Handler", (one) => behindHead(one, () => one.fail(lost))]
  ]
  const noting = (heard: Array<AttemptFailed>): GrpcAttempts => ({
    hasPolicy: () => false,
    run: (_method, once) =>
      Effect.mapError(
        once({ previousAttempts: 0, besides: undefined, onStream: () => {}, onCommitted: () => {} }),
        (failed) => {
          heard.push(failed)
          return failed.error
        }
      )
  })
  for (const [rule, isCommitted, pushback, reach, end] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        const heard: Array<AttemptFailed> = []
        const { fiber, last } = yield* started({}, { attempts: noting(heard) })
        end(last)
        yield* Fiber.await(fiber)
        const [failed] = heard
        assert.deepStrictEqual([failed!.isCommitted, failed!.pushback, failed!.reach], [isCommitted, pushback, reach])
        assert.strictEqual(failed!.stream, last)
      })
    )
  }

  it.effect("the deadline is the end of it", () =>
    Effect.gen(function* () {
      const heard: Array<AttemptFailed> = []
      const { fiber } = yield* started({ timeout: "1 second" }, { attempts: noting(heard) })
      yield* TestClock.adjust("1 second")
      yield* Fiber.await(fiber)
      assert.strictEqual(heard[0]!.isCommitted, true)
    })
  )

  it.effect("a stream of requests that has begun cannot be sent again", () =>
    Effect.gen(function* () {
      for (const isWritable of [true, false]) {
        const heard: Array<AttemptFailed> = []
        const connector = yield* FakeConnector.make()
        connector.onOpen = (stream) => {
          stream.isWritable = isWritable
        }
        const layer = FakeConnector.channel(connector, { attempts: noting(heard) })
        const client = yield* Effect.provide(GrpcClient.make(Greeter), layer)
        const fiber = yield* Effect.forkChild(client.collectHellos(Stream.never), { startImmediately: true })
        yield* Effect.yieldNow
        connector.last.fail(unsent)
        yield* Fiber.await(fiber)
        assert.strictEqual(heard[0]!.isCommitted, isWritable)
        connector.assertNothingLeft()
      }
    })
  )
})
