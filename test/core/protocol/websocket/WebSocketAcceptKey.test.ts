import { assert, describe, it } from "@effect/vitest"
import * as WebSocketAcceptKey from "@sluice/core/protocol/websocket/WebSocketAcceptKey"

it("RFC 6455 §1.3: the example", () => {
  assert.strictEqual(WebSocketAcceptKey.accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
})
it("RFC 6455 §4.1: a key is 16 bytes in base64", () => {
  assert.strictEqual(WebSocketAcceptKey.fromRandom(Buffer.from("the sample nonce")), "dGhlIHNhbXBsZSBub25jZQ==")
  for (let seed = 0; seed < 256; seed++) {
    const random = Uint8Array.from({ length: 16 }, (_, index) => (seed * 31 + index * 17) & 0xff)
    const key = WebSocketAcceptKey.fromRandom(random)
    assert.strictEqual(key, Buffer.from(random).toString("base64"))
    assert.isTrue(WebSocketAcceptKey.isKey(key))
  }
  assert.throws(() => WebSocketAcceptKey.fromRandom(new Uint8Array(15)), RangeError)
})
describe("RFC 6455 §4.2.1: what is no key", () => {
  for (const key of [
    "",
    "dGhlIHNhbXBsZSBub25jZQ=",
    "dGhlIHNhbXBsZSBub25jZQ",
    "dGhlIHNhbXBsZSBub25jZQ====",
    "dGhl IHNhbXBsZSBub25jZ==",
    "dGhlIHNhbXBsZSBub25j",
    "dGhlIHNhbXBsZSBub25jZS4u"
  ]) {
    it(`"${key}"`, () => assert.isFalse(WebSocketAcceptKey.isKey(key)))
  }
})
