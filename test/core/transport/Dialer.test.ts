import { assert, describe, it } from "@effect/vitest"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as NetAddress from "effect/net/NetAddress"

describe("formatTarget", () => {
  const cases: ReadonlyArray<readonly [rule: string, target: Dialer.Target, text: string]> = [
    ["a name and a port", { host: "example.test", port: 443 }, "example.test:443"],
    ["an IPv4 address and a port", { host: "192.0.2.1", port: 1 }, "192.0.2.1:1"],
    ["an IPv6 address stands in brackets", { host: "2001:db8::1", port: 443 }, "[2001:db8::1]:443"],
    ["a Unix socket's path", { path: "/run/app.sock" }, "unix:///run/app.sock"],
    ["an address that is known", NetAddress.inetAddressFromIpStringUnsafe("192.0.2.1", 443), "192.0.2.1:443"],
    ["an IPv6 address that is known", NetAddress.inetAddressFromIpStringUnsafe("::1", 443), "[::1]:443"],
    ["a Unix address that is known", NetAddress.unixPathAddress("/run/app.sock"), "unix:///run/app.sock"]
  ]
  for (const [rule, target, text] of cases) {
    it(rule, () => assert.strictEqual(Dialer.formatTarget(target), text))
  }
})
