import { assert, describe, it } from "@effect/vitest"
import * as ClientAddress from "@sluice/core/middleware/ClientAddress"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"

const rows: ReadonlyArray<readonly [address: string, key: string]> = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::ffff", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["not:an:address", "unknown"]
]

describe("ClientAddress", () => {
  for (const [address, key] of rows) {
    it(`${address} counts as ${key}`, () => {
      assert.strictEqual(ClientAddress.keyOfText(address), key)
      const request = HttpServerRequest.fromWeb(new Request("http://host.test/"))
      assert.strictEqual(ClientAddress.keyOf(request.modify({ remoteAddress: Option.some(address) })), key)
    })
  }

  it("requests without an address have one key", () => {
    assert.strictEqual(ClientAddress.keyOf(HttpServerRequest.fromWeb(new Request("http://host.test/"))), "unknown")
  })
})
