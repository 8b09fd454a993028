import { assert, it } from "@effect/vitest"
import { Http2RequestHead, Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"

it("RFC 9113 §8.3.1: the host of a request is its authority, in whichever field it came", () => {
  const head = new Http2RequestHead()
  head.authority = "a.example"
  head.add("x", "y")
  assert.strictEqual(head.header("host"), "a.example")
  assert.deepStrictEqual({ ...head.headers() }, { x: "y", host: "a.example" })
  const both = new Http2RequestHead()
  both.authority = "a.example"
  both.add("host", "A.EXAMPLE:443")
  assert.strictEqual(both.header("host"), "a.example")
  assert.deepStrictEqual({ ...both.headers() }, { host: "a.example" })
})
it("the host of a response is a field", () => {
  const head = new Http2ResponseHead()
  assert.isUndefined(head.header("host"))
  assert.deepStrictEqual({ ...head.headers() }, {})
})
