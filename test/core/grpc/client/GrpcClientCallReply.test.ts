import { assert, describe, it } from "@effect/vitest"
import type { CallDefaults } from "@sluice/core/grpc/client/GrpcCallDefaults"
import type { GrpcCallOptions } from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcEncoding from "@sluice/core/protocol/grpc/GrpcEncoding"
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Chunkings from "../../../harness/Chunkings.ts"
import * as FakeConnector from "../../../harness/FakeConnector.ts"
import { names, replies, reply, tagOf } from "../../../harness/GrpcHello.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

/** Messages of one letter more than they seem. */
const reversing: GrpcEncoding.Compressor = {
  name: "reverse",
  compress: (message) => message.slice().reverse(),
  decompress: (bytes, maxBytes) =>
    bytes.length > maxBytes ? { _tag: "TooLarge" } : { _tag: "Decompressed", bytes: bytes.slice().reverse() }
}

const compressed = (bytes: Uint8Array) => {
  const message = bytes.slice(5).reverse()
  return Uint8Array.of(1, 0, 0, 0, message.length, ...message)
}

const started = (options?: GrpcCallOptions, calls?: Partial<CallDefaults>) =>
  Effect.gen(function* () {
    const connector = yield* FakeConnector.make(new GrpcEncoding.GrpcEncodings([reversing]))
    const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector, calls))
    const fiber = yield* Effect.forkChild(client.sayHello({ name: "Ada" }, options), { startImmediately: true })
    return { connector, fiber, last: connector.last }
  })

const ok = { "grpc-status": "0" }
const zip = { "grpc-encoding": "reverse" }

describe("a whole response", () => {
  /** One row, one rule: what the server says behind its head, and what comes of it. `resets`: it has to be told. */
  const cases: ReadonlyArray<
    readonly [
      rule: string,
      expected: string,
      head: FieldsInput,
      body: Uint8Array,
      trailers: FieldsInput | "none",
      resets?: ReadonlyArray<number>
    ]
  > = [
    ["one message", "hello", {}, reply("hello"), ok],
    ["an empty message", "", {}, reply(""), ok],
    ["an empty compressed message", "", zip, Uint8Array.of(1, 0, 0, 0, 0), ok],
    ["a compressed message", "hello", zip, compressed(reply("hello")), ok],
    ["a plain message beside an encoding", "hello", zip, reply("hello"), ok],
    ["identity", "hello", { "grpc-encoding": "identity" }, reply("hello"), ok],
    ["a content type with a codec", "hello", { "content-type": "application/grpc+proto" }, reply("hello"), ok],
    ["a status of a failure stands, whatever came", "NotFound", {}, reply("hello"), { "grpc-status": "5" }],
    ["also in front of half a message", "NotFound", {}, reply("hello").subarray(0, 8), { "grpc-status": "5" }],
    ["a status that is no number", "Unknown", {}, reply("hello"), { "grpc-status": "none" }],
    ["trailers without a status", "Unknown", {}, reply("hello"), { other: "1" }],
    ["no trailers", "Unknown", {}, reply("hello"), "none"],
    ["no trailers, and the status in the head", "hello", ok, reply("hello"), "none"],
    ["no message", "Unimplemented", {}, new Uint8Array(0), ok],
    ["two messages", "Unimplemented", {}, replies("a", "b"), ok, [8]],
    ["half a message", "Internal", {}, reply("hello").subarray(0, 8), ok],
    ["half a prefix", "Internal", {}, reply("hello").subarray(0, 3), ok],
    ["a flag that is none", "Internal", {}, Uint8Array.of(2, 0, 0, 0, 0), ok, [8]],
    ["a compressed message without an encoding", "Internal", {}, compressed(reply("a")), ok, [8]],
    ["what is no message", "Internal", {}, Uint8Array.of(0, 0, 0, 0, 1, 10), ok, [8]],
    ["a length above the limit", "ResourceExhausted", {}, Uint8Array.of(0, 0, 0, 0, 33), ok, [8]]
  ]
  for (const [rule, expected, head, body, trailers, resets = []] of cases) {
    it.effect(`${rule}: ${expected}`, () =>
      Effect.gen(function* () {
        for (const chunks of Chunkings.everySplit(body)) {
          const { connector, fiber, last } = yield* started({ timeout: "1 minute" }, { maxReceiveBytes: 32 })
          last.head(head)
          for (const chunk of chunks) if (chunk.length > 0) last.data(chunk)
          last.finish(trailers)
          const exit = yield* Fiber.await(fiber)
          const found = exit._tag === "Success" ? exit.value.message : tagOf(exit)
          assert.strictEqual(found, expected, Chunkings.show(chunks))
          assert.deepStrictEqual(last.resets, resets)
          connector.assertNothingLeft()
        }
      })
    )
  }

  const heads: ReadonlyArray<readonly [rule: string, expected: string, head: FieldsInput, status?: number]> = [
    ["Trailers-Only", "NotFound", { "grpc-status": "5" }],
    ["Trailers-Only without a message", "Unimplemented", ok],
    ["no status", "Unknown", {}],
    ["no status, and one of HTTP", "Unavailable", { "content-type": "text/html" }, 503],
    ['"If grpc-status was provided, it must be used"', "Aborted", { "grpc-status": "10" }, 503]
  ]
  for (const [rule, expected, head, status] of heads) {
    it.effect(`nothing but a head: ${rule}: ${expected}`, () =>
      Effect.gen(function* () {
        const { connector, fiber, last } = yield* started({ timeout: "1 minute" })
        last.headOnly(head, status)
        assert.strictEqual(tagOf(yield* Fiber.await(fiber)), expected)
        assert.deepStrictEqual(last.resets, [])
        connector.assertNothingLeft()
      })
    )
  }
})

