import * as Os from "node:os"
import { assert, describe, it } from "@effect/vitest"
import * as NodeAddress from "@sluice/node/NodeAddress"
import * as NetAddress from "effect/net/NetAddress"

const cases: ReadonlyArray<readonly [rule: string, host: string | undefined, port: number | undefined, text: string]> =
  [
    ["IPv4", "127.0.0.1", 80, "127.0.0.1:80"],
    ["IPv6", "::1", 80, "[::1]:80"],
    ["IPv4 on a socket of both families", "::ffff:192.0.2.1", 80, "192.0.2.1:80"],
    ["a zone whose interface is gone", "fe80::1%nowhere0", 80, "[fe80::1]:80"],
    ["a socket that is gone", undefined, undefined, "0.0.0.0:0"]
  ]

describe("NodeAddress.fromNative", () => {
  for (const [rule, host, port, text] of cases) {
    it(rule, () => assert.strictEqual(NetAddress.formatSocketAddress(NodeAddress.fromNative(host, port)), text))
  }

  it("keeps the zone of an interface that is there", () => {
    const [name] = Object.keys(Os.networkInterfaces())
    const address = NodeAddress.fromNative(`fe80::1%${name}`, 80)
    if (!NetAddress.isInetAddressV6(address)) return assert.fail("an address of another family")
    // Without an address of scope there is no number for any zone, and none is kept.
    const scopeId = NetAddress.scopeIdsFromInterfaces(Object.entries(Os.networkInterfaces())).get(name!) ?? 0
    assert.strictEqual(address.scopeId, scopeId)
    assert.strictEqual(NodeAddress.toNativeHost(address), scopeId === 0 ? "fe80::1" : `fe80::1%${name}`)
  })
})

describe("NodeAddress", () => {
  it("of a server: a path, a port, or nothing yet", () => {
    const of = (address: Parameters<typeof NodeAddress.fromServer>[0]) =>
      NetAddress.formatSocketAddress(NodeAddress.fromServer(address))
    assert.strictEqual(of("/run/a.sock"), "/run/a.sock")
    assert.strictEqual(of({ address: "::", family: "IPv6", port: 4000 }), "[::]:4000")
    assert.strictEqual(of(null), "0.0.0.0:0")
  })

  it("hosts as node:net wants them", () => {
    const host = (text: string) => NodeAddress.toNativeHost(NetAddress.inetAddressFromStringUnsafe(text))
    assert.strictEqual(host("192.0.2.1:80"), "192.0.2.1")
    assert.strictEqual(host("[2001:db8::1]:80"), "2001:db8::1")
  })
})
