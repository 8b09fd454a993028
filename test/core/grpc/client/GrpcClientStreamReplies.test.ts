import { assert, describe, it } from "@effect/vitest"
import type { CallDefaults } from "@sluice/core/grpc/client/GrpcCallDefaults"
import type { GrpcCallOptions } from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import type * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as Http2ClientError from "@sluice/core/session/Http2ClientError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Chunkings from "../../../harness/Chunkings.ts"
import * as FakeConnector from "../../../harness/FakeConnector.ts"
import { replies, reply, tagOf } from "../../../harness/GrpcHello.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"
import { turns } from "../../../harness/TransportContract.ts"

/** A reader of a stream of replies, which keeps what it has read. */
const started = (
  options?: GrpcCallOptions,
  calls?: Partial<CallDefaults>,
  read: (stream: Stream.Stream<string, GrpcError.GrpcError>) => Stream.Stream<string, GrpcError.GrpcError> = (it) => it,
  pause: Effect.Effect<void> = Effect.void
) =>
  Effect.gen(function* () {
    const connector = yield* FakeConnector.make()
    const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector, calls))
    const arrays: Array<ReadonlyArray<string>> = []
    const stream = Stream.map(client.streamHellos({ name: "Ada" }, options), (one) => one.message)
    const fiber = yield* Effect.forkChild(
      Stream.runForEachArray(read(stream), (array) =>
        Effect.andThen(
          Effect.sync(() => arrays.push(array)),
          pause
        )
      )
    )
    yield* Effect.yieldNow
    return { connector, fiber, arrays, all: () => arrays.flat() }
  })

describe("a stream of replies", () => {
  it.effect("comes whole, however its bytes are cut", () =>
    Effect.gen(function* () {
      for (const chunks of Chunkings.everySplit(replies("a", "", "ccc"))) {
        const { all, connector, fiber } = yield* started({ timeout: "1 minute" })
        connector.last.head()
        for (const chunk of chunks) {
          connector.last.data(chunk)
          yield* Effect.yieldNow
        }
        connector.last.finish()
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(all(), ["a", "", "ccc"], Chunkings.show(chunks))
        connector.assertNothingLeft()
      }
    })
  )

  it.effect("messages that come together are read together", () =>
    Effect.gen(function* () {
      const { arrays, connector, fiber } = yield* started()
      connector.last.head()
      connector.last.data(replies("a", "b", "c"))
      yield* Effect.yieldNow
      assert.deepStrictEqual(arrays, [["a", "b", "c"]])
      connector.last.finish()
      yield* Fiber.join(fiber)
    })
  )

  it.effect("no more than some are decoded at once, whatever came together", () =>
    Effect.gen(function* () {
      const { arrays, connector, fiber } = yield* started()
      connector.last.head()
      connector.last.data(new Uint8Array(5 * 2_000))
      connector.last.data(replies("x".repeat(70_000), "a", "b"))
      connector.last.finish()
      yield* Fiber.join(fiber)
      const counts = arrays.map((array) => array.length)
      assert.deepStrictEqual([counts.slice(0, 3), counts.reduce((sum, count) => sum + count)], [[512, 512, 512], 2_003])
      assert.deepStrictEqual(arrays.at(-1), ["a", "b"])
      connector.assertNothingLeft()
    })
  )

  it.effect("bytes are credited when their messages are taken, and not before", () =>
    Effect.gen(function* () {
      const gate = Effect.callback<void>((resume) => {
        open = () => resume(Effect.void)
      })
      let open = () => {}
      const { all, connector, fiber } = yield* started(
        {},
        {},
        Stream.tap(() => gate)
      )
      const { last } = connector
      last.head()
      last.data(reply("a"))
      assert.strictEqual(last.unreadBytes, 0, "its reader waits for it")
      for (const text of ["b", "c", "d"]) last.data(reply(text))
      assert.strictEqual(last.unreadBytes, 3 * reply("b").length, "nobody has taken these")
      open()
      assert.strictEqual(last.unreadBytes, 0)
      for (let times = 0; times < 4; times++) {
        open()
        yield* Effect.yieldNow
      }
      last.finish()
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(all(), ["a", "b", "c", "d"])
      connector.assertNothingLeft()
    })
  )

  it.effect("half a message is credited while its reader waits", () =>
    Effect.gen(function* () {
      const { connector, fiber } = yield* started()
      connector.last.head()
      connector.last.data(reply("abcdef").subarray(0, 7))
      assert.strictEqual(connector.last.unreadBytes, 0)
      yield* Fiber.interrupt(fiber)
      connector.assertNothingLeft()
    })
  )
})

