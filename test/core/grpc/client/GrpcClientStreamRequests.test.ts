import { assert, describe, it } from "@effect/vitest"
import { GrpcClientStreamRequests } from "@sluice/core/grpc/client/GrpcClientStreamRequests"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

/** Takes as many writes as it has places, and then none until there are more. */
class Target {
  readonly written: Array<number> = []
  ended = 0
  places: number
  constructor(places: number) {
    this.places = places
  }
  get isWritable(): boolean {
    return this.places > 0
  }
  write(data: Uint8Array | string): undefined {
    this.places--
    this.written.push((data as Uint8Array)[0]!)
    return undefined
  }
  end(): undefined {
    this.ended++
    return undefined
  }
}

interface One {
  readonly byte: number
}

const encode = (request: object) =>
  (request as One).byte === 99
    ? GrpcError.internal("the message cannot be encoded", { fault: "caller" })
    : Uint8Array.of((request as One).byte)

const many = (...bytes: ReadonlyArray<number>): Stream.Stream<One> => Stream.fromArray(bytes.map((byte) => ({ byte })))

const running = <E>(places: number, requests: Stream.Stream<One, E>) =>
  Effect.gen(function* () {
    const target = new Target(places)
    const upload = new GrpcClientStreamRequests()
    const fiber = yield* Effect.forkChild(upload.run(target, requests, encode), { startImmediately: true })
    return {
      target,
      upload,
      fiber,
      more: (places: number) => {
        target.places += places
        upload.wake()
      }
    }
  })

describe("a stream of requests", () => {
  it.effect("is written, and then this side ends", () =>
    Effect.gen(function* () {
      const { fiber, target } = yield* running(9, many(1, 2, 3))
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([target.written, target.ended], [[1, 2, 3], 1])
    })
  )

  it.effect("none: this side ends", () =>
    Effect.gen(function* () {
      const { fiber, target } = yield* running(9, Stream.empty)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([target.written, target.ended], [[], 1])
    })
  )

  it.effect("is not begun before the attempt is on its way", () =>
    Effect.gen(function* () {
      let begun = 0
      const requests = Stream.suspend(() => {
        begun++
        return many(1)
      })
      const { fiber, more, target, upload } = yield* running(0, requests)
      yield* Effect.yieldNow
      assert.deepStrictEqual([begun, upload.hasTaken], [0, false])
      more(2)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([begun, upload.hasTaken, target.written], [1, true, [1]])
    })
  )

  it.effect("is taken no faster than the server reads: within an array, and between arrays", () =>
    Effect.gen(function* () {
      let taken = 0
      const requests = Stream.tap(Stream.concat(many(1, 2, 3), many(4, 5)), () => Effect.sync(() => taken++), {})
      const { fiber, more, target } = yield* running(2, Stream.rechunk(requests, 3))
      yield* Effect.yieldNow
      assert.deepStrictEqual(target.written, [1, 2])
      assert.strictEqual(taken, 3)
      more(1)
      assert.deepStrictEqual([target.written, taken], [[1, 2, 3], 3], "an array was taken, and no further one")
      more(9)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([target.written, taken, target.ended], [[1, 2, 3, 4, 5], 5, 1])
    })
  )

  it.effect("fails with its own failure, or with that of a request that cannot be sent; this side does not end", () =>
    Effect.gen(function* () {
      const own = yield* running(9, Stream.concat(many(1), Stream.fail("mine")))
      assert.strictEqual(yield* Effect.flip(Fiber.join(own.fiber)), "mine")
      assert.deepStrictEqual([own.target.written, own.target.ended], [[1], 0])
      const wrong = yield* running(9, many(1, 99, 2))
      assert.strictEqual((yield* Effect.flip(Fiber.join(wrong.fiber))).reason._tag, "Internal")
      assert.deepStrictEqual([wrong.target.written, wrong.target.ended], [[1], 0])
    })
  )

  it.effect("is let go of where it is interrupted, while it waits for the server too", () =>
    Effect.gen(function* () {
      for (const places of [0, 1, 9]) {
        let released = 0
        const requests = Stream.concat(many(1, 2), Stream.never)
        const { fiber, more, target } = yield* running(
          places,
          Stream.ensuring(
            requests,
            Effect.sync(() => released++)
          )
        )
        yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(released, places === 0 ? 0 : 1)
        more(9)
        assert.deepStrictEqual([target.written.length, target.ended], [Math.min(places, 2), 0])
      }
    })
  )
})
