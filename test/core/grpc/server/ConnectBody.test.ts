import { assert, describe, it } from "@effect/vitest"
import { ConnectBody } from "@sluice/core/grpc/server/ConnectBody"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as HttpBody from "@sluice/core/session/HttpBody"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as BrowserCalls from "../../../harness/BrowserCalls.ts"
import * as Hex from "../../../harness/Hex.ts"

const abc = Hex.hex("616263")

/** What it pulls, and what it ended with. */
const drain = (body: ConnectBody): Effect.Effect<readonly [hex: string, end: string]> => {
  const loop = (before: Uint8Array): Effect.Effect<readonly [string, string]> =>
    Pull.matchEffect(body.pull, {
      onSuccess: (parts) => loop(Buffer.concat([before, ...parts])),
      onFailure: (cause: Cause.Cause<{ readonly message: string }>) =>
        Effect.succeed([
          Buffer.from(before).toString("hex"),
          cause.reasons.map((one) => (one._tag === "Fail" ? one.error.message : one._tag)).join()
        ]),
      onDone: () => Effect.succeed([Buffer.from(before).toString("hex"), "done"])
    })
  return loop(new Uint8Array(0))
}

const now = (body: ConnectBody): string | undefined => {
  const exit = body.collectNow()
  if (exit === undefined) return undefined
  return exit._tag === "Success" ? Buffer.from(exit.value).toString("hex") : "failed"
}

describe("ConnectBody", () => {
  const sources: ReadonlyArray<
    readonly [
      what: string,
      make: () => HttpBody.HttpBody | Uint8Array | undefined,
      form: "plain" | "compressed",
      hex: string
    ]
  > = [
    ["a body", () => BrowserCalls.bodyOf([abc]), "plain", "0000000003616263"],
    ["a body in parts", () => BrowserCalls.bodyOf([abc, abc]), "plain", "0000000006616263616263"],
    ["a compressed body", () => BrowserCalls.bodyOf([abc]), "compressed", "0100000003616263"],
    ["a body of nothing, which is not decompressed", () => BrowserCalls.bodyOf([]), "compressed", "0000000000"],
    ["no body", () => undefined, "plain", "0000000000"],
    ["bytes of a query", () => abc, "plain", "0000000003616263"]
  ]
  for (const [what, make, form, hex] of sources) {
    it.effect(`is one message with its prefix, at once or when it is whole: ${what}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* drain(new ConnectBody(make(), form, 100)), [hex, "done"])
        const body = new ConnectBody(make(), form, 100)
        assert.strictEqual(now(body), hex)
        assert.deepStrictEqual(yield* drain(body), ["", "done"])
      })
    )
  }

  it.effect("waits for the end of the body", () =>
    Effect.gen(function* () {
      const source = BrowserCalls.bodyOf([abc], "open")
      const body = new ConnectBody(source, "plain", 100)
      assert.isUndefined(now(body))
      const fiber = yield* Effect.forkChild(drain(body))
      yield* Effect.yieldNow
      assert.isUndefined(fiber.pollUnsafe())
      source.end(undefined)
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["0000000003616263", "done"])
    })
  )

  it.effect("takes a message of the limit, and none above it", () =>
    Effect.gen(function* () {
      for (const make of [() => BrowserCalls.bodyOf([abc]), () => abc]) {
        assert.strictEqual((yield* drain(new ConnectBody(make(), "plain", 3)))[1], "done")
        assert.match((yield* drain(new ConnectBody(make(), "plain", 2)))[1], /^RESOURCE_EXHAUSTED: /)
        const exit = new ConnectBody(make(), "plain", 2).collectNow()
        assert.strictEqual(exit?._tag, "Failure")
        const failure = exit?._tag === "Failure" ? exit.cause.reasons[0] : undefined
        assert.isTrue(failure?._tag === "Fail" && failure.error instanceof GrpcError.GrpcError)
      }
    })
  )

  it.effect("fails at the limit, and not at the end of what is above it", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(drain(new ConnectBody(BrowserCalls.bodyOf([abc], "open"), "plain", 2)))
      assert.match((yield* Fiber.join(fiber))[1], /^RESOURCE_EXHAUSTED: /)
    })
  )

  it.effect("fails as its source does", () =>
    Effect.gen(function* () {
      const lost = () => {
        const source = BrowserCalls.bodyOf([abc], "open")
        source.fail(new HttpBody.BodyLost())
        return new ConnectBody(source, "plain", 100)
      }
      assert.deepStrictEqual(yield* drain(lost()), ["", new HttpBody.BodyLost().message])
      assert.strictEqual(now(lost()), "failed")
    })
  )
})