describe("its end", () => {
  it.effect("Trailers-Only: no replies", () =>
    Effect.gen(function* () {
      const trailers: Array<string | undefined> = []
      const { all, connector, fiber } = yield* started({
        timeout: "1 second",
        onTrailers: (metadata) => trailers.push(metadata.get("x"))
      })
      connector.last.headOnly({ "grpc-status": "0", x: "1" })
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([all(), trailers], [[], ["1"]])
      connector.assertNothingLeft()
    })
  )

  it.effect("Trailers-Only: a failure", () =>
    Effect.gen(function* () {
      const { connector, fiber } = yield* started()
      connector.last.headOnly({ "grpc-status": "5" })
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "NotFound")
      connector.assertNothingLeft()
    })
  )

  it.effect("what came before a failing status, or before the connection broke off, is read all the same", () =>
    Effect.gen(function* () {
      for (const end of [
        (one: FakeConnector.FakeStream) => one.finish({ "grpc-status": "14" }),
        (one: FakeConnector.FakeStream) => one.fail(new Http2ClientError.ConnectionLost("MaybeProcessed", undefined))
      ]) {
        const { all, connector, fiber } = yield* started({ timeout: "1 second" })
        connector.last.head()
        yield* Effect.yieldNow
        connector.last.data(replies("a", "b"))
        end(connector.last)
        assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "Unavailable")
        assert.deepStrictEqual(all(), ["a", "b"])
        connector.assertNothingLeft()
      }
    })
  )

  const spoiled: ReadonlyArray<readonly [rule: string, tag: string, bytes: Uint8Array, read: ReadonlyArray<string>]> = [
    ["a flag that is none", "Internal", Buffer.concat([reply("a"), Uint8Array.of(7, 0, 0, 0, 0)]), ["a"]],
    ["a compressed message without grpc-encoding", "Internal", Uint8Array.of(1, 0, 0, 0, 0), []],
    ["a message above the limit", "ResourceExhausted", Buffer.concat([reply("a"), reply("x".repeat(64))]), ["a"]],
    ["what is no message", "Internal", Buffer.concat([reply("a"), Uint8Array.of(0, 0, 0, 0, 1, 10)]), ["a"]]
  ]
  for (const [rule, tag, bytes, read] of spoiled) {
    it.effect(`${rule}: the server is told, and what came before is read`, () =>
      Effect.gen(function* () {
        for (const chunks of Chunkings.everySplit(bytes)) {
          const { all, connector, fiber } = yield* started({ timeout: "1 minute" }, { maxReceiveBytes: 32 })
          connector.last.head()
          for (const chunk of chunks) connector.last.data(chunk)
          assert.strictEqual(tagOf(yield* Fiber.await(fiber)), tag, Chunkings.show(chunks))
          assert.deepStrictEqual(all(), read)
          assert.deepStrictEqual(connector.last.resets, [8])
          connector.assertNothingLeft()
        }
      })
    )
  }

  it.effect("within a message it is no end", () =>
    Effect.gen(function* () {
      const { connector, fiber } = yield* started()
      connector.last.head()
      connector.last.data(reply("abc").subarray(0, 6))
      connector.last.finish()
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "Internal")
      connector.assertNothingLeft()
    })
  )

  it.effect("its trailers are told when all was read", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const { connector, fiber } = yield* started(
        { onMetadata: () => told.push("metadata"), onTrailers: () => told.push("trailers") },
        {},
        Stream.tap((one) => Effect.sync(() => told.push(one)))
      )
      connector.last.head()
      connector.last.data(replies("a"))
      connector.last.finish()
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(told, ["metadata", "a", "trailers"])
    })
  )

  it.effect("a listener that throws is a defect of this call", () =>
    Effect.gen(function* () {
      for (const options of [{ onMetadata: () => assert.fail("mine") }, { onTrailers: () => assert.fail("mine") }]) {
        const { connector, fiber } = yield* started({ timeout: "1 second", ...options })
        connector.last.head()
        connector.last.finish()
        assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "Die")
        connector.assertNothingLeft()
      }
    })
  )
})

