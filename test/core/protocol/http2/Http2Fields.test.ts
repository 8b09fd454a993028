import { assert, describe, it } from "@effect/vitest"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"

const of = (...lines: ReadonlyArray<readonly [name: string, value: string]>) => {
  const fields = new Http2Fields()
  for (const [name, value] of lines) fields.add(name, value)
  return fields
}

describe("headers", () => {
  it("RFC 9110 §5.3: values of one name are joined", () => {
    const fields = of(["a", "1"], ["b", ""], ["a", "2"], ["a", "3"])
    assert.deepStrictEqual({ ...fields.headers() }, { a: "1, 2, 3", b: "" })
    assert.deepStrictEqual([fields.header("a"), fields.header("b"), fields.header("c")], ["1, 2, 3", "", undefined])
  })
  it("RFC 9113 §8.2.3: crumbs of cookie are joined by a semicolon", () => {
    const fields = of(["cookie", "a=1"], ["cookie", "b=2"], ["cookie", "c=3"])
    assert.strictEqual(fields.header("cookie"), "a=1; b=2; c=3")
    assert.deepStrictEqual({ ...fields.headers() }, { cookie: "a=1; b=2; c=3" })
  })
  it("RFC 9110 §5.3: Set-Cookie is kept apart", () => {
    const fields = of(["set-cookie", "a=1"], ["x", "y"], ["set-cookie", "b=2"])
    assert.deepStrictEqual(fields.setCookies(), ["a=1", "b=2"])
    assert.deepStrictEqual({ ...fields.headers() }, { x: "y" })
    assert.isUndefined(fields.header("set-cookie"))
    assert.isUndefined(of(["set-cookie", "a=1"]).header("set-cookie"))
    assert.deepStrictEqual(of().setCookies(), [])
  })
  it("names of Object.prototype are names", () => {
    const fields = of(["__proto__", "a"], ["constructor", "b"])
    assert.deepStrictEqual(Object.entries(fields.headers()), [
      ["__proto__", "a"],
      ["constructor", "b"]
    ])
    assert.deepStrictEqual([fields.header("__proto__"), fields.header("constructor")], ["a", "b"])
    assert.isUndefined(of().header("__proto__"))
    assert.isUndefined(of(["a", "1"], ["a", "2"]).header("toString"))
  })
  it("are read once", () => {
    const fields = of(["a", "b"])
    assert.strictEqual(fields.headers(), fields.headers())
  })
})

it("visit shows the lines as they came", () => {
  const lines: Array<string> = []
  of(["a", "1"], ["a", "2"], ["set-cookie", "c"]).visit((name, value) => {
    lines.push(`${name}=${value}`)
  })
  assert.deepStrictEqual(lines, ["a=1", "a=2", "set-cookie=c"])
})
