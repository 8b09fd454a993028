import { assert, describe, it } from "@effect/vitest"
import { Http1Fields } from "@sluice/core/protocol/http1/Http1Fields"

const of = (lines: string) => new Http1Fields(`start${lines}\r\n`, 5)

describe("headers", () => {
  it("RFC 9110 §5.1: names are read in lower case", () => {
    assert.deepStrictEqual({ ...of("Content-Type: a\r\nX: b\r\n").headers() }, { "content-type": "a", x: "b" })
  })
  it("names that are common, and those that look like them", () => {
    const names = [
      "Host",
      "ACCEPT",
      "Sec-CH-UA-Mobile",
      "X-Forwarded-For",
      "hosu",
      "Accep_",
      "cookiE",
      "~ost",
      "Etag",
      "Nost"
    ]
    const fields = of(names.map((name) => `${name}: ${name}\r\n`).join(""))
    assert.deepStrictEqual(
      Object.entries(fields.headers()),
      names.map((name) => [name.toLowerCase(), name])
    )
  })
  it("RFC 9110 §5.3: values of one name are joined, those of Cookie by a semicolon", () => {
    const fields = of("A: 1\r\ncookie: x=1\r\na:2\r\nCookie: y=2\r\n")
    assert.deepStrictEqual({ ...fields.headers() }, { a: "1, 2", cookie: "x=1; y=2" })
  })
  it("RFC 9110 §5.3: Set-Cookie is kept apart", () => {
    const fields = of("Set-Cookie: a=1\r\nset-cookie: b=2\r\n")
    assert.deepStrictEqual(fields.setCookies(), ["a=1", "b=2"])
    assert.deepStrictEqual({ ...fields.headers() }, {})
    assert.deepStrictEqual(of("").setCookies(), [])
  })
  it("RFC 9112 §5.1: white space around a value is not its own; NBSP is", () => {
    assert.strictEqual(of("a: \t b c\t \r\n").header("a"), "b c")
    assert.strictEqual(of("a:\xa0b\xa0\r\n").header("a"), "\xa0b\xa0")
    assert.strictEqual(of("a:\r\n").header("a"), "")
  })
  it("a colon in a value is content", () => {
    assert.strictEqual(of("Host: a:80\r\n").header("host"), "a:80")
  })
  it("names of Object.prototype are names", () => {
    const headers = of("__proto__: a\r\nconstructor: b\r\ntoString: c\r\n").headers()
    assert.deepStrictEqual(Object.entries(headers), [
      ["__proto__", "a"],
      ["constructor", "b"],
      ["tostring", "c"]
    ])
    assert.isUndefined(of("").header("hasOwnProperty"))
    assert.isUndefined(of("").header("__proto__"))
  })
  it("is read once", () => {
    const fields = of("a: b\r\n")
    assert.strictEqual(fields.headers(), fields.headers())
  })
})

it("visit shows the lines as they came", () => {
  const lines: Array<string> = []
  of("A: 1\r\na: 2\r\nSet-Cookie: c\r\n").visit((name, value) => {
    lines.push(`${name}=${value}`)
  })
  assert.deepStrictEqual(lines, ["A=1", "a=2", "Set-Cookie=c"])
})
