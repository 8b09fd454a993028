import { assert, describe, it } from "@effect/vitest"
import { GrpcWebTextBody } from "@sluice/core/grpc/server/GrpcWebBody"
import * as HttpBody from "@sluice/core/session/HttpBody"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as BrowserCalls from "../../../harness/BrowserCalls.ts"
import * as Chunkings from "../../../harness/Chunkings.ts"

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"))

/** All that it pulls, and what it ended with. */
const drain = (body: GrpcWebTextBody): Effect.Effect<readonly [text: string, end: string]> => {
  const loop = (text: string): Effect.Effect<readonly [string, string]> =>
    Pull.matchEffect(body.pull, {
      onSuccess: (parts) => loop(text + Buffer.concat(parts as unknown as Array<Uint8Array>).toString("latin1")),
      onFailure: (cause: Cause.Cause<{ readonly message: string }>) =>
        Effect.succeed([text, cause.reasons.map((one) => (one._tag === "Fail" ? one.error.message : one._tag)).join()]),
      onDone: () => Effect.succeed([text, "done"])
    })
  return loop("")
}

const noBase64 = "INTERNAL: the request is no base64"

describe("GrpcWebBody", () => {
  it.effect("hands out what its text means, as it comes and however it is cut", () =>
    Effect.gen(function* () {
      for (const chunks of Chunkings.everySplit(ascii("YQ==YmM=ZGVm"))) {
        const body = new GrpcWebTextBody(BrowserCalls.bodyOf(chunks))
        assert.deepStrictEqual(yield* drain(body), ["abcdef", "done"], Chunkings.show(chunks))
      }
    })
  )

  it.effect("waits for whole groups, and gives what is whole at once", () =>
    Effect.gen(function* () {
      const text = BrowserCalls.bodyOf([ascii("YW")], "open")
      const fiber = yield* Effect.forkChild(new GrpcWebTextBody(text).pull)
      yield* Effect.yieldNow
      assert.isUndefined(fiber.pollUnsafe())
      text.push(ascii("JjZ"))
      const parts = yield* Fiber.join(fiber)
      assert.strictEqual(Buffer.concat(parts as unknown as Array<Uint8Array>).toString(), "abc")
    })
  )

  it.effect("fails for what is no base64, in the middle and at the end", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* drain(new GrpcWebTextBody(BrowserCalls.bodyOf([ascii("YWJj"), ascii("!")]))), [
        "",
        noBase64
      ])
      assert.deepStrictEqual(yield* drain(new GrpcWebTextBody(BrowserCalls.bodyOf([ascii("YWJjYQ")]))), [
        "abc",
        noBase64
      ])
      const now = new GrpcWebTextBody(BrowserCalls.bodyOf([ascii("YWJjYQ")])).collectNow(100)
      assert.strictEqual(now?._tag, "Failure")
    })
  )

  it.effect("fails as its text does", () =>
    Effect.gen(function* () {
      const text = BrowserCalls.bodyOf([ascii("YWJj")], "open")
      text.fail(new HttpBody.BodyLost())
      const [, end] = yield* drain(new GrpcWebTextBody(text))
      assert.strictEqual(end, new HttpBody.BodyLost().message)
    })
  )

  it("gives all at once where all has come, within a limit that counts bytes", () => {
    const collect = (text: string, maxBytes: number) =>
      new GrpcWebTextBody(BrowserCalls.bodyOf([ascii(text)])).collectNow(maxBytes)
    const whole = collect("YQ==YmM=ZGVm", 6)
    assert.deepStrictEqual(whole?._tag === "Success" ? Buffer.from(whole.value).toString() : whole, "abcdef")
    assert.strictEqual(collect("YQ==YQ==YQ==", 3)?._tag, "Success")
    assert.strictEqual(collect("YWJj", 2)?._tag, "Failure")
    assert.isUndefined(new GrpcWebTextBody(BrowserCalls.bodyOf([ascii("YWJj")], "open")).collectNow(100))
  })
})
