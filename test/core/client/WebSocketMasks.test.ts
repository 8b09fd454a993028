import { assert, describe, it } from "@effect/vitest"
import * as WebSocketMasks from "@sluice/core/client/WebSocketMasks"

/** A source that counts, and what it was asked for. */
const counting = () => {
  const asked: Array<number> = []
  let count = 0
  const source: WebSocketMasks.RandomSource = {
    getRandomValues: (array) => {
      asked.push(array.byteLength)
      for (let index = 0; index < array.length; index++) array[index] = ++count
      return array
    }
  }
  return { source, asked }
}

describe("WebSocketMasks", () => {
  it("draws each mask once, and asks the source seldom", () => {
    const { asked, source } = counting()
    const masks = WebSocketMasks.of(source)
    const drawn = Array.from({ length: 3000 }, () => masks.next())
    assert.strictEqual(new Set(drawn).size, 3000)
    assert.deepStrictEqual(asked, [4096, 4096, 4096])
  })

  it("is one pool for each source", () => {
    const { source } = counting()
    assert.strictEqual(WebSocketMasks.of(source), WebSocketMasks.of(source))
    assert.notStrictEqual(WebSocketMasks.of(source), WebSocketMasks.of(counting().source))
  })

  it("RFC 6455 §4.1: a key is 16 bytes in base64, a new one each time", () => {
    const masks = WebSocketMasks.of(counting().source)
    assert.strictEqual(masks.key(), "AQIDBAUGBwgJCgsMDQ4PEA==")
    assert.strictEqual(masks.key(), "ERITFBUWFxgZGhscHR4fIA==")
  })
})