const begin = (stream: FakeConnector.FakeStream, bytes: Uint8Array) => {
  stream.head()
  stream.data(bytes)
}

describe("who leaves it, or is too late", () => {
  it.effect("a reader that has enough cancels it", () =>
    Effect.gen(function* () {
      const { all, connector, fiber } = yield* started({ timeout: "1 second" }, {}, Stream.take(2))
      connector.last.head()
      connector.last.data(replies("a", "b", "c"))
      connector.last.data(replies("d"))
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(all(), ["a", "b"])
      assert.deepStrictEqual(connector.last.resets, [8])
      connector.assertNothingLeft()
    })
  )

  const points: ReadonlyArray<readonly [at: string, arrive: (stream: FakeConnector.FakeStream) => void]> = [
    ["before the head", () => {}],
    ["behind the head", (one) => one.head()],
    ["within a message", (one) => begin(one, reply("abc").subarray(0, 3))],
    ["behind a message", (one) => begin(one, reply("abc"))]
  ]
  for (const [at, arrive] of points) {
    it.effect(`an interruption ${at}`, () =>
      Effect.gen(function* () {
        const { connector, fiber } = yield* started({ timeout: "1 second" })
        arrive(connector.last)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(connector.last.resets, [8])
        connector.assertNothingLeft()
      })
    )

    it.effect(`the deadline ${at}`, () =>
      Effect.gen(function* () {
        const { connector, fiber } = yield* started({ timeout: "1 second" })
        arrive(connector.last)
        yield* TestClock.adjust("999 millis")
        assert.deepStrictEqual(connector.last.resets, [])
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "DeadlineExceeded")
        assert.deepStrictEqual(connector.last.resets, [8])
        connector.assertNothingLeft()
      })
    )
  }

  it.effect("behind the server's status there is no deadline any more", () =>
    Effect.gen(function* () {
      const { all, connector, fiber } = yield* started(
        { timeout: "1 second" },
        {},
        Stream.tap(() => Effect.sleep("2 seconds"))
      )
      connector.last.head()
      connector.last.data(reply("a"))
      connector.last.data(reply("b"))
      connector.last.finish()
      yield* TestClock.adjust("4 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(all(), ["a", "b"])
    })
  )
})

