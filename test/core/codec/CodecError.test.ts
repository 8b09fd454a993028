import { assert, describe, it } from "@effect/vitest"
import {
  CodecError,
  type CodecReason,
  FrameTooLarge,
  InvalidContent,
  InvalidLength,
  InvalidUtf8,
  TruncatedFrame
} from "@sluice/core/codec/CodecError"
import * as Effect from "effect/Effect"

// Who is at fault, and whether the next frame can be received.
const reasons: ReadonlyArray<readonly [reason: CodecReason, fault: string, recoverable: boolean]> = [
  [new FrameTooLarge({ receivedBytes: 2, limitBytes: 1 }), "limit", false],
  [new FrameTooLarge({ receivedBytes: 2, limitBytes: 1, recoverable: true }), "limit", true],
  [new FrameTooLarge({ receivedBytes: 2, limitBytes: 1, fault: "caller" }), "caller", false],
  [new TruncatedFrame(1), "peer", false],
  [new InvalidUtf8(), "peer", false],
  [new InvalidUtf8({ recoverable: true }), "peer", true],
  [new InvalidLength("negative"), "peer", false],
  [new InvalidLength("too short", "caller"), "caller", false],
  [new InvalidContent("no JSON"), "peer", true],
  [new InvalidContent("a cycle", "caller"), "caller", true]
]

describe("reasons", () => {
  for (const [reason, fault, recoverable] of reasons) {
    it(`${reason._tag}, ${fault}, ${recoverable ? "recoverable" : "final"}`, () => {
      assert.deepStrictEqual([reason.fault, reason.recoverable], [fault, recoverable])
      assert.strictEqual(new CodecError({ reason }).message, reason.message)
      assert.isAbove(reason.message.length, 0)
    })
  }
})

it.effect("is caught by its reason", () =>
  Effect.gen(function* () {
    const caught = yield* Effect.fail(new CodecError({ reason: new TruncatedFrame(7) })).pipe(
      Effect.catchReason("CodecError", "TruncatedFrame", (reason) => Effect.succeed(reason.receivedBytes))
    )
    assert.strictEqual(caught, 7)
  })
)
