import { assert, it } from "@effect/vitest"
import * as HttpContentLength from "@sluice/core/protocol/http/HttpContentLength"

it("RFC 9110 §8.6: Content-Length is digits", () => {
  const values = ["0", "007", "9007199254740991", "0000000000000000012"]
  assert.deepStrictEqual(values.map(HttpContentLength.parse), [0, 7, Number.MAX_SAFE_INTEGER, 12])
  for (const text of [
    "",
    "+1",
    "-1",
    "1.0",
    "1e3",
    "0x1",
    " 1",
    "1 ",
    "1,1",
    "٣",
    "9007199254740992",
    "0".repeat(20)
  ]) {
    assert.isUndefined(HttpContentLength.parse(text), text)
  }
})
