import { assert, describe, it } from "@effect/vitest"
import * as HttpTarget from "@sluice/core/protocol/http/HttpTarget"

describe("RFC 9112 §3.2: forms", () => {
  const cases: ReadonlyArray<readonly [method: string, target: string, form: HttpTarget.Form | undefined]> = [
    ["GET", "/", "origin"],
    ["GET", "//a/b", "origin"],
    ["OPTIONS", "/", "origin"],
    ["GET", "http://a", "absolute"],
    ["GET", "HTTPS://a:1/?b", "absolute"],
    ["GET", "http://[::1]:80/", "absolute"],
    ["GET", "http://u@a/", undefined],
    ["GET", "http:///a", undefined],
    ["GET", "http://a:b/", undefined],
    ["GET", "urn:a", undefined],
    ["GET", "ftp://a/", undefined],
    ["GET", "http0://a/", undefined],
    ["GET", "a", undefined],
    ["GET", "?a", undefined],
    ["GET", "*", undefined],
    ["OPTIONS", "*", "asterisk"],
    ["OPTIONS", "**", undefined],
    ["CONNECT", "a:1", "authority"],
    ["CONNECT", "[::1]:1", "authority"],
    ["CONNECT", "a", undefined],
    ["CONNECT", "a:", undefined],
    ["CONNECT", "/", undefined],
    ["CONNECT", "http://a:1", undefined],
    ["GET", "a:1", undefined]
  ]
  for (const [method, target, form] of cases) {
    it(`${method} ${target}`, () => assert.strictEqual(HttpTarget.formOf(method, target), form))
  }
})
it("RFC 9112 §3.2: a target is visible ASCII without a fragment", () => {
  for (const target of ["/", '/a|b{}^`\\"<>', "*"]) assert.isTrue(HttpTarget.isTarget(target), target)
  for (const target of ["", "/ ", "/\t", "/\r\n", "/#", "/é", "/\x7f", "/€"]) {
    assert.isFalse(HttpTarget.isTarget(target), target)
  }
})
it("RFC 9110 §7.2: host and port", () => {
  const valid = [
    "a",
    "A.b-c_d",
    "a:",
    "a:0",
    "a:65535",
    "127.0.0.1:80",
    "[::1]",
    "[::ffff:1.2.3.4]:80",
    "a%20b",
    "!$&'()*+;="
  ]
  for (const text of valid) assert.isTrue(HttpTarget.isAuthority(text, "optional"), text)
  const invalid = [
    "",
    ":80",
    "a:b",
    "a:65536",
    "a:123456",
    "a:8:8",
    "u@a",
    "a/b",
    "a,b",
    "a b",
    "[::1",
    "[]",
    "[::1]x",
    "[g::1]",
    "a%2",
    "a%zz",
    "a#",
    "é",
    "::1"
  ]
  for (const text of invalid) assert.isFalse(HttpTarget.isAuthority(text, "optional"), text)
  assert.isFalse(HttpTarget.isAuthority("a", "required"))
})
it("the authority that a target names", () => {
  assert.strictEqual(HttpTarget.authorityOf("http://a:1/b"), "a:1")
  assert.isUndefined(HttpTarget.authorityOf("/b"))
  assert.strictEqual(HttpTarget.authorityIn("CONNECT", "a:1"), "a:1")
  assert.isUndefined(HttpTarget.authorityIn("GET", "/"))
})
