import { constants, deflateRawSync, inflateRawSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Deflate } from "@sluice/core/transport/Deflate"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Effect from "effect/Effect"
import * as Hex from "../harness/Hex.ts"

const codec = NodeDeflate.make()
const alone = { bits: 15, dictionary: undefined }
const text = Buffer.from("a message of which parts are repeated, parts are repeated ".repeat(20))

const inflated = (...[input, window, most]: Parameters<typeof codec.inflate>): string => {
  const result = codec.inflate(input, window, most)
  return result._tag === "Inflated" ? Buffer.from(result.bytes).toString() : result._tag
}

it("RFC 7692 §7.2.3.1: ends at a byte boundary, with an empty block", () => {
  assert.deepStrictEqual(Uint8Array.from(codec.deflate(Buffer.from("Hello"), alone)), Hex.hex("f248cdc9c907000000ffff"))
  for (const size of [0, 1, 100, 20_000]) {
    assert.deepStrictEqual(Array.from(codec.deflate(new Uint8Array(size), alone).subarray(-4)), [0, 0, 0xff, 0xff])
  }
})
it("comes back, with and without what was before", () => {
  assert.strictEqual(inflated(codec.deflate(text, alone), alone, 10_000), text.toString())
  const window = { bits: 15, dictionary: text }
  const compressed = codec.deflate(text, window)
  assert.isBelow(compressed.length, 30)
  assert.strictEqual(inflated(compressed, window, 10_000), text.toString())
  assert.strictEqual(inflated(compressed, alone, 10_000), "Invalid")
})
it("inflates what a stream made that was flushed for each message", () => {
  const messages = [text, text.subarray(0, 100), Buffer.from("another")]
  const all = deflateRawSync(Buffer.concat(messages), { finishFlush: constants.Z_SYNC_FLUSH })
  assert.strictEqual(inflated(all, alone, 10_000), Buffer.concat(messages).toString())
})

describe("8 to 15 bits: references stay within the window", () => {
  const content = Buffer.from(Array.from({ length: 5_000 }, (_, index) => `${(index * 7_919) % 613} `).join(""))
  for (let bits = 8; bits <= 15; bits++) {
    it(`${bits} bits`, () => {
      for (const dictionary of [undefined, content.subarray(0, 2 ** bits)]) {
        const compressed = codec.deflate(content, { bits, dictionary })
        // In pieces of 64 bytes the inflater has nothing but its window to look back to.
        const back = inflateRawSync(compressed, {
          windowBits: bits,
          chunkSize: 64,
          finishFlush: constants.Z_SYNC_FLUSH,
          ...(dictionary === undefined ? {} : { dictionary })
        })
        assert.isTrue(back.equals(content))
      }
    })
  }
})

describe("the output is bounded", () => {
  const zeros = codec.deflate(new Uint8Array(1_000_000), alone)
  const rows: ReadonlyArray<readonly [most: number, outcome: string]> = [
    [0, "TooLarge"],
    [1, "TooLarge"],
    [999_999, "TooLarge"]
  ]
  for (const [most, outcome] of rows) it(`${most}`, () => assert.strictEqual(inflated(zeros, alone, most), outcome))
  it("at the limit", () => assert.lengthOf(inflated(zeros, alone, 1_000_000), 1_000_000))
  it("nothing in nothing", () => assert.strictEqual(inflated(codec.deflate(Buffer.of(), alone), alone, 0), ""))
})

it("says where a final block ended", () => {
  const final = deflateRawSync(text)
  const result = codec.inflate(Buffer.concat([final, Hex.hex("0000")]), alone, 10_000)
  assert.deepInclude(result, { _tag: "Inflated", consumedBytes: final.length })
})
it("never throws for what is in its input", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      const result = codec.inflate(Uint8Array.of(first, second, 0, 0, 0xff, 0xff), alone, 100)
      assert.include(["Inflated", "Invalid", "TooLarge"], result._tag)
    }
  }
})
it("throws for a window that there is not: that is a mistake of the program", () => {
  assert.throws(() => codec.inflate(Buffer.of(0), { bits: 16, dictionary: undefined }, 100), RangeError)
})

describe("options", () => {
  it("a level", () => {
    const [fast, small] = [NodeDeflate.make({ level: 1 }), NodeDeflate.make({ level: 9, memoryLevel: 9 })]
    assert.isAtLeast(fast.deflate(text, alone).length, small.deflate(text, alone).length)
  })
  for (const options of [{ level: 0 }, { level: 10 }, { memoryLevel: 0 }, { level: 1.5 }]) {
    it(JSON.stringify(options), () => assert.throws(() => NodeDeflate.make(options), RangeError))
  }
})

it.effect("as a service", () =>
  Effect.gen(function* () {
    const { deflate } = yield* Deflate
    assert.isBelow(deflate(text, alone).length, text.length)
  }).pipe(Effect.provide(NodeDeflate.layer()))
)
