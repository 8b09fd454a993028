import { assert, it } from "@effect/vitest"
import * as HpackPolicy from "@sluice/core/protocol/hpack/HpackPolicy"

const cases: ReadonlyArray<readonly [name: string, value: string, policy: HpackPolicy.HpackPolicy]> = [
  ["authorization", "Bearer x", "never"],
  ["proxy-authorization", "Basic x", "never"],
  ["set-cookie", "id=1", "never"],
  ["cookie", "x".repeat(19), "never"],
  ["cookie", "x".repeat(20), "index"],
  [":path", "/a", "plain"],
  ["content-length", "1", "plain"],
  ["etag", '"1"', "plain"],
  ["content-type", "text/plain", "index"],
  ["x-other", "1", "index"]
]
for (const [name, value, policy] of cases) {
  it(`RFC 7541 §7.1: ${name} of ${value.length} bytes is ${policy}`, () =>
    assert.strictEqual(HpackPolicy.of(name, value), policy))
}
