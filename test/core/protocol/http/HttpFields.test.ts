import { assert, it } from "@effect/vitest"
import * as HttpFields from "@sluice/core/protocol/http/HttpFields"

const joined = (...fields: ReadonlyArray<readonly [name: string, value: string]>) => {
  const record = new HttpFields.EmptyRecord()
  for (const [name, value] of fields) HttpFields.join(record, name, value)
  return Object.entries(record)
}

it("RFC 9110 §5.3: values of one name are joined, those of Cookie by a semicolon", () => {
  assert.deepStrictEqual(joined(["a", "1"], ["cookie", "x=1"], ["a", ""], ["cookie", "y=2"], ["b", "3"]), [
    ["a", "1, "],
    ["cookie", "x=1; y=2"],
    ["b", "3"]
  ])
})
it("a record has nothing but its fields, whatever their names", () => {
  assert.deepStrictEqual(joined(["__proto__", "a"], ["constructor", "b"]), [
    ["__proto__", "a"],
    ["constructor", "b"]
  ])
  const record = new HttpFields.EmptyRecord()
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) assert.isUndefined(record[name])
})