describe("a reader that is slow", () => {
  const slowly = (stream: Stream.Stream<string, GrpcError.GrpcError>) =>
    Stream.tap(stream, () => Effect.sleep("2 seconds"))

  it.effect("reads what came before the connection broke off, whatever the deadline", () =>
    Effect.gen(function* () {
      const { all, connector, fiber } = yield* started({ timeout: "1 second" }, {}, slowly)
      connector.last.head()
      connector.last.data(reply("a"))
      connector.last.data(reply("b"))
      connector.last.fail(new Http2ClientError.ConnectionLost("MaybeProcessed", undefined))
      assert.strictEqual(connector.timers.size(), 0)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "Unavailable")
      assert.deepStrictEqual(all(), ["a", "b"])
    })
  )

  it.effect("does not read what waits when the deadline is over", () =>
    Effect.gen(function* () {
      const { all, connector, fiber } = yield* started({ timeout: "1 second" }, {}, slowly)
      connector.last.head()
      connector.last.data(reply("a"))
      connector.last.data(reply("b"))
      yield* TestClock.adjust("1 second")
      connector.assertNothingLeft()
      yield* TestClock.adjust("1 second")
      assert.strictEqual(tagOf(yield* Fiber.await(fiber)), "DeadlineExceeded")
      assert.deepStrictEqual(all(), ["a"])
    })
  )

  it.effect("gets no more at once than about 64 KiB", () =>
    Effect.gen(function* () {
      const { arrays, connector, fiber } = yield* started({}, {}, (it) => it, Effect.sleep("1 second"))
      connector.last.head()
      yield* Effect.yieldNow
      for (let times = 0; times < 11; times++) connector.last.data(reply("x".repeat(16_384)))
      connector.last.finish()
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        arrays.map((array) => array.length),
        [1, 4, 4, 2]
      )
    })
  )
})

describe("with a stream of requests", () => {
  /** `letGo` ends what its release waits for. */
  const chatting = (released: () => void) =>
    Effect.gen(function* () {
      let letGo = () => {}
      const release = Effect.callback<void>((resume) => {
        letGo = () => resume(Effect.sync(released))
      })
      const connector = yield* FakeConnector.make()
      const greeter = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
      const read: Array<string> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(Stream.take(greeter.chatHellos(Stream.ensuring(Stream.never, release)), 2), (one) =>
          Effect.andThen(
            Effect.sleep("5 seconds"),
            Effect.sync(() => read.push(one.message))
          )
        ),
        { startImmediately: true }
      )
      yield* turns
      return { connector, fiber, read, letGo: () => letGo() }
    })

  it.effect("the server's status stops it at once, whatever is still to be read", () =>
    Effect.gen(function* () {
      let released = 0
      const { connector, fiber, letGo, read } = yield* chatting(() => released++)
      connector.last.head()
      yield* Effect.yieldNow
      connector.last.data(reply("a"))
      connector.last.data(reply("b"))
      connector.last.finish()
      assert.deepStrictEqual(connector.last.resets, [0])
      letGo()
      assert.deepStrictEqual([released, read], [1, []])
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(read, ["a", "b"])
      connector.assertNothingLeft()
    })
  )

  it.effect("who leaves waits until it has let go of what it holds", () =>
    Effect.gen(function* () {
      let released = 0
      const { connector, fiber, letGo } = yield* chatting(() => released++)
      connector.last.head()
      const leaving = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* Effect.yieldNow
      connector.assertNothingLeft()
      assert.deepStrictEqual([released, leaving.pollUnsafe()], [0, undefined])
      letGo()
      yield* Fiber.join(leaving)
      assert.strictEqual(released, 1)
    })
  )

  it.effect("also where it has just begun", () =>
    Effect.gen(function* () {
      let released = 0
      const connector = yield* FakeConnector.make()
      const greeter = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
      const answered = Effect.sync(() => {
        connector.last.head()
        connector.last.data(reply("a"))
        connector.last.finish()
        return { name: "late" }
      })
      const requests = Stream.concat(Stream.fromEffect(answered), Stream.never).pipe(
        Stream.ensuring(Effect.sync(() => released++))
      )
      const reading = Stream.runForEach(greeter.chatHellos(requests), () => Effect.sleep("1 minute"))
      const fiber = yield* Effect.forkChild(reading, { startImmediately: true })
      yield* turns
      assert.deepStrictEqual([released, connector.last.written.length, fiber.pollUnsafe()], [1, 0, undefined])
      yield* Fiber.interrupt(fiber)
      connector.assertNothingLeft()
    })
  )
})
