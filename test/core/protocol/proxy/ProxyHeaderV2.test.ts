import { assert, describe, it } from "@effect/vitest"
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as ProxyHeaderV2 from "@sluice/core/protocol/proxy/ProxyHeaderV2"
import * as NetAddress from "effect/net/NetAddress"

/** The other rules of version 2 stand in the table of `ProxyHeader`. */
describe("ProxyHeaderV2", () => {
  const encoded = ProxyHeaderV2.encode({
    addresses: {
      source: NetAddress.inetAddressFromIpStringUnsafe("192.168.0.1", 56_324),
      destination: NetAddress.inetAddressFromIpStringUnsafe("192.168.0.11", 443)
    }
  })

  it("begins with the signature that no other protocol has", () => {
    assert.strictEqual(encoded[0], ProxyHeaderV2.firstByte)
    assert.strictEqual(Buffer.from(encoded.subarray(0, 12)).toString("latin1"), "\r\n\r\n\0\r\nQUIT\n")
  })

  it("a payload above the maximum is refused by its length, before it has come", () => {
    const queue = new ByteQueue()
    queue.push(encoded.slice(0, 16))
    assert.strictEqual(ProxyHeaderV2.decode(queue, 11)._tag, "Invalid")
    assert.strictEqual(ProxyHeaderV2.decode(queue, 12)._tag, "NeedMore")
  })
})
