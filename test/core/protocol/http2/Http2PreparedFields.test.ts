import { assert, it } from "@effect/vitest"
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import { Http2PreparedFields, ofHead, ofTrailers, unannounced } from "@sluice/core/protocol/http2/Http2PreparedFields"

const checked = (result: ReturnType<typeof ofHead>): Http2PreparedFields => {
  if (!(result instanceof Http2PreparedFields)) throw new Error(result.message)
  return result
}

it("what the writer of heads looks at is kept apart", () => {
  const fields = checked(
    ofHead({
      Accept: "a",
      "Content-Length": "5",
      HOST: "h",
      Connection: "close",
      TE: "trailers",
      Date: "d",
      list: ["1", "2"],
      none: undefined
    })
  )
  assert.deepStrictEqual(fields.list, ["accept", "a", "date", "d", "list", "1", "list", "2"])
  assert.deepStrictEqual(
    [fields.lengthBytes, fields.host, fields.hasDate, fields.takesTrailers, fields.notInTrailers],
    [5, "h", true, true, "date"]
  )
  const none = checked(ofHead({ a: "b" }))
  assert.deepStrictEqual(
    [none.lengthBytes, none.host, none.hasDate, none.takesTrailers, none.notInTrailers],
    [unannounced, undefined, false, false, undefined]
  )
})
it("RFC 9110 §6.5.1: what is a head's is no trailer, also once it is known as a head", () => {
  const fields = { etag: "a", vary: "b" }
  for (let round = 0; round < 3; round++) {
    assert.instanceOf(ofHead(fields), Http2PreparedFields)
    assert.notInstanceOf(ofTrailers(fields), Http2PreparedFields)
  }
  assert.instanceOf(ofTrailers({ etag: "a" }), Http2PreparedFields)
})
for (const [name, of] of [
  ["heads", ofHead],
  ["trailers", ofTrailers]
] as const) {
  it(`${name}: a record is kept when it comes twice in a row, and then for good`, () => {
    const record: FieldsInput = { a: "b" }
    const first = checked(of(record))
    const other = checked(of({}))
    assert.notStrictEqual(checked(of(record)), first)
    const kept = checked(of(record))
    assert.isDefined(kept.block)
    assert.deepStrictEqual([first.block, other.block], [undefined, undefined])
    of({})
    assert.strictEqual(checked(of(record)), kept)
  })
}
it("refused records are checked each time", () => {
  const record = { a: "\n" }
  for (let round = 0; round < 3; round++) assert.notInstanceOf(ofHead(record), Http2PreparedFields)
})
