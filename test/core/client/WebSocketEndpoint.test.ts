import { assert, describe, it } from "@effect/vitest"
import * as WebSocketEndpoint from "@sluice/core/client/WebSocketEndpoint"
import * as NetAddress from "effect/net/NetAddress"

const resolved = (input: string | URL | WebSocketEndpoint.Endpoint): string => {
  const { address, authority, path, security } = WebSocketEndpoint.resolve(input)
  return `${JSON.stringify(address)} ${authority} ${path} ${security}`
}

describe("a URL: RFC 6455 §3", () => {
  const cases: ReadonlyArray<readonly [url: string, expected: string]> = [
    ["ws://a.test", `{"host":"a.test","port":80} a.test / none`],
    ["wss://A.test/x?y=1#z", `{"host":"a.test","port":443} a.test /x?y=1 tls`],
    ["ws://a.test:443/", `{"host":"a.test","port":443} a.test:443 / none`],
    ["http://127.0.0.1:8080/a%20b", `{"host":"127.0.0.1","port":8080} 127.0.0.1:8080 /a%20b none`],
    ["https://[::1]:1/", `{"host":"::1","port":1} [::1]:1 / tls`]
  ]
  for (const [url, expected] of cases) {
    it(url, () => {
      assert.strictEqual(resolved(url), expected)
      assert.strictEqual(resolved(new URL(url)), expected)
    })
  }

  it("of another kind is a RangeError", () => {
    for (const url of ["", "a.test", "ftp://a.test/", "ws://"]) {
      assert.throws(() => WebSocketEndpoint.resolve(url), RangeError)
    }
  })
})

describe("an address", () => {
  it("has a path, and a name for Host", () => {
    const socket = NetAddress.inetAddressFromIpStringUnsafe("::1", 80)
    assert.match(resolved({ address: socket }), / \[::1\]:80 \/ none$/)
    assert.match(resolved({ address: { path: "/run/a.sock" }, security: "tls" }), / localhost \/ tls$/)
    assert.match(resolved({ address: { host: "::1", port: 1 }, path: "/x" }), / \[::1\]:1 \/x none$/)
    assert.match(resolved({ address: { host: "a", port: 1 }, authority: "b.test" }), / b.test \/ none$/)
    assert.throws(() => resolved({ address: { host: "a", port: 1 }, path: "x" }), RangeError)
  })
})
