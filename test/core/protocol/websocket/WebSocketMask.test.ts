import { assert, describe, it } from "@effect/vitest"
import * as WebSocketMask from "@sluice/core/protocol/websocket/WebSocketMask"
import * as Hex from "../../../harness/Hex.ts"

const key = 0x37fa213d
const keyBytes = [0x37, 0xfa, 0x21, 0x3d]
const contentOf = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 37 + 11) & 0xff)

it("RFC 6455 §5.7: the example", () => {
  const payload = Hex.hex("7f9f4d5158")
  WebSocketMask.apply(payload, 0, 5, key)
  assert.strictEqual(Hex.show(payload), "'Hello'")
})

describe("RFC 6455 §5.3: byte i is combined with byte i mod 4 of the key", () => {
  const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 63, 64, 65, 127, 128, 129, 130, 131, 132, 255, 1024, 1027]
  for (const length of lengths) {
    it(`${length} bytes at every alignment, and nothing around them`, () => {
      for (let offset = 0; offset < 8; offset++) {
        for (const start of [0, 1, 2, 3, 6]) {
          // A view that does not begin where its memory does.
          const view = new Uint8Array(new ArrayBuffer(offset + start + length + 9), offset)
          const content = contentOf(view.length)
          view.set(content)
          WebSocketMask.apply(view, start, start + length, key)
          const expected = content.map((byte, index) =>
            index < start || index >= start + length ? byte : byte ^ keyBytes[(index - start) & 3]!
          )
          assert.deepStrictEqual(view, expected, `offset ${offset}, start ${start}`)
        }
      }
    })
  }
  it("a key with its first bit set, signed or not", () => {
    for (const one of [0xfffefdfc, 0xfffefdfc | 0]) {
      const long = new Uint8Array(200)
      WebSocketMask.apply(long, 0, 200, one)
      assert.strictEqual(Hex.show(long.subarray(0, 5)), "ff fe fd fc ff")
      assert.strictEqual(Hex.show(long.subarray(196)), "ff fe fd fc")
    }
  })
})

it("a payload in pieces is masked as the whole is, with the key turned", () => {
  const whole = contentOf(400)
  WebSocketMask.apply(whole, 0, 400, key)
  for (const cut of [0, 1, 2, 3, 4, 5, 130, 131, 257]) {
    const pieces = contentOf(400)
    WebSocketMask.apply(pieces, 0, cut, key)
    WebSocketMask.apply(pieces, cut, 400, WebSocketMask.rotate(key, cut))
    assert.deepStrictEqual(pieces, whole, `cut at ${cut}`)
  }
})
