import { assert, describe, it } from "@effect/vitest"
import { ConnectQuery } from "@sluice/core/grpc/server/ConnectQuery"

const message = (query: string): string | undefined => {
  const found = new ConnectQuery(`/a.B/C${query}`).message
  return found === undefined ? undefined : Buffer.from(found).toString("latin1")
}

describe("ConnectQuery", () => {
  const cases: ReadonlyArray<readonly [rule: string, query: string, found: string | undefined]> = [
    ["no query", "", undefined],
    ["no message", "?encoding=json", undefined],
    ["an empty one", "?message=", ""],
    ["percent-encoding", "?message=%7B%22name%22%3A%22Buf%22%7d", '{"name":"Buf"}'],
    ["what a browser leaves as it is", '?message={"name":"Buf"}', '{"name":"Buf"}'],
    ["a plus sign is a space", "?message=a+b%2Bc", "a b+c"],
    ["bytes that are no text", "?message=%ff%00", "\xff\x00"],
    ["an equals sign within", "?message=a=b", "a=b"],
    ["any order, among others", "?x=1&connect=v1&message=a&y", "a"],
    ["the first counts", "?message=a&message=b", "a"],
    ["a percent sign alone", "?message=%", undefined],
    ["a percent sign with one digit", "?message=%4", undefined],
    ["a percent sign with no digits", "?message=%zz", undefined],
    ["base64 for URLs", "?base64=1&message=--__YQ", Buffer.from("--__YQ", "base64url").toString("latin1")],
    ["base64 with padding", "?message=YQ%3D%3D&base64=1", "a"],
    ["base64 of the other alphabet, not escaped", "?message=+/+/&base64=1", "\xfb\xff\xbf"],
    ["base64 that is none", "?message=!!!!&base64=1", undefined],
    ["other values of base64 are ignored", "?message=YQ&base64=true", "YQ"]
  ]
  for (const [rule, query, found] of cases) {
    it(`Connect, Unary-Get-Request: ${rule}`, () => assert.strictEqual(message(query), found))
  }

  it("gives other parameters", () => {
    const query = new ConnectQuery("/a.B/C?connect=v%31&x")
    assert.deepStrictEqual([query.get("connect"), query.get("x"), query.get("y")], ["v1", "", undefined])
    assert.deepStrictEqual([query.has("x"), query.has("y")], [true, false])
  })
})
