import { assert, describe, it } from "@effect/vitest"
import * as GrpcAttempts from "@sluice/core/grpc/client/GrpcAttempts"
import type { GrpcCallOptions } from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import type { Failure } from "@sluice/core/grpc/client/GrpcConnector"
import * as GrpcServiceConfig from "@sluice/core/grpc/client/GrpcServiceConfig"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as Http2ClientError from "@sluice/core/session/Http2ClientError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as FakeConnector from "../../../harness/FakeConnector.ts"
import { reply, tagOf } from "../../../harness/GrpcHello.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const [sayHello, streamHellos, collectHellos, chatHellos] = GrpcMethod.of(Greeter) as [
  GrpcMethod.GrpcMethod,
  GrpcMethod.GrpcMethod,
  GrpcMethod.GrpcMethod,
  GrpcMethod.GrpcMethod
]

const pushbacks: ReadonlyArray<readonly [text: string, expected: number | "stop"]> = [
  ["0", 0],
  ["1", 1],
  ["2147483647", 2147483647],
  ["2147483648", "stop"],
  ["99999999999999999999", "stop"],
  ["-1", "stop"],
  ["-0", "stop"],
  ["01", "stop"],
  ["+1", "stop"],
  ["1.5", "stop"],
  ["1e3", "stop"],
  [" 1", "stop"],
  ["1 ", "stop"],
  ["", "stop"],
  ["soon", "stop"]
]

const reaches: ReadonlyArray<readonly [failure: Failure | undefined, expected: GrpcAttempts.Reach]> = [
  [undefined, "Handler"],
  [new Http2ClientError.GoneAway(0, ""), "Nobody"],
  [new Http2ClientError.IdleTimeout(1), "Nobody"],
  [new Http2ClientError.ConnectionLost("NotSent", undefined), "Nobody"],
  [new Http2ClientError.ConnectionLost("MaybeProcessed", undefined), "Handler"],
  [new Http2ClientError.SessionClosed("NotSent"), "Nobody"],
  [new Http2ClientError.SessionClosed("MaybeProcessed"), "Handler"],
  [new Http2ClientError.RefusedByServer("reset", 7), "Server"],
  [new Http2ClientError.RefusedByServer("goaway", 0), "Server"],
  [new Http2ClientError.ResetByServer(7), "Handler"],
  // They would be said again.
  [new Http2ClientError.TooManyWaiting(1), "Handler"],
  [new Http2ClientError.WaitTimeout(1), "Handler"],
  [new Http2ClientError.InvalidRequest("NotSent", ""), "Handler"],
  [new Http2ClientError.Cancelled("NotSent"), "Handler"],
  [GrpcError.unavailable("no server can be reached", { retry: "NotSent" }), "Handler"],
  [GrpcError.resourceExhausted("too many calls wait", { retry: "NotSent" }), "Handler"]
]

const unavailable = new GrpcAttempts.AttemptFailed(GrpcError.unavailable(""))

/** How many attempts are made of a method, all of which fail. */
const count = (attempts: GrpcAttempts.GrpcAttempts, method: GrpcMethod.GrpcMethod, failed = unavailable) =>
  Effect.gen(function* () {
    let made = 0
    const once = () =>
      Effect.suspend(() => {
        made += 1
        return Effect.fail(failed)
      })
    const fiber = yield* Effect.forkChild(Effect.exit(attempts.run(method, once)))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
    return made
  })

const retryPolicy = {
  maxAttempts: 2,
  initialBackoff: "100 millis",
  maxBackoff: "1 second",
  backoffMultiplier: 2,
  retryableStatusCodes: [GrpcStatus.Unavailable]
} as const
const hedgingPolicy = { maxAttempts: 4, nonFatalStatusCodes: [GrpcStatus.Unavailable] } as const

