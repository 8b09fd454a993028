import { assert, it } from "@effect/vitest"
import * as HttpField from "@sluice/core/protocol/http/HttpField"

const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))

it("RFC 9110 §5.6.2: tchar, of all bytes", () => {
  const token = all.filter(HttpField.isToken).join("")
  assert.strictEqual(token, "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~")
  assert.deepStrictEqual(["", "a b", "é", "ā", "a-b"].map(HttpField.isName), [false, false, false, false, true])
})
it("RFC 9110 §5.5: field values, of all bytes", () => {
  const refused = all.filter((character) => !HttpField.isValue(character)).map((one) => one.charCodeAt(0))
  const controls = Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 9)
  assert.deepStrictEqual(refused, [...controls, 127])
  assert.isTrue(HttpField.isValue(""))
  assert.isFalse(HttpField.isValue("Ā"))
})
it("RFC 9110 §5.6.1: tokens of a list, in any case", () => {
  for (const list of ["close", "Close", "a, CLOSE", "a,close ,b", ",\tclose"]) {
    assert.isTrue(HttpField.hasToken(list, "close"), list)
  }
  for (const list of ["", "closed", "a close", "clos", "x-close,a"])
    assert.isFalse(HttpField.hasToken(list, "close"), list)
})
it("RFC 9110 §5.6.1.2: a list of nothing but one token, or empty members", () => {
  for (const list of ["close", "Close", "close , CLOSE", ",\tclose,", "", " , "]) {
    assert.isTrue(HttpField.hasOnlyToken(list, "close"), list)
  }
  for (const list of ["closed", "a close", "close, a", "close;a"])
    assert.isFalse(HttpField.hasOnlyToken(list, "close"), list)
})
it("trim takes spaces and tabs alone", () => {
  assert.strictEqual(HttpField.trim("x \ta b\xa0 x", 1, 8), "a b\xa0")
  assert.strictEqual(HttpField.trim("  ", 0, 2), "")
})
it("credentials and cookies are secrets", () => {
  const names = ["authorization", "cookie", "proxy-authorization", "set-cookie", "server", "content-type"]
  assert.deepStrictEqual(names.filter(HttpField.isSecretName), names.slice(0, 4))
})
it("RFC 9110 §6.5.1: trailers", () => {
  const names = ["x-sum", "server-timing", "content-length", "transfer-encoding", "host", "set-cookie", "authorization"]
  assert.deepStrictEqual(names.filter(HttpField.isTrailerName), ["x-sum", "server-timing"])
})
