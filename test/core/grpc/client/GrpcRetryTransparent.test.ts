import { assert, describe, it } from "@effect/vitest"
import type { Reach } from "@sluice/core/grpc/client/GrpcAttempts"
import { GrpcRetryTransparent } from "@sluice/core/grpc/client/GrpcRetryTransparent"

const allowed = (reaches: ReadonlyArray<Reach>, isCommitted = false): ReadonlyArray<boolean> => {
  const transparent = new GrpcRetryTransparent()
  return reaches.map((reach) => transparent.allows({ isCommitted, reach }))
}

describe("GrpcRetryTransparent", () => {
  it("never makes an attempt again that a handler may have seen", () => {
    assert.deepStrictEqual(allowed(["Handler"]), [false])
  })
  it(`A6: what a server refused is made again "once"`, () => {
    assert.deepStrictEqual(allowed(["Server", "Server", "Server"]), [true, false, false])
  })
  it("A6: what was not sent is made again, whatever else was refused", () => {
    assert.deepStrictEqual(allowed(["Nobody", "Server", "Nobody", "Nobody", "Server"]), [true, true, true, true, false])
  })
  it("makes what was not sent again a hundred times, and no more", () => {
    const answers = allowed(Array.from({ length: 102 }, () => "Nobody" as const))
    assert.deepStrictEqual([answers.indexOf(false), answers.slice(100)], [100, [false, false]])
  })
  it("makes nothing again once an attempt is committed", () => {
    assert.deepStrictEqual(allowed(["Nobody", "Server"], true), [false, false])
  })
})
