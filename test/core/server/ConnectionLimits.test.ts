import { assert, describe, it } from "@effect/vitest"
import * as ConnectionLimits from "@sluice/core/server/ConnectionLimits"
import { TooManyConnections } from "@sluice/core/transport/TransportError"
import * as NetAddress from "effect/net/NetAddress"
import { SeededRandom } from "../../harness/SeededRandom.ts"

const keyOf = (ip: string): string => ConnectionLimits.addressKey(NetAddress.inetAddressFromIpStringUnsafe(ip, 7))

/** `[limit, limitCount]` of a refusal. */
const refusal = (verdict: ConnectionLimits.Verdict): readonly [string, number] => {
  assert.instanceOf(verdict, TooManyConnections)
  const { limit, limitCount } = verdict as TooManyConnections
  return [limit, limitCount]
}

describe("addressKey", () => {
  const cases: ReadonlyArray<readonly [rule: string, one: string, other: string, same: boolean]> = [
    ["the same IPv4 address", "192.0.2.1", "192.0.2.1", true],
    ["neighbours in IPv4", "192.0.2.1", "192.0.2.2", false],
    ["IPv4 mapped into IPv6 is IPv4", "::ffff:192.0.2.1", "192.0.2.1", true],
    ["two IPv4 addresses mapped into IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
    ["one IPv6 /64", "2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true],
    ["two IPv6 /64", "2001:db8:0:1::1", "2001:db8:0:2::1", false],
    ["two spellings of one address", "2001:DB8::1", "2001:db8:0:0:0:0:0:1", true],
    ["IPv6 loopback and IPv4 loopback", "::1", "127.0.0.1", false]
  ]
  for (const [rule, one, other, same] of cases) {
    it(`${rule}: ${same ? "one peer" : "two peers"}`, () => {
      assert.strictEqual(keyOf(one) === keyOf(other), same, `${keyOf(one)} and ${keyOf(other)}`)
    })
  }

  it("the port says nothing about the peer", () => {
    const [one, other] = [1, 65_535].map((port) => NetAddress.inetAddressFromIpStringUnsafe("192.0.2.1", port))
    assert.strictEqual(ConnectionLimits.addressKey(one!), ConnectionLimits.addressKey(other!))
  })

  it("peers of Unix sockets are one peer: this machine", () => {
    const [one, other] = ["/a.sock", ""].map(NetAddress.unixPathAddress)
    assert.strictEqual(ConnectionLimits.addressKey(one!), ConnectionLimits.addressKey(other!))
    assert.notStrictEqual(ConnectionLimits.addressKey(one!), keyOf("127.0.0.1"))
  })
})

describe("ConnectionLimits", () => {
  it("admits up to the total, then lets wait, then refuses", () => {
    const limits = new ConnectionLimits.ConnectionLimits({ maxConnections: 2, maxWaiting: 1 })
    for (const key of ["a", "b"]) {
      assert.strictEqual(limits.judge(key, 0), "admit")
      limits.take(key)
    }
    assert.strictEqual(limits.judge("c", 0), "wait")
    assert.deepStrictEqual(refusal(limits.judge("c", 1)), ["total", 2])
    limits.release("a")
    assert.strictEqual(limits.judge("c", 1), "admit")
  })

  it("without a waiting room the next one is refused", () => {
    const limits = new ConnectionLimits.ConnectionLimits({ maxConnections: 1, maxWaiting: 0 })
    limits.take("a")
    assert.deepStrictEqual(refusal(limits.judge("b", 0)), ["total", 1])
  })

  it("one address has its own limit, which other addresses do not feel", () => {
    const limits = new ConnectionLimits.ConnectionLimits({ maxConnectionsPerAddress: 2 })
    limits.take("a")
    limits.take("a")
    assert.deepStrictEqual(refusal(limits.judge("a", 0)), ["per address", 2])
    assert.strictEqual(limits.judge("b", 0), "admit")
    limits.release("a")
    assert.strictEqual(limits.judge("a", 0), "admit")
  })

  it("an address above its limit is refused even where it could wait", () => {
    const limits = new ConnectionLimits.ConnectionLimits({ maxConnections: 1, maxConnectionsPerAddress: 1 })
    limits.take("a")
    assert.deepStrictEqual(refusal(limits.judge("a", 0)), ["per address", 1])
    assert.strictEqual(limits.judge("b", 0), "wait")
  })

  it("the defaults are 10,000 connections, 511 waiting, and any number of one address", () => {
    const limits = new ConnectionLimits.ConnectionLimits()
    for (let count = 0; count < 10_000; count++) {
      assert.strictEqual(limits.judge("a", 0), "admit")
      limits.take("a")
    }
    assert.strictEqual(limits.judge("a", 510), "wait")
    assert.deepStrictEqual(refusal(limits.judge("a", 511)), ["total", 10_000])
  })

  it("`unbounded` is no limit", () => {
    const limits = new ConnectionLimits.ConnectionLimits({
      maxConnections: "unbounded",
      maxConnectionsPerAddress: "unbounded"
    })
    for (let count = 0; count < 20_000; count++) limits.take("a")
    assert.strictEqual(limits.judge("a", 0), "admit")
  })

  it("forgets an address that holds no place, whatever came before", () => {
    const limits = new ConnectionLimits.ConnectionLimits({ maxConnectionsPerAddress: 3 })
    const random = new SeededRandom(1)
    const held: Array<string> = []
    for (let step = 0; step < 10_000; step++) {
      const key = keyOf(`2001:db8:0:${random.below(500).toString(16)}::${random.below(9)}`)
      if (random.below(2) === 0 && limits.judge(key, 0) === "admit") {
        limits.take(key)
        held.push(key)
      } else if (held.length > 0) {
        limits.release(held.splice(random.below(held.length), 1)[0]!)
      }
      assert.strictEqual(limits.admitted, held.length)
      assert.strictEqual(limits.addressCount, new Set(held).size)
    }
    for (const key of held) limits.release(key)
    assert.strictEqual(limits.admitted, 0)
    assert.strictEqual(limits.addressCount, 0)
  })

  const mistakes: ReadonlyArray<ConnectionLimits.Options> = [
    { maxConnections: 0 },
    { maxConnections: -1 },
    { maxConnections: 1.5 },
    { maxConnections: Number.NaN },
    { maxConnections: Number.POSITIVE_INFINITY },
    { maxConnectionsPerAddress: 0 },
    { maxConnectionsPerAddress: Number.NaN },
    { maxWaiting: -1 },
    { maxWaiting: 0.5 }
  ]
  for (const options of mistakes) {
    it(`${Object.entries(options).join().replace(",", ": ")} is a mistake`, () => {
      assert.throws(() => new ConnectionLimits.ConnectionLimits(options), RangeError)
    })
  }
})
