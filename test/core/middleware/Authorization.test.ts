import { assert, describe, it } from "@effect/vitest"
import * as Authorization from "@sluice/core/middleware/Authorization"

const rows: ReadonlyArray<readonly [field: string | undefined, credentials: string | undefined]> = [
  ["Bearer abc", "abc"],
  ["bEARER abc", "abc"],
  ["Bearer   abc", "abc"],
  ["Bearer ", ""],
  ["Bearer a b", "a b"],
  ["Bearer", undefined],
  ["Bearerabc", undefined],
  ["Bearer\tabc", undefined],
  ["Basic abc", undefined],
  ["Bear abc", undefined],
  ["", undefined],
  [undefined, undefined]
]

describe("Authorization", () => {
  for (const [field, credentials] of rows) {
    it(`RFC 9110 §11.1: ${JSON.stringify(field)} has ${JSON.stringify(credentials)}`, () => {
      assert.strictEqual(Authorization.credentials(field, "Bearer"), credentials)
    })
  }

  it("a realm is quoted, and cannot end its quotes", () => {
    assert.strictEqual(Authorization.challenge("Basic", "the [back] office!"), 'Basic realm="the [back] office!"')
    for (const realm of ['a"b', "a\\b", "a\r\nb", "é", "a\x7f"]) {
      assert.throws(() => Authorization.challenge("Basic", realm), RangeError, /realm/)
    }
  })
})
