import { assert, describe, it } from "@effect/vitest"
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as ProxyHeaderV1 from "@sluice/core/protocol/proxy/ProxyHeaderV1"
import * as NetAddress from "effect/net/NetAddress"

/** The other rules of version 1 stand in the table of `ProxyHeader`. */
describe("ProxyHeaderV1", () => {
  it("the longest header of the specification has its 107 bytes, and is one", () => {
    const full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    const text = `PROXY UNKNOWN ${full} ${full} 65535 65535\r\n`
    const queue = new ByteQueue()
    queue.push(Buffer.from(text))
    assert.strictEqual(text.length, ProxyHeaderV1.maxBytes)
    assert.strictEqual(ProxyHeaderV1.decode(queue)._tag, "Local")
    assert.strictEqual(queue.byteLength, 0)
  })

  it("writes what the specification shows", () => {
    const encoded = ProxyHeaderV1.encode(
      NetAddress.inetAddressFromIpStringUnsafe("192.168.0.1", 56_324),
      NetAddress.inetAddressFromIpStringUnsafe("192.168.0.11", 443)
    )
    assert.strictEqual(Buffer.from(encoded).toString(), "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")
    assert.strictEqual(encoded[0], ProxyHeaderV1.firstByte)
  })
})
