import { assert, it } from "@effect/vitest"
import * as HttpDate from "@sluice/core/protocol/http/HttpDate"

const example = 784_111_777_000

it("RFC 9110 §5.6.7: IMF-fixdate", () => {
  assert.strictEqual(HttpDate.format(example), "Sun, 06 Nov 1994 08:49:37 GMT")
  assert.strictEqual(HttpDate.format(example + 999), "Sun, 06 Nov 1994 08:49:37 GMT")
  assert.strictEqual(HttpDate.format(example + 1000), "Sun, 06 Nov 1994 08:49:38 GMT")
  assert.strictEqual(HttpDate.format(0), "Thu, 01 Jan 1970 00:00:00 GMT")
})
it("RFC 9110 §5.6.7: all three formats are read", () => {
  for (const text of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]) {
    assert.strictEqual(HttpDate.parse(text, example), example, text)
  }
})
it("RFC 9110 §5.6.7: a year of two digits is at most 50 years ahead", () => {
  const text = "Sunday, 06-Nov-94 08:49:37 GMT"
  assert.strictEqual(new Date(HttpDate.parse(text, Date.UTC(2044, 0))!).getUTCFullYear(), 2094)
  assert.strictEqual(new Date(HttpDate.parse(text, Date.UTC(2043, 0))!).getUTCFullYear(), 1994)
})
it("what is no date", () => {
  const texts = [
    "",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 31 Feb 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "1994-11-06T08:49:37Z"
  ]
  for (const text of texts) assert.isUndefined(HttpDate.parse(text, example), text)
})
it("what is formatted is read again", () => {
  for (let time = 0; time < 4e12; time += 123_456_789_000) {
    assert.strictEqual(HttpDate.parse(HttpDate.format(time), 0), time)
  }
})
