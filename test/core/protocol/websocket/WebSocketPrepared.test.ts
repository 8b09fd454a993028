import { assert, describe, it } from "@effect/vitest"
import type { RawDeflate } from "@sluice/core/bytes/RawDeflate"
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Hex from "../../../harness/Hex.ts"

it("is encoded once", () => {
  const text = WebSocketPrepared.make("Hello")
  assert.strictEqual(Hex.show(text.plainFrame()), "81 05 'Hello'")
  assert.strictEqual(text.plainFrame(), text.plainFrame())
  const large = WebSocketPrepared.make(new Uint8Array(70_000))
  assert.strictEqual(Hex.show(large.plainFrame().subarray(0, 10)), "82 7f 00 00 00 00 00 01 11 70")
  assert.lengthOf(large.plainFrame(), 70_010)
})

describe("with compression", () => {
  let calls = 0
  const codec = NodeDeflate.make()
  const counting: RawDeflate = {
    ...codec,
    deflate: (input, window) => {
      calls++
      return codec.deflate(input, window)
    }
  }
  const deflateOf = (windowBits: number, context: "keep" | "reset" = "reset") => {
    const side = { context, windowBits } as const
    const parameters = { server: side, client: side }
    return new WebSocketDeflate({
      role: "server",
      parameters,
      codec: counting,
      compressFromBytes: 0,
      maxMessageBytes: 1_000
    })
  }
  it("is compressed once for each window, whatever the context", () => {
    calls = 0
    const prepared = WebSocketPrepared.make("to all of you ".repeat(30))
    const frames = [deflateOf(15), deflateOf(15, "keep"), deflateOf(9), deflateOf(9), deflateOf(15)].map((deflate) =>
      prepared.compressedFrame(deflate)
    )
    assert.strictEqual(calls, 2)
    assert.strictEqual(frames[0], frames[4])
    assert.strictEqual(frames[0]?.[0], 0xc1)
    const inflated = deflateOf(15).inflate(frames[0]!.subarray(2))
    assert.deepStrictEqual(inflated, Uint8Array.from(prepared.payload))
  })
  it("is not asked twice where it does not become smaller", () => {
    calls = 0
    const prepared = WebSocketPrepared.make("x")
    for (let count = 0; count < 3; count++) assert.isUndefined(prepared.compressedFrame(deflateOf(15)))
    assert.strictEqual(calls, 1)
  })
})
