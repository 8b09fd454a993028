import { assert, describe, it } from "@effect/vitest"
import * as WebSocketClosePayload from "@sluice/core/protocol/websocket/WebSocketClosePayload"
import * as Hex from "../../../harness/Hex.ts"

const decode = (wire: string) => {
  const result = WebSocketClosePayload.decode(Hex.hex(wire))
  return "code" in result ? [result.code, result.reason] : "rule" in result ? result.rule : result._tag
}

describe("decode", () => {
  const cases: ReadonlyArray<readonly [rule: string, wire: string, expected: unknown]> = [
    ["RFC 6455 §7.1.5: no code is 1005", "", [1005, ""]],
    ["RFC 6455 §5.5.1: one byte", "03", "close payload"],
    ["RFC 6455 §5.5.1: a code", "03e9", [1001, ""]],
    ["RFC 6455 §5.5.1: a code and a reason", "03e8 'bye €'", [1000, "bye €"]],
    ["RFC 6455 §7.4.1: a code that is not sent", "03ed", "close code"],
    ["RFC 6455 §8.1: a reason that is not UTF-8", "03e8 c3", "InvalidUtf8"],
    ["the code is looked at before the reason", "03ed c3", "close code"]
  ]
  for (const [rule, wire, expected] of cases) it(rule, () => assert.deepStrictEqual(decode(wire), expected))
})

describe("encode", () => {
  it("RFC 6455 §5.5.1: a code and a reason", () => {
    assert.strictEqual(Hex.show(WebSocketClosePayload.encode(4000, "é")), "0f a0 c3 a9")
  })
  it("RFC 6455 §5.5: a reason has at most 123 bytes", () => {
    assert.lengthOf(WebSocketClosePayload.encode(1000, `${"a".repeat(121)}é`), 125)
    assert.throws(() => WebSocketClosePayload.encode(1000, `${"a".repeat(122)}é`), RangeError)
  })
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5]) {
    it(`RFC 6455 §7.4.1: ${code} is not sent`, () => {
      assert.throws(() => WebSocketClosePayload.encode(code, ""), RangeError)
    })
  }
})