describe("GrpcAttempts", () => {
  it(`A6 "Pushback": a whole number of 32 bits, or no further attempt`, () => {
    for (const [text, expected] of pushbacks) assert.strictEqual(GrpcAttempts.parsePushback(text), expected, text)
  })

  it('A6 "Transparent Retries": knows who may have seen an attempt', () => {
    for (const [failure, expected] of reaches) {
      const failed = new GrpcAttempts.AttemptFailed(GrpcError.unavailable(""), { failure })
      assert.strictEqual(failed.reach, expected, failure?.message)
    }
  })

  it("an attempt that failed has neither committed nor been pushed back, where nothing is said", () => {
    assert.deepStrictEqual([unavailable.isCommitted, unavailable.pushback], [false, undefined])
    const failed = new GrpcAttempts.AttemptFailed(GrpcError.unavailable(""), { isCommitted: true, pushback: "7" })
    assert.deepStrictEqual([failed.isCommitted, failed.pushback], [true, 7])
  })

  it.effect("makes one attempt where there is no policy, and another after a refusal", () =>
    Effect.gen(function* () {
      const failure = new Http2ClientError.RefusedByServer("goaway", 0)
      const refused = new GrpcAttempts.AttemptFailed(GrpcError.unavailable(""), { failure })
      const silent = yield* GrpcAttempts.make(GrpcServiceConfig.empty)
      for (const attempts of [GrpcAttempts.once, silent]) {
        assert.strictEqual(yield* count(attempts, sayHello), 1)
        assert.strictEqual(yield* count(attempts, sayHello, refused), 2)
      }
    })
  )

  it.effect("goes by the method's policy", () =>
    Effect.gen(function* () {
      const names = (method: GrpcMethod.GrpcMethod) => [{ service: method.service, method: method.name }]
      const config = GrpcServiceConfig.make({
        methods: [
          { names: names(sayHello), retryPolicy },
          { names: names(streamHellos), hedgingPolicy },
          { names: names(collectHellos), retryPolicy }
        ]
      })
      const attempts = yield* GrpcAttempts.make(config)
      assert.strictEqual(yield* count(attempts, sayHello), 2)
      assert.strictEqual(yield* count(attempts, streamHellos), 4)
      assert.strictEqual(yield* count(attempts, collectHellos), 2)
      assert.strictEqual(yield* count(attempts, chatHellos), 1)
      const methods = [sayHello, streamHellos, collectHellos, chatHellos]
      assert.deepStrictEqual(methods.map(attempts.hasPolicy), [true, true, true, false])
      assert.deepStrictEqual(methods.map(GrpcAttempts.once.hasPolicy), [false, false, false, false])
    })
  )

  it.effect("does not hedge where requests are a stream", () =>
    Effect.gen(function* () {
      const attempts = yield* GrpcAttempts.make(GrpcServiceConfig.make({ methods: [{ names: [{}], hedgingPolicy }] }))
      for (const method of [collectHellos, chatHellos]) {
        assert.strictEqual(yield* count(attempts, method), 1)
        assert.isFalse(attempts.hasPolicy(method))
      }
    })
  )

  it.effect("A6: the throttle is one for all methods, and not for other channels", () =>
    Effect.gen(function* () {
      const config = GrpcServiceConfig.make({
        methods: [{ names: [{}], retryPolicy }],
        throttling: { maxTokens: 4, tokenRatio: 1 }
      })
      const attempts = yield* GrpcAttempts.make(config)
      assert.strictEqual(yield* count(attempts, sayHello), 2, "of four tokens three are left when it is tried again")
      assert.strictEqual(yield* count(attempts, streamHellos), 1, "and one of the two that this finds")
      assert.strictEqual(yield* count(yield* GrpcAttempts.make(config), streamHellos), 2)
      for (const method of [chatHellos, sayHello]) yield* attempts.run(method, () => Effect.void)
      assert.strictEqual(yield* count(attempts, streamHellos), 1, "two successes leave two again")
      for (const method of [chatHellos, sayHello]) yield* attempts.run(method, () => Effect.void)
      assert.strictEqual(yield* count(attempts, streamHellos), 2)
    })
  )
})

/** Calls over a connector whose answers the test gives. */
const client = (methods: Omit<GrpcServiceConfig.MethodOptions, "names">) =>
  Effect.gen(function* () {
    const connector = yield* FakeConnector.make()
    const config = GrpcServiceConfig.make({ methods: [{ names: [{}], ...methods }] })
    const calls = { attempts: yield* GrpcAttempts.make(config), methods: config }
    const greeter = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector, calls))
    const say = (options?: GrpcCallOptions) =>
      Effect.forkChild(
        Effect.map(greeter.sayHello({ name: "Ada" }, options), ({ message }) => message),
        { startImmediately: true }
      )
    return { connector, greeter, say }
  })

