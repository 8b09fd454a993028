import { assert, describe, it } from "@effect/vitest"
import * as WebSocketExtensions from "@sluice/core/protocol/websocket/WebSocketExtensions"

type Parameters = WebSocketExtensions.Extension["parameters"]
const one = (name: string, ...parameters: Parameters) => ({ name, parameters })

describe("RFC 6455 §9.1: what can be read", () => {
  const cases: ReadonlyArray<readonly [value: string, extensions: ReadonlyArray<WebSocketExtensions.Extension>]> = [
    ["", []],
    ["foo", [one("foo")]],
    ["foo, bar", [one("foo"), one("bar")]],
    ["foo,,bar,", [one("foo"), one("bar")]],
    [" foo ;a ; b = 1,bar", [one("foo", ["a", undefined], ["b", "1"]), one("bar")]],
    ['foo; a="1"', [one("foo", ["a", "1"])]],
    ['foo; a="x\\y"', [one("foo", ["a", "xy"])]],
    ["foo; a; a=2", [one("foo", ["a", undefined], ["a", "2"])]]
  ]
  for (const [value, extensions] of cases) {
    it(`<${value}>`, () => assert.deepStrictEqual(WebSocketExtensions.parse(value), extensions))
  }
})

describe("RFC 6455 §9.1: what cannot", () => {
  const values = [
    "foo bar",
    "foo;",
    ";a",
    "foo; =1",
    "foo; a=",
    'foo; a="',
    'foo; a=""',
    'foo; a="1, 2"',
    'foo; a="1"2',
    "föö"
  ]
  for (const value of [...values, 'foo; a="\\', "foo; a=b=c", "foo; a b"]) {
    it(`<${value}>`, () => assert.isUndefined(WebSocketExtensions.parse(value)))
  }
})

it("what is written can be read", () => {
  const extensions = [one("foo", ["a", undefined], ["b", "1"]), one("bar")]
  assert.strictEqual(WebSocketExtensions.format(extensions), "foo; a; b=1, bar")
  assert.deepStrictEqual(WebSocketExtensions.parse(WebSocketExtensions.format(extensions)), extensions)
})

it("RFC 9110 §5.6.2: tokens", () => {
  for (const token of ["chat", "v1.chat", "a!#$%&'*+-.^_`|~"]) assert.isTrue(WebSocketExtensions.isToken(token))
  for (const text of ["", "a b", "a/b", "a,b", '"a"', "é", "a\n"]) assert.isFalse(WebSocketExtensions.isToken(text))
})

it("a long value takes time in proportion", () => {
  const value = `${'a; b="'.repeat(2_000)}${"\\".repeat(2_000)}`
  assert.isUndefined(WebSocketExtensions.parse(value))
  assert.lengthOf(WebSocketExtensions.parse("a,".repeat(5_000))!, 5_000)
})
