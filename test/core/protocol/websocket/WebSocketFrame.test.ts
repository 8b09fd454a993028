import { assert, it } from "@effect/vitest"
import * as WebSocketFrame from "@sluice/core/protocol/websocket/WebSocketFrame"

it("RFC 6455 §5.2: a head has 2 to 14 bytes", () => {
  const seconds = [0, 125, 126, 127, 128, 128 + 125, 128 + 126, 128 + 127]
  assert.deepStrictEqual(seconds.map(WebSocketFrame.headSize), [2, 2, 4, 10, 6, 6, 8, 14])
  assert.strictEqual(Math.max(...seconds.map(WebSocketFrame.headSize)), WebSocketFrame.headBytes)
})
it("RFC 6455 §5.2: a length takes the fewest bytes", () => {
  const sizes = [0, 125, 126, 65_535, 65_536, 2 ** 33]
  assert.deepStrictEqual(sizes.map(WebSocketFrame.extendedLengthBytes), [0, 0, 2, 2, 8, 8])
})
it("RFC 6455 §5.5: a Close frame's code and reason fill a control frame", () => {
  assert.strictEqual(WebSocketFrame.closeReasonBytes + 2, WebSocketFrame.controlBytes)
})
