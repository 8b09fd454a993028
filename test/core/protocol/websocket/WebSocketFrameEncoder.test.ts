import { assert, describe, it } from "@effect/vitest"
import { Output } from "@sluice/core/protocol/Engine"
import { WebSocketFrameEncoder } from "@sluice/core/protocol/websocket/WebSocketFrameEncoder"
import * as Hex from "../../../harness/Hex.ts"

const key = 0x37fa213d

const make = (masking: "masked" | "plain" = "plain") => {
  const output = new Output()
  const encoder = new WebSocketFrameEncoder(output, masking === "masked" ? () => key : undefined)
  return { encoder, sent: () => Hex.concat(output.take()), chunks: () => output.take() }
}

describe("a text message", () => {
  it("RFC 6455 §5.7: unmasked", () => {
    const { encoder, sent } = make()
    encoder.text("Hello")
    assert.deepStrictEqual(sent(), Hex.hex("8105 'Hello'"))
  })
  it("RFC 6455 §5.7: masked", () => {
    const { encoder, sent } = make("masked")
    encoder.text("Hello")
    assert.deepStrictEqual(sent(), Hex.hex("8185 37fa213d 7f9f4d5158"))
  })
  it("is UTF-8, with U+FFFD for lone surrogates", () => {
    const { encoder, sent } = make()
    encoder.text("é€😀\ud800")
    assert.deepStrictEqual(sent(), Hex.hex("810c 'é€😀' efbfbd"))
  })
})

describe("RFC 6455 §5.2: the fewest bytes of length, text and bytes, for both roles", () => {
  const unmask = (body: Uint8Array) => body.map((byte, index) => byte ^ ((key >>> (24 - 8 * (index & 3))) & 0xff))
  const sizes = [0, 1, 41, 42, 63, 124, 125, 126, 127, 1_365, 1_366, 4_095, 4_096, 4_097, 65_535, 65_536]
  for (const masking of ["plain", "masked"] as const) {
    for (const character of ["a", "é", "€"]) {
      it(`${character}, ${masking}`, () => {
        for (const count of sizes) {
          const text = character.repeat(count)
          const payload = new TextEncoder().encode(text)
          for (const kind of ["text", "bytes"] as const) {
            const { encoder, sent } = make(masking)
            if (kind === "text") encoder.text(text)
            else encoder.frame(0x81, payload.slice())
            const frame = sent()
            const size = payload.length
            const maskBit = masking === "masked" ? 0x80 : 0
            const seven = size <= 125 ? size : size <= 65_535 ? 126 : 127
            assert.deepStrictEqual(Array.from(frame.subarray(0, 2)), [0x81, maskBit | seven], `${count} ${kind}`)
            const extended = size <= 125 ? 0 : size <= 65_535 ? 2 : 8
            const announced = frame.subarray(2, 2 + extended).reduce((sum, byte) => sum * 256 + byte, 0)
            if (extended > 0) assert.strictEqual(announced, size)
            const body = frame.subarray(2 + extended + (masking === "masked" ? 4 : 0))
            assert.deepStrictEqual(masking === "masked" ? unmask(body) : Uint8Array.from(body), payload)
          }
        }
      })
    }
  }
  it("a length above 2^32 is written in eight bytes", () => {
    const { chunks, encoder } = make()
    // Only its length is looked at: the payload is handed on as it is.
    encoder.frame(0x82, { length: 2 ** 32 + 5 } as Uint8Array)
    assert.deepStrictEqual(Uint8Array.from(chunks()[0]!), Hex.hex("827f 0000000100000005"))
  })
})

describe("what leaves together", () => {
  it("the small frames of a turn are one chunk, in order", () => {
    const { chunks, encoder } = make()
    encoder.collect()
    encoder.text("a")
    encoder.frame(0x82, Hex.hex("01"))
    encoder.raw(Hex.hex("8a00"))
    assert.lengthOf(chunks(), 0)
    encoder.flush()
    const collected = chunks()
    assert.lengthOf(collected, 1)
    assert.deepStrictEqual(Uint8Array.from(collected[0]!), Hex.hex("8101'a' 820101 8a00"))
  })
  it("two encoders may take turns", () => {
    const [left, right] = [make(), make()]
    left.encoder.collect()
    right.encoder.collect()
    for (const text of ["a", "b", "c"]) {
      left.encoder.text(text)
      right.encoder.text(text.toUpperCase())
    }
    left.encoder.flush()
    right.encoder.flush()
    assert.strictEqual(Hex.show(left.sent()), "81 01 61 81 01 62 81 01 63")
    assert.strictEqual(Hex.show(right.sent()), "81 01 41 81 01 42 81 01 43")
  })
  it("a large payload keeps its place, and is not copied where it is not masked", () => {
    const { chunks, encoder } = make()
    const large = new Uint8Array(5_000)
    encoder.collect()
    encoder.text("a")
    encoder.frame(0x82, large)
    encoder.text("b")
    encoder.flush()
    const collected = chunks()
    assert.deepStrictEqual(
      collected.map((chunk) => chunk.length),
      [3, 4, 5_000, 3]
    )
    assert.strictEqual(collected[2], large)
  })
  it("a payload that is masked stays as it was with its owner", () => {
    const { encoder } = make("masked")
    for (const size of [10, 5_000]) {
      const payload = new Uint8Array(size).fill(7)
      encoder.frame(0x82, payload)
      assert.isTrue(payload.every((byte) => byte === 7))
    }
  })
  it("more than a slab has", () => {
    const { encoder, sent } = make()
    encoder.collect()
    const text = "x".repeat(1_000)
    for (let index = 0; index < 100; index++) encoder.text(text)
    encoder.flush()
    const bytes = sent()
    assert.lengthOf(bytes, 100 * 1_004)
    for (let at = 0; at < bytes.length; at += 1_004) {
      assert.strictEqual(Hex.show(bytes.subarray(at, at + 1_004)), `81 7e 03 e8 '${text}'`)
    }
  })
  it("outside of a turn each frame leaves at once, and later ones do not change it", () => {
    const { chunks, encoder } = make()
    encoder.text("a")
    const [first] = chunks()
    encoder.text("b")
    assert.strictEqual(Hex.show(first!), "81 01 61")
  })
})
