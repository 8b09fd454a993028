import { assert, describe, it } from "@effect/vitest"
import { GrpcInbound } from "@sluice/core/grpc/GrpcInbound"
import { GrpcRequests } from "@sluice/core/grpc/server/GrpcRequests"
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import type { Compressor } from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import { BodyLost, BodyViolation, type Flow, IncomingBody } from "@sluice/core/session/HttpBody"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Chunkings from "../../../harness/Chunkings.ts"
import * as World from "../../../harness/GrpcServerWorld.ts"
import { type HelloRequest, HelloRequestSchema } from "../../../harness/protobuf/hello_pb.ts"

const flow: Flow = { wanted: () => {}, unwanted: () => {}, pause: () => {}, resume: () => {}, credit: () => {} }

const made = () => {
  const body = new IncomingBody(undefined, flow)
  const codec = ProtobufCodec.make(HelloRequestSchema) as ProtobufCodec.ProtobufCodec
  return { body, requests: new GrpcRequests(body, new GrpcInbound(codec, undefined, 100)) }
}

const nameOf = (message: unknown): string => (message as HelloRequest).name

const said = (error: unknown): string => (error instanceof GrpcError.GrpcError ? error.message : String(error))

describe("GrpcRequests", () => {
  it("has one message at once, where all of it is there", () => {
    const { body, requests } = made()
    assert.isUndefined(requests.oneNow)
    body.push(World.text("Ada"))
    assert.isUndefined(requests.oneNow)
    body.end(undefined)
    assert.strictEqual(nameOf(requests.oneNow), "Ada")
    assert.strictEqual(requests.count, 1)
  })

  const wrong: ReadonlyArray<readonly [what: string, bytes: Uint8Array, message: string]> = [
    ["nothing", new Uint8Array(0), "UNIMPLEMENTED: the method has one request message, but there were none"],
    [
      "two messages",
      World.join(World.text("A"), World.text("B")),
      "UNIMPLEMENTED: the method has one request message, but there were several"
    ],
    ["half a prefix", Uint8Array.of(0, 0), "INTERNAL: the stream ended 2 bytes into a message"],
    ["a truncated message", World.text("Ada").subarray(0, 7), "INTERNAL: the stream ended 7 bytes into a message"],
    ["a wrong flag", World.text("A", 2), "INTERNAL: a message begins with the flag 2, which is neither 0 nor 1"],
    [
      "a compressed message",
      World.text("A", 1),
      "INTERNAL: a message has the compressed flag, but there is no grpc-encoding"
    ],
    [
      "a large message",
      World.text("A".repeat(99)),
      "RESOURCE_EXHAUSTED: a message of 101 bytes or more is above the limit of 100"
    ],
    ["garbage", World.message("0aff"), "INTERNAL: no hello.HelloRequest: Truncated"]
  ]
  for (const [what, bytes, message] of wrong) {
    it.effect(`tells of ${what}, at once and as it comes`, () =>
      Effect.gen(function* () {
        const whole = made()
        whole.body.push(bytes)
        whole.body.end(undefined)
        assert.strictEqual(said(whole.requests.oneNow), message)
        for (const split of Chunkings.everySplit(bytes)) {
          const { body, requests } = made()
          const reading = yield* Effect.forkChild(Effect.flip(requests.one), { startImmediately: true })
          for (const part of split) body.push(part)
          body.end(undefined)
          assert.strictEqual(said(yield* Fiber.join(reading)), message)
        }
      })
    )
  }

  it.effect("streams messages, however they are cut, and then what is wrong", () =>
    Effect.gen(function* () {
      const bytes = World.join(World.text("A"), World.text(""), World.text("C"))
      for (const split of Chunkings.everySplit(bytes)) {
        const { body, requests } = made()
        for (const part of split) body.push(part)
        body.end(undefined)
        assert.deepStrictEqual((yield* Stream.runCollect(requests.stream)).map(nameOf), ["A", "", "C"])
      }
      const { body, requests } = made()
      const heard: Array<string> = []
      body.push(World.join(World.text("A"), World.text("B", 3)))
      const failed = yield* Effect.flip(
        Stream.runForEach(requests.stream, (message) => Effect.sync(() => heard.push(nameOf(message))))
      )
      assert.deepStrictEqual(heard, ["A"])
      assert.include(failed.message, "flag 3")
      requests.release()
    })
  )

  it.effect("decompresses no more than its reader takes, and some", () =>
    Effect.gen(function* () {
      let count = 0
      const large: Compressor = {
        name: "large",
        compress: (message) => message,
        decompress: () => {
          count++
          return { _tag: "Decompressed", bytes: Uint8Array.of(0x0a, 0x80, 0x80, 0x02, ...new Uint8Array(32_768)) }
        }
      }
      const body = new IncomingBody(undefined, flow)
      const codec = ProtobufCodec.make(HelloRequestSchema) as ProtobufCodec.ProtobufCodec
      const requests = new GrpcRequests(body, new GrpcInbound(codec, large, 100_000))
      const one = World.message("00", 1)
      body.push(World.join(...Array.from({ length: 10 }, () => one)))
      body.push(one)
      const counts: Array<number> = []
      yield* Stream.runForEachArray(Stream.take(requests.stream, 6), () => Effect.sync(() => counts.push(count)))
      assert.deepStrictEqual(counts, [2, 4, 6])
      body.end(undefined)
      assert.strictEqual((yield* Stream.runCollect(requests.stream)).length, 5)
      assert.strictEqual(count, 11)
    })
  )

  it.effect("hands out a part of many empty messages at a time", () =>
    Effect.gen(function* () {
      const { body, requests } = made()
      body.push(new Uint8Array(5 * 30_000))
      body.end(undefined)
      const counts: Array<number> = []
      yield* Stream.runForEachArray(requests.stream, (messages) => Effect.sync(() => counts.push(messages.length)))
      assert.deepStrictEqual([Math.max(...counts), counts.reduce((sum, count) => sum + count)], [512, 30_000])
    })
  )

  it.effect("fails as its body does", () =>
    Effect.gen(function* () {
      const lost = made()
      lost.body.fail(new BodyLost())
      assert.include((yield* Effect.flip(lost.requests.one)).message, "CANCELLED")
      const violated = made()
      violated.body.fail(new BodyViolation({ _tag: "A", message: "wrong", fault: "peer" } as never))
      assert.include((yield* Effect.flip(Stream.runDrain(violated.requests.stream))).message, "INTERNAL: wrong")
      assert.include(said(violated.requests.oneNow), "INTERNAL: wrong")
    })
  )
})
