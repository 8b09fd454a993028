import { assert, describe, it } from "@effect/vitest"
import { Http2Upload, type Target } from "@sluice/core/client/Http2Upload"
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import { InvalidMessage, type Refusal, StreamEnded } from "@sluice/core/protocol/http2/Http2Error"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { turns } from "../../harness/TransportContract.ts"

/** A call that takes so many parts before it wants its writer to wait. */
class FakeCall implements Target {
  isOver = false
  room: number
  refusal: Refusal | undefined = undefined
  readonly written: Array<string> = []

  constructor(room: number) {
    this.room = room
  }

  get isWritable(): boolean {
    return this.room > 0
  }

  write(data: Uint8Array | string): Refusal | undefined {
    this.room--
    this.written.push(Buffer.from(data as Uint8Array).toString())
    return this.refusal
  }

  end(trailers: FieldsInput | undefined): Refusal | undefined {
    this.written.push(trailers === undefined ? "end" : `end ${JSON.stringify(trailers)}`)
    return this.refusal
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A body of one array at a time, which counts what was taken. */
const counted = (taken: Array<string>, ...parts: ReadonlyArray<string>) =>
  Stream.fromIterable(parts).pipe(
    Stream.rechunk(1),
    Stream.map((part) => {
      taken.push(part)
      return bytes(part)
    })
  )

const nothing = () => undefined

describe("Http2Upload", () => {
  it.effect("writes all, and ends with the trailers as they are then", () =>
    Effect.gen(function* () {
      const call = new FakeCall(9)
      const taken: Array<string> = []
      yield* new Http2Upload().run(call, counted(taken, "a", "", "b"), () => ({ count: `${taken.length}` }))
      assert.deepStrictEqual(call.written, ["a", "b", `end {"count":"3"}`])
    })
  )

  it.effect("takes nothing before the request is on its way, and no more than there is room for", () =>
    Effect.gen(function* () {
      const call = new FakeCall(0)
      const taken: Array<string> = []
      const upload = new Http2Upload()
      const fiber = yield* Effect.forkChild(upload.run(call, counted(taken, "a", "b", "c"), nothing))
      yield* turns
      assert.deepStrictEqual(taken, [])
      call.room = 1
      upload.wake()
      yield* turns
      assert.deepStrictEqual(call.written, ["a"])
      assert.isUndefined(fiber.pollUnsafe())
      call.room = 5
      upload.wake()
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(call.written, ["a", "b", "c", "end"])
    })
  )

  it.effect("a wake without room is not taken for room", () =>
    Effect.gen(function* () {
      const call = new FakeCall(0)
      const upload = new Http2Upload()
      const fiber = yield* Effect.forkChild(upload.run(call, Stream.empty, nothing), { startImmediately: true })
      upload.wake()
      yield* turns
      assert.deepStrictEqual(call.written, [])
      call.room = 1
      upload.wake()
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(call.written, ["end"])
    })
  )

  it.effect("fails with the body's own error, and with what may not be sent", () =>
    Effect.gen(function* () {
      const call = new FakeCall(9)
      const upload = new Http2Upload()
      assert.strictEqual(yield* Effect.flip(upload.run(call, Stream.fail("mine"), nothing)), "mine")
      assert.deepStrictEqual(call.written, [])
      call.refusal = new InvalidMessage("too long")
      const refused = yield* Effect.flip(upload.run(call, Stream.succeed(bytes("a")), nothing))
      assert.deepInclude(refused, { _tag: "InvalidRequest", retry: "MaybeProcessed", detail: "too long" })
      const trailers = yield* Effect.flip(upload.run(call, Stream.empty, nothing))
      assert.deepInclude(trailers, { _tag: "InvalidRequest" })
    })
  )

  it.effect("a stream that has ended is no failure of the body", () =>
    Effect.gen(function* () {
      const call = new FakeCall(9)
      call.refusal = new StreamEnded()
      yield* new Http2Upload().run(call, Stream.succeed(bytes("a")), nothing)
    })
  )
})