describe("what is sent", () => {
  it.effect("the request goes whole with its head", () =>
    Effect.gen(function* () {
      const { fiber, last } = yield* started()
      const { body, headers, path, rest } = last.attempt
      assert.deepStrictEqual([path, rest, names(body!)], ["/hello.Greeter/SayHello", "whole", ["Ada"]])
      assert.deepStrictEqual(
        { ...headers },
        {
          te: "trailers",
          "content-type": "application/grpc",
          "user-agent": "fake",
          "grpc-accept-encoding": "identity,reverse"
        }
      )
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("compressed", () =>
    Effect.gen(function* () {
      const { fiber, last } = yield* started({ compression: "reverse" })
      assert.strictEqual(last.attempt.headers["grpc-encoding"], "reverse")
      assert.strictEqual(last.attempt.body![0], 1)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("a request above the limit is not sent", () =>
    Effect.gen(function* () {
      const connector = yield* FakeConnector.make()
      const client = yield* Effect.provide(
        GrpcClient.make(Greeter),
        FakeConnector.channel(connector, { maxSendBytes: 4 })
      )
      const exit = yield* Effect.exit(client.sayHello({ name: "Ada" }))
      assert.strictEqual(tagOf(exit), "ResourceExhausted")
      assert.strictEqual(connector.streams.length, 0)
    })
  )
})

describe("a stream of requests with one reply", () => {
  const collecting = <E>(requests: Stream.Stream<{ readonly name: string }, E>) =>
    Effect.gen(function* () {
      const connector = yield* FakeConnector.make()
      const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector))
      const fiber = yield* Effect.forkChild(client.collectHellos(requests, { timeout: "1 second" }), {
        startImmediately: true
      })
      return { connector, fiber, last: connector.last }
    })

  it.effect("all is sent, then comes the reply", () =>
    Effect.gen(function* () {
      const { connector, fiber, last } = yield* collecting(Stream.make({ name: "a" }, { name: "b" }))
      yield* Effect.yieldNow
      assert.deepStrictEqual([last.attempt.rest, names(...last.written), last.half], ["open", ["a", "b"], "ended"])
      last.head()
      last.data(reply("both"))
      last.finish()
      assert.strictEqual((yield* Fiber.join(fiber)).message, "both")
      connector.assertNothingLeft()
    })
  )

  it.effect("a server that answers early stops the requests, and that is no failure", () =>
    Effect.gen(function* () {
      let stopped = 0
      const { connector, fiber, last } = yield* collecting(
        Stream.ensuring(
          Stream.never,
          Effect.sync(() => stopped++)
        )
      )
      yield* Effect.yieldNow
      last.head()
      last.data(reply("enough"))
      last.finish()
      assert.strictEqual((yield* Fiber.join(fiber)).message, "enough")
      assert.strictEqual(stopped, 1)
      // NO_ERROR: what is not sent yet is not wanted any more.
      assert.deepStrictEqual(last.resets, [0])
      connector.assertNothingLeft()
    })
  )

  it.effect("an interruption stops the requests, and waits for them", () =>
    Effect.gen(function* () {
      let stopped = 0
      const { connector, fiber, last } = yield* collecting(
        Stream.ensuring(
          Stream.never,
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => stopped++)
          )
        )
      )
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([stopped, last.resets], [1, [8]])
      connector.assertNothingLeft()
    })
  )

  it.effect("their failure is that of the call, in its own words", () =>
    Effect.gen(function* () {
      const { connector, fiber, last } = yield* collecting(
        Stream.concat(Stream.make({ name: "a" }), Stream.fail("mine" as const))
      )
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error, "mine")
      assert.deepStrictEqual([names(...last.written), last.resets], [["a"], [8]])
      connector.assertNothingLeft()
    })
  )
})
