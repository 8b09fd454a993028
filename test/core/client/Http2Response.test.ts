import { assert, describe, it } from "@effect/vitest"
import * as Http2Response from "@sluice/core/client/Http2Response"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import { Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"
import * as Http2ClientError from "@sluice/core/session/Http2ClientError"
import { BodyLost, type Flow, IncomingBody } from "@sluice/core/session/HttpBody"
import { Signal } from "@sluice/core/session/Signal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { turns } from "../../harness/TransportContract.ts"

class FakeSource implements Http2Response.Source, Flow {
  readonly body: IncomingBody
  readonly over = new Signal()
  failure: Http2ClientError.Reason | undefined = undefined
  creditedBytes = 0
  readonly head = new Http2ResponseHead()

  constructor(lengthBytes?: number) {
    this.body = new IncomingBody(lengthBytes, this)
    this.head.status = 200
    this.head.lengthBytes = lengthBytes
  }

  get response(): Http2Response.Http2Response {
    return Http2Response.make(this.head, this)
  }

  push(text: string): void {
    this.body.push(new TextEncoder().encode(text))
  }

  end(trailers?: Http2Fields): void {
    this.body.end(trailers)
    this.over.fire()
  }

  lose(reason: Http2ClientError.Reason): void {
    this.failure = reason
    this.body.fail(new BodyLost())
    this.over.fire()
  }

  giveUp(reason: Http2ClientError.Reason): void {
    this.failure ??= reason
  }

  credit(byteCount: number): void {
    this.creditedBytes += byteCount
  }

  wanted(): void {}
  unwanted(): void {}
  pause(): void {}
  resume(): void {}
}

const lost = new Http2ClientError.ResetByServer(2)

describe("Http2Response", () => {
  it("has a head", () => {
    const source = new FakeSource(3)
    source.head.add("content-type", "text/plain")
    source.head.add("a", "1")
    source.head.add("a", "2")
    source.head.add("set-cookie", "x=1")
    source.head.add("set-cookie", "y=2")
    const { response } = source
    assert.strictEqual(response.status, 200)
    assert.strictEqual(response.lengthBytes, 3)
    assert.deepStrictEqual({ ...response.headers }, { "content-type": "text/plain", a: "1, 2" })
    assert.strictEqual(response.headers, response.headers)
    assert.deepStrictEqual(response.setCookies, ["x=1", "y=2"])
  })

  it.effect("has a body, as it comes or whole", () =>
    Effect.gen(function* () {
      const source = new FakeSource()
      source.push("one")
      const collecting = yield* Effect.forkChild(Stream.runCollect(Stream.decodeText(source.response.stream)))
      yield* turns
      source.push("two")
      source.end()
      assert.strictEqual((yield* Fiber.join(collecting)).join(""), "onetwo")
      assert.strictEqual(source.creditedBytes, 6)
      const whole = new FakeSource()
      const text = yield* Effect.forkChild(whole.response.text(), { startImmediately: true })
      whole.push("Ol\u00e9")
      assert.strictEqual(whole.creditedBytes, 4)
      whole.end()
      assert.strictEqual(yield* Fiber.join(text), "Ol\u00e9")
    })
  )

  it.effect("a body above the limit ends the request: by what it announces, and by what comes", () =>
    Effect.gen(function* () {
      const announced = new FakeSource(11)
      const error = yield* Effect.flip(announced.response.bytes({ maxSize: 10 }))
      assert.deepInclude(error.reason, { _tag: "ResponseTooLarge", part: "body", limit: 10, unit: "bytes" })
      assert.strictEqual(announced.failure?._tag, "ResponseTooLarge")
      const coming = new FakeSource()
      const reading = yield* Effect.forkChild(Effect.flip(coming.response.bytes({ maxSize: 10 })), {
        startImmediately: true
      })
      coming.push("0123456789")
      assert.isUndefined(reading.pollUnsafe())
      coming.push("!")
      assert.strictEqual((yield* Fiber.join(reading)).reason._tag, "ResponseTooLarge")
      const fitting = new FakeSource(10)
      fitting.push("0123456789")
      fitting.end()
      assert.strictEqual((yield* fitting.response.bytes({ maxSize: 10 })).length, 10)
    })
  )

  it.effect("2 MiB are read whole where nothing is said, and more where it is asked for", () =>
    Effect.gen(function* () {
      const most = 2 * 1024 * 1024
      const error = yield* Effect.flip(new FakeSource(most + 1).response.bytes())
      assert.deepInclude(error.reason, { limit: most })
      const source = new FakeSource(most + 1)
      source.push("x".repeat(most + 1))
      source.end()
      assert.strictEqual((yield* source.response.bytes({ maxSize: "unbounded" })).length, most + 1)
      const exit = yield* Effect.exit(Effect.suspend(() => source.response.bytes({ maxSize: 0 })))
      assert.strictEqual(exit._tag, "Failure")
    })
  )

  it.effect("fails with what its request failed with, behind what has come", () =>
    Effect.gen(function* () {
      const source = new FakeSource()
      source.push("part")
      source.lose(lost)
      const seen: Array<string> = []
      const reading = Stream.runForEach(Stream.decodeText(source.response.stream), (text) =>
        Effect.sync(() => seen.push(text))
      )
      assert.strictEqual((yield* Effect.flip(reading)).reason, lost)
      assert.deepStrictEqual(seen, ["part"])
      assert.strictEqual((yield* Effect.flip(source.response.bytes())).reason, lost)
      assert.strictEqual((yield* Effect.flip(source.response.trailers)).reason, lost)
    })
  )

  it.effect("has trailers once its body is whole", () =>
    Effect.gen(function* () {
      const source = new FakeSource()
      const waiting = yield* Effect.forkChild(source.response.trailers, { startImmediately: true })
      source.push("body")
      yield* turns
      assert.isUndefined(waiting.pollUnsafe())
      const fields = new Http2Fields()
      fields.add("sum", "1")
      source.end(fields)
      assert.deepStrictEqual({ ...(yield* Fiber.join(waiting)) }, { sum: "1" })
      const none = new FakeSource()
      none.end()
      assert.deepStrictEqual({ ...(yield* none.response.trailers) }, {})
    })
  )
})
