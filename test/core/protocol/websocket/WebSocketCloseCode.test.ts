import { assert, it } from "@effect/vitest"
import * as WebSocketCloseCode from "@sluice/core/protocol/websocket/WebSocketCloseCode"

it("RFC 6455 §7.4: the codes that a Close frame may carry", () => {
  const allowed = Array.from({ length: 65_536 }, (_, code) => code).filter(WebSocketCloseCode.isOnWire)
  const ranges: Array<string> = []
  for (let index = 0, from = 0; index < allowed.length; index++) {
    if (allowed[index + 1] === allowed[index]! + 1) continue
    ranges.push(`${allowed[from]}-${allowed[index]}`)
    from = index + 1
  }
  assert.deepStrictEqual(ranges, ["1000-1003", "1007-1014", "3000-4999"])
})
it("what is no code at all", () => {
  for (const code of [-1, 1000.5, Number.NaN, 66_536]) assert.isFalse(WebSocketCloseCode.isOnWire(code))
})
it("RFC 6455 §7.4.1: the names", () => {
  assert.strictEqual(WebSocketCloseCode.goingAway, 1001)
  assert.isTrue(WebSocketCloseCode.isOnWire(WebSocketCloseCode.messageTooBig))
  for (const code of [WebSocketCloseCode.noStatus, WebSocketCloseCode.abnormal, WebSocketCloseCode.tlsHandshake]) {
    assert.isFalse(WebSocketCloseCode.isOnWire(code))
  }
})