const answer = (stream: FakeConnector.FakeStream, message: string) => {
  stream.head()
  stream.data(reply(message))
  stream.finish()
}

const headersOf = ({ attempt }: FakeConnector.FakeStream) => attempt.headers as Record<string, string | undefined>
const previousOf = (stream: FakeConnector.FakeStream) => headersOf(stream)["grpc-previous-rpc-attempts"]

describe("a client whose calls have policies", () => {
  it.effect("tries again what failed with trailers only, and says how often it did", () =>
    Effect.gen(function* () {
      const { connector, say } = yield* client({ retryPolicy })
      const fiber = yield* say()
      connector.last.headOnly({ "grpc-status": "14", "grpc-retry-pushback-ms": "5000" })
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(connector.streams.length, 1)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(connector.streams.map(previousOf), [undefined, "1"])
      assert.strictEqual(connector.last.attempt.besides, connector.streams[0])
      answer(connector.last, "again")
      assert.strictEqual(yield* Fiber.join(fiber), "again")
      connector.assertNothingLeft()
    })
  )

  it.effect("tries again a stream of replies that has not begun", () =>
    Effect.gen(function* () {
      const { connector, greeter } = yield* client({ retryPolicy })
      const all = Stream.runCollect(greeter.streamHellos({ name: "Ada" }))
      const fiber = yield* Effect.forkChild(all, { startImmediately: true })
      connector.last.fail(new Http2ClientError.ConnectionLost("MaybeProcessed", undefined))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(connector.streams.length, 2)
      answer(connector.last, "again")
      assert.deepStrictEqual(
        (yield* Fiber.join(fiber)).map(({ message }) => message),
        ["again"]
      )
      connector.assertNothingLeft()
    })
  )

  it.effect("does not try again what has begun to be answered", () =>
    Effect.gen(function* () {
      const { connector, say } = yield* client({ retryPolicy })
      const fiber = yield* say()
      connector.last.head()
      connector.last.finish({ "grpc-status": "14" })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "Unavailable")
      assert.strictEqual(connector.streams.length, 1)
    })
  )

  it.effect("has one deadline for all attempts, which also ends the wait between them", () =>
    Effect.gen(function* () {
      const { connector, say } = yield* client({ retryPolicy, timeout: "2 seconds" })
      const fiber = yield* say()
      yield* TestClock.adjust("500 millis")
      connector.last.headOnly({ "grpc-status": "14", "grpc-retry-pushback-ms": "500" })
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(
        connector.streams.map((stream) => headersOf(stream)["grpc-timeout"]),
        ["2000m", "1000m"]
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "DeadlineExceeded")

      const waiting = yield* say()
      connector.last.headOnly({ "grpc-status": "14", "grpc-retry-pushback-ms": "60000" })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(tagOf(yield* Fiber.await(waiting)), "DeadlineExceeded")
      connector.assertNothingLeft()
    })
  )

  it.effect("takes the first answer of hedged attempts, and gives the others up", () =>
    Effect.gen(function* () {
      const { connector, say } = yield* client({ hedgingPolicy: { maxAttempts: 3, hedgingDelay: "100 millis" } })
      let heard = 0
      const fiber = yield* say({ onMetadata: () => void heard++ })
      yield* TestClock.adjust("200 millis")
      const [first, second, third] = connector.streams as [
        FakeConnector.FakeStream,
        FakeConnector.FakeStream,
        FakeConnector.FakeStream
      ]
      assert.deepStrictEqual(connector.streams.map(previousOf), [undefined, "1", "2"])
      // The heads of two come in one turn: the first of them is the call's.
      second.head()
      third.head()
      assert.deepStrictEqual([first.resets, second.resets, third.resets, heard], [[8], [], [8], 1])
      second.data(reply("second"))
      second.finish()
      assert.strictEqual(yield* Fiber.join(fiber), "second")
      connector.assertNothingLeft()
    })
  )

  it.effect("gives up all hedged attempts where it is interrupted", () =>
    Effect.gen(function* () {
      const { connector, say } = yield* client({ hedgingPolicy: { maxAttempts: 3, hedgingDelay: "100 millis" } })
      const fiber = yield* say()
      yield* TestClock.adjust("150 millis")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        connector.streams.map(({ resets }) => resets),
        [[8], [8]]
      )
      connector.assertNothingLeft()
    })
  )
})
